"""A process of the container is killed while clients invoke, as the kernel does for want of memory."""

import time
from typing import Final

from argosy.conformance.drills import processes
from argosy.conformance.drills.clients import Load
from argosy.conformance.drills.drill import NOT_HEALTHY, Plan, act, keep_asking
from argosy.conformance.observing.trial import Trial
from argosy.conformance.probes import printable, size
from argosy.conformance.scenes.drills import KilledWorker, Round

_UNSEEN: Final = (
    "its processes cannot be seen and killed from here: run `argosy check` as root on Linux, or use --container sandbox"
)
_ALONE: Final = "it has one process only: when that is killed, the container ends, and SageMaker starts another"
_WARM_S: Final = 1.0
_WATCH_S: Final = 3.0
"""How long it is watched once an invocation was answered again: requests may still go to who is dead."""


def play(plan: Plan) -> KilledWorker | str:
    """Kill the largest process that has no children, and ask until invocations are answered again."""
    severity = plan.severity
    with Trial(plan.bench) as trial:
        if not trial.start().is_healthy:
            return NOT_HEALTHY
        url = trial.container.url
        with Load(url, plan.baseline.request, severity.clients, plan.answer_s) as load:
            time.sleep(_WARM_S)
            if any(not plan.is_as_before(exchange) for exchange in load.ended):
                return "already before, invocations at once were not all answered as one is"
            found = processes.of(trial.container)
            victim = processes.worker_of(found)
            if victim is None:
                return _ALONE if found else _UNSEEN
            trial.log()
            killed_at = time.monotonic()
            if not processes.kill(victim):
                return _UNSEEN
            rounds = _rounds(plan, trial)
        return KilledWorker(
            plan.baseline,
            f"process {printable(victim.name)} of {size(victim.memory_bytes)}, one of {len(found)}",
            killed_at,
            severity.recovery_s,
            severity.blind_s,
            processes.is_line(found),
            rounds,
            tuple(exchange for exchange in load.ended if exchange.ended_at > killed_at),
            trial.container.exit_code(),
            trial.log(),
        )


def _rounds(plan: Plan, trial: Trial) -> tuple[Round, ...]:
    rounds: list[Round] = []
    recovered_at: float | None = None
    for one in keep_asking(plan, trial, plan.severity.recovery_s):
        rounds.append(one)
        if recovered_at is None and one.is_as_before:
            recovered_at = one.invocation.ended_at
        if recovered_at is not None and time.monotonic() - recovered_at > _WATCH_S:
            break
    return tuple(rounds)


ACT: Final = act("killed worker", KilledWorker, play)
