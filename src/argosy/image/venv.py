"""Wheels unzipped into a virtual environment made by hand: nothing is run, so any host can make it for linux/amd64.

Source: packaging.python.org, "Binary distribution format", "Entry points specification"; PEP 405 (read 2026-11-22).
"""

import configparser
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from argosy.errors import ImageError
from argosy.image.dependencies.wheels import WheelFile
from argosy.image.interpreter import Interpreter
from argosy.image.layer import Member, from_bytes, symlink
from argosy.image.layers.pruning import without

VENV: Final = "opt/venv"
INSTALLER: Final = b"argosy\n"


Pruned = Callable[[zipfile.ZipFile, str], frozenset[str]]
"""A wheel and its distribution's name -> the names of its members that are left out."""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """Wheels as members of a layer.

    Attributes:
        members: Open their wheel until the `ExitStack` that was passed closes.
        notes: What a person should know: files that two wheels write differently.
    """

    members: list[Member]
    notes: list[str]


def skeleton(python: Interpreter) -> list[Member]:
    """The environment itself: pyvenv.cfg, and links to the image's Python."""
    home = python.path.rpartition("/")[0]
    settings = f"home = {home}\ninclude-system-site-packages = false\nversion = {python.version}\n"
    return [
        from_bytes(f"{VENV}/pyvenv.cfg", settings.encode()),
        symlink(f"{VENV}/bin/python", python.path),
        symlink(f"{VENV}/bin/python3", "python"),
        symlink(f"{VENV}/bin/python{python.version}", "python"),
    ]


def site_packages(python: str) -> str:
    """Where the environment's packages are, relative to the image's root."""
    return f"{VENV}/lib/python{python}/site-packages"


def script(name: str, module: str, attribute: str) -> Member:
    """A console script that calls `module:attribute` and leaves with what it returns."""
    imported = f"from {module} import {attribute.partition('.')[0]}"
    text = f"#!/{VENV}/bin/python\nimport sys\n\n{imported}\n\nsys.exit({attribute}())\n"
    return from_bytes(f"{VENV}/bin/{name}", text.encode(), executable=True)


def unpack_wheels(
    wheels: Sequence[tuple[WheelFile, Path]], python: str, opened: ExitStack, pruned: Pruned | None = None
) -> Unpacked:
    """The files of wheels at their places in the environment.

    Two wheels may write one path: the same bytes are one file; of different bytes the alphabetically later
    distribution's stay, as with any installer, and a note says so.

    Args:
        wheels: With the place of their file, sorted by distribution.
        python: `3.x` of the image.
        opened: Keeps the wheels open while the members are read.
        pruned: What of a wheel is left out; None leaves out nothing.

    Raises:
        ImageError: A wheel is broken, or has a member that leads out of it.
    """
    members: dict[str, tuple[Member, str, int | None]] = {}
    notes: list[str] = []
    for wheel, path in wheels:
        try:
            archive = opened.enter_context(zipfile.ZipFile(path))
            left_out = frozenset() if pruned is None else pruned(archive, wheel.distribution)
            for member, crc in _members(archive, wheel, python, left_out):
                before = members.get(member.path)
                if before is not None and (before[2] != crc or before[0].size != member.size):
                    notes.append(f"/{member.path} is in {before[1]} and in {wheel.distribution}: the latter's is kept")
                members[member.path] = (member, wheel.distribution, crc)
        except (zipfile.BadZipFile, UnicodeDecodeError, configparser.Error) as error:
            raise ImageError("a wheel is broken", got=error, where=wheel.filename) from error
    return Unpacked([member for member, _, _ in members.values()], notes)


def _members(
    archive: zipfile.ZipFile, wheel: WheelFile, python: str, left_out: frozenset[str]
) -> Iterator[tuple[Member, int | None]]:
    site = site_packages(python)
    schemes = {
        "purelib": site,
        "platlib": site,
        "scripts": f"{VENV}/bin",
        "data": VENV,
        "headers": f"{VENV}/include/site/python{python}/{wheel.distribution}",
    }
    for item in archive.infolist():
        parts = [part for part in item.filename.split("/") if part not in ("", ".")]
        if item.filename.startswith("/") or ".." in parts or not parts:
            raise ImageError("a wheel's member leads out of it", got=f"`{item.filename}`", where=wheel.filename)
        if item.is_dir() or item.filename in left_out:
            continue
        target, rest, executable = site, parts, bool(item.external_attr >> 16 & 0o111)
        if parts[0].endswith(".data") and len(parts) > 2:
            if parts[1] not in schemes:
                raise ImageError("a wheel has an unknown scheme", got=f"`{item.filename}`", where=wheel.filename)
            target, rest = schemes[parts[1]], parts[2:]
            if parts[1] == "scripts":
                content = _with_interpreter(archive.read(item))
                yield from_bytes("/".join([target, *rest]), content, executable=True), None
                continue
        if left_out and len(parts) == 2 and parts[0].endswith(".dist-info") and parts[1] == "RECORD":
            yield from_bytes("/".join([target, *rest]), without(archive.read(item), left_out)), None
            continue
        mode = 0o755 if executable else 0o644
        yield Member("/".join([target, *rest]), mode, item.file_size, partial(archive.open, item)), item.CRC
        if len(parts) == 2 and parts[0].endswith(".dist-info") and parts[1] == "entry_points.txt":
            for entry in _console_scripts(archive.read(item).decode()):
                yield entry, None


def _with_interpreter(content: bytes) -> bytes:
    """A script whose first line asks for the installer's Python gets the environment's."""
    first, newline, rest = content.partition(b"\n")
    if first.startswith((b"#!python", b"#!pythonw")):
        return f"#!/{VENV}/bin/python".encode() + newline + rest
    return content


def _console_scripts(text: str) -> Iterator[Member]:
    parser = configparser.ConfigParser(delimiters=("=",), strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their case, as the format demands
    parser.read_string(text)
    for section in ("console_scripts", "gui_scripts"):
        for name, value in parser[section].items() if parser.has_section(section) else ():
            module, _, attribute = value.partition("[")[0].strip().partition(":")
            if name and "/" not in name and attribute:
                yield script(name, module.strip(), attribute.strip())
