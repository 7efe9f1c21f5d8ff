"""Puts the files of a kit into a folder that may have others: a clone of the repository that buyers see.

What an earlier kit wrote is in `.argosy-kit.json` with its digest. A file that was changed since, or that no kit wrote,
is never overwritten unasked; one that the new kit does not have is removed.
"""

import hashlib
import json
import shlex
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from argosy.errors import UsageError
from argosy.model_archive import written_aside

RECORD: Final = ".argosy-kit.json"
_SHOWN: Final = 5


def write(files: Mapping[str, bytes], folder: Path, *, overwrite: bool = False) -> list[str]:
    """Put all files in place, each whole: a new folder appears with all of them at once.

    Args:
        files: Path relative to the folder -> content.
        folder: Made when it is not there.
        overwrite: Whether files that no kit wrote may be overwritten, and those that were changed since.

    Returns:
        The files that are new, changed or gone.

    Raises:
        UsageError: There are such files, or a path in the folder leads out of it.
    """
    record = {name: _digest(content) for name, content in files.items()}
    told = (json.dumps({"files": record}, indent=2) + "\n").encode()
    if not folder.exists() or not any(folder.iterdir()):
        with written_aside(folder) as aside:
            for name, content in {**files, RECORD: told}.items():
                _put(aside, name, content)
        return sorted(files)
    known = _known(folder)
    _require_inside(files, folder)
    if not overwrite:
        _require_ours(files, folder, known)
    gone = [name for name in known if name not in files and _has(folder, name, known[name])]
    changed = [name for name, content in files.items() if not _has(folder, name, _digest(content))]
    with tempfile.TemporaryDirectory(dir=folder, prefix=f".{RECORD}.") as aside_name:
        aside = Path(aside_name)
        for name in [*changed, RECORD]:
            _put(aside, name, told if name == RECORD else files[name])
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (aside / name).replace(folder / name)
    for name in gone:
        (folder / name).unlink(missing_ok=True)
        with suppress(OSError):  # another file is in it
            (folder / name).parent.rmdir()
    return sorted([*changed, *gone])


def _known(folder: Path) -> dict[str, str]:
    """What an earlier kit wrote: path -> digest. None where nothing can be read."""
    try:
        said = json.loads((folder / RECORD).read_bytes())["files"]
    except (OSError, ValueError, LookupError, TypeError):
        return {}
    if not isinstance(said, dict):
        return {}
    return {name: digest for name, digest in said.items() if isinstance(digest, str) and _is_inside(folder, name)}


def _require_inside(files: Mapping[str, bytes], folder: Path) -> None:
    outside = [name for name in files if not _is_inside(folder, name)]
    if outside:
        raise UsageError("a path in the kit's folder leads out of it", got=f"`{outside[0]}`", where=folder)


def _require_ours(files: Mapping[str, bytes], folder: Path, known: Mapping[str, str]) -> None:
    foreign = [
        name
        for name, content in files.items()
        if (folder / name).exists()
        and not _has(folder, name, _digest(content))
        and not _has(folder, name, known.get(name, ""))
    ]
    if foreign:
        listed = ", ".join(f"`{name}`" for name in foreign[:_SHOWN]) + (", …" if len(foreign) > _SHOWN else "")
        raise UsageError(
            "files of the folder are not as `argosy kit` wrote them",
            got=listed,
            where=folder,
            hint=f"argosy kit -o {shlex.quote(str(folder))} --overwrite",
        )


def _is_inside(folder: Path, name: str) -> bool:
    return (folder / name).resolve().is_relative_to(folder.resolve())


def _has(folder: Path, name: str, digest: str) -> bool:
    try:
        return _digest((folder / name).read_bytes()) == digest
    except OSError:
        return False


def _put(folder: Path, name: str, content: bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
