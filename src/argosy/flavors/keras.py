"""A model that Keras has saved: a .keras file, or an .h5 file of old."""

import contextlib
import json
import re
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from argosy.errors import LoadError
from argosy.flavors.loading import file_format, options
from argosy.flavors.loading.artifacts import find
from argosy.flavors.loading.chatter import one_line, without_notices
from argosy.flavors.loading.framework import framework, minor_version
from argosy.flavors.loading.independence import may_join
from argosy.flavors.loading.tensors import answered, completed
from argosy.serving import settings
from argosy.serving.inputs.signature import ModelSignature, TensorSpec
from argosy.serving.predictor import Predictor

_LEVEL: Final = "TF_CPP_MIN_LOG_LEVEL"
settings.set_variables({_LEVEL: settings.environment().get(_LEVEL, "2")})  # errors only; it is read by the import
with framework("keras"), without_notices():
    import keras
_BACKEND: Final[str] = keras.backend.backend()
if _BACKEND == "tensorflow":
    import tensorflow as tf

    from argosy.flavors.tensorflow import as_answers, prepare, reader
if _BACKEND == "torch":
    import torch
_AS_ANSWERS: Final = as_answers if _BACKEND == "tensorflow" else contextlib.nullcontext
"""What the errors of a call become."""

Array = NDArray[Any]  # Any: the model says which dtype
_SAFE: Final = (3, 13, 2)
"""Before this, a file could run code in spite of `safe_mode`.

Source:
    CVE-2026-1462, with CVE-2025-9905, CVE-2025-9906 and CVE-2025-49655 before it (read 2026-11-23).
"""
_HDF5: Final = (".h5", ".hdf5")
_REFUSAL: Final = "safe_mode=False"
"""What Keras names when it refuses Python code in a file."""
_FOREIGN: Final = re.compile(r"Could not locate (?:class|function) '([^']+)'")
_AGAIN: Final = "copy the file again, or save it again with model.save"
_EXPORT: Final = 'where it was trained: model.export("model/1"), and flavor = "tensorflow" under [model] in argosy.toml'


class KerasModel(Predictor):
    """A model of Keras 3: one `.keras` file, or an `.h5` file as far as Keras 3 still reads it.

    Keras runs on TensorFlow, or on what `KERAS_BACKEND` names under `[image] environment`. The model says names, dtypes
    and shapes of its inputs. The first dimension is the rows, where it is free, and invocations may share a call: a
    row's answer is then the same but for rounding, since a product of matrices sums up in an order that depends on how
    many rows there are.

    On TensorFlow the model is traced once, while it is loaded, with that dimension free, so that another number of rows
    costs nothing; `Model.predict` takes twice as long for one row, a call of the model itself many times. The other
    backends answer by `predict_on_batch`; JAX compiles for each number of rows that it sees first.

    The module, and the backend with it, is imported once, before the fork; a model is loaded in each process, since no
    backend's threads survive a fork. They are as many as the process may use.

    Python code in a file, as of a `Lambda` layer, is a pickle by another name: it runs only when `file` names the file.
    """

    load_before_fork: ClassVar[bool] = False

    def load(self, model_dir: Path) -> None:
        """Load and trace the model.

        Raises:
            LoadError: There is no such file, or several; it is broken, newer than Keras here, of another format, holds
                code, or needs layers that Keras does not have; or its inputs cannot be served.
        """
        told = options.read()
        path = find(model_dir, told, ("*.keras", "*.h5", "*.hdf5"), "a Keras model")
        _require_safe_mode()
        _require_format(path)
        _prepare()
        model = _loaded(path, may_run_code=told.file is not None)
        self._inputs = _inputs(model, told.inputs, path)
        outputs = _outputs(model)
        names = answered(list(outputs), told.outputs, path)
        self._outputs = tuple(outputs[name] for name in names)
        places = [list(outputs).index(name) for name in names]
        self._has_rows = all(spec.shape[:1] == (None,) for spec in (*self._inputs, *self._outputs))
        self._row_wise = told.row_wise
        self._call = _traced(model, self._inputs, places) if _BACKEND == "tensorflow" else _called(model, places)

    def signature(self) -> ModelSignature:
        """What the model's symbolic inputs and outputs say."""
        row_wise = may_join(self._row_wise, self._has_rows, self._answer, self._inputs)
        return ModelSignature(self._inputs, self._outputs, row_wise=row_wise)

    def predict(self, inputs: Any) -> Any:
        """Call the model, as it is after training.

        Args:
            inputs: The array, where the model takes one of numbers; else arrays by name.

        Returns:
            The array, where the model gives one; else arrays by name.

        Raises:
            DecodeError: An operation refuses the values, as an index out of its range (TensorFlow).
        """
        with _AS_ANSWERS():
            return self._answer(inputs)

    def _answer(self, inputs: Any) -> Any:
        arrays = [inputs[spec.name] for spec in self._inputs] if isinstance(inputs, dict) else [inputs]
        found = self._call(arrays)
        if len(found) == 1:
            return found[0]
        return {spec.name: array for spec, array in zip(self._outputs, found, strict=True)}


def _prepare() -> None:
    if _BACKEND == "tensorflow":
        prepare()
    if _BACKEND == "torch":
        torch.set_num_threads(options.threads())


def _require_safe_mode() -> None:
    found = tuple(int(part) for part in keras.__version__.split(".")[:3] if part.isdecimal())
    if found < _SAFE:
        safe = ".".join(map(str, _SAFE))
        raise LoadError(
            "Keras is too old to refuse code in a model",
            got=f"Keras {keras.__version__}",
            want=f"{safe} or newer, which reads the files of older ones",
            hint=f"pip install 'keras>={safe}'",
        )


def _require_format(path: Path) -> None:
    """Refuse what is no model of Keras, in words of what it is.

    Raises:
        LoadError: It is no file of the format that its suffix says, is cut off, or of a newer Keras.
    """
    if (path / "saved_model.pb").is_file():
        hint = 'flavor = "tensorflow" under [model] in argosy.toml'
        raise LoadError("this is a SavedModel", want="a .keras file", where=path, hint=hint)
    if path.suffix in _HDF5:
        file_format.require(path, "a Keras model in HDF5", own="an HDF5 file")
        return
    file_format.require(path, "a .keras file", own="a zip file, as Keras and PyTorch write")
    if not zipfile.is_zipfile(path):
        got = f"{path.stat().st_size} bytes without the end of a zip file"
        raise LoadError("the .keras file is cut short or damaged", got=got, where=path, hint=_AGAIN)
    recorded = _recorded_version(path)
    if minor_version(recorded) > minor_version(keras.__version__):
        raise LoadError(
            "the model is newer than Keras here",
            got=f"saved with Keras {recorded}, and here is {keras.__version__}",
            where=path,
            hint=f"pip install 'keras>={recorded}'",
        )


def _recorded_version(path: Path) -> str:
    """The version of Keras that has written a .keras file; empty when the file does not say."""
    try:
        with zipfile.ZipFile(path) as archive:
            return str(json.loads(archive.read("metadata.json"))["keras_version"])
    except (KeyError, TypeError, ValueError, OSError, zipfile.BadZipFile):
        return ""


def _loaded(path: Path, *, may_run_code: bool) -> Any:
    """The model in a file of the right format.

    Args:
        path: The file.
        may_run_code: Whether the owner has named it, so that code in it may run.

    Raises:
        LoadError: It is broken, holds code, or needs layers that are not here.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a layer would rather be told, which no client can change
        try:
            return keras.models.load_model(path, compile=False, safe_mode=True)
        except Exception as error:  # Keras's, h5py's, zipfile's, without a class in common
            if _REFUSAL not in str(error):
                raise _not_loaded(path, error) from error
            if not may_run_code:
                raise LoadError(
                    "the model holds Python code, as a `Lambda` layer does",
                    want="layers of Keras's own, or your word that the code may run",
                    where=path,
                    hint=f'name the file under [model] in argosy.toml: file = "{path.name}"',
                ) from error
        try:
            return keras.models.load_model(path, compile=False, safe_mode=False)
        except Exception as error:
            raise _not_loaded(path, error) from error


def _not_loaded(path: Path, error: Exception) -> LoadError:
    foreign, recorded = _FOREIGN.search(str(error)), _recorded_version(path)
    if foreign:
        got, hint = f"`{foreign[1]}`, which is not of Keras", _EXPORT
    elif not isinstance(error, OSError) and (path.suffix != ".keras" or recorded.startswith("2.")):
        got, hint = one_line(error), f"with the Keras that saved it, {_EXPORT}"
    else:
        got, hint = one_line(error), _AGAIN
    want = f"what Keras {keras.__version__} reads"
    return LoadError("Keras cannot load the model", got=got, want=want, where=path, hint=hint)


def _inputs(model: Any, told: Sequence[TensorSpec], path: Path) -> tuple[TensorSpec, ...]:
    """The inputs in the order of the model's own, each as the project says it or as the model does."""
    try:
        given = list(model.inputs or ())
    except AttributeError:  # a Sequential that was never called
        given = []
    if not given:
        raise LoadError(
            "the model does not say what it takes",
            want="one that was built before it was saved",
            where=path,
            hint="call it once, or begin it with keras.Input(shape), and save it again",
        )
    for tensor in given:
        is_dense = not getattr(tensor, "sparse", False) and not getattr(tensor, "ragged", False)
        if not is_dense or not (tensor.dtype == "string" or _is_number(tensor.dtype)):
            raise LoadError(
                f"the input `{tensor.name}` of the model cannot be served",
                got=f"{'`' if is_dense else 'a sparse or ragged `'}{tensor.dtype}`",
                want="a dense array of whole or real numbers, truth values or texts",
                where=path,
                hint=_EXPORT,
            )
    return completed([_spec(tensor.name, tensor) for tensor in given], told, path)


def _outputs(model: Any) -> Mapping[str, TensorSpec]:
    """The outputs by name: the keys of a model that gives a dict, else the names of the layers that give them."""
    if isinstance(model, keras.Sequential):
        return {model.layers[-1].name: _spec(model.layers[-1].name, model.outputs[0])}
    names = list(model.output_names)
    paths = [path for path, _ in keras.tree.flatten_with_path(model.output)]
    if any(isinstance(key, str) for path in paths for key in path):
        names = [".".join(map(str, path)) for path in paths]
    if len(set(names)) < len(names):
        names = [f"output_{number}" for number in range(len(names))]
    return {name: _spec(name, tensor) for name, tensor in zip(names, model.outputs, strict=True)}


def _spec(name: str, tensor: Any) -> TensorSpec:
    dtype = {"string": "str", "bfloat16": "float32"}.get(tensor.dtype, tensor.dtype)
    return TensorSpec(name, dtype, tuple(tensor.shape))


def _is_number(dtype: str) -> bool:
    return dtype in np.sctypeDict and np.dtype(dtype).kind in "biuf"


def _packed(model: Any, arrays: Sequence[Any]) -> Any:
    """Arrays in the structure that the model was made with."""
    return arrays[0] if isinstance(model, keras.Sequential) else keras.tree.pack_sequence_as(model.input, arrays)


def _traced(
    model: Any, inputs: Sequence[TensorSpec], places: Sequence[int]
) -> Callable[[Sequence[Array]], list[Array]]:
    """The model as one graph of TensorFlow's, whatever the number of rows."""
    declared = {tensor.name: tensor.dtype for tensor in model.inputs}
    taken = [tf.TensorSpec(spec.shape, declared[spec.name]) for spec in inputs]

    @tf.function(input_signature=taken, autograph=False)  # type: ignore[untyped-decorator]  # TensorFlow has no types
    def graph(*tensors: Any) -> list[Any]:
        found = keras.tree.flatten(model(_packed(model, tensors), training=False))
        return [found[place] for place in places]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        concrete = graph.get_concrete_function()
    readers = [reader(tensor.dtype.name) for tensor in concrete.structured_outputs]

    def call(arrays: Sequence[Array]) -> list[Array]:
        found = concrete(*map(tf.constant, arrays))
        return [read(tensor) for read, tensor in zip(readers, found, strict=True)]

    return call


def _called(model: Any, places: Sequence[int]) -> Callable[[Sequence[Array]], list[Array]]:
    """The model as another backend calls it."""

    def call(arrays: Sequence[Array]) -> list[Array]:
        found = keras.tree.flatten(model.predict_on_batch(_packed(model, arrays)))
        return [np.asarray(found[place]) for place in places]

    return call
