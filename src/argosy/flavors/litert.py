"""A saved LiteRT (TensorFlow Lite) model, run by ai-edge-litert."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from argosy.errors import DecodeError, LoadError
from argosy.flavors.loading import artifacts, file_format, options, tensors
from argosy.flavors.loading.chatter import silenced
from argosy.flavors.loading.framework import framework, installed_version
from argosy.flavors.loading.independence import may_join
from argosy.serving.inputs.signature import ModelSignature, TensorSpec
from argosy.serving.predictor import Predictor

with framework("ai-edge-litert"), silenced():
    from ai_edge_litert.interpreter import Interpreter

_DEFAULT: Final = "serving_default"
_REFUSED: Final = re.compile(r"(.*?)\s*Node number \d+ \((\w+)\) failed to (?:prepare|invoke)", re.DOTALL)
"""What an operator says, and which it is; only of inputs, since the model has been tried before."""
_UPGRADE: Final = "pip install --upgrade ai-edge-litert"

Run = Callable[..., Mapping[str, NDArray[Any]]]  # Any: each output has a dtype of its own


class LitertModel(Predictor):
    """A `.tflite` file with the inputs and outputs of its signature, or of its tensors where it has none.

    Quantised models take and give their own integers; scale and zero point are the client's business. The rows are the
    first dimension where that is free (-1) in every input and every answered output; another number of rows allocates
    anew, which takes microseconds. The file is mapped, so its pages are shared by all model processes; what XNNPACK
    packs of it and its threads are each process's own, so it is loaded after the fork. It runs on processors only.
    """

    load_before_fork: ClassVar[bool] = False

    def load(self, model_dir: Path) -> None:
        """Make the interpreter and allocate its tensors.

        Raises:
            LoadError: The file is missing, broken or no LiteRT model; it has an operator that ai-edge-litert has not;
                or an option names what the model has not.
        """
        told = options.read()
        path = artifacts.find(model_dir, told, ("*.tflite", "*.litert"), "a LiteRT model")
        interpreter = _interpreter(path)
        key = _signature_key(interpreter, told.signature, path)
        runner: Any = interpreter.get_signature_runner(key) if key is not None else _Tensors(interpreter)
        given = runner.get_output_details()
        own = [_spec(name, each, path) for name, each in runner.get_input_details().items()]
        inputs = tensors.completed(own, told.inputs, path)
        self._names = tensors.answered(list(given), told.outputs, path)
        outputs = tuple(_spec(name, given[name], path) for name in self._names)
        has_rows = all(spec.shape[:1] == (None,) for spec in (*inputs, *outputs))
        self._run: Run = runner
        self._only = inputs[0].name if len(inputs) == 1 else ""
        self._has_texts = any(output.dtype == "str" for output in outputs)
        row_wise = may_join(told.row_wise, has_rows, self.predict, inputs)
        self._signature = ModelSignature(inputs, outputs=outputs, row_wise=row_wise)

    def signature(self) -> ModelSignature:
        """What the model says of its inputs and outputs."""
        return self._signature

    def predict(self, inputs: Any) -> object:  # Any: as `signature` says
        """Invoke the interpreter.

        Args:
            inputs: The only array, or all of them by name.

        Returns:
            The array of the only output, or a dict of all of them by name.

        Raises:
            DecodeError: The model does not take arrays of these lengths or values.
        """
        feeds = inputs if isinstance(inputs, dict) else {self._only: inputs}
        try:
            found = self._run(**feeds)
        except RuntimeError as error:
            if match := _REFUSED.search(str(error)):
                got = " ".join(f"{match[2]}: {match[1]}".split())
                raise DecodeError("the model does not take these inputs", got=got) from error
            raise
        if self._has_texts:
            found = {name: _decoded(array) for name, array in found.items()}
        return found[self._names[0]] if len(self._names) == 1 else {name: found[name] for name in self._names}


class _Tensors:
    """A model without signatures, called by the names of its tensors as others by those of their signature."""

    def __init__(self, interpreter: Any) -> None:  # Any: ai-edge-litert has no types
        self._interpreter = interpreter
        self._inputs = {each["name"]: each for each in interpreter.get_input_details()}
        self._outputs = {each["name"]: each for each in interpreter.get_output_details()}

    def get_input_details(self) -> dict[str, Any]:
        return self._inputs

    def get_output_details(self) -> dict[str, Any]:
        return self._outputs

    def __call__(self, **feeds: NDArray[Any]) -> dict[str, NDArray[Any]]:
        for name, array in feeds.items():
            self._interpreter.resize_tensor_input(self._inputs[name]["index"], array.shape)
        self._interpreter.allocate_tensors()
        for name, array in feeds.items():
            self._interpreter.set_tensor(self._inputs[name]["index"], array)
        self._interpreter.invoke()
        return {name: self._interpreter.get_tensor(each["index"]) for name, each in self._outputs.items()}


def _interpreter(path: Path) -> Any:  # Any: ai-edge-litert has no types
    file_format.require(path, "a LiteRT model", own="a LiteRT model")
    try:
        with silenced():
            interpreter = Interpreter(model_path=str(path), num_threads=options.threads())
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise _fault(path, " ".join(str(error).split())) from error
    return interpreter


def _fault(path: Path, told: str) -> LoadError:
    """What the interpreter says of a model that it cannot load -> what is wrong with it, and what mends it."""
    if "not a valid Flatbuffer" in told:
        got = f"{path.stat().st_size} bytes that do not parse"
        return LoadError(
            "the file is cut short, damaged, or no LiteRT model", got=got, where=path, hint="save or copy it again"
        )
    what = f"ai-edge-litert {installed_version('ai-edge-litert')} has not an operator of the model"
    if match := re.search(r"\(Flex(\w+)\)", told):
        hint = 'convert it without SELECT_TF_OPS, or serve the SavedModel: flavor = "tensorflow"'
        return LoadError(what, got=f"`{match[1]}` of TensorFlow", where=path, hint=hint)
    if match := re.search(r"unresolved custom op: (\w+)", told):
        return LoadError(what, got=f"the custom `{match[1]}`", where=path, hint=f"convert it without `{match[1]}`")
    if match := re.search(r"builtin opcode '(\w+)' version '(\d+)'", told):
        return LoadError(what, got=f"version {match[2]} of `{match[1]}`", where=path, hint=_UPGRADE)
    if match := re.search(r"Op builtin_code out of range: (\d+)", told):
        return LoadError(what, got=f"number {match[1]}", where=path, hint=_UPGRADE)
    return LoadError("the LiteRT model cannot be loaded", got=told, where=path, hint=_UPGRADE)


def _signature_key(interpreter: Any, told: str | None, path: Path) -> str | None:
    """The signature that is served; None when the model has none."""
    keys = list(interpreter.get_signature_list())
    if told is None and (len(keys) < 2 or _DEFAULT in keys):
        return _DEFAULT if _DEFAULT in keys else next(iter(keys), None)
    if told in keys:
        return told
    option = f'signature = "{keys[0]}"' if keys else "without `signature`"
    raise LoadError(
        "the model has several signatures" if told is None else "the model has no such signature",
        got=", ".join(f"`{key}`" for key in keys) or "none",
        want=f"`{told}`" if told else "one of them",
        where=path,
        hint=f"write under [model.options] in argosy.toml: {option}",
    )


def _spec(name: str, each: Mapping[str, Any], path: Path) -> TensorSpec:
    dtype = np.dtype(each["dtype"])
    if dtype.kind not in "fciubSO":
        raise LoadError(
            f"numpy has no numbers for the tensor `{name}`",
            got=f"`{dtype.name}`",
            want="numbers, booleans or text",
            where=path,
            hint="convert the model with float inputs and outputs",
        )
    shape = tuple(int(length) if length >= 0 else None for length in each["shape_signature"])
    return TensorSpec(name, "str" if dtype.kind in "SO" else dtype.name, shape)


def _decoded(array: NDArray[Any]) -> NDArray[Any]:
    return np.char.decode(array.astype(np.bytes_), "utf-8") if array.dtype.kind == "O" else array
