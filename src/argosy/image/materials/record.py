"""Writes the statements about an image beside it: bills of materials, provenance, licences."""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from argosy.errors import ImageError
from argosy.image.materials import cyclonedx, licences, provenance, spdx
from argosy.image.materials.subject import Subject
from argosy.model_archive import full_disk_named

FOLDER: Final = "materials"
"""Name of the folder that is written."""

FILES: Final = ("sbom.cdx.json", "sbom.spdx.json", "provenance.json", "licences.json", "licences.txt")


def require_place(folder: Path) -> None:
    """Refuse a folder that the statements cannot be written to, before anything is built; nothing is left there.

    Raises:
        ImageError: It, or the place of one of `FILES` in it, is something else.
        OSError: It is not writable.
    """
    occupied = [folder] if folder.exists() and not folder.is_dir() else []
    occupied += [folder / name for name in FILES if (folder / name).is_dir()]
    if occupied:
        raise ImageError(
            "where the statements about the image go is something else",
            got=", ".join(f"`{path.name}`" for path in occupied),
            want=f"a folder in which {', '.join(FILES)} may be replaced",
            where=folder,
            hint="move it elsewhere",
        )
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    with tempfile.TemporaryFile(dir=existing):
        pass


@contextmanager
def recorded(subject: Subject, folder: Path) -> Iterator[None]:
    """Have the statements written aside while the image is delivered; they replace those of before when that went well.

    Until the block ends well the folder stays as it was. Other files in it, as a signature, stay anyway.

    Args:
        subject: What they are about. The image stays what it is.
        folder: Where `FILES` go.

    Raises:
        ImageError: The folder is something else.
    """
    require_place(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{folder.name}."
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=prefix, ignore_cleanup_errors=True) as aside:
        with full_disk_named(folder):
            for name, content in zip(FILES, _contents(subject), strict=True):
                (Path(aside) / name).write_bytes(content)
        yield
        folder.mkdir(exist_ok=True)
        with _locked(folder):
            for name in FILES:
                (Path(aside) / name).replace(folder / name)


def remove_record(folder: Path) -> None:
    """Remove the statements about an earlier image, so that nobody takes them for the next one's."""
    if not folder.is_dir():
        return
    for name in FILES:
        if not (folder / name).is_dir():
            (folder / name).unlink(missing_ok=True)
    with suppress(OSError):  # something else is in it
        folder.rmdir()


def file_digest(path: Path) -> str:
    """The `sha256:` digest of a file."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Another build of the project waits, so that no file of one stands beside a file of the other: the last wins."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


def _contents(subject: Subject) -> tuple[bytes, ...]:
    """What is in `FILES`, in that order."""
    return (
        _json(cyclonedx.bill_of_materials(subject)),
        _json(spdx.bill_of_materials(subject)),
        _json(provenance.statement(subject)),
        _json(licences.licence_list(subject)),
        licences.licence_table(subject).encode(),
    )


def _json(value: dict[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"
