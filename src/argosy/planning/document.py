"""A plan for programs."""

from collections.abc import Mapping
from typing import Any

from argosy.aws.call import Call
from argosy.planning.plan import Plan
from argosy.planning.step import Change, Later


def plan_document(plan: Plan) -> dict[str, Any]:
    """The plan as JSON: each step with its calls, what is there before them, and what has to be agreed to."""
    return {"version": 1, "steps": [_step(change) for change in plan.changes]}


def _step(change: Change) -> dict[str, Any]:
    consent = change.consent
    return {
        "key": change.key,
        "title": change.title,
        "change": change.kind.value,
        "calls": [_call(call) for call in change.writes],
        "before": _plain(change.before),
        "consent": None if consent is None else {"risk": consent.risk.value, "sentence": consent.sentence},
        "notes": list(change.notes),
        "outputs": dict(change.outputs),
    }


def _call(call: Call) -> dict[str, Any]:
    return {
        "service": call.service,
        "operation": call.operation,
        "region": call.region,
        "parameters": _plain(call.parameters),
    }


def _plain(value: Any) -> Any:
    """JSON, with `{"known_after": STEP, "output": NAME}` for what is not known yet. Any: a request of any shape."""
    if isinstance(value, Later):
        return {"known_after": value.step, "output": value.name}
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
