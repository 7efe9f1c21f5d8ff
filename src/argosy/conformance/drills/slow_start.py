"""A start with very little processor time: what is hidden by a quick load is seen in a slow one."""

from dataclasses import replace
from typing import Final

from argosy.conformance.drills.drill import NOT_LIMITED, Plan, act
from argosy.conformance.observing.trial import Trial
from argosy.conformance.scenes.drills import SlowStart
from argosy.contract import INVOCATION
from argosy.simulator.containers.container import Launch

_PROCESS: Final = "process"


def play(plan: Plan) -> SlowStart | str:
    """Start a container slowly, and invoke it as soon as a health check is 200."""
    severity, bench = plan.severity, plan.bench
    slow = replace(bench, startup_s=min(bench.startup_s, severity.slow_start_s))
    with Trial(slow, Launch(model_dir=bench.model_dir, cpus=severity.cpus)) as trial:
        if trial.container.kind == _PROCESS:
            return NOT_LIMITED
        start = trial.start()
        first = trial.send(plan.baseline.request, INVOCATION.value) if start.is_healthy else None
        is_as_before = first is not None and plan.is_as_before(first)
    return SlowStart(plan.baseline, start, first, is_as_before, severity.cpus, severity.late_port_s)


ACT: Final = act("slow start", SlowStart, play)
