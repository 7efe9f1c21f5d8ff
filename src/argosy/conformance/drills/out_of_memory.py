"""Too little memory: does the container end, say that it is not well, or only seem to be?"""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final

from argosy.conformance import requests
from argosy.conformance.drills import processes
from argosy.conformance.drills.drill import NOT_HEALTHY, NOT_LIMITED, Plan, act, keep_asking
from argosy.conformance.observing.trial import Trial
from argosy.conformance.probes import Request, send, size
from argosy.conformance.scenes.drills import OutOfMemory, Round, Starved
from argosy.conformance.scenes.endpoint import Invocations
from argosy.simulator.containers.container import Launch

_PROCESS: Final = "process"
_UNSEEN: Final = "how much memory it uses cannot be seen from here: run `argosy check` as root on Linux"
_START_S: Final = 10.0
_FINE_ROUNDS: Final = 3
_ENDING_S: Final = 1.0
_PAGE: Final = 4096


def play(plan: Plan) -> OutOfMemory | str:
    """See what an idle container uses; give one too little to start with, and one too little to work with."""
    with Trial(plan.bench) as trial:
        if trial.container.kind == _PROCESS:
            return NOT_LIMITED
        if not trial.start().is_healthy:
            return NOT_HEALTHY
        trial.send(plan.baseline.request, plan.answer_s)
        idle = processes.memory(trial.container)
    if not idle:
        return _UNSEEN
    little, scarce = (int(idle * share) // _PAGE * _PAGE for share in plan.severity.memory_shares)
    starved = (_starve(plan, little, None), _starve(plan, scarce, _large(plan)))
    return OutOfMemory(idle, plan.severity.blind_s, starved)


def _starve(plan: Plan, limit: int, work: Request | None) -> Starved:
    bench, severity = plan.bench, plan.severity
    patient = replace(bench, startup_s=min(bench.startup_s, _START_S))
    rounds: tuple[Round, ...] = ()
    with Trial(patient, Launch(model_dir=bench.model_dir, memory_bytes=limit)) as trial:
        container = trial.container
        with processes.MemoryWatch(container) as watch:
            start = trial.start()
            if start.is_healthy:
                with ThreadPoolExecutor(severity.bodies_at_once) as pool:
                    if work is not None:
                        for _ in range(severity.bodies_at_once):
                            pool.submit(send, container.url, work, plan.answer_s)
                    rounds = _rounds(plan, trial)
        exit_code = container.wait(_ENDING_S)
        told = f"{severity.bodies_at_once} bodies of {size(len(work.body or b''))} at once" if work else ""
        return Starved(limit, told, start, rounds, exit_code, container.out_of_memory(), watch.peak_bytes)


def _rounds(plan: Plan, trial: Trial) -> tuple[Round, ...]:
    """Asked until it is fine for some rounds, or was not for longer than it may lie."""
    rounds: list[Round] = []
    begun = time.monotonic()
    for one in keep_asking(plan, trial, 2 * plan.severity.blind_s + 2 * plan.answer_s):
        rounds.append(one)
        is_fine = len(rounds) >= _FINE_ROUNDS and all(one.is_fine for one in rounds[-_FINE_ROUNDS:])
        if is_fine or time.monotonic() - begun > 2 * plan.severity.blind_s:
            break
    return tuple(rounds)


def _large(plan: Plan) -> Request | None:
    invocations = plan.case.find(Invocations)
    padding = requests.cheapest_for_padding(invocations) if invocations else None
    return requests.padded(padding.request, plan.severity.body_at_once_bytes) if padding else None


ACT: Final = act("out of memory", OutOfMemory, play)
