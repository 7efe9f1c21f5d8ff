"""A container with no more than an instance type has: processors, memory, disk."""

from typing import Final

from argosy.conformance.case import Case
from argosy.conformance.observing.act import Act
from argosy.conformance.observing.bench import Bench
from argosy.conformance.observing.trial import Trial
from argosy.conformance.scenes.endpoint import Invocations, Start
from argosy.conformance.scenes.starts import OnInstance
from argosy.conformance.starts.confined import confined
from argosy.simulator.containers.container import Launch

_ASKED: Final = 8


def play(bench: Bench, case: Case) -> Case:
    """Start a container so, and ask it some times what the first one answered.

    Raises:
        EngineError: The container engine is missing or failed.
    """
    given, first, invocations = bench.instance_type, case.find(Start), case.find(Invocations)
    if given is None:
        return Case().without((OnInstance,), "no --instance-type was given")
    if first is None:
        return Case()
    baseline = invocations.baseline if invocations else None
    launch = Launch(
        model_dir=bench.model_dir,
        cpus=given.cpus,
        memory_bytes=given.memory_bytes,
        disk_bytes=given.disk_bytes,
    )
    found = confined(bench, launch, first, baseline, _ASKED)
    workers: tuple[tuple[str, int], ...] = ()
    if found.memory:
        workers = _workers(bench, first)
    return Case.of(OnInstance(found, given.name, given.memory_bytes, given.disk_bytes, workers))


def _workers(bench: Bench, first: Start) -> tuple[tuple[str, int], ...]:
    """The processes of a container that is not limited, where the first one got healthy so."""
    if not first.is_healthy:
        return ()
    with Trial(bench.patient(first)) as trial:
        return tuple(trial.container.processes()) if trial.start().is_healthy else ()


ACT: Final = Act("instance type", (OnInstance,), play)
