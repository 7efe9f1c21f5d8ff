"""What is simulated: an image or a project, the options that name it, its containers, and what it is known by."""

import hashlib
import importlib.metadata
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import click

from argosy import model_archive
from argosy.cli import environment
from argosy.cli.containers import KINDS, KINDS_HELP, identity, open_container
from argosy.cli.output import say
from argosy.image.image import Image
from argosy.simulator.containers.container import Container, Launch
from argosy.simulator.containers.instance_types import find
from argosy.simulator.containers.leftovers import make_folder

Command = Callable[..., Any]  # click's decorators take any function

CONTAINER = click.option(
    "--container",
    "kind",
    type=click.Choice(KINDS),
    help=KINDS_HELP,
)
INSTANCE_TYPE = click.option(
    "--as",
    "instance_type",
    metavar="TYPE",
    help="Give it the processors, memory and disk of an instance type, as ml.m5.large. [default: all of this machine]",
)
NETWORK_WATCH = click.option(
    "--network-watch/--no-network-watch",
    "is_watched",
    default=True,
    help="Tell which hosts the container tries to reach, and from which line of Python. [default: on]",
)
MODEL_DATA = click.option(
    "--model-data",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The model.tar.gz that is unpacked to /opt/ml/model.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")


def choice(name: str, values: type[StrEnum], text: str, default: str | None = None) -> Callable[[Command], Command]:
    """An option whose values are spelled as in the API."""
    return click.option(
        name,
        type=click.Choice([value.value for value in values]),
        callback=lambda _context, _option, chosen: None if chosen is None else values(chosen),
        default=default,
        show_default=default is not None,
        help=text,
    )


@dataclass(frozen=True, slots=True)
class Subject:
    """What is run.

    Attributes:
        target: An image reference, or a project folder.
        kind: What runs it; None takes what this machine has.
        model_data: The archive of its artifacts, beside the image.
        instance_type: Whose processors, memory and disk it gets; None gives it all of this machine.
        is_watched: Whether what it tries to reach is told.
        environment: `ContainerDefinition.Environment`.
        image: The target's image, where it has been read or built already.
    """

    target: str
    kind: str | None = None
    model_data: Path | None = None
    instance_type: str | None = None
    is_watched: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)
    image: Image | None = None

    @contextmanager
    def opener(self, variables: Mapping[str, str]) -> Iterator[Callable[[], Container]]:
        """Makes its containers, not yet started; whatever happens, all are removed at the end."""
        opened: list[Container] = []
        with _model_folder(self.model_data) as model_dir:
            environ = {**self.environment, **variables}
            launch = launch_as(Launch(environ, model_dir, is_watched=self.is_watched), self.instance_type)

            def open_one() -> Container:
                container = open_container(self.target, self.kind, launch, environment.read(), self.image)
                if container.caveat and not opened:
                    say(f"note: {container.caveat}")
                opened.append(container)
                return container

            try:
                yield open_one
            finally:
                for container in opened:
                    container.remove()

    def identity(self, without: Path | None) -> str:
        """What decides how its containers answer: the image's digest or the project's files, artifacts, libraries.

        Args:
            without: A folder whose files do not count, as they are results; or None.
        """
        parts = [str(self.kind)]
        if Path(self.target).is_dir():
            parts += _project_files(Path(self.target).resolve(), without and without.resolve())
            parts += sorted(f"{one.name}=={one.version}" for one in importlib.metadata.distributions())
            parts.append(sys.version)
        else:
            parts.append(identity(self.target, self.kind, environment.read()))
        if self.model_data is not None:
            with self.model_data.open("rb") as stream:
                parts.append(hashlib.file_digest(stream, "sha256").hexdigest())
        return hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()


def launch_as(launch: Launch, instance_type: str | None) -> Launch:
    """A launch that tells what its container tries to reach, limited to what an instance type has.

    Raises:
        UsageError: There is no such instance type.
    """
    launch = replace(launch, on_attempt=lambda attempt: say(f"note: {attempt}"))
    if instance_type is None:
        return launch
    found = find(instance_type)
    return replace(launch, cpus=found.cpus, memory_bytes=found.memory_bytes, disk_bytes=found.disk_bytes)


def _project_files(root: Path, without: Path | None) -> list[str]:
    """The files of a project with sizes and times; caches and hidden folders do not count."""
    found = [str(root)]
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        is_cache = any(part.startswith(".") or part == "__pycache__" for part in parts)
        is_result = without is not None and path.is_relative_to(without)
        if not is_cache and not is_result and path.is_file():
            facts = path.stat()
            found.append(f"{path} {facts.st_size} {facts.st_mtime_ns}")
    return found


@contextmanager
def _model_folder(archive: Path | None) -> Iterator[Path | None]:
    """The archive unpacked as SageMaker unpacks it, for as long as it is needed."""
    if archive is None:
        yield None
        return
    made = make_folder("model")
    try:
        model_archive.unpack(archive, made / "model")
        yield made / "model"
    finally:
        shutil.rmtree(made, ignore_errors=True)
