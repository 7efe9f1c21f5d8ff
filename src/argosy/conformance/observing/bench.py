"""How the containers of an examination are had, and what they are given."""

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from argosy.conformance.probes import Request
from argosy.contract import INVOCATION, STARTUP
from argosy.simulator.containers.container import Container, Launch


@dataclass(frozen=True, slots=True)
class Bench:
    """How containers are had, and what they are given.

    Attributes:
        launch: Makes a container that is not started yet.
        is_read_only: Whether what is mounted at `/opt/ml/model` really is read-only.
        model_dir: What is mounted at `/opt/ml/model`: the unpacked artifacts, or an empty folder; None mounts nothing.
        has_artifacts: Whether there are any, in `model_dir` or in the image's own `/opt/ml/model`.
        samples: Requests that the image is said to understand: one for each media type that it takes and gives.
        startup_s: How long to wait for the first healthy answer.
        invocation_s: How long an invocation may take.
        busy_s: How long the container is kept busy while its health checks are timed.
        is_offline: Whether a container really has no network.
    """

    launch: Callable[[Launch], Container]
    is_read_only: bool
    model_dir: Path | None = None
    has_artifacts: bool = False
    samples: tuple[Request, ...] = ()
    startup_s: float = STARTUP.value
    invocation_s: float = INVOCATION.value
    busy_s: float = 2.0
    is_offline: Callable[[Container], bool] = attrgetter("is_offline")
