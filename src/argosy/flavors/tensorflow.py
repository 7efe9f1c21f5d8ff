"""A SavedModel of TensorFlow's, by one of its signatures."""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from argosy.errors import DecodeError, LoadError
from argosy.flavors.loading import options
from argosy.flavors.loading.artifacts import find, located
from argosy.flavors.loading.chatter import one_line, without_notices
from argosy.flavors.loading.framework import framework, minor_version
from argosy.flavors.loading.independence import may_join
from argosy.flavors.loading.options import FlavorOptions
from argosy.flavors.loading.tensors import answered, completed
from argosy.serving import log, settings
from argosy.serving.inputs.signature import ModelSignature, TensorSpec
from argosy.serving.predictor import Predictor

_LEVEL: Final = "TF_CPP_MIN_LOG_LEVEL"
settings.set_variables({_LEVEL: settings.environment().get(_LEVEL, "2")})  # errors only; it is read by the import
with framework("tensorflow-cpu"), without_notices():
    import tensorflow as tf
    from tensorflow.core.protobuf import saved_model_pb2

Array = NDArray[Any]  # Any: the model says which dtype
_FILE: Final = "saved_model.pb"
_SERVED: Final = "serve"
"""The tag of the graph that is meant for serving."""
_DEFAULT: Final = "serving_default"
_MISSING: Final = re.compile(r"Op type not registered '(\w+)'")


class TensorflowModel(Predictor):
    """A SavedModel: a folder with `saved_model.pb` and `variables/`.

    That folder is the artifacts themselves, what `file` names, or the only one in them. Of folders that are numbers, as
    `export/Servo/1`, the newest is served, and the log says so. The signature `serving_default`, or the one that
    `signature` names, says names, dtypes and shapes. When the first dimension of all inputs and outputs is free it is
    the rows, and invocations may share a call: a row's answer is then the same but for rounding, since a product of
    matrices sums up in an order that depends on how many rows there are.

    The module is imported once, before the fork: that starts no thread and opens no device, and most of TensorFlow's
    memory is shared. A model is loaded in each process: TensorFlow's threads start with the first tensor, and no
    thread survives a fork. They are as many as the process may use; memory of a GPU is taken as it is needed.
    """

    load_before_fork: ClassVar[bool] = False

    def load(self, model_dir: Path) -> None:
        """Load the model.

        Raises:
            LoadError: There is no SavedModel, or several; it is broken, or newer than TensorFlow here; it has no such
                signature, or one whose arrays cannot be served.
        """
        told = options.read()
        prepare()
        folder = find_folder(model_dir, told)
        self._loaded = _loaded(folder)  # kept: a signature does not keep the variables that it reads
        self._call = _function(self._loaded.signatures, told.signature or _DEFAULT, folder)
        self._inputs = _inputs(self._call.structured_input_signature[1], told.inputs, folder)
        given = self._call.structured_outputs
        names = answered(sorted(given), told.outputs, folder)
        self._outputs = [(name, reader(given[name].dtype.name)) for name in names]
        is_known = all(given[name].shape.rank is not None for name in names)
        self._described = tuple(_spec(name, given[name]) for name in names) if is_known else ()
        self._has_rows = all(spec.shape[:1] == (None,) for spec in (*self._inputs, *self._described))
        self._row_wise = told.row_wise

    def signature(self) -> ModelSignature:
        """What the model's signature says."""
        row_wise = may_join(self._row_wise, self._has_rows, self._answer, self._inputs)
        return ModelSignature(self._inputs, self._described, row_wise=row_wise)

    def predict(self, inputs: Any) -> Any:
        """Call the signature.

        Args:
            inputs: The array, where the model takes one of numbers; else arrays by name.

        Returns:
            The array, where the model gives one; else arrays by name.

        Raises:
            DecodeError: An operation refuses the values, as an index out of its range.
            MemoryError: There is no memory for them.
        """
        with as_answers():
            return self._answer(inputs)

    def _answer(self, inputs: Any) -> Any:
        named = inputs if isinstance(inputs, dict) else {self._inputs[0].name: inputs}
        found = self._call(**{name: tf.constant(array) for name, array in named.items()})
        arrays = {name: read(found[name]) for name, read in self._outputs}
        return arrays if len(arrays) > 1 else arrays[self._outputs[0][0]]


def prepare() -> None:
    """Let TensorFlow start as many threads as this process may use, take memory of a GPU as it needs it, and be quiet.

    Before the first tensor is made: then it starts.
    """
    tf.config.threading.set_intra_op_parallelism_threads(options.threads())
    tf.config.threading.set_inter_op_parallelism_threads(options.threads())
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)
    for name in ("tensorflow", "absl"):
        logging.getLogger(name).setLevel(logging.ERROR)


def find_folder(model_dir: Path, told: FlavorOptions) -> Path:
    """The folder of the SavedModel; of several that are numbers beside each other the newest.

    Raises:
        LoadError: There is none, there are several, or what `file` names is none.
    """
    what = "a SavedModel"
    root = located(model_dir, told, what) or model_dir
    if root.name == _FILE:
        root = root.parent
    if (root / _FILE).is_file():
        return root
    folders = sorted(path.parent for path in root.rglob(_FILE))
    if len(folders) < 2 or len({folder.parent for folder in folders}) > 1:
        return find(root, FlavorOptions(), (f"**/{_FILE}",), what).parent
    if not all(folder.name.isdecimal() for folder in folders):
        return find(root, FlavorOptions(), (f"**/{_FILE}",), what).parent
    newest = max(folders, key=lambda folder: int(folder.name))
    versions = sorted(int(folder.name) for folder in folders)
    log.event("version-chosen", folder=newest.relative_to(model_dir).as_posix(), versions=versions)
    return newest


def reader(dtype: str) -> Callable[[Any], Array]:
    """How a tensor of this dtype becomes an array that has a form in every media type."""
    if dtype == "string":
        return _texts
    if dtype == "bfloat16":  # numpy has none
        return lambda tensor: tf.cast(tensor, tf.float32).numpy()
    return lambda tensor: tensor.numpy()


@contextmanager
def as_answers() -> Iterator[None]:
    """TensorFlow's errors of a call as what the client has to be told.

    Raises:
        DecodeError: An operation refuses the values; which ones is told to the log alone.
        MemoryError: There is no memory for them.
    """
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        log.raised("values-refused", error)
        raise DecodeError("the model does not take these values") from error
    except tf.errors.ResourceExhaustedError as error:
        raise MemoryError from error


def _texts(tensor: Any) -> Array:
    array = tensor.numpy()
    texts = [text.decode() for text in np.ravel(array)]
    return np.array(texts, dtype=np.str_).reshape(np.shape(array))


def _loaded(folder: Path) -> Any:
    """The SavedModel in a folder.

    Raises:
        LoadError: It is broken, has operations that are not here, or is newer than TensorFlow here.
    """
    try:
        loaded = tf.saved_model.load(str(folder), tags=[_SERVED])
    except Exception as error:  # TensorFlow's, Python's and protobuf's own, without a class in common
        _refuse_newer(_recorded_version(folder), folder)
        missing = _MISSING.search(str(error))
        raise LoadError(
            "the SavedModel cannot be loaded",
            got=f"the operation `{missing[1]}`" if missing else one_line(error),
            want=f"operations of TensorFlow {tf.__version__}" if missing else "a whole and unchanged one",
            where=folder,
            hint="serve it with a predictor of your own, which imports the add-on that has the operation" if missing
            else f"copy the folder again, `{_FILE}` with `variables/` and `assets/`",
        ) from error  # fmt: skip
    _refuse_newer(str(loaded.tensorflow_version), folder)
    return loaded


def _refuse_newer(recorded: str, folder: Path) -> None:
    """Refuse what a later minor version has saved: a graph runs with that release or a later one.

    Source:
        https://www.tensorflow.org/guide/versions, "Compatibility of SavedModels, graphs and checkpoints": forward
        compatibility holds within patch releases (read 2026-11-23).
    """
    if minor_version(recorded) > minor_version(tf.__version__):
        raise LoadError(
            "the SavedModel is newer than TensorFlow here",
            got=f"saved with TensorFlow {recorded}, and here is {tf.__version__}",
            where=folder,
            hint=f"pip install 'tensorflow-cpu>={recorded}'",
        )


def _recorded_version(folder: Path) -> str:
    """The version that a SavedModel was saved with; empty when its file cannot be read."""
    try:
        found = saved_model_pb2.SavedModel.FromString((folder / _FILE).read_bytes())
        return str(found.meta_graphs[0].meta_info_def.tensorflow_version)
    except Exception:  # it is broken, and what is said of it says so
        return ""


def _function(signatures: Any, name: str, folder: Path) -> Any:
    if name in signatures:
        return signatures[name]
    names = sorted(signatures)
    raise LoadError(
        f"the SavedModel has no signature `{name}`",
        got=", ".join(f"`{name}`" for name in names) or "none",
        where=folder,
        hint=f'name one under [model.options] in argosy.toml: signature = "{names[0]}"' if names else
        "save it with one: tf.saved_model.save(model, folder, signatures={...})",
    )  # fmt: skip


def _inputs(signature: Any, told: Sequence[TensorSpec], folder: Path) -> tuple[TensorSpec, ...]:
    """The signature's inputs by their names, each as the project says it or as the model does."""
    said = {spec.name for spec in told}
    for name, given in signature.items():
        if not _is_served(given.dtype.name) or (given.shape.rank is None and name not in said):
            shape = '["rows", 4]'
            raise LoadError(
                f"the input `{name}` of the SavedModel cannot be served",
                got=f"`{given.dtype.name}` of shape {given.shape}",
                want="an array of whole or real numbers, truth values or texts, of known rank",
                where=folder,
                hint="save it with a signature that takes such an array; where only the rank is unknown, say it under "
                f'[model.options]: inputs = [{{ name = "{name}", dtype = "{given.dtype.name}", shape = {shape} }}]',
            )
    return completed([_spec(name, signature[name]) for name in sorted(signature)], told, folder)


def _is_served(dtype: str) -> bool:
    return dtype == "string" or (dtype in np.sctypeDict and np.dtype(dtype).kind in "biuf")


def _spec(name: str, tensor: Any) -> TensorSpec:
    dtype = {"string": "str", "bfloat16": "float32"}.get(tensor.dtype.name, tensor.dtype.name)
    return TensorSpec(name, dtype, () if tensor.shape.rank is None else tuple(tensor.shape.as_list()))
