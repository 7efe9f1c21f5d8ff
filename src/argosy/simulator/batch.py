"""Transform jobs of the `sagemaker` API: what a request and a model say, run to its end, or on from where it was."""

import hashlib
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from argosy.errors import ArgosyError, ContainerError, MissingImageError, TransformError
from argosy.simulator.allotment import Allotment, Share
from argosy.simulator.backends.ports import Ports
from argosy.simulator.containers.container import Container
from argosy.simulator.control.definitions import transform_job_of
from argosy.simulator.control.resources import Json
from argosy.simulator.control.transform_jobs import Ending
from argosy.simulator.hosting import furnished
from argosy.simulator.hosting.definition import Model
from argosy.simulator.hosting.furnished import FurnishedContainer, Part
from argosy.simulator.log_stream import TRANSFORM_JOBS, LogStream, new_instance_id
from argosy.simulator.transform.definition import Assumptions
from argosy.simulator.transform.job import Surroundings, TransformJob
from argosy.simulator.transform.journal import Journal
from argosy.simulator.transform.progress import Listener


@dataclass(frozen=True, slots=True)
class Batch:
    """Runs transform jobs: see `RunTransform`.

    Attributes:
        surroundings: Open containers and have their artifacts, and the buckets.
        folder: Keeps what a job has done, and nameless files.
        assumptions: What nobody knows of transform jobs.
        allotment: Says what of this machine containers get.
        shares_network: Whether the containers of a pipeline are in one network, where their kind can be.
    """

    surroundings: furnished.Surroundings
    folder: Path
    assumptions: Assumptions
    allotment: Allotment
    shares_network: bool = True

    async def __call__(self, name: str, identity: str, request: Json, model: Model) -> Ending:
        """Run a job; the results that an earlier run of it stored are not made again.

        Args:
            name: The job's.
            identity: Tells it from every other job, also from one of the same name.
            request: Members of CreateTransformJob, or of a validation profile.
            model: What it runs.

        Raises:
            UsageError: The service would not take the request.
        """
        definition = transform_job_of(name, request, model.name)
        share = self.allotment.of_job(model, str(request["TransformResources"]["InstanceType"]))
        report = self.surroundings.report

        def tell(line: str) -> None:
            report(f"transform job {name}: {line}")

        data_log = LogStream(TRANSFORM_JOBS, f"{name}/{new_instance_id()}-{time.time():.0f}/data-log")

        def tell_log(line: str) -> None:
            tell(line)
            self.surroundings.logs.write(data_log, line)

        journal = Journal(self._own_folder(identity), definition, self.assumptions, identity)
        try:
            job = TransformJob(
                definition,
                Surroundings(
                    self.surroundings.store,
                    partial(self._open_instance, model, share, name),
                    Listener(tell_log, tell, lambda _progress: None),
                    self.assumptions,
                    self.folder,
                    journal,
                ),
            )
            return await _ended(job, tell)
        finally:
            journal.close()

    def forget(self, identity: str) -> None:
        """Remove what is kept of a job, which has ended: nothing of it is to be done again."""
        shutil.rmtree(self._own_folder(identity), ignore_errors=True)

    def _own_folder(self, identity: str) -> Path:
        return self.folder / hashlib.sha256(identity.encode()).hexdigest()

    def _open_instance(self, model: Model, share: Share, job: str, variables: Mapping[str, str]) -> Sequence[Container]:
        """The containers of one instance, not yet started; blocks.

        Raises:
            ArgosyError: One cannot be opened; nothing is left of the others.
        """
        ports = Ports(len(model.containers))
        stream = f"{job}/{new_instance_id()}-{time.time():.0f}"
        opened: list[FurnishedContainer] = []

        def neighbour() -> Container | None:
            return opened[0].network_owner if opened and self.shares_network else None

        try:
            for number, definition in enumerate(model.containers, start=1):
                own: Callable[[], Mapping[str, str]] = dict
                if len(model.containers) > 1:
                    own = partial(ports.variables, number)
                name = definition.hostname or f"container-{number}"
                place = LogStream(TRANSFORM_JOBS, stream if len(model.containers) == 1 else f"{stream}/{name}")
                part = Part(
                    name, number, partial(_joined, variables, own), share, neighbour=neighbour, log_stream=place
                )
                opened.append(furnished.furnish(definition, self.surroundings, part))
        except BaseException:
            for container in opened:
                container.remove()
            raise
        return opened


async def _ended(job: TransformJob, tell: Callable[[str], None]) -> Ending:
    try:
        outcome = await job.run()
    except ArgosyError as error:
        tell(str(error))
        outcome = job.outcome
        if isinstance(error, MissingImageError):
            return Ending(outcome.status, f"ClientError: there is no image {error.image}", is_final=False)
        is_final = isinstance(error, (ContainerError, TransformError))
        return Ending(outcome.status, outcome.failure_reason or "", is_final)
    return Ending(outcome.status, outcome.failure_reason or "")


def _joined(variables: Mapping[str, str], own: Callable[[], Mapping[str, str]]) -> Mapping[str, str]:
    return {**variables, **own()}
