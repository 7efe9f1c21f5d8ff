"""Writes the statements about an image beside it: bills of materials, provenance, licences."""

import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

from argosy.errors import ImageError
from argosy.image.materials import cyclonedx, licences, provenance, spdx
from argosy.image.materials.subject import Subject
from argosy.model_archive import full_disk_named

FOLDER: Final = "materials"
"""Name of the folder that is written."""

FILES: Final = ("sbom.cdx.json", "sbom.spdx.json", "provenance.json", "licences.json", "licences.txt")


def write_record(subject: Subject, folder: Path) -> None:
    """Write the statements into a folder, all of them or none; those of another image that lay there are replaced.

    Args:
        subject: What they are about. The image stays what it is.
        folder: Nothing but `FILES` may be in it.

    Raises:
        ImageError: The folder holds something else.
    """
    foreign = sorted({path.name for path in folder.iterdir()} - set(FILES)) if folder.is_dir() else []
    if foreign:
        raise ImageError(
            "the folder for what goes with the image holds something else",
            got=", ".join(foreign[:5]),
            want="a folder that only this build writes",
            where=folder,
            hint="move it elsewhere",
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (
        full_disk_named(folder),
        tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.", ignore_cleanup_errors=True) as aside,
    ):
        written = Path(aside) / "new"
        written.mkdir()
        for name, content in zip(FILES, _contents(subject), strict=True):
            (written / name).write_bytes(content)
        if folder.is_dir():
            folder.replace(Path(aside) / "old")
        written.replace(folder)


def remove_record(folder: Path) -> None:
    """Remove the statements about an earlier image, so that nobody takes them for the next one's."""
    if folder.is_dir() and {path.name for path in folder.iterdir()} <= set(FILES):
        shutil.rmtree(folder)


def file_digest(path: Path) -> str:
    """The `sha256:` digest of a file."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


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
    return json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n"
