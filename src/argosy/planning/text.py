"""A plan for people: what is called with what, as a difference to what is there; 80 columns are enough."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from argosy.planning.plan import Plan
from argosy.planning.step import Change, Kind, Later

_SIGNS: Final = {Kind.CREATE: "+", Kind.UPDATE: "~", Kind.DELETE: "-", Kind.WAIT: ".", Kind.NOTHING: "="}
_LONGEST: Final = 400
_ABSENT: Final = object()


def plan_text(plan: Plan) -> str:
    """The plan, a block for each step.

    `+` creates, `~` updates, `-` deletes, `.` waits for what was begun, `=` is there already.
    """
    lines = [line for change in plan.changes for line in _block(change)]
    counted = ", ".join(
        f"{count} to {kind}"
        for kind in (Kind.CREATE, Kind.UPDATE, Kind.DELETE, Kind.WAIT)
        if (count := sum(change.kind is kind for change in plan.changes))
    )
    lines.append(f"plan: {counted or 'nothing to do'}")
    lines += [f"asks first: {consent.sentence} ({consent.risk.value})" for consent in plan.consents]
    return "\n".join(lines) + "\n"


def _block(change: Change) -> Iterator[str]:
    sign = _SIGNS[change.kind]
    yield f"{sign} {change.title}"
    for note in change.notes:
        yield f"      {note}"
    for call in change.writes:
        yield f"    {call.action} ({call.region})"
        before = change.before if call is change.writes[0] else {}
        yield from _members(call.parameters, before, "      ")


def _members(wanted: Mapping[str, Any], before: Any, indent: str) -> Iterator[str]:
    """The leaves of a request; of what is there already only that it is."""
    same = 0
    for path, value in _leaves(wanted, ""):
        found = _at(before, path)
        if found is _ABSENT:
            yield f"{indent}+ {path} = {_shown(value)}"
        elif found != value:
            yield f"{indent}~ {path} = {_shown(found)} -> {_shown(value)}"
        else:
            same += 1
    if same:
        yield f"{indent}= {same} unchanged"


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple) and any(isinstance(inner, Mapping) for inner in value):
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{number}]")
    else:
        yield path, value


def _at(tree: Any, path: str) -> Any:
    for found, value in _leaves(tree, ""):
        if found == path:
            return value
    return _ABSENT


def _shown(value: Any) -> str:
    if isinstance(value, Later):
        return str(value)
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... ({len(text)} characters)"
