"""An MXNet model: a symbol and its parameters, as Gluon's `export` and `Module.save_checkpoint` write them."""

import contextlib
import io
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from argosy.errors import LoadError
from argosy.flavors.loading import options
from argosy.flavors.loading.framework import framework, installed_version
from argosy.flavors.loading.independence import may_join
from argosy.flavors.loading.options import FlavorOptions
from argosy.flavors.symbols.files import DTYPES, Files, Graph, find_files, read_graph, read_shapes, written_shape
from argosy.serving import settings
from argosy.serving.inputs.signature import ModelSignature, TensorSpec
from argosy.serving.predictor import Predictor

_PARAMETER_SIGNS: Final = frozenset({"__init__", "__lr_mult__"})
"""Attributes that Gluon writes for parameters and not for inputs."""
_NUMPY: Final = "1.23.5"
_UNSAFE_ENGINE: Final = "NaiveEngine"
_TRIED_ROWS: Final = (2, 3)
_REMEMBERED_LABELS: Final = 256


class MxnetModel(Predictor):
    """A symbol and its parameters, predicted by Gluon's `SymbolBlock`.

    `NAME-symbol.json` and the parameters of the newest epoch, `NAME-0012.params`; `file` names another symbol or
    another epoch. Inputs are the symbol's arguments that are no parameters; the labels of losses are none of them and
    are given zeros. Shapes are those of `inputs` in the options, else of `NAME-shapes.json` (as SageMaker's own
    containers read it; its first length is the rows), else of `__shape__` in the symbol. Where every input and every
    output has the rows as its first dimension, the model is row-wise.

    Loaded before the fork, so that its parameters are in memory once: MXNet ends its engine's threads before a fork and
    starts them again on both sides, and OpenMP's threads are theirs. Not so its NaiveEngine, which is refused. OpenMP
    has the threads that the server gives each process (`OMP_NUM_THREADS`). On the CPU.
    """

    load_before_fork: ClassVar[bool] = True

    def load(self, model_dir: Path) -> None:
        """Load symbol and parameters.

        Raises:
            LoadError: MXNet is missing or does not know this numpy, a file is missing or broken, was written by a newer
                MXNet, has an operator that this one has not, the parameters are of another symbol, or nobody says
                which shape an input has.
        """
        told = options.read()
        files = find_files(model_dir, told)
        graph = read_graph(files.symbol)
        mxnet = self._mxnet = _imported()
        _require_known_version(graph.version, mxnet.__version__, files.symbol)
        if graph.is_numpy:
            mxnet.npx.set_np()
        self._arrays = mxnet.np if graph.is_numpy else mxnet.nd
        with _told_of(files.symbol, "cannot be loaded by MXNet"):
            symbol = mxnet.sym.load(str(files.symbol))
            symbol = symbol.as_np_ndarray() if graph.is_numpy else symbol
        with _told_of(files.parameters, "cannot be loaded by MXNet"):
            parameters = mxnet.nd.load(str(files.parameters))
        if not isinstance(parameters, dict):
            raise LoadError("the parameters have no names", want="as `export` writes them", where=files.parameters)
        self._symbol = self._chosen(symbol, told.outputs, files.symbol)
        names = _input_names(graph, self._symbol, frozenset(map(_plain_name, parameters)), files)
        self._labels = [name for name in names if name in graph.labels]
        self._inputs = _input_specs(graph, [name for name in names if name not in graph.labels], told, files)
        self._names = self._symbol.list_outputs()
        self._outputs, self._has_rows = self._inferred(parameters, files)
        self._row_wise = told.row_wise
        self._block = self._network(parameters, graph, files)
        self._label_arrays = lru_cache(maxsize=_REMEMBERED_LABELS)(self._make_labels)

    def signature(self) -> ModelSignature:
        """The arrays of the symbol; rows are free where its shapes say so."""
        row_wise = may_join(self._row_wise, self._has_rows, self.predict, self._inputs)
        return ModelSignature(inputs=self._inputs, outputs=self._outputs, row_wise=row_wise)

    def predict(self, inputs: NDArray[Any] | Mapping[str, NDArray[Any]]) -> NDArray[Any] | dict[str, NDArray[Any]]:
        """The output as an array, or several by name.

        Args:
            inputs: The only array, or arrays by name; dtypes and shapes as the signature says.
        """
        given = [inputs] if isinstance(inputs, np.ndarray) else [inputs[spec.name] for spec in self._inputs]
        arrays = [self._arrays.array(array, dtype=array.dtype) for array in given]
        if self._labels:
            arrays += self._label_arrays(tuple(array.shape for array in given))
        found = self._block(*arrays)
        if not isinstance(found, list):
            answer: NDArray[Any] = found.asnumpy()
            return answer
        return {name: output.asnumpy() for name, output in zip(self._names, found, strict=True)}

    def _chosen(self, symbol: Any, outputs: Sequence[str], where: Path) -> Any:  # Any: MXNet has no types
        """The symbol with the outputs that are answered, in their order."""
        known = symbol.list_outputs()
        for name in outputs:
            if name not in known:
                got, want = f"`{name}`", " or ".join(f"`{output}`" for output in known)
                raise LoadError("the symbol has no such output", got=got, want=want, where=where)
        return self._mxnet.sym.Group([symbol[name] for name in outputs]) if outputs else symbol

    def _network(self, parameters: Mapping[str, Any], graph: Graph, files: Files) -> Any:  # Any: MXNet has no types
        """The symbol with its parameters."""
        variables = [self._mxnet.sym.var(name) for name in (*(spec.name for spec in self._inputs), *self._labels)]
        if graph.is_numpy:
            variables = [variable.as_np_ndarray() for variable in variables]
        with _told_of(files.parameters, f"does not fit `{files.symbol.name}`"):
            network = self._mxnet.gluon.SymbolBlock(self._symbol, variables)
            network.collect_params().load_dict(parameters, ignore_extra=True, cast_dtype=True, dtype_source="saved")
        network.hybridize(static_alloc=True, static_shape=True)
        return network

    def _make_labels(self, shapes: Sequence[tuple[int, ...]]) -> list[Any]:  # Any: MXNet's arrays
        """Zeros of the shapes that labels have beside inputs of these."""
        told = {spec.name: shape for spec, shape in zip(self._inputs, shapes, strict=True)}
        found = dict(zip(self._symbol.list_arguments(), self._symbol.infer_shape(**told)[0], strict=True))
        return [self._arrays.zeros(found[name]) for name in self._labels]

    def _inferred(self, parameters: Mapping[str, Any], files: Files) -> tuple[tuple[TensorSpec, ...], bool | None]:
        """The outputs, and whether a row of the inputs is one of each output; `()` and None when nobody knows.

        Raises:
            LoadError: The inputs do not fit the symbol and its parameters.
        """
        known = {_plain_name(name): array.shape for name, array in parameters.items()}
        if any(None in spec.shape[1:] for spec in self._inputs):
            return (), None
        found = []
        for rows in _TRIED_ROWS:
            shapes = {spec.name: tuple(rows if n is None else n for n in spec.shape) for spec in self._inputs}
            with _told_of(files.symbol, "does not take inputs of these shapes", got=shapes):
                found.append(self._symbol.infer_shape(**shapes, **known)[1])
        types = self._symbol.infer_type_partial(**{spec.name: spec.dtype for spec in self._inputs})[1]
        outputs = []
        for name, few, more, dtype in zip(self._names, *found, types or [None] * len(self._names), strict=True):
            shape = tuple(n if n == m else None for n, m in zip(few, more, strict=True))
            outputs.append(TensorSpec(name, "float32" if dtype is None else np.dtype(dtype).name, shape))
        return tuple(outputs), all(spec.shape[:1] == (None,) for spec in (*self._inputs, *outputs))


def _imported() -> Any:  # Any: MXNet has no types
    """MXNet.

    Raises:
        LoadError: It is missing, or what it needs is, or its engine is one that does not survive a fork.
    """
    engine = settings.environment().get("MXNET_ENGINE_TYPE", "")
    if engine == _UNSAFE_ENGINE:
        raise LoadError(
            "`MXNET_ENGINE_TYPE` names an engine that does not survive a fork",
            got=f"`{engine}`",
            hint="leave it out: MXNet's own choice is ThreadedEnginePerDevice",
        )
    try:
        with framework("mxnet"):
            import mxnet
    except LoadError as error:
        cause = error.__cause__
        if isinstance(cause, AttributeError):
            got = f"numpy {installed_version('numpy')}"
            hint = f"pip install numpy=={_NUMPY} (on Python 3.11, the last one that it knows)"
            raise LoadError("MXNet needs a numpy before 1.24", got=got, want=f"numpy {_NUMPY}", hint=hint) from error
        if isinstance(cause, OSError):
            hint = "apt-get install libgomp1 libquadmath0"
            raise LoadError("MXNet misses a library of the system", got=cause, hint=hint) from error
        raise
    return mxnet


def _require_known_version(wrote: int, installed: str, where: Path) -> None:
    """Refuse what a newer MXNet wrote: this one would load it and warn of undefined behaviour."""
    version = (wrote // 10_000, wrote // 100 % 100, wrote % 100)
    if version[:2] > tuple(int(part) for part in installed.split(".")[:2]):
        told = ".".join(map(str, version))
        raise LoadError(
            "a newer MXNet wrote the symbol",
            got=f"MXNet {told}",
            want=f"at most {installed}, which is installed",
            where=where,
            hint=f"pip install mxnet=={told}",
        )


def _plain_name(name: str) -> str:
    """A name without `arg:` and `aux:`, which tell parameters from states."""
    return name.partition(":")[2] if name.startswith(("arg:", "aux:")) else name


def _input_names(graph: Graph, symbol: Any, known: frozenset[str], files: Files) -> list[str]:
    """The symbol's arguments that are no parameters.

    Raises:
        LoadError: Some of them are parameters that the file has not.
    """
    arguments = [name for name in symbol.list_arguments() if name not in known]
    states = [name for name in symbol.list_auxiliary_states() if name not in known]
    signed = [name for name in arguments if _PARAMETER_SIGNS & graph.attributes.get(name, {}).keys()]
    is_other = not known & {*symbol.list_arguments(), *symbol.list_auxiliary_states()} and bool(known)
    if states or signed or is_other:
        missing = [*states, *signed] or arguments
        raise LoadError(
            f"the parameters do not fit `{files.symbol.name}`",
            got=f"{len(known)} parameters without {', '.join(f'`{name}`' for name in missing[:3])}",
            want="the file that was written with the symbol",
            where=files.parameters,
        )
    return arguments


def _input_specs(graph: Graph, names: Sequence[str], told: FlavorOptions, files: Files) -> tuple[TensorSpec, ...]:
    """What each input is: as the options say, or a file beside the symbol, or the symbol.

    Raises:
        LoadError: Nobody says it, or the options name what is no input.
    """
    said = {spec.name: spec for spec in told.inputs}
    for name in said:
        if name not in graph.attributes:
            got, want = f"`{name}`", ", ".join(f"`{name}`" for name in names)
            raise LoadError("the symbol has no such input", got=got, want=want, where=files.symbol)
    shapes = read_shapes(files.shapes)
    specs = []
    for name in names:
        attributes = graph.attributes.get(name, {})
        shape = shapes.get(name) or written_shape(attributes.get("__shape__", ""))
        if name in said:
            specs.append(said[name])
        elif shape:
            number = attributes.get("__dtype__", "0")
            is_known = number.isdigit() and int(number) < len(DTYPES)
            specs.append(TensorSpec(name, DTYPES[int(number)] if is_known else "float32", shape))
        else:
            raise LoadError(
                f"the symbol does not say which shape its input `{name}` has",
                where=files.symbol,
                hint=f'add to argosy.toml, with its own shape: [model.options] inputs = [{{ name = "{name}", '
                'dtype = "float32", shape = ["rows", 3, 224, 224] }]',
            )
    return tuple(specs)


@contextlib.contextmanager
def _told_of(path: Path, what: str, got: object = None) -> Iterator[None]:
    """Make one line of what MXNet raises inside, and keep what it prints from the log.

    Raises:
        LoadError: MXNet raised something.
    """
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")  # types that it cannot decide before it has read the parameters
            yield
    except Exception as error:  # MXNetError, AssertionError, and UnicodeDecodeError where it reads its own texts badly
        lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        reason = re.sub(r"^\w*Error: |\[[\d:]+\] \S+:\d+: |Check failed: .*?: ", "", lines[-1]).strip()
        reason = reason if got is None else f"{got}: {reason}"
        raise LoadError(f"`{path.name}` {what}", got=reason, where=path.parent) from error
