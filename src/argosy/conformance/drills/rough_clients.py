"""Clients that do not behave: they read nothing, are gone in the middle of a body, never finish a head."""

from collections.abc import Callable
from typing import Final

from argosy.conformance.drills.clients import HALF_A_HEAD, half_of, message, open_connection, opened, vanish
from argosy.conformance.drills.drill import NOT_HEALTHY, Plan, act, aftermath
from argosy.conformance.observing.trial import Trial
from argosy.conformance.scenes.drills import Aftermath, RoughClients

_Hurt = Callable[[Plan, Trial], Aftermath]


def play(plan: Plan) -> RoughClients | str:
    """One kind of client after the other, on one container for as long as it is as before."""
    seen: list[Aftermath] = []
    todo: list[_Hurt] = [_silent, _vanished, _half_heads]
    while todo:
        with Trial(plan.bench) as trial:
            if not trial.start().is_healthy:
                return NOT_HEALTHY
            while todo:
                seen.append(todo.pop(0)(plan, trial))
                if not seen[-1].is_fine:
                    break  # the next kind gets a container that is not hurt yet
    return RoughClients(*seen)


def _silent(plan: Plan, trial: Trial) -> Aftermath:
    with opened(trial.container.url, plan.severity.silent, message(plan.baseline.request)) as found:
        return aftermath(plan, trial, f"{len(found)} clients that have invoked and read nothing")


def _vanished(plan: Plan, trial: Trial) -> Aftermath:
    half = half_of(plan.baseline.request)
    found = [open_connection(trial.container.url, half) for _ in range(plan.severity.vanished)]
    gone = [one for one in found if one is not None]
    for one in gone:
        vanish(one)
    return aftermath(plan, trial, f"{len(gone)} clients that reset their connection in the middle of a body")


def _half_heads(plan: Plan, trial: Trial) -> Aftermath:
    with opened(trial.container.url, plan.severity.half_heads, HALF_A_HEAD) as found:
        return aftermath(plan, trial, f"{len(found)} connections held open with half a head")


ACT: Final = act("rough clients", RoughClients, play)
