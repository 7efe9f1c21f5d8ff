"""An image reference or a project folder -> a container that is not yet started; shared by `simulate` and `check`."""

import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from argosy import engine as engines
from argosy import model_archive
from argosy.cli import output
from argosy.cli.building import loading
from argosy.cli.environment import Environment
from argosy.cli.transfers import open_access
from argosy.contract import MODELS_DIR, SERVE_ARGUMENT, PlatformVariable, Variable
from argosy.engine import Engine
from argosy.errors import EngineError, UsageError
from argosy.image import filesystem, reference
from argosy.image.image import Image
from argosy.project import Project
from argosy.registry import transports
from argosy.simulator.containers.container import Container, Launch
from argosy.simulator.containers.engine_container import EngineContainer
from argosy.simulator.containers.leftovers import make_folder
from argosy.simulator.containers.process import Command, ProcessContainer, free_port
from argosy.simulator.containers.sandbox import SandboxContainer

SANDBOX: Final = "sandbox"
PROCESS: Final = "process"
KINDS: Final = (*engines.PROGRAMS, SANDBOX, PROCESS)
KINDS_HELP: Final = "What runs it. [default: Docker, else Podman, else a sandbox; a project is a process]"

_LOADED_NAME: Final = "argosy-image"
_UNUSED_S: Final = 7 * 24 * 3600
_KEPT_VARIABLES: Final = ("PATH", "HOME", "LANG", "VIRTUAL_ENV")
_CAVEAT: Final = (
    "it is the project on this machine, not its image: it can reach the network, sees this machine's files and "
    "libraries, and nothing limits its memory"
)


def open_container(
    target: str, kind: str | None, launch: Launch, environment: Environment, image: Image | None = None
) -> Container:
    """The container of an image or project, not yet started; its `remove` removes what was made for it.

    Args:
        target: An image reference as skopeo spells it, or a project folder.
        kind: `docker`, `podman`, `sandbox` or `process`; None takes a process for a project, and for an image the
            first of the other three that this machine has.
        launch: How it is started. Without a `model_dir`, a project's artifacts are packed and unpacked again.
        environment: Of the command line.
        image: The target's image, where it has been read or built already.

    Raises:
        UsageError: Neither a reference nor a project folder, or the project is wrong, or an image is to be a process.
        EngineError: The engine does not answer, or did not take the image.
        ImageError: The image is broken.
        ContainerError: This machine cannot run the image in a sandbox.
    """
    if Path(target).is_dir():
        return _of_project(loading.load(Path(target)), target, kind, launch, environment, image)
    if kind == PROCESS:
        raise UsageError(
            "an image is not run as a process", want="a project folder", where=target, hint="use `--container sandbox`"
        )
    place = reference.parse(target)
    home = place.engine if isinstance(place, reference.DaemonReference) else None
    engine = _find_engine(kind or home, environment)
    if engine is None:
        image = image or transports.read_image(target, open_access(environment))
        return SandboxContainer(_unpack(image, environment), image.runtime, target, launch)
    if isinstance(place, reference.DaemonReference) and home in (None, engine.program):
        return EngineContainer(engine, place.name, target, launch)
    image = image or transports.read_image(target, open_access(environment))
    return EngineContainer(engine, _load(image, engine, environment), target, launch)


def identity(target: str, kind: str | None, environment: Environment) -> str:
    """The digest of an image: of its manifest, or what an engine that has it calls its id.

    Raises:
        UsageError: It is no reference.
        EngineError: The engine does not answer, or has no such image.
        ImageError: The image is broken.
    """
    place = reference.parse(target)
    home = place.engine if isinstance(place, reference.DaemonReference) else None
    if isinstance(place, reference.DaemonReference) and kind != SANDBOX:
        engine = engines.find(kind or home, environment.variables)
        if home in (None, engine.program):
            return str(engine.inspect_image(place.name)["Id"])
    return transports.read_image(target, open_access(environment)).digest


def _of_project(
    found: Project, target: str, kind: str | None, launch: Launch, environment: Environment, image: Image | None
) -> Container:
    on_remove = None
    is_process = kind in (None, PROCESS)
    engine = None if is_process else _find_engine(kind, environment)
    needs_artifacts = is_process or not found.model.bake
    if launch.model_dir is None and found.artifacts_dir is not None and needs_artifacts:
        folder, on_remove = _unpacked_artifacts(found.artifacts_dir)
        launch = replace(launch, model_dir=folder)
    try:
        if is_process:
            return _process(found, target, launch, environment, on_remove)
        from argosy.cli import build  # half of what this program is: an image that is there starts sooner without it

        image = image or build.build_project(found, None, environment)
        if engine is None:
            return SandboxContainer(_unpack(image, environment), image.runtime, target, launch, on_remove)
        return EngineContainer(engine, _load(image, engine, environment), target, launch, on_remove)
    except BaseException:
        if on_remove is not None:
            on_remove()
        raise


def _process(
    found: Project, target: str, launch: Launch, environment: Environment, on_remove: Callable[[], None] | None
) -> ProcessContainer:
    """The project's own server, as its image would run it, with this machine's Python and libraries."""
    port = int(launch.environment.get(PlatformVariable.BIND_TO_PORT) or free_port())
    variables = {name: environment.variables[name] for name in _KEPT_VARIABLES if name in environment.variables}
    variables |= found.server_environment()
    variables |= found.image.environment
    variables |= launch.environment
    variables |= {
        Variable.PROGRAM_DIR: str(found.root),
        Variable.HOST: "127.0.0.1",
        PlatformVariable.BIND_TO_PORT: str(port),
        "PYTHONUNBUFFERED": "1",  # as in the image: what is printed is in the log at once
    }
    if launch.model_dir is not None:
        variables[Variable.MODEL_DIR] = str(launch.model_dir)
    arguments = (sys.executable, "-P", "-m", "argosy.serving", SERVE_ARGUMENT)
    models_path = MODELS_DIR if launch.models_dir is None else str(launch.models_dir)
    command = Command(
        *(target, arguments, variables, found.root, port, models_path, _CAVEAT),
        is_watched=launch.is_watched,
        on_attempt=launch.on_attempt,
    )
    return ProcessContainer(command, on_remove)


def _find_engine(kind: str | None, environment: Environment) -> Engine | None:
    """The engine that is meant; None for a sandbox."""
    if kind == SANDBOX:
        return None
    try:
        return engines.find(kind, environment.variables)
    except EngineError as error:
        if kind is not None:
            raise
        output.say(f"{error.message}: the image is run in a sandbox")
        return None


def _load(image: Image, engine: Engine, environment: Environment) -> str:
    """The image's name in the engine; the image is loaded once for each digest."""
    name = f"{_LOADED_NAME}:{image.digest.removeprefix('sha256:')}"
    if not engine.has_image(name):
        with (
            output.step(f"load the image into {engine.program}"),
            tempfile.TemporaryDirectory(prefix="argosy-") as made,
        ):
            archive = Path(made) / "image.tar"
            transports.write_image(image, f"docker-archive:{archive}:{name}", open_access(environment))
            engine.load(archive)
    return name


def _unpack(image: Image, environment: Environment) -> Path:
    """The image's root filesystem in the cache; unpacked once for each digest."""
    folder = environment.cache_dir / "unpacked" / image.digest.replace(":", "-")
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        _forget_unused(folder.parent)
        aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".partial-"))
        try:
            with output.step("unpack the image"):
                filesystem.unpack(image, aside / "root")
            _rename(aside / "root", folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    with contextlib.suppress(OSError):  # a cache of somebody else's
        os.utime(folder)
    return folder


def _forget_unused(unpacked: Path) -> None:
    """Remove the images that nothing has run for a week: each takes as much room as a container's disk."""
    for folder in unpacked.glob("sha256-*"):
        if folder.stat().st_mtime < time.time() - _UNUSED_S:
            shutil.rmtree(folder, ignore_errors=True)


def _rename(source: Path, target: Path) -> None:
    """Rename a finished folder; another process may have been quicker with the same content."""
    try:
        source.rename(target)
    except OSError:
        if not target.is_dir():
            raise


def _unpacked_artifacts(artifacts: Path) -> tuple[Path, Callable[[], None]]:
    """The artifacts as SageMaker hands them to a container: packed, and unpacked again; and how to remove them."""
    made = make_folder("model")

    def remove() -> None:
        shutil.rmtree(made, ignore_errors=True)

    try:
        archive = made / "model.tar.gz"
        model_archive.pack(artifacts, archive)
        model_archive.unpack(archive, made / "model")
        archive.unlink()
    except BaseException:
        remove()
        raise
    return made / "model", remove
