"""A saved ONNX model, run by ONNX Runtime."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from argosy.errors import DecodeError, LoadError
from argosy.flavors.loading import artifacts, file_format, options, tensors
from argosy.flavors.loading.chatter import silenced
from argosy.flavors.loading.framework import framework
from argosy.flavors.loading.independence import may_join
from argosy.flavors.onnx_faults import load_fault, sentence
from argosy.serving import log, placement, settings
from argosy.serving.inputs.signature import ModelSignature, TensorSpec
from argosy.serving.predictor import Predictor

with framework("onnxruntime"), silenced():
    import onnxruntime

_CPU: Final = "CPUExecutionProvider"
_CUDA: Final = "CUDAExecutionProvider"
_FATAL: Final = 4
"""ONNX Runtime's level of logging: an error is raised as an exception too, and told there."""
_DTYPES: Final = {
    "tensor(float16)": "float16",
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(int8)": "int8",
    "tensor(int16)": "int16",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(uint8)": "uint8",
    "tensor(uint16)": "uint16",
    "tensor(uint32)": "uint32",
    "tensor(uint64)": "uint64",
    "tensor(bool)": "bool",
    "tensor(string)": "str",
}
_MAPS: Final = {
    f"seq(map({key},{value}))": dtype
    for key in ("int64", "string")
    for value, dtype in (("tensor(float)", "float32"), ("tensor(double)", "float64"))
}
"""What ZipMap gives, as scikit-learn's converter puts it behind a classifier: for each row, a number for each class."""
_NO_ROWS: Final = ("seq", "time", "frame", "length", "height", "width")
"""In the name of a free first dimension, these say that it is not the rows."""

Shaper = Callable[[Any], object]  # Any: what ONNX Runtime gives for one output


class OnnxModel(Predictor):
    """A `.onnx` file, or `.ort`, with the inputs and outputs that its graph names.

    The rows are the first dimension where that is free in every input and every answered output. ZipMap's maps are
    answered as an array, a column for each class in ascending order. Sessions have threads, and none survives a fork:
    each model process makes its own, with as many threads as are its share. Data outside the file (`external data`)
    lies beside it. It runs on a GPU where there is one and onnxruntime-gpu is installed, else on the processors.
    """

    load_before_fork: ClassVar[bool] = False

    def load(self, model_dir: Path) -> None:
        """Make the session.

        Raises:
            LoadError: The file is missing, broken, too new or no ONNX model; it has an operator that ONNX Runtime has
                not, or an input that no request can carry; or an option names what the graph has not.
        """
        told = options.read()
        path = artifacts.find(model_dir, told, ("*.onnx", "*.ort"), "an ONNX model")
        session = _session(path)
        inputs = tensors.completed([_input_spec(node, path) for node in session.get_inputs()], told.inputs, path)
        nodes = {node.name: node for node in session.get_outputs()}
        outputs = [nodes[name] for name in tensors.answered(list(nodes), told.outputs, path)]
        for output in outputs:
            _require_dtype(output, path)
        specs = tuple(_output_spec(output) for output in outputs)
        has_rows = all(map(_has_rows, [*session.get_inputs(), *outputs])) and all(
            spec.shape[:1] == (None,) for spec in inputs
        )
        self._run = session.run
        self._only = inputs[0].name if len(inputs) == 1 else None
        self._names = [output.name for output in outputs]
        self._shapers = [_shaper(output.type) for output in outputs]
        self._is_plain = self._shapers == [None]
        self._signature = ModelSignature(
            inputs,
            outputs=tuple(spec for spec in specs if spec is not None) if None not in specs else (),
            row_wise=may_join(told.row_wise, has_rows, self.predict, inputs),
        )

    def signature(self) -> ModelSignature:
        """What the graph says of its inputs and outputs."""
        return self._signature

    def predict(self, inputs: Any) -> object:  # Any: as `signature` says
        """Run the graph.

        Args:
            inputs: The only array, or all of them by name.

        Returns:
            The array of the only output, or a dict of all of them by name.

        Raises:
            DecodeError: The graph does not take arrays of these lengths or values.
        """
        feeds = inputs if isinstance(inputs, dict) else {self._only: inputs}
        try:
            found = self._run(self._names, feeds)
        except onnxruntime.capi.onnxruntime_pybind11_state.InvalidArgument as error:
            raise DecodeError("the model does not take these inputs", got=sentence(error)) from error
        if self._is_plain:
            return found[0]
        answered = [value if shape is None else shape(value) for shape, value in zip(self._shapers, found, strict=True)]
        return answered[0] if len(answered) == 1 else dict(zip(self._names, answered, strict=True))


def _session(path: Path) -> Any:  # Any: onnxruntime has no types
    is_ort = path.suffix == ".ort"
    file_format.require(path, "an ONNX model", own="a model in ONNX Runtime's own format" if is_ort else None)
    told = onnxruntime.SessionOptions()
    told.log_severity_level = _FATAL
    told.intra_op_num_threads = options.threads()
    told.inter_op_num_threads = 1  # of use only where branches of a graph are run beside each other
    has_gpu = bool(placement.own_gpus(settings.environment()))
    available = onnxruntime.get_available_providers()
    wanted = [name for name in (_CUDA, _CPU) if name in available and (has_gpu or name != _CUDA)]
    try:
        with silenced():
            # Its fallback would print, and serve a model for GPUs on a processor.
            session = onnxruntime.InferenceSession(path, told, providers=wanted, enable_fallback=0)
    except Exception as error:  # its own classes have nothing in common
        raise load_fault(path, error, onnxruntime.__version__) from error
    if _CUDA in wanted and _CUDA not in session.get_providers():
        log.event("gpu-not-used", hint="the CUDA and cuDNN of the image are not those that onnxruntime-gpu needs")
    return session


def _input_spec(node: Any, path: Path) -> TensorSpec:  # Any: see `_session`
    dtype = _DTYPES.get(node.type)
    if dtype is None:
        raise LoadError(
            f"no request can carry the input `{node.name}`",
            got=f"`{node.type}`",
            want="a tensor of numbers, booleans or text",
            where=path,
            hint="export the model with tensors as inputs",
        )
    return TensorSpec(node.name, dtype, _shape(node))


def _require_dtype(node: Any, path: Path) -> None:  # Any: see `_session`
    """Refuse an output of numbers that numpy has not, before a client asks for it."""
    if node.type.startswith(("tensor(bfloat16", "tensor(float8", "tensor(float4", "tensor(int4", "tensor(uint4")):
        raise LoadError(
            f"numpy has no numbers for the output `{node.name}`",
            got=f"`{node.type}`",
            where=path,
            hint="name others under [model.options] in argosy.toml: outputs = [...], or export it with a Cast behind",
        )


def _shape(node: Any) -> tuple[int | None, ...]:
    return tuple(length if isinstance(length, int) and length >= 0 else None for length in node.shape)


def _has_rows(node: Any) -> bool:
    """Whether the first dimension may be the rows: free, and not named for something else."""
    if node.type in _MAPS:
        return True
    first = node.shape[0] if node.shape else 0
    is_named_otherwise = isinstance(first, str) and any(word in first.lower() for word in _NO_ROWS)
    return node.type in _DTYPES and not isinstance(first, int) and not is_named_otherwise


def _output_spec(node: Any) -> TensorSpec | None:
    """None for what is no array."""
    if node.type in _MAPS:
        return TensorSpec(node.name, _MAPS[node.type], (None, None))
    return TensorSpec(node.name, _DTYPES[node.type], _shape(node)) if node.type in _DTYPES else None


def _shaper(kind: str) -> Shaper | None:
    """What has still to be done to an output of this type."""
    if kind == "tensor(string)":
        return lambda texts: texts.astype(np.str_)
    if kind in _MAPS:
        dtype = _MAPS[kind]

        def table(rows: Sequence[dict[Any, float]]) -> NDArray[Any]:
            return np.array([list(row.values()) for row in rows], dtype=dtype)

        return table
    return None
