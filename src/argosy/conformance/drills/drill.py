"""What all drills share: an act that plays one, and the question whether a hurt server is as before."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from argosy.conformance.case import Case
from argosy.conformance.observing.act import Act
from argosy.conformance.observing.bench import Bench
from argosy.conformance.observing.severity import Severity
from argosy.conformance.observing.trial import Trial
from argosy.conformance.probes import Exchange, ping, send
from argosy.conformance.scenes.drills import Aftermath, Drill, Round
from argosy.conformance.scenes.endpoint import Invocations
from argosy.contract import PING

NOT_HEALTHY: Final = "another container of the same image did not get healthy"
NOT_LIMITED: Final = "a process of this machine is not limited: use --container sandbox, podman or docker"
_NO_BASELINE: Final = "no request is known that it answers"
_TRIES: Final = 3
_PAUSE_S: Final = 0.2
_AGAIN_S: Final = 1.0
"""What is not as before may still have to put things in order."""

Scene = TypeVar("Scene", bound=Drill)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a drill is played with.

    Attributes:
        bench: How containers are had.
        case: What was observed before.
        baseline: The invocation that is tried again and again.
        severity: How hard they are hurt.
    """

    bench: Bench
    case: Case
    baseline: Exchange
    severity: Severity

    @property
    def answer_s(self) -> float:
        """How long an answer to the baseline may take on a busy machine."""
        return self.severity.patience_s + 4 * self.baseline.total_s

    def is_as_before(self, exchange: Exchange) -> bool:
        """Whether an exchange was answered as the baseline was."""
        baseline = self.baseline
        return exchange.status == baseline.status or (exchange.is_success and baseline.is_success)


def act(name: str, scene: type[Scene], play: Callable[[Plan], Scene | str]) -> Act:
    """The act of a drill.

    Args:
        name: One or two words for people.
        scene: What it gives.
        play: Hurts containers of its own; a sentence instead of a scene says why that is not possible.
    """

    def play_timed(bench: Bench, case: Case) -> Case:
        begun = time.monotonic()
        invocations = case.find(Invocations)
        baseline = invocations.baseline if invocations else None
        if baseline is None:
            return Case().without((scene,), _NO_BASELINE)
        seen = play(Plan(bench, case, baseline, bench.drills or Severity()))
        if isinstance(seen, str):
            return Case().without((scene,), seen)
        return Case.of(replace(seen, seconds=time.monotonic() - begun))

    return Act(name, (scene,), play_timed, is_alone=True, is_drill=True)


def ask(plan: Plan, url: str) -> Round:
    """Send a health check and the baseline once."""
    seen = send(url, ping(), plan.severity.patience_s)
    exchange = send(url, plan.baseline.request, plan.answer_s)
    return Round(seen, exchange, plan.is_as_before(exchange))


def keep_asking(plan: Plan, trial: Trial, for_s: float) -> Iterator[Round]:
    """Rounds until time is up or the container has ended."""
    deadline = time.monotonic() + for_s
    while time.monotonic() < deadline:
        yield ask(plan, trial.container.url)
        if trial.container.exit_code() is not None:
            return
        time.sleep(_PAUSE_S)


def aftermath(plan: Plan, trial: Trial, what: str) -> Aftermath:
    """Whether a hurt server is as before: asked until it is, since a busy machine may have made it late once."""
    rounds: list[Round] = []
    while len(rounds) < _TRIES and not (rounds and _is_in_time(plan, rounds[-1])):
        if rounds:
            time.sleep(_AGAIN_S)
        rounds.append(ask(plan, trial.container.url))
    if rounds[-1].is_fine:
        return Aftermath(what, tuple(rounds))
    exit_code = trial.container.wait(1.0)
    return Aftermath(what, tuple(rounds), exit_code, trial.log())


def _is_in_time(plan: Plan, one: Round) -> bool:
    return one.is_fine and one.ping.total_s <= PING.value and one.invocation.total_s <= plan.answer_s
