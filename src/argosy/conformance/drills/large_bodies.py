"""Bodies as long as the platform sends them, one after the other and several at once."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Final

from argosy.conformance import requests
from argosy.conformance.drills import processes
from argosy.conformance.drills.drill import NOT_HEALTHY, Plan, act, aftermath
from argosy.conformance.observing.trial import Trial
from argosy.conformance.probes import Exchange, send, size
from argosy.conformance.scenes.drills import LargeBodies
from argosy.conformance.scenes.endpoint import ExecutionParameters, Invocations
from argosy.contract import INVOCATION

_SLOW_S: Final = 15.0


def play(plan: Plan) -> LargeBodies | str:
    """Send them to one container, and look at its memory meanwhile."""
    invocations = plan.case.find(Invocations)
    baseline = requests.cheapest_for_padding(invocations) if invocations else None
    if baseline is None:
        return "no request is known that it answers"
    long = replace(plan, baseline=baseline)
    with Trial(plan.bench) as trial:
        if not trial.start().is_healthy:
            return NOT_HEALTHY
        idle = processes.memory(trial.container)
        with processes.MemoryWatch(trial.container) as watch:
            alone = _alone(long, trial)
            is_complete = len(alone) == len(plan.severity.body_bytes)
            at_once = _at_once(long, trial) if is_complete and _is_quick(alone[-1]) else ()
        after = aftermath(plan, trial, f"bodies of up to {size(max(plan.severity.body_bytes))}")
    return LargeBodies(
        baseline, alone, at_once, after, _announced(plan), is_complete, idle_bytes=idle, peak_bytes=watch.peak_bytes
    )


def _alone(plan: Plan, trial: Trial) -> tuple[Exchange, ...]:
    """One after the other, until one has no answer, or took so long that a longer one would prove nothing."""
    seen: list[Exchange] = []
    for length in plan.severity.body_bytes:
        seen.append(_without_body(trial.send(requests.padded(plan.baseline.request, length), INVOCATION.value)))
        if not _is_quick(seen[-1]):
            break
    return tuple(seen)


def _is_quick(exchange: Exchange) -> bool:
    return exchange.status is not None and exchange.total_s <= _SLOW_S


def _at_once(plan: Plan, trial: Trial) -> tuple[Exchange, ...]:
    request = requests.padded(plan.baseline.request, plan.severity.body_at_once_bytes)
    count = plan.severity.bodies_at_once
    with ThreadPoolExecutor(count) as pool:
        sending = [pool.submit(send, trial.container.url, request, INVOCATION.value) for _ in range(count)]
        return tuple(_without_body(one.result()) for one in sending)


def _without_body(exchange: Exchange) -> Exchange:
    """The same, so that no scene keeps 100 MB; what was sent is told by the request's name."""
    length = len(exchange.request.body or b"")
    return replace(
        exchange, request=replace(exchange.request, body=b"", name=f"{exchange.request.name} to {size(length)}")
    )


def _announced(plan: Plan) -> int | None:
    """`MaxPayloadInMB`, where it tells one."""
    parameters = plan.case.find(ExecutionParameters)
    if parameters is None or parameters.exchange.status != 200:
        return None
    with suppress(ValueError):
        match json.loads(parameters.exchange.body):
            case {"MaxPayloadInMB": int(payload)}:
                return payload
    return None


ACT: Final = act("large bodies", LargeBodies, play)
