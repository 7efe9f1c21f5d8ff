"""TensorFlow and Keras: SavedModel folders, .keras archives, TensorFlow Lite files.

Source: TensorFlow 2.21, tensorflow/core/protobuf/{saved_model,meta_graph}.proto, tensorflow/core/framework/types.proto,
tensorflow/lite/schema/schema.fbs; Keras 3.15, keras/src/saving/saving_lib.py (read 2026-11-23).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from argosy.model_files.binary import Table, nested, text, whole_number
from argosy.model_files.contents import head, mapped, member, members, reading
from argosy.model_files.saved_model import ArrayInput, SavedModel

GRAPH_FILE: Final = "saved_model.pb"
_START: Final = "__saved_model_init_op"
"""Listed among the signatures, and is what runs once when the graph is loaded."""
_DTYPES: Final = {
    1: "float32",
    2: "float64",
    3: "int32",
    4: "uint8",
    5: "int16",
    6: "int8",
    7: "str",
    9: "int64",
    10: "bool",
    17: "uint16",
    19: "float16",
    22: "uint32",
    23: "uint64",
}
_LITE_DTYPES: Final = {
    0: "float32",
    1: "float16",
    2: "int32",
    3: "uint8",
    4: "int64",
    5: "str",
    6: "bool",
    7: "int16",
    9: "int8",
    10: "float64",
    12: "uint64",
    15: "uint32",
    16: "uint16",
}
_HDF: Final = b"\x89HDF\r\n\x1a\n"


def read_folder(folder: Path) -> SavedModel | None:
    """A SavedModel; None when the folder is something else.

    Raises:
        ProjectError: It is one, and is damaged.
    """
    path = folder / GRAPH_FILE
    if not path.is_file():
        return None
    with reading(path, "SavedModel"):
        graph = next(nested(mapped(path), 2), None)
        if graph is None:
            raise ValueError("no graph in it")
        version = text(graph, 1, 5)
        signatures = {name: entry for entry in nested(graph, 5) if (name := text(entry, 1)) != _START}
        served = signatures.get("serving_default") or next(iter(signatures.values()), None)
        return SavedModel(
            "tensorflow",
            folder,
            "TensorFlow SavedModel",
            {"tensorflow": version} if version else {},
            () if served is None else tuple(_signature_inputs(served)),
            () if served is None else tuple(sorted(text(one, 1) for one in nested(served, 2, 2))),
            notes=(f"signatures: {', '.join(sorted(signatures))}",) if len(signatures) > 1 else (),
        )


def _signature_inputs(entry: memoryview) -> Iterator[ArrayInput]:
    for named in nested(entry, 2, 1):
        tensor = next(nested(named, 2), memoryview(b""))
        sizes = [whole_number(dimension, 1) for dimension in nested(tensor, 3, 2)]
        shape = tuple(size if size is not None and size >= 0 else None for size in sizes)
        yield ArrayInput(text(named, 1), _DTYPES.get(whole_number(tensor, 2) or 0, ""), shape)


def read_lite(path: Path) -> SavedModel | None:
    """A TensorFlow Lite model; None when the file is something else.

    Raises:
        ProjectError: It is one, and is damaged.
    """
    if head(path, 8)[4:] != b"TFL3":
        return None
    with reading(path, "TensorFlow Lite model"):
        graph = Table.root(mapped(path)).tables(2)[0]
        tensors = graph.tables(0)
        inputs = [tensors[index] for index in graph.numbers(1)]
        outputs = [tensors[index].text(3) for index in graph.numbers(2)]
        return SavedModel(
            "litert",
            path,
            "TensorFlow Lite model",
            inputs=tuple(_lite_input(tensor) for tensor in inputs),
            outputs=tuple(outputs),
        )


def _lite_input(tensor: Table) -> ArrayInput:
    lengths = tensor.numbers(7) or tensor.numbers(0)
    shape = tuple(length if length >= 0 else None for length in lengths)
    return ArrayInput(tensor.text(3), _LITE_DTYPES.get(tensor.number(1, "<b"), ""), shape)


def read_keras(path: Path) -> SavedModel | None:
    """A .keras archive, or Keras' older HDF5; None when the file is something else.

    Raises:
        ProjectError: It is one, and is damaged.
    """
    if head(path, 8) == _HDF and path.suffix in (".h5", ".hdf5", ".keras"):
        return SavedModel("keras", path, "Keras model in HDF5", notes=("HDF5 is Keras' older form of a model",))
    if not {"metadata.json", "config.json"} <= members(path).keys():
        return None
    with reading(path, "Keras model"):
        about = msgspec.json.decode(member(path, "metadata.json"), type=dict[str, Any])
        if "keras_version" not in about:
            return None
        config = msgspec.json.decode(member(path, "config.json"), type=dict[str, Any])
        return SavedModel(
            "keras", path, "Keras model", {"keras": str(about["keras_version"])}, tuple(_keras_inputs(config))
        )


def _keras_inputs(config: dict[str, Any]) -> Iterator[ArrayInput]:
    """The input layers, in the order in which the model takes them."""
    inner = config.get("config", {})
    layers = {
        layer["config"]["name"]: layer["config"]
        for layer in inner.get("layers", ())
        if layer.get("class_name") == "InputLayer"
    }
    for name in _names(inner.get("input_layers", [[name] for name in layers]), layers):
        dtype = layers[name].get("dtype", "")
        if isinstance(dtype, dict):
            dtype = dtype.get("config", {}).get("name", "")
        yield ArrayInput(name, "str" if dtype == "string" else str(dtype), tuple(layers[name].get("batch_shape") or ()))


def _names(said: Any, known: dict[str, Any]) -> Iterator[str]:
    """The layers' names wherever they stand in `input_layers`: one, a list or a mapping of `[name, 0, 0]`."""
    for one in said.values() if isinstance(said, dict) else said if isinstance(said, list) else ():
        if isinstance(one, str) and one in known:
            yield one
        elif isinstance(one, list | dict):
            yield from _names(one, known)
