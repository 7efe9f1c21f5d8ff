"""Which files of an image are the project's own, and which of them the start runs; the rest others wrote."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from argosy.conformance.image_checks.start_command import chain, command, working_dir
from argosy.conformance.scenes.at_rest import OTHERS_FOLDERS, Files
from argosy.image.manifest import variables

_SYSTEM: Final = re.compile(r"(usr(/local)?(/s?bin)?|s?bin|usr/src|etc|opt|home|root|var|tmp|run|mnt|media)?|.*/bin")
"""Folders that do not belong to the program, though it lies or is started in one of them."""

_OTHER_USES: Final = re.compile(
    r"(^|/)(tests?|docs?|examples|notebooks)/|(^|/)(train|setup\.py|train\.py|conftest\.py|test_[^/]*\.py)$"
)
_SCRIPTS: Final = re.compile(r"\.(py|sh|bash)$")
_NAMED: Final = re.compile(r"[\w./-]+\.(?:py|sh|bash)\b|/[\w./-]+")
_COMMENT: Final = re.compile(r"^[^\S\n]*#.*", re.MULTILINE)
_ENVIRONMENT: Final = re.compile(r"/(pyvenv\.cfg|conda-meta)$")
_DEEPEST: Final = 4
_MOST: Final = 50


@dataclass(frozen=True, slots=True)
class Source:
    """A script or module in the image.

    Attributes:
        path: Without a leading slash.
        text: What it says.
        code: The same with its comment lines emptied, so that an offset still tells the line.
    """

    path: str
    text: str
    code: str

    @property
    def is_python(self) -> bool:
        """Whether it is Python, by its name or its first line."""
        first = self.text.partition("\n")[0]
        return self.path.endswith(".py") or (first.startswith("#!") and "python" in first)

    def place(self, offset: int) -> str:
        """Where in the image an offset of `code` is: `/opt/program/serve:12`."""
        return f"/{self.path}:{self.code.count(chr(10), 0, offset) + 1}"


def started(files: Files) -> tuple[Source, ...]:
    """The scripts that the start runs: what is executed, the files among the arguments, and what shell scripts name.

    Raises:
        RefusedError: Nothing can be executed.
    """
    found: dict[str, Source] = {}
    folder = working_dir(files.image)
    names = [*chain(files), *(str(PurePosixPath(folder, word)) for word in command(files.image)[1:])]
    for _ in range(_DEEPEST):
        sources = [source for name in names if (source := source_at(files, name)) and source.path not in found]
        found |= {source.path: source for source in sources[: _MOST - len(found)]}
        names = [name for source in sources if not source.is_python for name in _named(source, folder)]
    return tuple(found.values())


def program(files: Files) -> tuple[Source, ...]:
    """The sources of the program: what the start runs, and what lies in its folders; tests and training left out.

    Raises:
        RefusedError: Nothing can be executed.
    """
    found = {source.path: source for source in started(files)}
    for path in paths(files):
        if path not in found and not _OTHER_USES.search(path):
            source = source_at(files, path)
            if source is not None:
                found[source.path] = source
    return tuple(found[path] for path in sorted(found))


def paths(files: Files) -> list[str]:
    """The files in the folders of the program, sorted: where scripts lie that are run, where they are run, PYTHONPATH.

    Raises:
        RefusedError: Nothing can be executed.
    """
    inside = tuple(f"{folder}/" for folder in _folders(files))
    environments = _environments(files)
    return [
        entry.path
        for entry in files.filesystem
        if entry.path.startswith(inside)
        and entry.kind in ("file", "hardlink")
        and not entry.path.startswith(environments)
        and not OTHERS_FOLDERS.search(entry.path)
    ]


def source_at(files: Files, path: str) -> Source | None:
    """The script or module at a path; None when there is none, or it is not the project's own."""
    entry = files.filesystem.resolve(path)
    if entry is None or OTHERS_FOLDERS.search(entry.path):
        return None
    content = files.content(entry.path)
    if not (content.startswith(b"#!") or (content and _SCRIPTS.search(entry.path))) or b"\0" in content:
        return None
    text = content.decode("utf-8", "replace")
    return Source(entry.path, text, _COMMENT.sub("", text))


def _folders(files: Files) -> set[str]:
    variable = variables(files.image).get("PYTHONPATH", "")
    wanted = [working_dir(files.image), *(path for path in variable.split(":") if path.startswith("/"))]
    folders = {_real(files, folder) for folder in wanted} | {
        source.path.rpartition("/")[0] for source in started(files)
    }
    return {folder for folder in folders if not _SYSTEM.fullmatch(folder) and not OTHERS_FOLDERS.search(f"{folder}/")}


def _environments(files: Files) -> tuple[str, ...]:
    """Where Python environments have their programs and libraries, the program's folder may be one of them."""
    roots = [entry.path.rpartition("/")[0] for entry in files.filesystem if _ENVIRONMENT.search(entry.path)]
    return tuple(f"{root}/{folder}/" for root in roots for folder in ("bin", "lib", "share", "include"))


def _real(files: Files, folder: str) -> str:
    entry = files.filesystem.resolve(folder)
    return "" if entry is None else entry.path


def _named(source: Source, folder: str) -> Iterable[str]:
    """The files that a shell script names, as paths from its own folder and from the working folder."""
    here = str(PurePosixPath("/", source.path).parent)
    for word in dict.fromkeys(_NAMED.findall(source.code)):
        yield from {str(PurePosixPath(here, word)), str(PurePosixPath(folder, word))}
