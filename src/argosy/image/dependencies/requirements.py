"""Inputs -> what the resolver is asked: files that it reads itself, and lines for what it does not."""

import itertools
import re
import shlex
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from packaging.pylock import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    Pylock,
    PylockSelectError,
    PylockUnsupportedVersionError,
    PylockValidationError,
)
from packaging.utils import NormalizedName, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from argosy.errors import ResolutionError
from argosy.image.dependencies.indexes import without_logins
from argosy.image.dependencies.inputs import Input, Kind, file_digest, package_name, read_toml, requirements_texts
from argosy.image.dependencies.target import marker_environment, tags
from argosy.image.dependencies.uv_command import Uv
from argosy.image.dependencies.wheels import fitness

_HASHED: Final = re.compile(r"^\s*([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*[=@].*--hash=")
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(slots=True)
class Requirements:
    """What the user's inputs ask for.

    Attributes:
        files: What the resolver reads itself, absolute.
        flags: The extras and groups to take from them.
        lines: Requirements, one a line, for the other inputs.
        hashes: `sha256:` digests of the files that may be taken, for the distributions whose inputs tell.
        excluded: Distributions that are left out, whoever asks for them.
    """

    files: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    hashes: dict[str, frozenset[str]] = field(default_factory=dict)
    excluded: list[str] = field(default_factory=list)


def gather(inputs: Sequence[Input], python: str, uv: Uv) -> Requirements:
    """What a project's inputs ask for, markers of locks evaluated for the image.

    Args:
        inputs: The inputs.
        python: `3.x` of the image.
        uv: Reads uv.lock.

    Raises:
        ResolutionError: An input is broken, is not for the image's platform, or names what cannot be taken.
    """
    found = Requirements()
    for given in inputs:
        match given.kind:
            case Kind.REQUIREMENTS:
                found.files.append(str(given.path))
                for name, digests in _stated_hashes(requirements_texts([given])):
                    found.hashes[name] = found.hashes.get(name, frozenset()) | digests
            case Kind.PYPROJECT:
                found.files.append(str(given.path))
                found.flags += _flags(given, f"{given.path}:")
            case Kind.UV_LOCK:
                _add_lock(found, _exported(given, uv), Input(Kind.PYLOCK, given.path), python, uv.cwd)
            case Kind.PYLOCK:
                _add_lock(found, read_toml(given.path), given, python, given.path.parent)
            case Kind.WHEELS:
                _add_wheels(found, given, python)
            case Kind.PACKAGE:
                found.lines.append(_package_line(given, uv))
            case Kind.FLAVOR if given.runtime is not None:
                found.lines += given.runtime.lines
                found.excluded += given.runtime.excluded
    return found


def _package_line(given: Input, uv: Uv) -> str:
    extras = f"[{','.join(given.extras)}]" if given.extras else ""
    return f"{package_name(given.path) or _built_name(given.path, uv)}{extras} @ {given.path.as_uri()}"


def _built_name(package: Path, uv: Uv) -> str:
    """The name of a package that only its build can tell, as where there is no more than a setup.py."""
    with tempfile.TemporaryDirectory(prefix="argosy-") as folder:
        done = uv.build_wheel(package, Path(sys.executable), Path(folder))
        names = [parse_wheel_filename(path.name)[0] for path in Path(folder).glob("*.whl")]
    if done.returncode != 0 or len(names) != 1:
        raise ResolutionError(
            "a package does not tell its name, and cannot be built here",
            got=without_logins(" ".join(done.stderr.split())),
            where=package,
            hint=f"name it in {package / 'pyproject.toml'}: [project] name and version",
        )
    return names[0]


def _flags(given: Input, group_prefix: str) -> Iterator[str]:
    yield from itertools.chain.from_iterable(("--extra", name) for name in given.extras)
    yield from itertools.chain.from_iterable(("--group", f"{group_prefix}{name}") for name in given.groups)


def _stated_hashes(texts: Sequence[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """The hashes that requirements files give, as `pip-compile --generate-hashes` writes them."""
    for text in texts:
        for line in text.replace("\\\n", " ").splitlines():
            stated = _HASHED.match(line)
            if stated:
                digests = (f"sha256:{digest}" for digest in _HASH.findall(line))
                yield canonicalize_name(stated.group(1)), frozenset(digests)


def _exported(given: Input, uv: Uv) -> dict[str, Any]:
    """A uv.lock as a PEP 751 lock; nothing is resolved and nobody is asked."""
    flags = ["--frozen", "--no-header", "--format", "pylock.toml", "--no-emit-project", "--no-default-groups"]
    done = uv.run("export", "--project", str(given.path.parent), *flags, *_flags(given, ""))
    if done.returncode != 0:
        raise ResolutionError(
            "the lock cannot be read",
            got=without_logins(" ".join(done.stderr.split())),
            where=given.path,
            hint=f"uv lock --project {shlex.quote(str(given.path.parent))}",
        )
    return tomllib.loads(done.stdout)


def _add_lock(found: Requirements, table: dict[str, Any], given: Input, python: str, folder: Path) -> None:
    """What a PEP 751 lock has for the image: each file by its own address, so that no index decides anew.

    Args:
        found: Is added to.
        table: The lock.
        given: Where it is from, and what was selected.
        python: `3.x` of the image.
        folder: What its paths are relative to.
    """
    try:
        lock = Pylock.from_dict(table)
        chosen = list(
            lock.select(
                environment=marker_environment(python),
                tags=tags(python),
                extras=given.extras,
                dependency_groups=[*(lock.default_groups or ()), *given.groups],
            )
        )
    except PylockSelectError as error:
        raise ResolutionError(
            f"the lock has no solution for Python {python} on linux/amd64", got=error, where=given.path
        ) from error
    except (PylockValidationError, PylockUnsupportedVersionError) as error:
        raise ResolutionError("not a lock as PEP 751 describes it", got=error, where=given.path) from error
    for package, file in chosen:
        found.lines.append(f"{package.name} @ {_address(package, file, folder, given.path)}")
        if not isinstance(file, PackageDirectory | PackageVcs):
            sha256 = file.hashes.get("sha256")
            if sha256 is None:
                raise ResolutionError(
                    f"the lock has no sha256 hash for `{package.name}`", got=", ".join(file.hashes), where=given.path
                )
            found.hashes[package.name] = frozenset({f"sha256:{sha256}"})


def _address(
    package: Package,
    file: PackageVcs | PackageDirectory | PackageArchive | PackageWheel | PackageSdist,
    folder: Path,
    where: Path,
) -> str:
    if isinstance(file, PackageVcs):
        raise from_version_control(package.name, str(file.url or file.path), where)
    if not isinstance(file, PackageDirectory) and file.url is not None:
        return file.url
    return (folder / str(file.path)).resolve().as_uri()


def from_version_control(name: str, url: str, where: Path) -> ResolutionError:
    """What is said of a dependency that is a commit of a repository: it has no hash to be checked by."""
    return ResolutionError(
        f"`{name}` comes from version control, and has no hash",
        got=without_logins(url),
        want="a wheel, an sdist or a folder",
        where=where,
        hint=f"git clone {without_logins(url).removeprefix('git+')} vendor/{name}, and write ./vendor/{name} instead",
    )


def _add_wheels(found: Requirements, given: Input, python: str) -> None:
    """Every distribution that a folder has wheels of: the newest version that fits the image."""
    best: dict[NormalizedName, tuple[Version, int, Path]] = {}
    unfit: dict[NormalizedName, list[str]] = {}
    for path in given.wheel_paths():
        rank = fitness(path.name, python)
        name, version, _, _ = parse_wheel_filename(path.name)
        if rank is None:
            unfit.setdefault(name, []).append(path.name)
        elif name not in best or (version, -rank) > (best[name][0], -best[name][1]):
            best[name] = (version, rank, path)
    for name in unfit:
        if name not in best:
            raise ResolutionError(
                f"no wheel of `{name}` fits the image",
                got=", ".join(unfit[name]),
                want=f"wheels for linux/amd64 and Python {python}",
                where=given.path,
            )
    for name, (_, _, path) in sorted(best.items()):
        found.lines.append(f"{name} @ {path.as_uri()}")
        found.hashes[name] = frozenset({file_digest(path)})
