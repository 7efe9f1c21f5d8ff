"""How the containers of an examination are had, and what they are given."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from operator import attrgetter
from pathlib import Path
from typing import Final

from argosy.conformance.observing.recorder import Recorder
from argosy.conformance.observing.severity import Severity
from argosy.conformance.probes import Request
from argosy.conformance.scenes.endpoint import Start
from argosy.contract import STARTUP
from argosy.simulator.containers.container import Container, Launch
from argosy.simulator.containers.instance_types import InstanceType

SERVERLESS_SIZES_MB: Final = (1024, 2048, 3072, 4096, 5120, 6144)
"""The sizes of a serverless endpoint.

Source:
    `MemorySizeInMB` of `ProductionVariantServerlessConfig` in botocore's sagemaker 2017-07-24 model; SageMaker
    developer guide, "Deploy models with Amazon SageMaker Serverless Inference" (read 2026-11-22).
"""
SERVERLESS_MB: Final = 2048
"""The size that is tried unless another one is asked for: SageMaker has no default."""
_FAIR_S: Final = 60.0
"""A machine that is busy starts the second container much later than the first."""


def _is_confined(container: Container) -> bool:
    return container.kind != "process"


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
        is_offline: Whether a container really has no network.
        is_confined: Whether a container really has a file system, a user and memory of its own, as `Launch` tells.
        instance_type: Whose processors, memory and disk one container is given; None tries none.
        serverless_mb: Memory of a serverless endpoint, one of `SERVERLESS_SIZES_MB`.
        act: The act that is played; told by `act.observe`.
        recorder: Writes down what happens when.
        drills: How hard containers are hurt; None plays no drill.
    """

    launch: Callable[[Launch], Container]
    is_read_only: bool
    model_dir: Path | None = None
    has_artifacts: bool = False
    samples: tuple[Request, ...] = ()
    startup_s: float = STARTUP.value
    is_offline: Callable[[Container], bool] = attrgetter("is_offline")
    is_confined: Callable[[Container], bool] = _is_confined
    instance_type: InstanceType | None = None
    serverless_mb: int = SERVERLESS_MB
    act: str = ""
    recorder: Recorder = field(default_factory=Recorder, repr=False)
    drills: Severity | None = None

    def patient(self, start: Start) -> "Bench":
        """The same that waits for another start no longer than is fair, after this one got healthy."""
        return replace(self, startup_s=min(self.startup_s, _FAIR_S + 5 * (start.healthy_s or 0.0)))
