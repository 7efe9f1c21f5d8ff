"""A plan for people: what is called with what, as a difference to what is there; for 80 columns, without colour."""

import json
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, Final

from argosy.aws.call import Call
from argosy.planning.plan import Plan
from argosy.planning.step import Change, Kind, Later

_SIGNS: Final = {Kind.CREATE: "+", Kind.UPDATE: "~", Kind.DELETE: "-", Kind.WAIT: ".", Kind.NOTHING: "="}
_COLUMNS: Final = 80
_LONGEST: Final = 400
_ABSENT: Final = object()
_CALL_INDENT: Final = "    "
_NOTE_INDENT: Final = "      "


def plan_text(plan: Plan) -> str:
    """The plan, a block for each step.

    `+` creates, `~` updates, `-` deletes, `.` waits for what was begun, `=` is there already, `!` is in the way. Lines
    are wrapped between words: an ARN stays whole. What cannot be printed is escaped: a product's title steers no
    terminal.
    """
    lines = [line for change in plan.changes for line in _block(change)]
    counted = ", ".join(
        f"{count} to {kind}"
        for kind in (Kind.CREATE, Kind.UPDATE, Kind.DELETE, Kind.WAIT)
        if (count := sum(change.kind is kind for change in plan.changes))
    )
    lines.append(f"plan: {counted or 'nothing to do'}")
    for consent in plan.consents:
        lines += _wrapped("asks first: ", f"{consent.sentence} ({consent.risk.value})")
    for change in plan.changes:
        if change.obstacle is not None:
            lines += _wrapped("in the way: ", f"{change.title}: {change.obstacle.what}")
            lines.append(f"      hint: {change.obstacle.hint}")
    return "\n".join(lines) + "\n"


def _block(change: Change) -> Iterator[str]:
    sign = _SIGNS[change.kind] if change.obstacle is None else "!"
    yield from _wrapped(f"{sign} ", change.title)
    for note in change.notes:
        yield from _wrapped(_NOTE_INDENT, note)
    for number, call in enumerate(change.writes):
        yield f"{_CALL_INDENT}{call.action} ({call.region})"
        above = change.writes[number - 1] if number else None
        if above is not None and above.action == call.action:
            yield from _again(call, above)
        else:
            yield from _request(call, change.before if number == 0 else {})


def _request(call: Call, before: Mapping[str, Any]) -> Iterator[str]:
    """The members of a request; of those that are there already only how many they are."""
    lines = list(_members(call.parameters, before, 0))
    yield from (line for line in lines if line)
    if same := lines.count(""):
        yield f"{_NOTE_INDENT}= {same} unchanged"


def _again(call: Call, above: Call) -> Iterator[str]:
    """What a request says otherwise than the one before it, as where the same is judged first and then done."""
    other = {name: value for name, value in call.parameters.items() if above.parameters.get(name, _ABSENT) != value}
    yield from _members(other, {}, 0)
    if same := len(call.parameters) - len(other):
        yield f"{_NOTE_INDENT}= {same} as in the call above"


def _members(wanted: Any, before: Any, depth: int) -> Iterator[str]:
    """Lines; an empty one for each leaf that is as it was. Any: JSON with `Later` in it."""
    for name, value, found in _pairs(wanted, before):
        if _has_members(value):
            inner = list(_members(value, found, depth + 1))
            if any(inner):
                yield f"{_NOTE_INDENT}  {'  ' * depth}{_printable(name)}:"
            yield from inner
        elif found is _ABSENT:
            yield from _wrapped(f"{_NOTE_INDENT}+ {'  ' * depth}", f"{name}: {_shown(value)}")
        elif found != value:
            yield from _wrapped(f"{_NOTE_INDENT}~ {'  ' * depth}", f"{name}: {_shown(found)} -> {_shown(value)}")
        else:
            yield ""


def _pairs(wanted: Any, before: Any) -> Iterator[tuple[str, Any, Any]]:
    """Each member of a structure, or structure of a list, with what is there of it."""
    if isinstance(wanted, Mapping):
        is_there = isinstance(before, Mapping)
        for name, value in wanted.items():
            yield str(name), value, before.get(name, _ABSENT) if is_there else _ABSENT
        return
    there = before if isinstance(before, list | tuple) else ()
    for number, value in enumerate(wanted):
        yield f"[{number}]", value, there[number] if number < len(there) else _ABSENT


def _has_members(value: Any) -> bool:
    if isinstance(value, Mapping):
        return bool(value)
    return isinstance(value, list | tuple) and any(isinstance(inner, Mapping | list | tuple) for inner in value)


def _shown(value: Any) -> str:
    if isinstance(value, Later):
        return str(value)
    if isinstance(value, Mapping | list | tuple) and not _has_members(value):
        shown = "{}" if isinstance(value, Mapping) else f"[{', '.join(map(_shown, value))}]"
    else:
        shown = json.dumps(value, ensure_ascii=False, default=str)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}... ({len(shown)} characters)"


def _wrapped(head: str, text: str) -> list[str]:
    """A line, or several of which those below stand further to the right."""
    return textwrap.wrap(
        _printable(text),
        _COLUMNS,
        initial_indent=head,
        subsequent_indent=" " * len(head) + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    ) or [head.rstrip()]


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else f"\\u{ord(sign):04x}" for sign in text)
