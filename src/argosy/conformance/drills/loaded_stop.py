"""SIGTERM while several requests are under way."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from argosy.conformance.drills.drill import NOT_HEALTHY, Plan, act
from argosy.conformance.observing.trial import Trial
from argosy.conformance.probes import Held, ping, send
from argosy.conformance.scenes.drills import LoadedStop

_ARRIVES_S: Final = 0.2
_LATE: Final = 4
_TAKEN_S: Final = 2.0
_WORK_S: Final = 10.0
"""What all held requests may take together: the grace is for ending, not for a queue of work."""


def play(plan: Plan) -> LoadedStop | str:
    """Stop a container; where it was killed or lost something, another one: a busy machine may have been to blame."""
    if not plan.baseline.request.body:
        return "the request that it answers has no body: it cannot be held under way"
    if plan.baseline.total_s > plan.severity.grace_s / 3:
        return f"one invocation takes {plan.baseline.total_s:.0f} s: several may not be finished in time"
    stopped = _stop(plan)
    if isinstance(stopped, str):
        return stopped
    has_lost = any(not plan.is_as_before(exchange) for exchange in stopped.held)
    return _stop(plan) if stopped.exit_code is None or has_lost else stopped


def _stop(plan: Plan) -> LoadedStop | str:
    severity, request = plan.severity, plan.baseline.request
    with Trial(plan.bench) as trial:
        if not trial.start().is_healthy:
            return NOT_HEALTHY
        container = trial.container
        count = _taken_at_once(plan, container.url)
        trial.log()
        # Not the whole grace: a server that waits for a request that it no longer reads ends once its client goes.
        patience_s = min(plan.answer_s, severity.grace_s * 2 / 3)
        held = [Held(container.url, request, patience_s) for _ in range(count)]
        # The signal must find them under way: who answers a later connection has most likely seen the earlier ones.
        arriving = send(container.url, ping(), severity.patience_s)
        time.sleep(_ARRIVES_S + arriving.total_s)
        begun = time.monotonic()
        container.terminate()
        time.sleep(_ARRIVES_S)
        with ThreadPoolExecutor(_LATE + count) as pool:
            late_s = severity.refusal_s + 4 * plan.baseline.total_s
            late = [pool.submit(send, container.url, request, late_s) for _ in range(_LATE)]
            time.sleep(_ARRIVES_S)
            finished = tuple(pool.map(Held.finish, held))
            exit_code = container.wait(max(0.0, severity.grace_s - (time.monotonic() - begun)))
            seconds = time.monotonic() - begun
            log = trial.log()
            if exit_code is None:
                container.kill()
            refused = tuple(exchange.result() for exchange in late)
    return LoadedStop(plan.baseline, finished, refused, exit_code, seconds, severity.grace_s, log)


def _taken_at_once(plan: Plan, url: str) -> int:
    """How many requests it works on at once: whoever waits in the kernel's queue was not accepted by the server.

    The last of some is finished first: where it is answered, the server had taken those before it.
    """
    count = plan.severity.held
    if plan.baseline.total_s:
        count = max(1, min(count, int(_WORK_S / plan.baseline.total_s)))
    while count > 1:
        held = [Held(url, plan.baseline.request, _TAKEN_S + 2 * plan.baseline.total_s) for _ in range(count)]
        is_taken = plan.is_as_before(held[-1].finish())
        with ThreadPoolExecutor(count) as pool:
            list(pool.map(Held.finish, held[:-1]))
        if is_taken:
            return count
        count //= 2
    return 1


ACT: Final = act("SIGTERM under load", LoadedStop, play)
