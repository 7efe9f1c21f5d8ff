"""What goes into a report beside the options: files of a project by their contents, libraries, a scanner."""

import hashlib
import importlib.metadata
import sys
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from argosy.errors import ProjectError
from argosy.image.materials import scanner
from argosy.project import Project
from argosy.project_file import FILE_NAME

_BUILDS: Final = "build"
_CACHE: Final = "__pycache__"
_ABSENT: Final = "none"


def of_folder(root: Path, without: Collection[Path] = ()) -> list[str]:
    """All files of a project that is run as it is, and what runs it: libraries and Python.

    Hidden files, caches and the folder `build` do not count, as they are no inputs; neither do times, since a checkout
    makes them anew.

    Args:
        root: The project's folder.
        without: Files that do not count either: results.
    """
    root = root.resolve()
    results = {path.resolve() for path in without}
    files = [path for path in _below(root) if path.resolve() not in results]
    libraries = sorted(f"{one.name}=={one.version}" for one in importlib.metadata.distributions())
    return [str(root), *_digests(root, files), *libraries, sys.version]


def of_named(project: Project) -> list[str]:
    """argosy.toml and the files that it names: what a project says of an image that is there."""
    root = project.root
    chosen = {root / FILE_NAME}
    fault = ""
    try:
        chosen |= {root / path for path in project.program_files()}
    except ProjectError as error:
        fault = str(error)
    for text in _texts(tomllib.loads((root / FILE_NAME).read_text(encoding="utf-8"))):
        path = root / text if "\0" not in text and len(text) < 1024 else root
        if path.resolve() != root and path.resolve().is_relative_to(root):
            chosen |= {path} if _is_file(path) else {*_below(path)}
    return [fault, *_digests(root, sorted(chosen))]


def of_scanner(environ: Mapping[str, str]) -> list[str]:
    """The scanners for vulnerabilities that are installed, and their databases; `none` where there is none."""
    return [*scanner.states(environ)] or [_ABSENT]


def has_scanner(environ: Mapping[str, str]) -> bool:
    """Whether a scanner for vulnerabilities is installed."""
    return of_scanner(environ) != [_ABSENT]


def of_sdk() -> str:
    """The version of AWS's own description of its API, which judges a package's request; `none` without it."""
    try:
        return importlib.metadata.version("botocore")
    except importlib.metadata.PackageNotFoundError:
        return _ABSENT


def of_archive(path: Path | None) -> str:
    """An archive by its content, empty for none."""
    return "" if path is None else _digest(path)


def _below(folder: Path) -> Iterator[Path]:
    try:
        found = sorted(folder.rglob("*"))
    except OSError:
        return
    for path in found:
        parts = path.relative_to(folder).parts
        is_left_out = parts[0] == _BUILDS or any(part.startswith(".") or part == _CACHE for part in parts)
        if not is_left_out and path.is_file():
            yield path


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _digests(root: Path, files: Iterable[Path]) -> Iterator[str]:
    for path in files:
        yield f"{path.relative_to(root)} {_digest(path)}"


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        return f"cannot be read: {error.strerror}"
