"""PyTorch's saved models: ExportedPrograms, TorchScript, and weights with the class that they belong to."""

import importlib
import inspect
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from argosy.errors import DecodeError, LoadError
from argosy.flavors.loading import options, torch_file
from argosy.flavors.loading.artifacts import find
from argosy.flavors.loading.framework import framework
from argosy.flavors.loading.independence import may_join
from argosy.flavors.loading.options import FlavorOptions, threads
from argosy.flavors.loading.torch_file import Format
from argosy.serving import log
from argosy.serving.inputs.signature import ModelSignature, TensorSpec
from argosy.serving.predictor import Predictor

with framework("torch"):
    import torch

Tensor = Any
"""`torch.Tensor`; PyTorch is not there when the types are checked, nor are its types."""
_PATTERNS: Final = ("*.pt2", "*.ts", "*.jit", "*.pt", "*.pth", "*.safetensors")
_FORWARD: Final = "forward"
_NUMPY_REALS: Final = frozenset({torch.float16, torch.float32, torch.float64})
_GUARD: Final = "Guard failed: "
_MISFIT: Final = re.compile(
    r"shapes cannot be multiplied|must match|size mismatch|same number of dimensions|out of range|is invalid for"
    r"|[Ee]xpected .*(dim|channels|size|shape|scalar type|batch)"
)
"""What operations say of tensors whose shapes do not fit."""
_NO_MEMORY: Final = "DefaultCPUAllocator"
_LARGEST_EXAMPLE: Final = 1 << 20
"""Cells of an example input that are worth writing as JSON at start."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A model in memory.

    Attributes:
        call: From tensors, one for each input, to what the model gives.
        to: Moves the model to another device, and gives the `call` of that.
        inputs: What it takes; none when that is not known.
        dtypes: PyTorch's own dtypes of the inputs; bfloat16 comes as float32.
        outputs: What it gives; none when that is not known.
        row_wise: Whether rows of several invocations may share a call; None when that is not known.
        example: Recorded inputs, as a client could send them.
    """

    call: Callable[[Sequence[Tensor]], object]
    to: Callable[[str], Callable[[Sequence[Tensor]], object]]
    inputs: tuple[TensorSpec, ...] = ()
    dtypes: tuple[Any, ...] = ()
    outputs: tuple[TensorSpec, ...] = ()
    row_wise: bool | None = None
    example: object | None = None


class TorchModel(Predictor):
    """A model that PyTorch saved: an ExportedProgram, TorchScript, or weights that a class of the project takes.

    Which of them a file is, its content says. An ExportedProgram knows its inputs. Of the others `inputs` of
    `[model.options]` tells them; without it one float32 tensor of any shape is served. The first dimension is the rows,
    where it is free; a row's answer is the same beside other rows but for rounding, since a product of matrices sums up
    in an order that depends on how many rows there are.

    A program is loaded once and shared by all model processes: a fork hangs in OpenMP only when its parent has run
    something on several threads (tried 2026-11-23 with 2.13.0), and loading is confined to one. A class of the project
    may start what no fork has, so its weights are read by each process, by mmap where the format allows it, which
    shares them too. Threads are the process's share. On a GPU, where there is one, after the fork.
    """

    load_before_fork: ClassVar[bool] = options.read().class_path is None

    def load(self, model_dir: Path) -> None:
        """Load the only file of PyTorch's, or the one that the project names.

        Raises:
            LoadError: It is damaged, of another format, needs another version or class, or would run a pickle.
        """
        told = options.read()
        path = find(model_dir, told, _PATTERNS, "a model of PyTorch")
        torch.set_num_threads(1)  # see the class: nothing here may start a pool of threads
        with warnings.catch_warnings(action="ignore"):
            self._loaded = _load(path, told)
        self._call = self._loaded.call
        self._wanted = told.outputs
        self._device = "cpu"
        self._row_wise = told.row_wise
        if not self._loaded.inputs:
            hint = 'inputs = [{ name = "x", dtype = "float32", shape = ["rows", 4] }] under [model.options]'
            log.event("inputs-unknown", file=path.name, served="one float32 tensor of any shape", hint=hint)
        warnings.filterwarnings("ignore", module=r"torch(\.|$)")

    def signature(self) -> ModelSignature:
        """What the model takes; makes it ready in the process that asks, which is the one that answers."""
        torch.set_num_threads(threads())
        if not torch.cuda.is_available():
            # TorchScript would profile its first calls and each new shape, which makes fused kernels, that only a GPU
            # has: here it makes no call faster, and some a hundred times slower (measured 2026-11-23 with 2.13.0).
            torch._C._jit_set_profiling_mode(False)
        else:
            self._device = "cuda"
            self._call = self._loaded.to("cuda")
        loaded = self._loaded
        inputs: object = loaded.inputs or NDArray[np.float32]
        row_wise = may_join(self._row_wise, loaded.row_wise, self.predict, loaded.inputs)
        return ModelSignature(inputs, loaded.outputs, row_wise=row_wise, example=loaded.example)

    def predict(self, inputs: Any) -> Any:
        """Call the model.

        Args:
            inputs: The array, where the model takes one of numbers; else arrays by name.

        Returns:
            The array, where the model gives one; else arrays by name.

        Raises:
            DecodeError: The model does not take inputs of these shapes, or an index in them is out of its range.
            MemoryError: There is no memory for them.
        """
        loaded = self._loaded
        arrays = [inputs[given.name] for given in loaded.inputs] if isinstance(inputs, dict) else [inputs]
        try:
            with torch.inference_mode():
                tensors = [self._tensor(array, dtype) for array, dtype in zip(arrays, loaded.dtypes, strict=True)]
                return _answer(self._call(tensors), self._wanted)
        except AssertionError as error:
            if not str(error).startswith(_GUARD):
                raise
            want = str(error).removeprefix(_GUARD)
            raise DecodeError("the model was not exported for these shapes", got=_shapes(arrays), want=want) from error
        except (RuntimeError, IndexError, torch.jit.Error) as error:
            said = str(error).strip().rpartition("\n")[2]  # above it TorchScript shows its code
            if _NO_MEMORY in str(error):
                raise MemoryError(said) from error
            if not _MISFIT.search(said):
                raise
            raise DecodeError("the model does not take these inputs", got=_shapes(arrays)) from error

    def _tensor(self, array: NDArray[Any], dtype: Any) -> Tensor:
        """A tensor of the array's own memory; a model might write to it, so not of memory that is read-only."""
        return torch.from_numpy(array if array.flags.writeable else array.copy()).to(self._device, dtype)


def _load(path: Path, told: FlavorOptions) -> _Loaded:
    found = torch_file.format_of(path)
    if found in (Format.PROGRAM, Format.SCRIPT) and told.class_path is not None:
        raise LoadError("the file needs no class", got=found, want="no `class` in [model.options]", where=path)
    if found is Format.PROGRAM:
        return _load_program(path, told)
    if found is Format.SCRIPT:
        return _load_script(path, told)
    return _load_weights(path, found, told)


def _load_program(path: Path, told: FlavorOptions) -> _Loaded:
    if told.method not in (None, _FORWARD):
        raise LoadError("an ExportedProgram has no other method", got=told.method, want=_FORWARD, where=path)
    if told.file is None:
        torch_file.require_no_pickles(path)
    program = torch_file.read_program(path)
    constants: dict[int, object] = {}
    inputs: list[TensorSpec] = []
    dtypes: list[Any] = []
    values = {node.name: node.meta.get("val") for node in program.graph.nodes}
    given = [spec.arg for spec in program.graph_signature.input_specs if spec.kind.name == "USER_INPUT"]
    for position, argument in enumerate(given):
        value = values.get(argument.name)
        if isinstance(value, torch.Tensor):
            inputs.append(_spec(argument.name, value))
            dtypes.append(value.dtype)
        elif hasattr(argument, "value"):
            constants[position] = argument.value
        else:
            raise LoadError("an input is no tensor", got=f"`{argument.name}`, a number", want="a tensor", where=path)
    if not inputs:
        raise LoadError("the program takes no tensors", want="one or more", where=path)
    outputs, tensors = _program_outputs(program, values, told, path)
    rows = {str(values[i.name].shape[:1]) for i in inputs} | {str(tensor.shape[:1]) for tensor in tensors}
    is_row_wise = len(rows) == 1 and all(given.shape[:1] == (None,) for given in inputs) and bool(tensors)
    call = _program_call(program.module(), program.call_spec.in_spec, constants)

    def to(device: str) -> Callable[[Sequence[Tensor]], object]:
        from torch.export.passes import move_to_device_pass  # here: on a CPU nobody needs it

        moved = move_to_device_pass(program, device)  # tensors that the graph makes, too
        return _program_call(moved.module(), program.call_spec.in_spec, constants)

    example = _example(program.example_inputs, inputs)
    return _Loaded(call, to, tuple(inputs), tuple(dtypes), outputs, is_row_wise, example)


def _program_call(module: Any, spec: Any, constants: Mapping[int, object]) -> Callable[[Sequence[Tensor]], object]:
    """The program as it is called with its inputs in a row; numbers that it was exported with are put between them."""

    def call(tensors: Sequence[Tensor]) -> object:
        flat = list(tensors)
        for position, constant in constants.items():
            flat.insert(position, constant)
        args, kwargs = torch.utils._pytree.tree_unflatten(flat, spec)
        return module(*args, **kwargs)

    return call


def _program_outputs(
    program: Any, values: Mapping[str, Any], told: FlavorOptions, path: Path
) -> tuple[tuple[TensorSpec, ...], list[Tensor]]:
    """What of the outputs is answered, and all that are tensors; nothing where they are nested."""
    kinds = [spec.arg for spec in program.graph_signature.output_specs if spec.kind.name == "USER_OUTPUT"]
    tensors = [values.get(argument.name) for argument in kinds]
    structure = program.call_spec.out_spec
    is_nested = len(tensors) != max(1, structure.num_children)
    if is_nested or not all(isinstance(tensor, torch.Tensor) for tensor in tensors):
        return (), [tensor for tensor in tensors if isinstance(tensor, torch.Tensor)]
    outputs = torch.utils._pytree.tree_unflatten(tensors, structure)
    try:
        chosen = _chosen(outputs, told.outputs)
    except ValueError as error:
        raise LoadError("`outputs` names what the model does not give", got=str(error), where=path) from error
    return tuple(_spec(name, tensor) for name, tensor in chosen.items()), tensors


def _load_script(path: Path, told: FlavorOptions) -> _Loaded:
    module = torch_file.read_script(path)
    name = told.method or _FORWARD
    method = getattr(module, name, None)
    if method is None or not hasattr(method, "schema"):
        raise LoadError(f"the model has no method `{name}`", want="one that was compiled with it", where=path)
    arguments = method.schema.arguments[1:]  # without self
    if unknown := sorted(set(told.arguments) - {argument.name for argument in arguments}):
        names = ", ".join(f"`{argument.name}`" for argument in arguments)
        raise LoadError(f"`{name}` has no argument `{unknown[0]}`", want=names, where=path)
    given = {spec.name for spec in told.inputs}
    open_ones = [a for a in arguments if a.name not in told.arguments and not a.has_default_value()]
    if len(open_ones) != max(1, len(told.inputs)) and not given >= {a.name for a in open_ones}:
        raise _unknown_inputs(name, {argument.name: str(argument.type) for argument in open_ones}, path)
    return _described(module, method, [argument.name for argument in arguments], told, told.arguments)


def _unknown_inputs(method: str, arguments: Mapping[str, str], path: Path) -> LoadError:
    """Of a method that takes something else than one tensor, and nobody has said what."""
    tensors = [name for name, kind in arguments.items() if kind == "Tensor"]
    others = [f"{name} = ..." for name, kind in arguments.items() if kind != "Tensor"]
    specs = ", ".join(f'{{ name = "{name}", dtype = "float32", shape = ["rows", 4] }}' for name in tensors)
    lines = [f"inputs = [{specs}]", *([f"arguments = {{ {', '.join(others)} }}"] if others else [])]
    got = ", ".join(f"`{name}: {kind}`" for name, kind in arguments.items())
    hint = "say under [model.options]: " + "; ".join(lines)
    return LoadError(f"`{method}` takes something else than the inputs that are told", got=got, where=path, hint=hint)


def _load_weights(path: Path, found: Format, told: FlavorOptions) -> _Loaded:
    weights = torch_file.read_weights(path, found)
    if told.class_path is None:
        raise LoadError(
            "weights need the class that they belong to",
            got=f"{found} of {len(weights)} tensors",
            where=path,
            hint='name it under [model.options] in argosy.toml: class = "module:Class"',
        )
    model = _made(told.class_path, told.arguments)
    own = model.state_dict()
    # What fits is used as it lies in the file, so that all processes share its memory; other dtypes are converted.
    fits = all(own[name].dtype == tensor.dtype for name, tensor in weights.items() if name in own)
    try:
        model.load_state_dict(weights, assign=fits)
    except (RuntimeError, TypeError, AttributeError) as error:
        got = torch_file.one_line(error)
        hint = "`arguments` under [model.options] is what the class is made with: say there what it was trained with"
        raise LoadError(f"the weights do not fit `{told.class_path}`", got=got, where=path, hint=hint) from error
    model.eval()
    method = model if told.method in (None, _FORWARD) else getattr(model, told.method, None)
    if not callable(method):
        raise LoadError(f"`{told.class_path}` has no method `{told.method}`", where=path)
    parameters = list(inspect.signature(getattr(model, told.method or _FORWARD)).parameters)
    return _described(model, method, parameters, told, {})


def _made(class_path: str, arguments: Mapping[str, Any]) -> Any:
    """An object of a class of the project."""
    module_name, _, name = class_path.partition(":")
    try:
        kind = getattr(importlib.import_module(module_name), name)
        if not (isinstance(kind, type) and issubclass(kind, torch.nn.Module)):
            raise TypeError("it is no subclass of torch.nn.Module")
        return kind(**arguments)
    except Exception as error:  # the class may raise anything
        got = f"{type(error).__name__}: {torch_file.one_line(error)}"
        hint = "`class` and `arguments` under [model.options] say what is made: module:Class(**arguments)"
        raise LoadError(f"`{class_path}` cannot be made", got=got, hint=hint) from error


def _described(
    module: Any, method: Callable[..., object], parameters: Sequence[str], told: FlavorOptions, fixed: Mapping[str, Any]
) -> _Loaded:
    """A model that does not know its inputs: they are passed by name where all are parameters of it, else in order."""
    if text := [given.name for given in told.inputs if given.dtype == "str"]:
        raise LoadError("PyTorch has no tensors of text", got=f"input `{text[0]}`", want="numbers")
    names = [given.name for given in told.inputs]
    by_name = bool(names) and set(names) <= set(parameters)

    def call(tensors: Sequence[Tensor]) -> object:
        if by_name:
            return method(**dict(zip(names, tensors, strict=True)), **fixed)
        return method(*tensors, **fixed)

    def to(device: str) -> Callable[[Sequence[Tensor]], object]:
        module.to(device)
        return call

    # Which dimension is the rows nobody has said, when nobody has said the shapes: then none are put together.
    has_rows = bool(names) and all(given.shape[:1] == (None,) for given in told.inputs)
    dtypes = tuple(getattr(torch, given.dtype) for given in told.inputs) or (torch.float32,)
    return _Loaded(call, to, told.inputs, dtypes, row_wise=None if has_rows else False)


def _spec(name: str, tensor: Tensor) -> TensorSpec:
    """What a tensor of an exported graph looks like to numpy."""
    is_numpy = not tensor.dtype.is_floating_point or tensor.dtype in _NUMPY_REALS
    dtype = str(tensor.dtype).removeprefix("torch.") if is_numpy else "float32"
    return TensorSpec(name, dtype, tuple(length if isinstance(length, int) else None for length in tensor.shape))


def _example(recorded: Any, inputs: Sequence[TensorSpec]) -> object | None:
    """The inputs that a program was exported with, as a client would send them."""
    flat, _ = torch.utils._pytree.tree_flatten(recorded)
    tensors = [value for value in flat if isinstance(value, torch.Tensor)]
    if len(tensors) != len(inputs) or sum(tensor.numel() for tensor in tensors) > _LARGEST_EXAMPLE:
        return None
    named = {given.name: tensor.tolist() for given, tensor in zip(inputs, tensors, strict=True)}
    return next(iter(named.values())) if len(named) == 1 and inputs[0].dtype != "bool" else named


def _answer(found: object, wanted: Sequence[str]) -> object:
    """What the model gave, as numpy has it: one array, or arrays by name."""
    if isinstance(found, torch.Tensor):
        return _array(found)
    chosen = _chosen(found, wanted)
    plain = {name: _plain(value) for name, value in chosen.items()}
    return next(iter(plain.values())) if len(plain) == 1 else plain


def _chosen(found: Any, wanted: Sequence[str]) -> dict[str, Any]:
    """Outputs by name: their own, or those of `wanted` for as many as have none, or `output_0` and so on.

    Raises:
        ValueError: One of `wanted` is not among them.
    """
    if isinstance(found, Mapping):
        named = {str(name): value for name, value in found.items()}
    elif hasattr(found, "_asdict"):
        named = found._asdict()
    else:
        several = list(found) if isinstance(found, list | tuple) else [found]
        if len(several) == len(wanted) and not all(re.fullmatch(r"output_\d+", name) for name in wanted):
            return dict(zip(wanted, several, strict=True))
        named = {f"output_{number}": value for number, value in enumerate(several)}
    if missing := [name for name in wanted if name not in named]:
        raise ValueError(f"`{missing[0]}`, where there are {', '.join(f'`{name}`' for name in named)}")
    return {name: named[name] for name in wanted} if wanted else named


def _plain(value: object) -> object:
    if isinstance(value, torch.Tensor):
        return _array(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _array(tensor: Tensor) -> NDArray[Any]:
    """A tensor as numpy has it: dense, in main memory, and float32 where numpy has no such dtype (bfloat16)."""
    if tensor.is_floating_point() and tensor.dtype not in _NUMPY_REALS:
        tensor = tensor.float()
    if tensor.layout is not torch.strided:
        tensor = tensor.to_dense()
    array: NDArray[Any] = tensor.numpy(force=True)
    return array


def _shapes(arrays: Sequence[NDArray[Any]]) -> str:
    return ", ".join(str(array.shape) for array in arrays)
