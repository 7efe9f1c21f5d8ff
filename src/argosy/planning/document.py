"""A plan for programs: one object, whose schema is published as docs/reference/plan.schema.json.

What a field means, and that it is there, holds for as long as `schema` names the same version; fields may be added.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from argosy.aws.call import Call
from argosy.planning.plan import Plan
from argosy.planning.step import Change, Kind, Later, Risk

SCHEMA: Final = "argosy-plan-1"
"""The version of the document."""


class CallEntry(msgspec.Struct, frozen=True):
    """One call of AWS's API.

    Attributes:
        service: Its name in botocore.
        operation: As the API spells it.
        region: Where it is asked.
        parameters: The request; `{"known_after": STEP, "output": NAME}` stands for what is not known yet.
    """

    service: str
    operation: str
    region: str
    parameters: dict[str, Any]


class ConsentEntry(msgspec.Struct, frozen=True):
    """What somebody has to agree to.

    Attributes:
        risk: Why.
        sentence: What happens, with the price where there is one.
    """

    risk: Risk
    sentence: str


class ObstacleEntry(msgspec.Struct, frozen=True):
    """Why a plan cannot be carried out yet.

    Attributes:
        what: What is not as it has to be.
        hint: A command or an edit that mends it.
    """

    what: str
    hint: str


class StepEntry(msgspec.Struct, frozen=True):
    """One thing that shall be there, or shall not.

    Attributes:
        key: Its name in this plan, the same in each run.
        title: What it is about.
        change: What would happen; `wait`: it was begun by an earlier run.
        calls: What would be called to change something, in this order.
        reads: What looking and waiting call.
        before: What is there of what the first of `calls` says.
        consent: What has to be agreed to first, null for nothing.
        notes: Sentences for people.
        outputs: What the step gives, as far as that is known.
        obstacle: Why nothing of the plan can be done yet, null for nothing.
    """

    key: str
    title: str
    change: Kind
    calls: tuple[CallEntry, ...]
    reads: tuple[CallEntry, ...]
    before: dict[str, Any]
    consent: ConsentEntry | None
    notes: tuple[str, ...]
    outputs: dict[str, str]
    obstacle: ObstacleEntry | None


class Document(msgspec.Struct, frozen=True):
    """A plan.

    Attributes:
        schema: The version of this document.
        steps: In their order, those too that have nothing to do.
    """

    schema: Literal["argosy-plan-1"]
    steps: tuple[StepEntry, ...]


def schema() -> dict[str, Any]:
    """The JSON schema of the document, as docs/reference publishes it."""
    return msgspec.json.schema(Document)


def plan_document(plan: Plan) -> dict[str, Any]:
    """The plan as JSON: each step with its calls, what is there before them, and what has to be agreed to."""
    document = Document(SCHEMA, tuple(map(_step, plan.changes)))
    found: dict[str, Any] = msgspec.to_builtins(document)
    return found


def _step(change: Change) -> StepEntry:
    consent, obstacle = change.consent, change.obstacle
    return StepEntry(
        change.key,
        change.title,
        change.kind,
        tuple(map(_call, change.writes)),
        tuple(map(_call, change.reads)),
        _plain(change.before),
        None if consent is None else ConsentEntry(consent.risk, consent.sentence),
        change.notes,
        dict(change.outputs),
        None if obstacle is None else ObstacleEntry(obstacle.what, obstacle.hint),
    )


def _call(call: Call) -> CallEntry:
    return CallEntry(call.service, call.operation, call.region, _plain(call.parameters))


def _plain(value: Any) -> Any:
    """JSON, with an object in place of what is not known yet. Any: a request of any shape."""
    if isinstance(value, Later):
        return {"known_after": value.step, "output": value.name}
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
