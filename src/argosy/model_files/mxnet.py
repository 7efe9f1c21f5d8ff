"""MXNet: a graph in `NAME-symbol.json` with its weights in `NAME-0000.params`, as Gluon exports them.

Source: MXNet 1.9.1, 3rdparty/tvm/nnvm/src/pass/saveload_json.cc, src/c_api/c_api.cc `MXNDArraySave` (read 2026-11-23).
"""

import re
from pathlib import Path
from typing import Any, Final

import msgspec

from argosy.errors import ProjectError
from argosy.model_files.contents import head, json_file, reading
from argosy.model_files.saved_model import ArrayInput, SavedModel

_SUFFIX: Final = "-symbol.json"
_SHAPES: Final = "-shapes.json"
"""What SageMaker's own containers of MXNet read beside it: names and shapes, batches first."""
_WEIGHTS: Final = (0x112).to_bytes(8, "little")
_DTYPES: Final = {"0": "float32", "1": "float64", "2": "float16", "3": "uint8", "4": "int32", "5": "int8", "6": "int64"}


class _Shape(msgspec.Struct, frozen=True):
    name: str
    shape: list[int]


class _Node(msgspec.Struct):
    op: str
    name: str
    attrs: dict[str, str] = {}


class _Graph(msgspec.Struct):
    nodes: list[_Node]
    arg_nodes: list[int]
    heads: list[Any]
    attrs: dict[str, list[Any]] = {}


def read(path: Path) -> SavedModel | None:
    """A graph of MXNet's; None when the file is something else.

    Raises:
        ProjectError: It is named as one and is damaged, or its weights are not beside it.
    """
    if not path.name.endswith(_SUFFIX):
        return None
    with reading(path, "graph of MXNet's"):
        graph = json_file(path, _Graph)
        inputs = tuple(_input(graph.nodes[place]) for place in graph.arg_nodes if _is_input(graph.nodes[place]))
        number = int((graph.attrs.get("mxnet_version") or ["int", 0])[1])
    stem = path.name.removesuffix(_SUFFIX)
    weights = [
        one
        for one in sorted(path.parent.glob("*.params"))
        if re.fullmatch(re.escape(stem) + r"-\d{4}\.params", one.name)
    ]
    if not weights:
        raise ProjectError(
            "a graph of MXNet's has no weights", want=f"`{stem}-0000.params` beside it", where=path,
            hint="net.export(...) of Gluon writes both",
        )  # fmt: skip
    if head(weights[-1], 8) != _WEIGHTS:
        raise ProjectError("the weights of a graph of MXNet's are damaged", where=weights[-1])
    version = f"{number // 10_000}.{number // 100 % 100}.{number % 100}"
    beside = [weights[-1]]
    shapes = path.with_name(f"{stem}{_SHAPES}")
    if shapes.is_file():
        beside.append(shapes)
        with reading(shapes, "list of shapes"):
            inputs = tuple(
                ArrayInput(one.name, "float32", (None, *one.shape[1:])) for one in json_file(shapes, list[_Shape])
            )
    versions = {"mxnet": version} if number else {}
    return SavedModel("mxnet", path, "MXNet graph and weights", versions, inputs, beside=tuple(beside))


def _is_input(node: _Node) -> bool:
    """Whether a node is no weight: those of Gluon carry how they are made."""
    return node.op == "null" and not any(name in node.attrs for name in ("__init__", "__lr_mult__", "__wd_mult__"))


def _input(node: _Node) -> ArrayInput:
    lengths = [int(one) for one in re.findall(r"-?\d+", node.attrs.get("__shape__", ""))]
    shape = tuple(length if length > 0 else None for length in lengths)
    return ArrayInput(node.name, _DTYPES.get(node.attrs.get("__dtype__", ""), ""), shape)
