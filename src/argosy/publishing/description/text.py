"""A description for people, readable at 80 columns: each field, its text, and who says it."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from argosy.conformance.probes import printable
from argosy.marketplace.listing import Sample, Usage
from argosy.marketplace.table import Marketplace
from argosy.publishing.description.completed import completed
from argosy.publishing.description.description import Description

WIDTH: Final = 80
_INDENT: Final = "  "
_SHOWN_SAMPLE: Final = 400
_OWN: Final = "argosy.toml"
_FOUND: Final = "found out"
_ELSEWHERE: Final = frozenset({"notebook", "notebook_url", "repository_url"})
"""What no run of an image can tell."""


def to_text(table: Marketplace | None, description: Description) -> str:
    """What would be said of a product: what was found out, unless argosy.toml says it.

    Args:
        table: What the seller says; None for an image that belongs to no project.
        description: What was found out.
    """
    said = table or Marketplace()
    whole = completed(said, description)
    lines = [*_head(description)]
    lines += _field("listing.speed", whole.listing.speed, _who(said.listing.speed, whole.listing.speed))
    for path, own, text in _texts("usage", said.usage, whole.usage):
        lines += _field(path, text, _who(own, text))
    for note in description.notes:
        lines += ["", *textwrap.wrap(f"note: {note}", WIDTH, subsequent_indent=_INDENT)]
    return "\n".join(lines) + "\n"


def to_document(table: Marketplace | None, description: Description) -> dict[str, Any]:
    """The same as JSON has it: the description, and the two tables as they would be said.

    Args:
        table: What the seller says; None for an image that belongs to no project.
        description: What was found out.
    """
    whole = completed(table or Marketplace(), description)
    return {
        "description": msgspec.to_builtins(description),
        "listing": {"speed": whole.listing.speed},
        "usage": msgspec.to_builtins(whole.usage),
    }


def _head(description: Description) -> Iterator[str]:
    yield description.target
    if description.digest:
        yield f"{_INDENT}{description.digest}"
    yield f"{_INDENT}described {description.made_at}, run by {description.limits.container}"


def _texts(path: str, said: msgspec.Struct, whole: msgspec.Struct) -> Iterator[tuple[str, object, object]]:
    """The path of each field, what the seller says in it, and what would be said."""
    for name in whole.__struct_fields__:
        own, other = getattr(said, name), getattr(whole, name)
        if isinstance(whole, Usage) and name in _ELSEWHERE:
            continue
        if isinstance(other, msgspec.Struct) and not isinstance(other, Sample):
            yield from _texts(f"{path}.{name}", own, other)
        else:
            yield f"{path}.{name}", own, other


def _who(own: object, whole: object) -> str:
    if whole in ("", (), Sample(), None):
        return "not known"
    return _OWN if own == whole else _FOUND


def _field(path: str, value: object, who: str) -> Iterator[str]:
    yield ""
    yield f"{path}  ({who})"
    if isinstance(value, tuple):
        for one in value:
            yield from _wrapped(_parameter(msgspec.to_builtins(one)))
    elif isinstance(value, Sample):
        yield from _sample(value)
    else:
        yield from _wrapped(str(value or ""))


def _sample(sample: Sample) -> Iterator[str]:
    text = sample.text or ""
    left = len(text) - _SHOWN_SAMPLE
    yield from _wrapped(text[:_SHOWN_SAMPLE] + (f" ... {left:,} characters more" if left > 0 else ""))
    yield from (f"{_INDENT}{place}" for place in (sample.url, sample.file) if place is not None)


def _parameter(said: Mapping[str, Any]) -> str:
    flags = [text for key, text in (("required", "required"), ("always_returned", "always returned")) if said.get(key)]
    told = [f"{said['name']}{f' ({flags[0]})' if flags else ''}:", said["description"], said["constraints"]]
    return " ".join(text for text in told if text)


def _wrapped(text: str) -> Iterator[str]:
    """The lines of a text, with nothing that could steer a terminal; code, which is indented, is not broken."""
    for line in map(printable, text.splitlines()):
        if line.startswith("    ") or not line:
            yield f"{_INDENT}{line}".rstrip()
        else:
            hang = _INDENT * 2 if line.startswith("- ") else _INDENT
            yield from textwrap.wrap(
                line, WIDTH, initial_indent=_INDENT, subsequent_indent=hang, break_on_hyphens=False
            )
