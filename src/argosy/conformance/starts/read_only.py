"""A container whose root file system is read-only: does it get along with `/tmp` alone?"""

from typing import Final

from argosy.conformance.case import Case
from argosy.conformance.observing.act import Act
from argosy.conformance.observing.bench import Bench
from argosy.conformance.observing.trial import Trial
from argosy.conformance.scenes.endpoint import Invocations, Start
from argosy.conformance.scenes.starts import ReadOnlyRoot
from argosy.conformance.starts.confined import confined
from argosy.simulator.containers.container import Launch


def play(bench: Bench, case: Case) -> Case:
    """Start a container so; when it does not work, start one that may write, and see what it writes.

    Raises:
        EngineError: The container engine is missing or failed.
    """
    first, invocations = case.find(Start), case.find(Invocations)
    if first is None:
        return Case()
    baseline = invocations.baseline if invocations else None
    patient = bench.patient(first)
    found = confined(patient, Launch(model_dir=bench.model_dir, read_only=True), first, baseline)
    written: tuple[str, ...] = ()
    if found.is_worse and found.is_enforced:
        with Trial(patient) as trial:
            if trial.start().is_healthy and baseline is not None:
                trial.send(baseline.request)
            written = tuple(trial.container.written())
    return Case.of(ReadOnlyRoot(found, written))


ACT: Final = Act("read-only root", (ReadOnlyRoot,), play)
