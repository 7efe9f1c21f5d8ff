"""A container that is given less: started, asked what another one answered, and looked at."""

from argosy.conformance.observing.bench import Bench
from argosy.conformance.observing.trial import Trial
from argosy.conformance.probes import Exchange, printable
from argosy.conformance.scenes.endpoint import Start
from argosy.conformance.scenes.starts import Confined
from argosy.simulator.containers.container import Launch


def confined(bench: Bench, launch: Launch, usual: Start, baseline: Exchange | None, asked: int = 1) -> Confined:
    """Start a container, and ask it.

    Args:
        bench: How it is had, and how long its start is waited for.
        launch: What it is given.
        usual: The start of the container that was given all.
        baseline: What that one was asked, and how it answered; None asks nothing.
        asked: How often it is asked; the worst answer counts.

    Raises:
        EngineError: The container engine is missing or failed.
    """
    with Trial(bench, launch) as trial:
        start = trial.start()
        answers: list[Exchange] = []
        while start.is_healthy and baseline is not None and len(answers) < asked and trial.is_alive():
            answers.append(trial.send(baseline.request))
        container = trial.container
        log = () if start.failure else tuple(map(printable, container.logs().splitlines()))
        return Confined(
            container.kind,
            is_enforced=bench.is_confined(container),
            usual=usual,
            start=start,
            baseline=baseline,
            again=max(answers, key=lambda answer: answer.status or 1000, default=None),
            log=log,
            memory="" if start.failure else container.out_of_memory(),
        )
