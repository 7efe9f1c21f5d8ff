"""A container with its artifacts: fetched before it is opened, removed after it."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from argosy.simulator.allotment import Share
from argosy.simulator.containers.container import Container, DelegatingContainer, Launch
from argosy.simulator.containers.leftovers import make_folder
from argosy.simulator.health import Report
from argosy.simulator.hosting.artifacts import fetch_all
from argosy.simulator.hosting.backend import OpenContainer
from argosy.simulator.hosting.definition import ContainerDefinition
from argosy.simulator.log_stream import NO_STREAM, LogSink, LogStream, NoLogSink
from argosy.simulator.storage.objects import ObjectStore


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What containers are furnished from.

    Attributes:
        open_container: Makes a container of an image.
        store: Where `s3://` leads.
        report: Takes what a person should know, one line each.
        logs: Takes what they write.
    """

    open_container: OpenContainer
    store: ObjectStore
    report: Report
    logs: LogSink = field(default_factory=NoLogSink)


@dataclass(frozen=True, slots=True)
class Part:
    """What a container is among those of its instance.

    Attributes:
        name: What error texts call it: `primary`, its hostname, or `container-2`.
        number: From 1.
        variables: The platform's variables for it, on top of its own environment; may block.
        share: What it may use of this machine.
        takes_models: Whether it sees a folder in which models or adapters appear while it runs.
        neighbour: The container of the same instance in whose network it starts; asked when it is opened.
        log_stream: Where what it writes goes.
    """

    name: str = "primary"
    number: int = 1
    variables: Callable[[], Mapping[str, str]] = dict
    share: Share = field(default_factory=Share)
    takes_models: bool = False
    neighbour: Callable[[], Container | None] = lambda: None
    log_stream: LogStream = NO_STREAM


class FurnishedContainer(DelegatingContainer):
    """A container whose artifacts go when it is removed.

    Args:
        container: The one that runs.
        folder: Where its artifacts are; removed by `remove`.
        on_remove: Called before that, while its log is still there.
    """

    def __init__(self, container: Container, folder: Path, on_remove: Callable[[], None] = lambda: None) -> None:
        super().__init__(container)
        self._folder = folder
        self._on_remove = on_remove

    @property
    def models_dir(self) -> Path:
        """The folder of this machine in which its models or adapters appear."""
        return self._folder / "models"

    @property
    def network_owner(self) -> Container | None:
        """What `Launch.shares_network_with` of the other containers of its instance is."""
        return self._container if self._container.lends_network else None

    def remove(self) -> None:
        """End it and leave nothing behind, its artifacts included."""
        try:
            self._on_remove()
            super().remove()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)


def furnish(definition: ContainerDefinition, surroundings: Surroundings, part: Part) -> FurnishedContainer:
    """Fetch a container's artifacts and make the container, not yet started; blocks.

    Raises:
        StorageError: Its artifacts are not there: the service's words.
        ArchiveError: Its artifacts cannot be unpacked: the service's words.
        ArgosyError: There is no such image, or this machine cannot run it.
    """
    folder = make_folder("artifacts")
    try:
        models_dir = folder / "models" if part.takes_models else None
        if models_dir is not None:
            models_dir.mkdir()
        fetched = fetch_all(definition, surroundings.store, folder, f"container_{part.number}")
        launch = Launch(
            environment={**definition.environment, **part.variables()},
            hostname=definition.hostname,
            cpus=part.share.cpus,
            memory_bytes=part.share.memory_bytes,
            disk_bytes=part.share.disk_bytes,
            model_dir=fetched.model_dir,
            models_dir=models_dir,
            channels=fetched.channels,
            shares_network_with=part.neighbour(),
        )
        container = surroundings.open_container(definition, launch)
        return FurnishedContainer(container, folder, surroundings.logs.follow(container, part.log_stream))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
