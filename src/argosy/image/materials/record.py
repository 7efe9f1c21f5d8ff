"""Writes the statements about an image beside it: bills of materials, provenance, licences."""

import errno
import hashlib
import shutil
import tempfile
from contextlib import suppress
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
_ATTEMPTS: Final = 100


def write_record(subject: Subject, folder: Path) -> None:
    """Write the statements into a folder, all of them or none; those of another image that lay there are replaced.

    Args:
        subject: What they are about. The image stays what it is.
        folder: Nothing but `FILES` may be in it.

    Raises:
        ImageError: The folder holds something else.
    """
    if foreign := _foreign(folder):
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
        _put_in_place(written, folder)


def remove_record(folder: Path) -> None:
    """Remove the statements about an earlier image, so that nobody takes them for the next one's."""
    if folder.is_dir() and not _foreign(folder):
        shutil.rmtree(folder)


def file_digest(path: Path) -> str:
    """The `sha256:` digest of a file."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def _foreign(folder: Path) -> list[str]:
    """What nobody but the user can have put there: not to be replaced."""
    try:
        return sorted({path.name for path in folder.iterdir()} - set(FILES))
    except FileNotFoundError:
        return []
    except NotADirectoryError:
        return [folder.name]


def _put_in_place(written: Path, folder: Path) -> None:
    """Rename a folder over another; another build of the project may do the same: the last wins."""
    for attempt in range(_ATTEMPTS):
        with suppress(FileNotFoundError):
            folder.replace(written.parent / f"old-{attempt}")
        try:
            written.replace(folder)
            return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) or attempt == _ATTEMPTS - 1:
                raise


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
