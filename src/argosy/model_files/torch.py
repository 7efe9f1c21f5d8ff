"""PyTorch: ExportedProgram, TorchScript and `state_dict` archives, and safetensors.

Source: PyTorch 2.13, torch/export/pt2_archive/constants.py, torch/serialization.py, torch/_export/serde/schema.py;
huggingface/safetensors, README, "Format" (read 2026-11-23).
"""

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from argosy.model_files.contents import HEAD_BYTES, head, member, members, reading
from argosy.model_files.pickles import modules
from argosy.model_files.saved_model import ArrayInput, SavedModel

_DTYPES: Final = {
    1: "uint8",
    2: "int8",
    3: "int16",
    4: "int32",
    5: "int64",
    6: "float16",
    7: "float32",
    8: "float64",
    12: "bool",
}
_OLD: Final = bytes.fromhex("80028a0a6cfc9c46f9206aa850192e")
"""The number that files begin with that PyTorch wrote before 1.6."""
_PLAIN: Final = {"collections", "torch", "numpy", "_codecs", "__builtin__", "builtins"}
"""Whose names stand in the pickle of a `state_dict`."""
_HEADER_BYTES: Final = 100_000_000
"""The most that safetensors allows."""


class _Tensor(msgspec.Struct):
    data_offsets: tuple[int, int]


def read(path: Path) -> SavedModel | None:
    """A file of PyTorch's; None when it is something else.

    Raises:
        ProjectError: It is one, and is damaged.
    """
    begin = head(path, 16)
    if begin.startswith(_OLD):
        return SavedModel("torch", path, "PyTorch state_dict in a file of PyTorch before 1.6")
    listed = members(path)
    inner = {name.partition("/")[2]: name for name in listed if "/" in name}
    with reading(path, "PyTorch file"):
        if "serialized_exported_program.json" in listed:
            return _program(path, "serialized_exported_program.json")
        if "archive_format" in inner and "models/model.json" in inner:
            return _program(path, inner["models/model.json"])
        if "constants.pkl" in inner and any(name.startswith("code/") for name in inner):
            return SavedModel("torch", path, "TorchScript module")
        if "data.pkl" in inner:
            return _pickled(path, inner["data.pkl"])
    return None


def _pickled(path: Path, name: str) -> SavedModel:
    named = frozenset(modules(member(path, name)))
    is_code = bool(named - _PLAIN)
    notes = (
        ("the pickle of a whole module runs code when it is loaded: save its state_dict instead",) if is_code else ()
    )
    form = "PyTorch module in a pickle" if is_code else "PyTorch state_dict"
    return SavedModel("torch", path, form, modules=named if is_code else frozenset(), is_pickle=is_code, notes=notes)


def _program(path: Path, name: str) -> SavedModel:
    program = msgspec.json.decode(member(path, name), type=dict[str, Any])
    version = str(program.get("torch_version") or "").partition("+")[0]
    inputs: tuple[ArrayInput, ...] = ()
    try:
        inputs = tuple(_inputs(program["graph_module"]))
    except (KeyError, TypeError, AttributeError):  # another version of the schema
        inputs = ()
    return SavedModel("torch", path, "PyTorch ExportedProgram", {"torch": version} if version else {}, inputs)


def _inputs(module: Mapping[str, Any]) -> Iterator[ArrayInput]:
    values = module["graph"]["tensor_values"]
    for spec in module["signature"]["input_specs"]:
        name = spec.get("user_input", {}).get("arg", {}).get("as_tensor", {}).get("name")
        if name is not None:
            value = values[name]
            yield ArrayInput(name, _DTYPES.get(value["dtype"], ""), tuple(one.get("as_int") for one in value["sizes"]))


def read_safetensors(path: Path) -> SavedModel | None:
    """The weights of a module; None when the file is something else.

    Raises:
        ProjectError: It is named as one, and is damaged.
    """
    begin = head(path, 9)
    if path.suffix != ".safetensors" and (len(begin) < 9 or begin[8:] != b"{"):
        return None
    with reading(path, "safetensors file"):
        (size,) = struct.unpack_from("<Q", begin)
        if size > min(_HEADER_BYTES, path.stat().st_size - 8):
            raise ValueError(f"a header of {size:,} bytes in a file of {path.stat().st_size:,}")
        if size > HEAD_BYTES and path.suffix != ".safetensors":
            return None
        header = msgspec.json.decode(head(path, 8 + size)[8:], type=dict[str, msgspec.Raw])
        tensors = [one for name, one in header.items() if name != "__metadata__"]
        ends = [msgspec.json.decode(one, type=_Tensor).data_offsets[1] for one in tensors]
        if 8 + size + max(ends, default=0) != path.stat().st_size:
            raise ValueError(f"{path.stat().st_size:,} bytes of {8 + size + max(ends, default=0):,}")
        return SavedModel("torch", path, f"{len(ends)} tensors of a PyTorch module in safetensors")
