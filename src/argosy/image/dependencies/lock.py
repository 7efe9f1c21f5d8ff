"""A project's one lock: kept while what it was made of stays the same, else resolved anew, whatever the host is.

The user's requirements and the server's are resolved together, so that they fit each other. While the inputs stay the
same no resolver runs and no network is needed.
"""

import importlib.metadata
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from argosy.errors import NetworkError, ResolutionError, UsageError
from argosy.image.dependencies import lock_file
from argosy.image.dependencies.frameworks import Runtime
from argosy.image.dependencies.indexes import index_credentials
from argosy.image.dependencies.inputs import (
    LOCK_NAME,
    Input,
    fingerprint,
    metadata_digest,
    read_inputs,
    requirements_texts,
)
from argosy.image.dependencies.lock_file import Locked
from argosy.image.dependencies.requirements import Requirements, gather
from argosy.image.dependencies.resolver import Resolver, Solution, Upgrade
from argosy.image.dependencies.sizes import add_sizes
from argosy.image.dependencies.target import PLATFORM
from argosy.image.dependencies.uv_command import Uv
from argosy.image.download import Credentials
from argosy.image.image import canonical_json, digest_of
from argosy.project import Project

_PYTORCH: Final = "download.pytorch.org"


@dataclass(frozen=True, slots=True)
class Changes:
    """How a lock differs from the one before.

    Attributes:
        added: Version by distribution.
        removed: Version by distribution.
        changed: The version before and the one now, by distribution.
    """

    added: Mapping[str, str]
    removed: Mapping[str, str]
    changed: Mapping[str, tuple[str, str]]

    @staticmethod
    def between(before: Mapping[str, str], now: Mapping[str, str]) -> "Changes":
        """Compare two locks by the versions of their distributions."""
        return Changes(
            {name: now[name] for name in sorted(now.keys() - before.keys())},
            {name: before[name] for name in sorted(before.keys() - now.keys())},
            {n: (before[n], now[n]) for n in sorted(now.keys() & before.keys()) if before[n] != now[n]},
        )


def server_requirements() -> list[str]:
    """What the server in the image needs: this distribution's own requirements without extras."""
    listed = [Requirement(text) for text in importlib.metadata.requires("argosy") or []]
    return sorted(str(requirement) for requirement in listed if "extra ==" not in str(requirement.marker))


def credentials_of(project: Project, environ: Mapping[str, str]) -> Credentials:
    """Whom the package indexes of a project know us as."""
    return index_credentials(requirements_texts(read_inputs(project)), project.root, environ)


def lock(
    project: Project,
    python: str,
    environ: Mapping[str, str],
    say: Callable[[str], None],
    *,
    may_write: bool = True,
) -> Locked:
    """The lock of a project, read when it is up to date and made when it is not.

    Versions of an outdated lock are kept where they still fit.

    Args:
        project: Whose `image.dependencies` are locked; the lock is written to its folder.
        python: `3.x` of the image.
        environ: The environment for uv, with the user's index settings.
        say: Told when the resolver runs.
        may_write: Whether an outdated lock is made anew; else it is an error.

    Raises:
        ResolutionError: There is no solution, the lock is broken, or outdated and may not be written.
        NetworkError: The package index does not answer.
    """
    path = project.root / LOCK_NAME
    table = lock_file.read_table(path)
    stale = staleness(project, table, python)
    if stale is None and table is not None:
        return lock_file.locked(table, path, fresh=False)
    if not may_write:
        hint = f"argosy lock {shlex.quote(str(project.root))}"
        raise ResolutionError("the lock is not up to date", got=stale, where=path, hint=hint)
    say(f"locking the dependencies for linux/amd64 and Python {python}")
    update(project, python, environ, Upgrade())
    return lock_file.locked(lock_file.read_table(path) or {}, path, fresh=True)


def staleness(project: Project, table: Mapping[str, Any] | None, python: str) -> str | None:
    """Why a project's lock has to be made anew, None when it has not; nobody is asked for that.

    Args:
        project: The project.
        table: Its lock, None when there is none.
        python: `3.x` of the image.

    Raises:
        ProjectError: An input is nothing that dependencies can be read from.
        ResolutionError: An input cannot be read.
    """
    if table is None:
        return "there is no lock"
    settings = lock_file.settings_of(table)
    if settings.get("python") != python:
        return f"it is for Python {settings.get('python')}, and the image has {python}"
    if settings.get("server-requirements") != server_requirements():
        return "the server's requirements changed"
    if settings.get("inputs") != _fingerprint(read_inputs(project), project, python):
        return "its inputs changed"
    for package in table.get("packages", ()):
        if "directory" in package:
            folder = project.root / str(package["directory"]["path"])
            if package.get("tool", {}).get("argosy", {}).get("metadata") != metadata_digest(folder):
                return f"what `{package['name']}` in {folder} depends on may have changed"
    return None


def update(project: Project, python: str, environ: Mapping[str, str], upgrade: Upgrade) -> Changes:
    """Make a project's lock anew, and say what changed in it; an unchanged one is not written.

    Args:
        project: Whose `image.dependencies` are locked; the lock is written to its folder.
        python: `3.x` of the image.
        environ: The environment for uv, with the user's index settings.
        upgrade: Which versions of the lock before are not kept.

    Raises:
        UsageError: What is to be upgraded is not in the lock.
        ResolutionError: There is no solution, or the lock before is broken.
        NetworkError: The package index does not answer.
    """
    path, inputs = project.root / LOCK_NAME, read_inputs(project)
    before = lock_file.read_table(path)
    known = lock_file.versions_of(before)
    for name in upgrade.names:
        if canonicalize_name(name) not in known:
            raise UsageError(
                "what is to be upgraded is not in the lock", got=f"`{name}`", want=", ".join(known), where=path
            )
    server, uv = server_requirements(), Uv(project.root, environ)
    credentials = index_credentials(requirements_texts(inputs), project.root, environ)
    wanted = gather(inputs, python, uv)
    resolver = Resolver(uv, python, project.root, credentials)
    runtime = next((given.runtime for given in inputs if given.runtime is not None), None)
    if runtime is None:
        solution = resolver.resolve(wanted, server, path, upgrade)
    else:
        solution = resolved_for(runtime, wanted, lambda asked: resolver.resolve(asked, server, path, upgrade))
    packages = lock_file.packages_of(solution, wanted.hashes, project.root)
    if any(package["name"] == "argosy" for package in packages):
        raise ResolutionError(
            "`argosy` is among the dependencies",
            want="only what the predictor itself imports: the server enters the image by itself",
            where=project.root,
        )
    add_sizes(packages, python, credentials)
    settings = {
        "inputs": _fingerprint(inputs, project, python),
        "python": python,
        "platform": PLATFORM,
        "server-requirements": server,
        "server": sorted(solution.server),
    }
    lock_file.write(path, packages, settings)
    return Changes.between(known, lock_file.versions_of({"packages": packages}))


def resolved_for(runtime: Runtime, wanted: Requirements, resolve: Callable[[Requirements], Solution]) -> Solution:
    """The solution for a flavor's runtime.

    PyTorch's builds for CPUs are taken from the user's own indexes and folders where these have them, else from
    PyTorch's index, which is asked for nothing else.

    Raises:
        ResolutionError: There is no solution; names what records the version.
        NetworkError: An index does not answer.
    """
    try:
        try:
            return resolve(wanted)
        except ResolutionError:
            if runtime.torch is None:
                raise
            lines = [line for line in wanted.lines if line not in runtime.lines]
            flags = [*wanted.flags, "--torch-backend", "cpu"]
            return _from_pytorch(lambda: resolve(replace(wanted, lines=[*lines, *runtime.other_lines], flags=flags)))
    except ResolutionError as error:
        versions = {} if runtime.model is None else runtime.model.versions
        recorded = " and ".join(f"{name} {version}" for name, version in versions.items()) or "no version"
        raise ResolutionError(
            "what the saved model needs cannot be installed in the image",
            got=error.got,
            want=", ".join(runtime.other_lines),
            where=None if runtime.model is None else runtime.model.path,
            hint=f"{recorded} is recorded there: save the model with versions that the image's Python can have, "
            "take another [image] python, or name yourself what is installed: "
            '[image] dependencies = "requirements.txt"',
        ) from error


def _from_pytorch(resolve: Callable[[], Solution]) -> Solution:
    """Tell where else a build for CPUs may come from, when PyTorch's index does not answer."""
    try:
        return resolve()
    except NetworkError as error:
        if _PYTORCH not in str(error.got):
            raise
        raise NetworkError(
            "PyTorch's index of builds for CPUs does not answer",
            got=error.got,
            where=error.where,
            hint="name a folder or an index of yours that has such a build: UV_FIND_LINKS=/path/to/wheels argosy build",
        ) from error


def _fingerprint(inputs: tuple[Input, ...], project: Project, python: str) -> str:
    return digest_of(canonical_json([fingerprint(inputs, project.root), python, PLATFORM, server_requirements()]))
