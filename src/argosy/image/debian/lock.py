"""`debian.argosy.toml`: the Debian packages of a project's image, each by version, URL and digest.

The base image `debian` and the system packages have a table each. While what a table was made from stays the same, its
packages are taken from it, so that the next build, elsewhere and on another day, is the same.
"""

import json
import shlex
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from argosy.errors import ImageError, NetworkError
from argosy.image.blobs import BlobStore
from argosy.image.debian.packages import Package
from argosy.image.download import Download, fetch
from argosy.model_archive import written_aside

_HEAD: Final = "# The Debian packages of the image, written by `argosy build`: keep it under version control.\n"


class _Table(msgspec.Struct, frozen=True):
    """Packages, and the digest of what they were chosen from."""

    inputs: str
    packages: list[Package]


def read_locked(path: Path, table: str, inputs: str) -> list[Package] | None:
    """The packages of a table, None when there is none or it was made from something else.

    Args:
        path: The lock file.
        table: `base` or `system`.
        inputs: Digest of what the packages were chosen from.

    Raises:
        ImageError: The file is not such a lock.
    """
    found = _read(path).get(table)
    return found.packages if found is not None and found.inputs == inputs else None


def write_locked(path: Path, table: str, inputs: str, packages: Sequence[Package]) -> None:
    """Write a table of the lock; the others stay."""
    tables = {**_read(path), table: _Table(inputs, list(packages))}
    with written_aside(path) as aside:
        aside.write_text(_HEAD + "".join(_text(name, tables[name]) for name in sorted(tables)), encoding="utf-8")


def fetch_locked(packages: Sequence[Package], downloads: BlobStore, path: Path, say: Callable[[str], None]) -> None:
    """Have the .deb files of these packages.

    Raises:
        NetworkError: The mirror does not answer, or has one of them no more.
        ImageError: A file is not what the lock says.
    """
    wanted = [Download(package.url, package.digest, package.size) for package in packages]
    try:
        fetch(wanted, downloads, lambda missing: say(f"downloading {missing} of Debian packages"))
    except NetworkError as error:
        if error.got != "status 404":
            raise
        raise NetworkError(
            f"the mirror has a package no more that `{path.name}` names",
            got=error.got,
            want="Debian keeps a version until the next one of its suite",
            where=error.where,
            hint=f"rm {shlex.quote(str(path))}, and build again to lock what Debian has now",
        ) from error


def _text(name: str, table: _Table) -> str:
    lines = ["", f"[{name}]", f"inputs = {json.dumps(table.inputs)}"]  # a JSON string is a TOML one, too
    if not table.packages:
        lines.append("packages = []")
    for package in table.packages:
        fields = msgspec.to_builtins(package)
        lines += ["", f"[[{name}.packages]]", *(f"{key} = {json.dumps(value)}" for key, value in fields.items())]
    return "\n".join([*lines, ""])


def _read(path: Path) -> dict[str, _Table]:
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), dict[str, _Table])
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise ImageError(
            "the lock of the Debian packages is broken", got=error, where=path, hint=f"rm {shlex.quote(str(path))}"
        ) from error
