"""What pip installs in a Dockerfile: exactly the files of the lock, by hash, each from where the lock says.

A page of links stands in for the package index, so that no index is asked and nothing is resolved again.

Source: pip.pypa.io, "pip install", `--find-links`, `--require-hashes`, "Authentication" (read 2026-11-22).
"""

import html
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from argosy.image.blobs import BlobStore
from argosy.image.dependencies.wheels import WheelFile
from argosy.image.dockerfile.text import PAGE, REQUIREMENTS
from argosy.image.download import Credentials, Download, fetch, origin

_FILES: Final = "files"


@dataclass(frozen=True, slots=True)
class Downloads:
    """Where files come from that the engine cannot fetch itself.

    Attributes:
        store: Has the files that come from this machine, and gets those that are fetched.
        credentials: Whom package indexes know us as.
        say: Told what is fetched.
    """

    store: BlobStore
    credentials: Credentials
    say: Callable[[str], None]

    def needs_login(self, files: Sequence[WheelFile]) -> bool:
        """Whether one of them is where a password is asked for."""
        return any(origin(file.url) in self.credentials for file in files if file.url)


def write_locked(files: Sequence[WheelFile], folder: Path, downloads: Downloads, *, may_log_in: bool) -> None:
    """Write the requirements and the page of links; files that the engine cannot have from there are put beside them.

    Args:
        files: What is installed.
        folder: Where to write.
        downloads: Has, or fetches, what goes into the folder.
        may_log_in: Whether the engine is lent the passwords of indexes; without, what needs one is fetched here.

    Raises:
        NetworkError: A download failed.
        ImageError: A file is not what its digest says.
    """
    brought = [file for file in files if not file.url or not (may_log_in or not downloads.needs_login([file]))]
    missing = [Download(file.url, file.digest, file.size) for file in brought if file.url]
    fetch(missing, downloads.store, lambda size: downloads.say(f"downloading {size} of wheels"), downloads.credentials)
    folder.mkdir(parents=True, exist_ok=True)
    for file in brought:
        (folder / _FILES).mkdir(exist_ok=True)
        with downloads.store.open(file.digest) as source, (folder / _FILES / file.filename).open("wb") as target:
            shutil.copyfileobj(source, target)
    (folder / REQUIREMENTS).write_bytes(requirements(files))
    (folder / PAGE).write_bytes(page(files, brought))


def requirements(files: Sequence[WheelFile]) -> bytes:
    """A requirements file that pip takes with `--require-hashes`."""
    lines = [f"{file.distribution}=={file.version} --hash={file.digest}" for file in files]
    return "\n".join([*lines, ""]).encode()


def page(files: Sequence[WheelFile], brought: Sequence[WheelFile] = ()) -> bytes:
    """An HTML page with a link to each file; those that were brought lie beside it."""
    lines = ["<!DOCTYPE html>"]
    for file in files:
        place = f"{_FILES}/{quote(file.filename)}" if file in brought else file.url
        address = html.escape(f"{place}#sha256={file.digest.removeprefix('sha256:')}")
        lines.append(f'<a href="{address}">{html.escape(file.filename)}</a>')
    return "\n".join([*lines, ""]).encode()


def netrc(files: Sequence[WheelFile], credentials: Credentials) -> bytes:
    """The logins for these files' hosts, as pip reads them.

    Source: docs.python.org, "netrc" (read 2026-11-22).
    """
    lines = []
    for place in dict.fromkeys(origin(file.url) for file in files if file.url):
        if place in credentials:
            user, password = (_token(text) for text in credentials[place])
            lines.append(f"machine {urlsplit(place).hostname} login {user} password {password}\n")
    return "".join(lines).encode()


def _token(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
