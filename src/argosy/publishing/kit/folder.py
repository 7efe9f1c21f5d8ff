"""Puts the files of a kit into a folder that may have others: a clone of the repository that buyers see.

What an earlier kit wrote is in `.argosy-kit.json` with its digest. A file that was changed since, or that no kit wrote,
is never overwritten unasked; one that the new kit does not have is removed.
"""

import hashlib
import json
import shlex
import tempfile
from collections.abc import Collection, Mapping
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
    digests = {name: _digest(content) for name, content in files.items()}
    if not folder.exists() or not any(folder.iterdir()):
        with written_aside(folder) as aside:
            for name, content in {**files, RECORD: _record(digests)}.items():
                _put(aside, name, content)
        return sorted(files)
    known = _known(folder)
    _require_inside(files, folder)
    if not overwrite:
        _require_ours(digests, folder, known)
    gone = [name for name in known if name not in files and _digest_of(folder / name) in known[name]]
    changed = [name for name in files if _digest_of(folder / name) != digests[name]]
    with tempfile.TemporaryDirectory(dir=folder, prefix=f".{RECORD}.") as made:
        # First of all that both what is there and what comes is ours: this may be killed at any moment.
        _replace(Path(made), folder, RECORD, _record(digests, known))
        for name in changed:
            _replace(Path(made), folder, name, files[name])
        for name in gone:
            (folder / name).unlink(missing_ok=True)
            with suppress(OSError):  # another file is in it
                (folder / name).parent.rmdir()
        _replace(Path(made), folder, RECORD, _record(digests))
    return sorted([*changed, *gone])


def _record(digests: Mapping[str, str], before: Mapping[str, Collection[str]] | None = None) -> bytes:
    """What a kit has written, and on its way what was there before."""
    ours = {name: {digest} for name, digest in digests.items()}
    for name, known in (before or {}).items():
        ours[name] = ours.get(name, set()) | set(known)
    told = {name: sorted(known) for name, known in sorted(ours.items())}
    return (json.dumps({"files": told}, indent=2) + "\n").encode()


def _known(folder: Path) -> dict[str, frozenset[str]]:
    """What earlier kits wrote: path -> digests; nothing where that cannot be read."""
    try:
        said = json.loads((folder / RECORD).read_bytes())["files"]
        return {name: frozenset(map(str, known)) for name, known in said.items() if _is_inside(folder, name)}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return {}


def _require_inside(files: Mapping[str, bytes], folder: Path) -> None:
    outside = [name for name in files if not _is_inside(folder, name)]
    if outside:
        raise UsageError("a path in the kit's folder leads out of it", got=f"`{outside[0]}`", where=folder)


def _require_ours(digests: Mapping[str, str], folder: Path, known: Mapping[str, frozenset[str]]) -> None:
    foreign = [
        name
        for name, digest in digests.items()
        if (folder / name).exists() and _digest_of(folder / name) not in {digest, *known.get(name, ())}
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


def _digest_of(path: Path) -> str:
    """Of a file; empty where there is none that can be read."""
    try:
        return _digest(path.read_bytes())
    except OSError:
        return ""


def _replace(aside: Path, folder: Path, name: str, content: bytes) -> None:
    """Put a whole file in the place of another."""
    _put(aside, name, content)
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (aside / name).replace(folder / name)


def _put(folder: Path, name: str, content: bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
