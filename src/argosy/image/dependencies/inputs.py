"""What an image's dependencies come from: what `[image] dependencies` names, or the saved model that a flavor serves.

It may name requirements files, projects, locks, wheels and packages on this machine.
"""

import hashlib
import json
import os
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from packaging.pylock import is_valid_pylock_path
from packaging.utils import canonicalize_name

from argosy.errors import ProjectError, ResolutionError
from argosy.image.dependencies.frameworks import Runtime, runtime_of
from argosy.image.dependencies.indexes import without_logins
from argosy.image.image import canonical_json, digest_of
from argosy.project import Project

LOCK_NAME: Final = "pylock.argosy.toml"
METADATA_FILES: Final = ("pyproject.toml", "setup.cfg", "setup.py")
"""What says which dependencies a package on this machine has."""

_INCLUDED: Final = re.compile(r"^\s*(?:-r|-c|--requirement|--constraint)[ =]+(\S+)", re.MULTILINE)


class Kind(StrEnum):
    """What an input is."""

    REQUIREMENTS = "requirements file"
    PYPROJECT = "pyproject.toml"
    UV_LOCK = "uv.lock"
    PYLOCK = "pylock.toml"
    WHEELS = "wheels"
    PACKAGE = "package"
    FLAVOR = "flavor"


@dataclass(frozen=True, slots=True)
class Input:
    """One entry of `[image] dependencies`, or the artifacts of a flavor.

    Attributes:
        kind: What it is.
        path: Absolute.
        extras: Optional dependencies to take from it.
        groups: Dependency groups to take from it.
        runtime: What a flavor's artifacts need; None for all else.
    """

    kind: Kind
    path: Path
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    runtime: Runtime | None = None

    def wheel_paths(self) -> list[Path]:
        """The wheels that an input of wheels holds, sorted."""
        return sorted(self.path.glob("*.whl")) if self.path.is_dir() else [self.path]


def read_inputs(project: Project) -> tuple[Input, ...]:
    """The inputs of a project, in the order in which they are named.

    Raises:
        ProjectError: An entry is nothing that dependencies can be read from, or names an unknown extra or group; or the
            saved model of a flavor is damaged.
        ResolutionError: A file cannot be read.
    """
    found = []
    runtime = runtime_of(project)
    if runtime is not None:
        found.append(Input(Kind.FLAVOR, project.artifacts_dir or project.root, runtime=runtime))
    for path, selected in project.dependencies:
        kind = _kind(path)
        if kind is Kind.PYPROJECT:
            _require_static(path, project.root)
        extras, groups = _selected(kind, path, selected)
        found.append(Input(kind, path, extras, groups))
    projects = [given for given in found if given.kind is Kind.PYPROJECT]
    if len(projects) > 1 and any(given.extras for given in projects):
        raise ProjectError(
            "`image.dependencies` takes extras from one of several pyproject.toml",
            got=", ".join(str(given.path) for given in projects),
            want="extras of one, since the resolver takes an extra's name for all of them",
            hint="give the extra's requirements in a requirements file or a dependency group",
        )
    return tuple(found)


def fingerprint(inputs: Sequence[Input], root: Path) -> list[object]:
    """What of the inputs decides what is locked, as JSON can hold it; the same on any machine, and without passwords.

    Args:
        inputs: The inputs.
        root: The project's folder.
    """
    return [
        [given.kind, os.path.relpath(given.path, root), [*given.extras], [*given.groups], _content(given)]
        for given in inputs
    ]


def metadata_digest(folder: Path) -> str:
    """The digest of what says which dependencies a package on this machine has; its code does not count."""
    texts = [path.read_text(encoding="utf-8") for name in METADATA_FILES if (path := folder / name).is_file()]
    return digest_of(canonical_json(texts))


def requirements_texts(inputs: Sequence[Input]) -> list[str]:
    """The text of every requirements file with the files that it includes."""
    return [_whole_text(given.path) for given in inputs if given.kind is Kind.REQUIREMENTS]


def package_name(folder: Path) -> str | None:
    """The normalized name that a package's pyproject.toml gives; None when it has none."""
    path = folder / "pyproject.toml"
    name = read_toml(path).get("project", {}).get("name") if path.is_file() else None
    return None if name is None else canonicalize_name(name)


def file_digest(path: Path) -> str:
    """The `sha256:` digest of a file, read in pieces."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file.

    Raises:
        ResolutionError: It cannot be read, or is none.
    """
    try:
        return tomllib.loads(_text(path))
    except tomllib.TOMLDecodeError as error:
        raise ResolutionError("not a TOML file", got=error, where=path) from error


def _kind(path: Path) -> Kind:
    if path.is_dir():
        if any((path / name).is_file() for name in METADATA_FILES):
            return Kind.PACKAGE
        if any(path.glob("*.whl")):
            return Kind.WHEELS
        raise ProjectError(
            "`image.dependencies` names a folder with no dependencies in it",
            want="wheels, or the pyproject.toml of a package",
            where=path,
        )
    if path.name == LOCK_NAME:
        raise ProjectError(
            "`image.dependencies` names the lock that is made of it",
            where=path,
            hint="name what it is made of, as requirements.txt",
        )
    if path.name == "pyproject.toml":
        return Kind.PYPROJECT
    if path.name == "uv.lock":
        return Kind.UV_LOCK
    if is_valid_pylock_path(path):
        return Kind.PYLOCK
    return Kind.WHEELS if path.suffix == ".whl" else Kind.REQUIREMENTS


def _require_static(path: Path, root: Path) -> None:
    """Refuse a pyproject.toml that does not say itself what it depends on.

    Source: packaging.python.org, "pyproject.toml specification", `dynamic` (read 2026-11-23).
    """
    table = read_toml(path).get("project")
    unsaid = {"dependencies", "optional-dependencies"}.intersection(table.get("dynamic", ())) if table else set()
    if table and not unsaid:
        return
    raise ProjectError(
        "`image.dependencies` names a pyproject.toml, and its dependencies are known only to its build backend",
        got=f"`dynamic` has {', '.join(sorted(unsaid))}" if table else "no table [project]",
        want="[project] with `dependencies`",
        where=path,
        hint=f"name the folder, so that the package is built: {json.dumps(os.path.relpath(path.parent, root))};"
        " or a requirements file",
    )


def _selected(kind: Kind, path: Path, names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Which of the names in brackets are extras, and which groups."""
    if not names:
        return (), ()
    if kind is Kind.PYLOCK:
        table = read_toml(path)
        known = table.get("extras", []), table.get("dependency-groups", [])
    elif kind in (Kind.PYPROJECT, Kind.UV_LOCK, Kind.PACKAGE):
        table = read_toml(path / "pyproject.toml" if kind is Kind.PACKAGE else path.with_name("pyproject.toml"))
        extras = table.get("project", {}).get("optional-dependencies", {})
        known = list(extras), [] if kind is Kind.PACKAGE else list(table.get("dependency-groups", {}))
    else:
        known = [], []
    for name in names:
        if not any(canonicalize_name(name) == canonicalize_name(one) for one in (*known[0], *known[1])):
            raise ProjectError(
                "`image.dependencies` selects an extra or dependency group that is not there",
                got=f"`{name}`",
                want=", ".join((*known[0], *known[1])) or f"none: a {kind} has no extras",
                where=path,
            )
    wanted = {canonicalize_name(name) for name in names}
    chosen = [tuple(one for one in listed if canonicalize_name(one) in wanted) for listed in known]
    return chosen[0], chosen[1]


def _content(given: Input) -> object:
    match given.kind:
        case Kind.REQUIREMENTS:
            return without_logins(_whole_text(given.path))
        case Kind.PYPROJECT:
            return _dependency_tables(given.path)
        case Kind.UV_LOCK:
            return [_text(given.path), _dependency_tables(given.path.with_name("pyproject.toml"))]
        case Kind.PYLOCK:
            return _text(given.path)
        case Kind.WHEELS:
            return [[path.name, file_digest(path)] for path in given.wheel_paths()]
        case Kind.PACKAGE:
            return metadata_digest(given.path)
        case Kind.FLAVOR:
            return None if given.runtime is None else [given.runtime.lines, [*given.runtime.excluded]]


def _dependency_tables(path: Path) -> str:
    """What of a pyproject.toml can change dependencies; how the project is formatted and tested cannot."""
    table = read_toml(path)
    chosen = {
        "project": table.get("project", {}),
        "dependency-groups": table.get("dependency-groups", {}),
        "uv": table.get("tool", {}).get("uv", {}),
    }
    return without_logins(str(_sorted(chosen)))


def _sorted(value: object) -> object:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(one) for one in value] if isinstance(value, list) else value


def _whole_text(file: Path) -> str:
    return "".join(_texts(file, set()))


def _texts(file: Path, seen: set[Path]) -> Iterator[str]:
    """A requirements file and those that it includes, each once."""
    seen.add(file)
    text = _text(file)
    yield text
    for name in _INCLUDED.findall(text):
        if (nested := Path(os.path.normpath(file.parent / name))) not in seen:
            yield from _texts(nested, seen)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ResolutionError("a file with dependencies cannot be read", got=error, where=file) from error
