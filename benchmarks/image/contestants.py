"""Who builds: each with a copy of the project of its own, told to build and push, with or without what it remembers."""

import functools
import json
import os
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from argosy import project
from argosy.image.build import settings
from benchmarks.image import projects, rows
from benchmarks.image.commands import FailedError, run, seconds

_ARGOSY: Final = str(Path(sys.executable).parent / "argosy")
_DEBIAN_DOCKER: Final = "/usr/bin/docker"
BASE: Final = "python:3.11-slim"
TITLES: Final = {
    rows.ARGOSY: ("Argosy", "no engine; `argosy build --output docker://...`; cold: empty caches, uv's too"),
    rows.DOCKER: ("docker build, BuildKit", "the ejected Dockerfile, then `docker push`; cold: `--no-cache`"),
    rows.CLASSIC: (
        "docker build, classic builder",
        "the one that `--eject --no-buildkit` writes, with `DOCKER_BUILDKIT=0`",
    ),
    rows.BUILDAH: ("buildah", "the same Dockerfile, `--layers --isolation chroot`, pushed as schema 2"),
    rows.PLAIN: (
        "`RUN pip install`",
        "a Dockerfile in the style of AWS's examples: `pip install --no-cache-dir` of the same packages; BuildKit",
    ),
}
"""Name -> title and settings."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where everybody works.

    Attributes:
        registry: HOST:PORT.
        base: The base image there.
        scratch: A folder that is removed in the end.
        run: Differs from that of any other run.
    """

    registry: str
    base: str
    scratch: Path
    run: str

    def target(self, repository: str, tag: str = "1") -> str:
        """An image in a repository that no other run has."""
        return f"{self.registry}/bench/{self.run}/{repository}:{tag}"


class Contestant(Protocol):
    """Somebody who builds an image of a project and pushes it; `source` has the predictor that may be changed."""

    @property
    def source(self) -> Path:
        """What it builds."""

    def build(self, target: str, *, cold: bool) -> float:
        """Seconds to build and push; cold: with nothing remembered of an earlier build."""


@dataclass(frozen=True, slots=True)
class Argosy:
    """This checkout."""

    place: Place
    source: Path
    cache: Path

    @property
    def environ(self) -> dict[str, str]:
        """With caches of its own."""
        return environment() | {"ARGOSY_CACHE_DIR": str(self.cache / "argosy"), "UV_CACHE_DIR": str(self.cache / "uv")}

    def command(self, target: str) -> list[str]:
        """The command line that builds and pushes."""
        base = f"docker://{self.place.base}"
        return [_ARGOSY, "build", str(self.source), "--base", base, "--output", f"docker://{target}"]

    def build(self, target: str, *, cold: bool) -> float:
        """Seconds to build and push."""
        if cold:
            shutil.rmtree(self.cache, ignore_errors=True)
        return seconds(self.command(target), environ=self.environ)


@dataclass(frozen=True, slots=True)
class Docker:
    """An engine with a Dockerfile in a folder."""

    source: Path
    is_buildkit: bool

    def build(self, target: str, *, cold: bool) -> float:
        """Seconds to build and push."""
        environ = environment() | {"DOCKER_BUILDKIT": "1" if self.is_buildkit else "0"}
        if cold and self.is_buildkit:  # what `RUN --mount=type=cache` has kept
            run([*docker(), "builder", "prune", "--force", "--filter", "type=exec.cachemount"], environ)
        options = ["--no-cache"] if cold else []
        build = [*docker(), "build", "--quiet", *options, "--tag", target, str(self.source)]
        return seconds(build, [*docker(), "push", "--quiet", target], environ=environ)


@dataclass(frozen=True, slots=True)
class Buildah:
    """No daemon either, and a Dockerfile in a folder."""

    source: Path
    storage: Path

    def build(self, target: str, *, cold: bool) -> float:
        """Seconds to build and push."""
        buildah = ["buildah", "--root", str(self.storage / "root"), "--runroot", str(self.storage / "run")]
        build = [*buildah, "build", "--layers", "--isolation", "chroot", "--network", "host", "--format", "docker"]
        push = [*buildah, "push", "--tls-verify=false", "--format", "v2s2", target]
        options = ["--no-cache"] if cold else []
        return seconds([*build, "--tls-verify=false", *options, "--tag", target, str(self.source)], push)


def made(name: str, project_name: str, place: Place) -> Contestant:
    """Somebody with a copy of a project.

    Raises:
        FailedError: What it needs is not there.
    """
    folder = place.scratch / f"{project_name}-{name}"
    projects.copy(project_name, folder / "project")
    ours = Argosy(place, folder / "project", folder / "cache")
    run([_ARGOSY, "lock", str(ours.source)], ours.environ)
    if name == rows.ARGOSY:
        return ours
    context = folder / "context"
    eject = ["--eject", "--no-buildkit"] if name == rows.CLASSIC else ["--eject"]
    run([_ARGOSY, "build", str(ours.source), "--base", f"docker://{place.base}", *eject], ours.environ)
    shutil.copytree(ours.source / "build/docker", context)
    if name == rows.BUILDAH:
        run(["buildah", "--version"])
        return Buildah(context, folder / "storage")
    if name == rows.PLAIN:
        return Docker(_plain(ours.source, context, place.base), is_buildkit=True)
    return Docker(context, is_buildkit=name == rows.DOCKER)


@functools.cache
def docker() -> list[str]:
    """A docker command that has BuildKit: newer ones have it in buildx, and buildx may be missing."""
    if Path(_DEBIAN_DOCKER).exists():
        try:
            run(["docker", "buildx", "version"])
        except FailedError:
            return [_DEBIAN_DOCKER]
    return ["docker"]


def environment() -> dict[str, str]:
    """The environment, in which Python keeps the bytecode that it makes, as users have it."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def pushed_base(registry: str) -> str:
    """The base image, in the registry.

    Raises:
        FailedError: No engine answers, or it does not have the image.
    """
    base = f"{registry}/bench/{BASE}"
    run(["docker", "tag", BASE, base])
    run(["docker", "push", "--quiet", base])
    return base


def forget(place: Place) -> None:
    """Take what a run has built and pulled out of the engine."""
    found = run(["docker", "image", "ls", "--quiet", "--no-trunc", f"{place.registry}/bench/{place.run}/*"])
    for image in set(found.split()):
        run(["docker", "image", "rm", "--force", image])


def versions() -> Mapping[str, str]:
    """What the others are."""
    found = {}
    commands = {
        rows.DOCKER: [*docker(), "version", "--format", "client {{.Client.Version}}, server {{.Server.Version}}"],
        rows.BUILDAH: ["buildah", "--version"],
    }
    for name, argv in commands.items():
        with suppress(FailedError):
            found[name] = run(argv).removeprefix("buildah version ").partition(" (")[0]
    return found | {name: found.get(rows.DOCKER, "") for name in (rows.CLASSIC, rows.PLAIN)}


def _plain(source: Path, ejected: Path, base: str) -> Path:
    """A build context that a person would write, with the same server and predictor as an ejected one."""
    wheel = next(ejected.rglob("argosy-*.whl"))
    plain = ejected.with_name("plain")
    shutil.copytree(source, plain, ignore=shutil.ignore_patterns("build"))
    shutil.copy(wheel, plain)
    loaded = project.load(source)
    variables = settings(loaded, "", {}).environment
    lines = [
        f"FROM {base}",
        f"COPY requirements.txt {wheel.name} /tmp/",
        f"RUN pip install --no-cache-dir -r /tmp/requirements.txt /tmp/{wheel.name}",
        "COPY predictor.py /opt/program/",
        *(["COPY model/ /opt/model/"] if loaded.artifacts_dir is not None else []),
        *(f"ENV {name}={json.dumps(value)}" for name, value in variables.items() if name != "PATH"),
        'WORKDIR /opt/program\nENTRYPOINT ["serve"]',
    ]
    (plain / "Dockerfile").write_text("\n".join([*lines, ""]))
    return plain
