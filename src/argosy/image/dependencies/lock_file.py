"""pylock.argosy.toml: the one lock of a project, read and written (PEP 751).

Source: packaging.python.org, "pylock.toml Specification" (read 2026-11-22).
"""

import json
import os
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from argosy.errors import ResolutionError
from argosy.image.dependencies.indexes import without_logins
from argosy.image.dependencies.inputs import file_digest, metadata_digest
from argosy.image.dependencies.requirements import from_version_control
from argosy.image.dependencies.resolver import Solution
from argosy.image.dependencies.wheels import WheelFile
from argosy.image.image import is_digest
from argosy.model_archive import written_aside

_VERSION: Final = "1.0"


@dataclass(frozen=True, slots=True)
class Sdist:
    """A source archive that a wheel is built from.

    Attributes:
        filename: Its name.
        url: Where it is downloaded; empty when `path` is given.
        path: Where it lies, or None.
        digest: `sha256:` digest.
    """

    filename: str
    url: str
    path: Path | None
    digest: str


@dataclass(frozen=True, slots=True)
class PackageFolder:
    """A package on this machine.

    Attributes:
        path: Absolute.
        metadata: Digest of what says its dependencies, when it was locked.
    """

    path: Path
    metadata: str


@dataclass(frozen=True, slots=True)
class LockedPackage:
    """One distribution of the lock.

    Attributes:
        distribution: Its normalized name.
        version: Its version; None for a package on this machine, whose own source says it.
        wheels: What to choose from.
        paths: Where those wheels are that lie on this machine, by digest.
        source: What to build when no wheel is there.
    """

    distribution: str
    version: str | None
    wheels: tuple[WheelFile, ...]
    paths: Mapping[str, Path]
    source: Sdist | PackageFolder | None


@dataclass(frozen=True, slots=True)
class Locked:
    """What enters the venv, sorted by name.

    Attributes:
        dependencies: What the user's requirements need.
        server: What the server needs beyond that.
        fresh: Whether the lock was made now.
    """

    dependencies: tuple[LockedPackage, ...]
    server: tuple[LockedPackage, ...]
    fresh: bool


def read_table(path: Path) -> dict[str, Any] | None:
    """The lock as TOML; None when there is none.

    Raises:
        ResolutionError: It is not TOML, or no such lock.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _broken("the lock is not a TOML file", path, error) from error
    packages, tool = table.get("packages", []), table.get("tool", {})
    settings = tool.get("argosy", {}) if isinstance(tool, dict) else None
    if not isinstance(packages, list) or not all(isinstance(one, dict) and "name" in one for one in packages):
        raise _broken("the lock has packages without names", path)
    if not isinstance(settings, dict):
        raise _broken("the lock has no table [tool.argosy]", path)
    return table


def settings_of(table: Mapping[str, Any]) -> dict[str, Any]:
    """What we wrote into the lock beside the packages: what it was made of, and for what."""
    found: dict[str, Any] = table.get("tool", {}).get("argosy", {})
    return found


def versions_of(table: Mapping[str, Any] | None) -> dict[str, str]:
    """The version of each distribution in a lock; `local` where its source says it; none without a lock."""
    packages = [] if table is None else table.get("packages", [])
    return {str(package["name"]): str(package.get("version", "local")) for package in packages}


def packages_of(solution: Solution, hashes: Mapping[str, frozenset[str]], root: Path) -> list[dict[str, Any]]:
    """A solution as the lock holds it: paths relative to the project, no passwords, only files that may be taken.

    Args:
        solution: What uv resolved.
        hashes: The digests that inputs allow, by distribution.
        root: The project's folder.

    Raises:
        ResolutionError: A distribution has no file, none that is allowed, or comes from version control.
    """
    listed = [_package(package, solution.folder, root) for package in solution.packages]
    for package in listed:
        allowed = hashes.get(package["name"])
        if not allowed:
            continue
        files = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
        fit = [file for file in files if f"sha256:{file['hashes'].get('sha256')}" in allowed]
        if files and not fit:
            raise ResolutionError(
                f"no file of `{package['name']}` {package.get('version', '')} has a hash that the inputs give",
                got=", ".join(f"sha256:{file['hashes'].get('sha256')}" for file in files[:3]),
                want=", ".join(sorted(allowed)[:3]),
                where=root,
                hint="make the input's hashes anew, or leave them out: the lock has its own",
            )
        package["wheels"] = [file for file in package.get("wheels", []) if file in fit]
        if package.get("sdist") not in fit:
            package.pop("sdist", None)
        if not package["wheels"]:
            del package["wheels"]
    return sorted(listed, key=lambda package: str(package["name"]))


def write(path: Path, packages: list[dict[str, Any]], settings: Mapping[str, object]) -> None:
    """Write the lock, whole or not at all."""
    lines = [f"lock-version = {_toml(_VERSION)}", 'created-by = "argosy"']
    for package in packages:
        lines += ["", "[[packages]]", *(f"{key} = {_toml(value)}" for key, value in package.items())]
    lines += ["", "[tool.argosy]", *(f"{key} = {_toml(value)}" for key, value in settings.items()), ""]
    with written_aside(path) as aside:
        aside.write_text("\n".join(lines), encoding="utf-8")


def locked(table: Mapping[str, Any], path: Path, *, fresh: bool) -> Locked:
    """What a lock says enters the image.

    Raises:
        ResolutionError: A distribution has no file that can be had and checked.
    """
    server = set(settings_of(table).get("server", ()))
    found: dict[bool, list[LockedPackage]] = {True: [], False: []}
    for package in sorted(table.get("packages", ()), key=lambda package: str(package["name"])):
        found[package["name"] in server].append(_locked_package(package, path))
    return Locked(tuple(found[False]), tuple(found[True]), fresh)


def _package(package: Mapping[str, Any], folder: Path, root: Path) -> dict[str, Any]:
    """One entry of uv's, as ours."""
    name = str(package["name"])
    made: dict[str, Any] = {"name": name}
    if "version" in package:
        made["version"] = package["version"]
    if "index" in package:
        made["index"] = without_logins(package["index"])
    if "vcs" in package:
        raise from_version_control(name, str(package["vcs"].get("url", package["vcs"].get("path"))), root)
    if "directory" in package:
        absolute = (folder / package["directory"]["path"]).resolve()
        made["directory"] = {"path": _relative(absolute, root)}
        made["tool"] = {"argosy": {"metadata": metadata_digest(absolute)}}
    if "archive" in package:
        file = _file(package["archive"], folder, root)
        if file["name"].endswith(".whl"):
            made["wheels"] = [file]
        else:
            made["sdist"] = file
    if package.get("wheels"):
        made["wheels"] = [_file(wheel, folder, root) for wheel in package["wheels"]]
    if "sdist" in package:
        made["sdist"] = _file(package["sdist"], folder, root)
    return made


def _file(file: Mapping[str, Any], folder: Path, root: Path) -> dict[str, Any]:
    url, path = str(file.get("url", "")), file.get("path")
    if url.startswith("file:"):
        url, path = "", url2pathname(urlsplit(url).path)
    made: dict[str, Any] = {"name": str(file.get("name") or _last(url or str(path)))}
    if path is None:
        made["url"] = without_logins(url).partition("#")[0]
        made |= {"size": file["size"]} if "size" in file else {}
        made["hashes"] = dict(file.get("hashes", {}))
    else:
        absolute = (folder / path).resolve()
        made["path"] = _relative(absolute, root)
        made["size"] = absolute.stat().st_size
        made["hashes"] = {"sha256": file_digest(absolute).removeprefix("sha256:")}
    return made


def _locked_package(package: Mapping[str, Any], path: Path) -> LockedPackage:
    name, version = str(package["name"]), package.get("version")
    paths: dict[str, Path] = {}
    wheels = []
    for entry in package.get("wheels", ()):
        filename, url, place, digest = _place(entry, name, path)
        if place is not None:
            paths[digest] = place
        size = entry.get("size")
        wheels.append(
            WheelFile(name, str(version or ""), filename, url, digest, size if isinstance(size, int) else None)
        )
    source: Sdist | PackageFolder | None = None
    if "sdist" in package:
        source = Sdist(*_place(package["sdist"], name, path))
    elif "directory" in package:
        folder = Path(os.path.normpath(path.parent / str(package["directory"]["path"])))
        source = PackageFolder(folder, str(package.get("tool", {}).get("argosy", {}).get("metadata", "")))
    if not wheels and source is None:
        raise ResolutionError(
            f"`{name}` has no file in the lock",
            got=", ".join(sorted(package)),
            want="a wheel, an sdist or a folder",
            where=path,
            hint=f"argosy lock {shlex.quote(str(path.parent))}",
        )
    return LockedPackage(name, version, tuple(wheels), paths, source)


def _place(file: Mapping[str, Any], name: str, path: Path) -> tuple[str, str, Path | None, str]:
    """File name, URL, path and digest of an entry."""
    url, local = str(file.get("url", "")), file.get("path")
    digest = f"sha256:{file.get('hashes', {}).get('sha256', '')}"
    filename = str(file.get("name") or _last(url or str(local)))
    if (local is None and not url.startswith(("https://", "http://"))) or not is_digest(digest):
        what = f"a file of `{name}` cannot be downloaded and checked"
        raise ResolutionError(what, got=filename, want="a URL and a sha256 hash", where=path)
    return filename, url, None if local is None else Path(os.path.normpath(path.parent / str(local))), digest


def _broken(what: str, path: Path, got: object = None) -> ResolutionError:
    return ResolutionError(what, got=got, where=path, hint=f"rm {shlex.quote(str(path))}")


def _last(address: str) -> str:
    return unquote(urlsplit(address).path.rpartition("/")[2])


def _relative(path: Path, root: Path) -> str:
    return Path(os.path.relpath(path, root.resolve())).as_posix()


def _toml(value: object) -> str:
    """A value in TOML: tables inline, and of a list of tables one a line."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list | tuple):
        if value and isinstance(value[0], Mapping):
            return "[\n" + "".join(f"  {_toml(one)},\n" for one in value) + "]"
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # such JSON is TOML, too
