"""ONNX: a protocol buffers message of a graph.

Source: onnx.ai, "Open Neural Network Exchange Intermediate Representation", onnx.proto of ONNX 1.23 (read 2026-11-23).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from argosy.model_files.binary import fields, nested, text, whole_number
from argosy.model_files.contents import head, mapped, reading
from argosy.model_files.saved_model import ArrayInput, SavedModel

_GRAPH, _OPSET, _INITIALIZER, _INPUT, _OUTPUT, _EXTERNAL = 7, 8, 5, 11, 12, 13
_DTYPES: Final = {
    1: "float32",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    8: "str",
    9: "bool",
    10: "float16",
    11: "float64",
    12: "uint32",
    13: "uint64",
}


def read(path: Path) -> SavedModel | None:
    """An ONNX graph; None when the file is something else.

    Raises:
        ProjectError: It begins as one, and is damaged.
    """
    begin = head(path, 2)
    if path.suffix != ".onnx" and not (begin[:1] == b"\x08" and 1 <= begin[-1] <= 32):
        return None  # the first field is the version of the format
    if path.suffix != ".onnx" and not _is_graph(path):
        return None
    with reading(path, "ONNX model"):
        model = mapped(path)
        graphs = list(nested(model, _GRAPH))
        if len(graphs) != 1:
            raise ValueError(f"{len(graphs)} graphs in it")
        constants = {text(tensor, 8) for tensor in nested(graphs[0], _INITIALIZER)}
        inputs = [_input(value) for value in nested(graphs[0], _INPUT)]
        outputs = [text(value, 1) for value in nested(graphs[0], _OUTPUT)]
        return SavedModel(
            "onnx",
            path,
            f"ONNX model, {', '.join(_opsets(model))}",
            inputs=tuple(one for one in inputs if one.name not in constants),
            outputs=tuple(outputs),
            beside=_weights(path, graphs[0]),
        )


def _weights(path: Path, graph: memoryview) -> tuple[Path, ...]:
    """The files with weights that are too large for the graph's own; never out of its folder."""
    names = set()
    for entry in nested(graph, _INITIALIZER, _EXTERNAL):
        if text(entry, 1) == "location":
            names.add(text(entry, 2))
    found = [path.parent / name for name in sorted(names)]
    return tuple(one for one in found if one.is_file() and one.resolve().is_relative_to(path.parent.resolve()))


def _is_graph(path: Path) -> bool:
    try:
        return {_GRAPH, _OPSET} <= {number for number, _ in fields(mapped(path))}
    except ValueError:
        return False


def _opsets(model: memoryview) -> Iterator[str]:
    for opset in nested(model, _OPSET):
        yield f"opset {whole_number(opset, 2)}{f' of {domain}' if (domain := text(opset, 1)) else ''}"


def _input(value: memoryview) -> ArrayInput:
    """A ValueInfoProto; what is no tensor (a sequence, a map) has no dtype."""
    shape: list[int | None] = []
    dtype = ""
    for tensor in nested(value, 2, 1):
        dtype = _DTYPES.get(whole_number(tensor, 1) or 0, "")
        for dimension in nested(tensor, 2, 1):
            length = whole_number(dimension, 1)
            shape.append(length if length is not None and length > 0 else None)
    return ArrayInput(text(value, 1), dtype, tuple(shape))
