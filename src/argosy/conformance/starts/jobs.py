"""Transform jobs over a container that runs already, so that many jobs cost one start."""

import asyncio
import gzip
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from argosy.conformance.observing.trial import Trial
from argosy.conformance.probes import BATCH_HOST, ping, printable
from argosy.conformance.scenes.batch import Job
from argosy.contract import PING
from argosy.errors import ArgosyError
from argosy.simulator.containers.container import Container, DelegatingContainer
from argosy.simulator.storage.local_folder import LocalFolder
from argosy.simulator.storage.objects import ObjectStore
from argosy.simulator.transform.definition import (
    CompressionType,
    DataSource,
    DataType,
    ModelClientConfig,
    S3DataSource,
    TransformInput,
    TransformJobDefinition,
    TransformOutput,
)
from argosy.simulator.transform.job import Surroundings, TransformJob
from argosy.simulator.transform.progress import Listener, Outcome
from argosy.simulator.transform.split import AssembleWith, BatchStrategy, SplitType

BUCKET: Final = "jobs"
_KEPT_RESULT: Final = 2**20
_LINE_LENGTH: Final = 500
_CLIENT: Final = ModelClientConfig(invocations_timeout_in_seconds=60, invocations_max_retries=1)
_SAME: Final = "check"
NOT_READY: Final = "its health checks are not answered in time as a transform job sends them"


@dataclass(frozen=True, slots=True)
class Plan:
    """A small job.

    Attributes:
        objects: Key -> content.
        content_type: Of the objects.
        records: How many records they have together.
        split_type: How they are divided.
        strategy: How many records a request carries; None leaves it to the container.
        concurrent: Requests at a time; None leaves it to the container.
        max_payload_mb: Largest body; 0 knows no limit; None leaves it to the container.
        is_compressed: Whether the objects are stored compressed.
    """

    objects: Mapping[str, bytes]
    content_type: str
    records: int
    split_type: SplitType = SplitType.NONE
    strategy: BatchStrategy | None = None
    concurrent: int | None = None
    max_payload_mb: int | None = None
    is_compressed: bool = False

    @property
    def what(self) -> str:
        """The job in one line."""
        count = len(self.objects)
        parts = ["1 object" if count == 1 else f"{count} objects", f"SplitType {self.split_type}", self.content_type]
        parts += [f"BatchStrategy {self.strategy}"] if self.strategy else []
        parts += [f"MaxConcurrentTransforms {self.concurrent}"] if self.concurrent else []
        parts += [f"MaxPayloadInMB {self.max_payload_mb}"] if self.max_payload_mb is not None else []
        parts += ["CompressionType Gzip"] if self.is_compressed else []
        return ", ".join(parts)

    @property
    def definition(self) -> TransformJobDefinition:
        """The job as CreateTransformJob is told of it."""
        is_split = self.split_type is not SplitType.NONE
        return TransformJobDefinition(
            transform_job_name=_SAME,
            model_name=_SAME,
            transform_input=TransformInput(
                DataSource(S3DataSource(DataType.PREFIX, f"s3://{BUCKET}/input/")),
                self.content_type,
                CompressionType.GZIP if self.is_compressed else CompressionType.NONE,
                self.split_type,
            ),
            transform_output=TransformOutput(
                f"s3://{BUCKET}/output", assemble_with=AssembleWith.LINE if is_split else AssembleWith.NONE
            ),
            max_concurrent_transforms=self.concurrent,
            max_payload_in_mb=self.max_payload_mb,
            batch_strategy=self.strategy,
            model_client_config=_CLIENT,
        )


class LentContainer(DelegatingContainer):
    """A running container that a job uses, and gives back instead of ending it."""

    def start(self) -> None:
        """It runs."""

    def terminate(self) -> None:
        """It goes on."""

    def wait(self, timeout_s: float) -> int | None:
        """It is given back at once."""
        return 0

    def remove(self) -> None:
        """It goes on."""


def is_ready(trial: Trial) -> bool:
    """Whether GET /ping is answered in time as a transform job asks, which would wait for it for half an hour.

    Asked twice: this machine may be busy.
    """
    request = ping(host=BATCH_HOST, agent="Go-http-client/1.1")
    return any(trial.send(request, PING.value).status == 200 for _ in range(2))


def run(plan: Plan, container: Container) -> Job:
    """Run a job over a container that is healthy; whatever goes wrong is in the outcome."""
    with tempfile.TemporaryDirectory(prefix="argosy-job-") as made:
        root = Path(made)
        for key, content in plan.objects.items():
            path = root / BUCKET / "input" / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(gzip.compress(content) if plan.is_compressed else content)
        outcome, log = carry_out(plan.definition, LentContainer(container), LocalFolder(root), root)
        return Job(plan.what, plan.records, outcome, results_in(root / BUCKET / "output"), log)


def carry_out(
    definition: TransformJobDefinition, container: Container, store: ObjectStore, scratch: Path
) -> tuple[Outcome, tuple[str, ...]]:
    """Run a job to its end; its outcome, and what its data log and the simulator say."""
    log: list[str] = []
    listener = Listener(log.append, log.append, lambda _progress: None)
    job = TransformJob(definition, Surroundings(store, lambda _variables: (container,), listener, scratch=scratch))
    try:
        outcome = asyncio.run(job.run())
    except ArgosyError as error:
        outcome = job.outcome
        log.append(error.message)
    return outcome, tuple(printable(line)[:_LINE_LENGTH] for entry in log for line in entry.splitlines())


def results_in(folder: Path) -> dict[str, bytes]:
    """The results below a folder by their keys, each at most 1 MB of it."""
    found = {}
    for path in sorted(folder.rglob("*.out")):
        with path.open("rb") as stored:
            found[str(path.relative_to(folder))] = stored.read(_KEPT_RESULT)
    return found
