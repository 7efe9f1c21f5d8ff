"""The files of an MXNet model, read without MXNet."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import orjson

from argosy.errors import LoadError
from argosy.flavors.loading import artifacts
from argosy.flavors.loading.options import FlavorOptions
from argosy.serving import log

DTYPES: Final = ("float32", "float64", "float16", "uint8", "int32", "int8", "int64", "bool")
"""By the number that `__dtype__` has in a symbol.

Source:
    mxnet 1.9.1, `ndarray/ndarray.py`, `_DTYPE_MX_TO_NP` (read 2026-11-23).
"""
_LOSSES: Final = frozenset(
    {
        "SoftmaxOutput",
        "Softmax",
        "LinearRegressionOutput",
        "LogisticRegressionOutput",
        "MAERegressionOutput",
        "SVMOutput",
    }
)
"""Operators whose second argument is a label, which they heed in training alone."""
_PARAMETERS: Final = re.compile(r"(?P<name>.+)-(?P<epoch>\d{4,})\.params")
_SUFFIX: Final = "-symbol.json"


class Files(NamedTuple):
    """What a saved model is made of: `NAME-symbol.json`, `NAME-0012.params`, and `NAME-shapes.json` if it is there."""

    symbol: Path
    parameters: Path
    shapes: Path


class Graph(NamedTuple):
    """What a symbol's file says without MXNet.

    Attributes:
        attributes: Of each variable, by its name.
        labels: Variables that losses alone take, as labels.
        version: Of the MXNet that wrote it, as 10901; 0 when it does not say.
        is_numpy: Whether its arrays have numpy's semantics (`mxnet.npx.set_np`).
    """

    attributes: Mapping[str, Mapping[str, str]]
    labels: frozenset[str]
    version: int
    is_numpy: bool


def find_files(model_dir: Path, told: FlavorOptions) -> Files:
    """The symbol and its newest parameters, or what `file` names of them.

    Raises:
        LoadError: One is missing, or there are several symbols.
    """
    what = f"an MXNet symbol (`NAME{_SUFFIX}`)"
    path = artifacts.find(model_dir, told, [f"*{_SUFFIX}"], what)
    named = _PARAMETERS.fullmatch(path.name)
    symbol = path if named is None else path.with_name(f"{named['name']}{_SUFFIX}")
    if not symbol.name.endswith(_SUFFIX):
        raise LoadError(f"`{path.name}` is not what an MXNet model is called", want=what, where=model_dir)
    if not symbol.exists():
        raise LoadError(f"there is no `{symbol.name}` beside `{path.name}`", want=what, where=path.parent)
    name = symbol.name.removesuffix(_SUFFIX)
    epochs = {int(found["epoch"]): file for file, found in _epochs(symbol.parent) if found["name"] == name}
    if not epochs:
        raise LoadError(
            f"there are no parameters beside `{symbol.name}`",
            want=f"`{name}-0000.params`",
            where=symbol.parent,
            hint=f'write both: network.export("{name}")',
        )
    parameters = path if named is not None else epochs[max(epochs)]
    if len(epochs) > 1:
        log.event("parameters-chosen", file=parameters.name, epochs=len(epochs))
    return Files(symbol, parameters, symbol.with_name(f"{name}-shapes.json"))


def read_graph(path: Path) -> Graph:
    """What the file of a symbol says.

    Raises:
        LoadError: It is no symbol.
    """
    try:
        found = orjson.loads(path.read_bytes())
        nodes = found["nodes"]
        variables = {n: node for n, node in enumerate(nodes) if node["op"] == "null"}
        uses = [(source[0], node["op"] in _LOSSES and place == 1)
                for node in nodes for place, source in enumerate(node["inputs"])]  # fmt: skip
        others = {number for number, is_label in uses if not is_label}
        labels = {variables[n]["name"] for n, is_label in uses if is_label and n in variables and n not in others}
        told = found.get("attrs", {})
        return Graph(
            # attributes are `attrs` since MXNet 1.0, `attr` or `param` before
            {node["name"]: node.get("attrs", node.get("attr", {})) for node in variables.values()},
            frozenset(labels),
            int(told.get("mxnet_version", (None, 0))[1]),
            bool(told.get("is_np_shape", (None, 0))[1]),
        )
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
        reason = f"JSON that breaks off or is none ({error})" if isinstance(error, ValueError) else "other JSON"
        raise LoadError(
            "this is no MXNet symbol",
            got=reason if path.stat().st_size else "an empty file",
            want="the file whole, as `export` wrote it",
            where=path,
        ) from error


def _epochs(folder: Path) -> Iterator[tuple[Path, re.Match[str]]]:
    for file in sorted(folder.glob("*.params")):
        if found := _PARAMETERS.fullmatch(file.name):
            yield file, found


def read_shapes(path: Path) -> dict[str, tuple[int | None, ...]]:
    """The shapes that SageMaker's containers read: `[{"name": "data", "shape": [1, 64]}]`, the first length free.

    Source:
        aws/sagemaker-mxnet-inference-toolkit, `default_inference_handler.py` (read 2026-11-23).

    Raises:
        LoadError: They are something else.
    """
    if not path.exists():
        return {}
    try:
        found = {str(entry["name"]): tuple(map(int, entry["shape"])) for entry in orjson.loads(path.read_bytes())}
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        want = '`[{"name": "data", "shape": [1, 64]}]`'
        raise LoadError("these are no shapes of inputs", got=f"{error}", want=want, where=path) from error
    return {name: (None, *shape[1:]) for name, shape in found.items()}


def written_shape(text: str) -> tuple[int | None, ...]:
    """`(0, 64)` of a symbol's attribute: 0 and -1 are free; empty when it does not say."""
    lengths = [int(word) for word in re.findall(r"-?\d+", text)]
    return tuple(None if length < 1 else length for length in lengths)
