"""What the first bytes of a file say it is, whatever its suffix says."""

from pathlib import Path
from typing import Final

from argosy.errors import LoadError

_LFS: Final = b"version https://git-lfs"
_MAGIC: Final = (
    (0, _LFS, "a pointer of Git LFS"),
    (4, b"TFL3", "a LiteRT model"),
    (4, b"ORTM", "a model in ONNX Runtime's own format"),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (0, b"PK\x03\x04", "a zip file, as Keras and PyTorch write"),
    (0, b"\x1f\x8b", "a gzip file"),
    (0, b"\x93NUMPY", "a numpy array"),
    *((0, bytes([0x80, protocol]), "a pickle") for protocol in range(2, 6)),
    (0, b"{", "a JSON file"),
    (0, b"<", "an HTML or XML file"),
)
"""Offset, the bytes there, and what such a file is.

Source:
    flatbuffers' file identifiers `TFL3` (tensorflow/compiler/mlir/lite/schema/schema.fbs) and `ORTM`
    (onnxruntime/core/flatbuffers/schema/ort.fbs); pickletools' opcode PROTO; Git LFS specification v1, "The Pointer"
    (read 2026-11-23).
"""


def found(path: Path) -> str | None:
    """What a file is by its first bytes; None when they are no known sign."""
    with path.open("rb") as file:
        head = file.read(64)
    return next((what for at, magic, what in _MAGIC if head[at:].startswith(magic)), None)


def require(path: Path, wanted: str, own: str | None = None) -> None:
    """Refuse what the framework could only call broken: no file, an empty one, or one of another format.

    Args:
        path: The saved model.
        wanted: What it should be, as `an ONNX model`.
        own: What `found` says of a good one, if anything.

    Raises:
        LoadError: It is none.
    """
    if not path.is_file():
        raise LoadError("the model is not a file", want=wanted, where=path)
    if path.stat().st_size == 0:
        raise LoadError("the model file is empty", want=wanted, where=path, hint="save or copy it again")
    other = found(path)
    if other is None or other == own:
        return
    is_pointer = other.endswith("Git LFS")
    raise LoadError(
        "the model file has another format than its name says",
        got=other,
        want=wanted,
        where=path,
        hint="git lfs pull" if is_pointer else 'name the right file under [model] in argosy.toml: file = "..."',
    )
