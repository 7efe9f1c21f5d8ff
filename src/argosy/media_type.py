"""Content-Type and Accept, parsed and matched as RFC 9110 says (sections 8.3 and 12.5.1)."""

import mimetypes
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Final

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_TYPE = re.compile(rf"[ \t]*({_TOKEN})/({_TOKEN})[ \t]*")
_PARAMETER = re.compile(rf';[ \t]*(?:({_TOKEN})[ \t]*=[ \t]*({_TOKEN}|"(?:[^"\\]|\\.)*")[ \t]*)?')
_SUFFIXES: Final = {
    ".csv": "text/csv",
    ".jsonl": "application/jsonlines",
    ".ndjson": "application/jsonlines",
    ".npy": "application/x-npy",
    ".npz": "application/x-npz",
    ".parquet": "application/x-parquet",
}
"""What SageMaker calls by names that no registry has, or not every machine."""


@dataclass(frozen=True, slots=True)
class MediaType:
    """One media type with its parameters, type and subtype and parameter names in lower case.

    Attributes:
        type: Left of the slash, or `*` in a range.
        subtype: Right of the slash, or `*` in a range.
        parameters: Names and values in order, without `q`.
        quality: The weight of an Accept range, 0 to 1; 1 elsewhere.
    """

    type: str
    subtype: str
    parameters: tuple[tuple[str, str], ...] = ()
    quality: float = 1.0

    @property
    def essence(self) -> str:
        """`type/subtype`, the part that chooses a codec."""
        return f"{self.type}/{self.subtype}"

    def parameter(self, name: str) -> str | None:
        """The first value of a parameter, or None."""
        return next((value for key, value in self.parameters if key == name), None)

    def matches(self, essence: str) -> bool:
        """Whether this media range covers `type/subtype`."""
        type_, _, subtype = essence.partition("/")
        return self.type in ("*", type_) and self.subtype in ("*", subtype)

    @property
    def specificity(self) -> int:
        """0 for `*/*`, 1 for `type/*`, 2 for a whole type, more with parameters: the more specific range wins."""
        return (self.type != "*") + (self.subtype != "*") + len(self.parameters)

    def __str__(self) -> str:
        return "; ".join([self.essence, *(f"{key}={value}" for key, value in self.parameters)])


@lru_cache(maxsize=512)
def parse(text: str) -> MediaType | None:
    """A Content-Type header field, or None when it is not a media type.

    >>> parse("Text/CSV; charset=utf-8; label_size=0").essence
    'text/csv'
    >>> parse("csv") is None
    True
    """
    found = _TYPE.match(text)
    if found is None:
        return None
    parsed = _parameters(text, found.end())
    if parsed is None:
        return None
    parameters, end = parsed
    if end != len(text):
        return None
    return _media_type(found, parameters)


@lru_cache(maxsize=512)
def parse_accept(text: str) -> tuple[MediaType, ...]:
    """The media ranges of an Accept header field, in the order given; those that cannot be parsed are left out.

    An empty field means anything, as an absent one does (RFC 9110 12.5.1).

    >>> [str(r) for r in parse_accept("text/csv;q=0.5, application/json")]
    ['text/csv', 'application/json']
    """
    ranges: list[MediaType] = []
    position = 0
    while position < len(text):
        found = _TYPE.match(text, position)
        parsed = _parameters(text, found.end()) if found else None
        if found and parsed and (parsed[1] == len(text) or text[parsed[1]] == ","):
            ranges.append(_media_type(found, parsed[0]))
            position = parsed[1] + 1
        else:
            comma = text.find(",", position)
            position = len(text) if comma < 0 else comma + 1
    return tuple(ranges) if text.strip() else (MediaType("*", "*"),)


@lru_cache(maxsize=512)
def rank(accept: str | None, offered: tuple[str, ...]) -> tuple[str, ...]:
    """The offered types that an Accept header field covers, best first; equals keep the order of the offer.

    Args:
        accept: The header field, None when it was not sent.
        offered: Essences in the server's own order of preference.

    >>> rank("text/*;q=0.9, application/json;q=0.1", ("application/json", "text/csv"))
    ('text/csv', 'application/json')
    >>> rank("image/png", ("application/json",))
    ()
    """
    if accept is None:
        return offered
    ranges = parse_accept(accept)
    weighed: list[tuple[float, str]] = []
    for essence in offered:
        covering = [r for r in ranges if r.matches(essence)]
        quality = max(covering, key=lambda r: r.specificity).quality if covering else 0.0
        if quality > 0:
            weighed.append((quality, essence))
    weighed.sort(key=lambda pair: -pair[0])
    return tuple(essence for _, essence in weighed)


def of_suffix(name: str) -> str | None:
    """The media type that a file's suffix tells, as SageMaker's samples call it; None where it tells none.

    >>> of_suffix("cases/one.CSV"), of_suffix("one.json"), of_suffix("one")
    ('text/csv', 'application/json', None)
    """
    suffix = PurePosixPath(name).suffix.lower()
    return _SUFFIXES.get(suffix) or mimetypes.guess_type(f"x{suffix}")[0]


def _parameters(text: str, position: int) -> tuple[tuple[tuple[str, str], ...], int] | None:
    """The parameters from `position` on and where they end, or None when a semicolon is followed by garbage."""
    found: list[tuple[str, str]] = []
    while position < len(text) and text[position] == ";":
        match = _PARAMETER.match(text, position)
        if match is None:
            return None
        name, value = match.group(1), match.group(2)
        if name is not None:
            if value.startswith('"'):
                value = re.sub(r"\\(.)", r"\1", value[1:-1])
            found.append((name.lower(), value))
        position = match.end()
    return tuple(found), position


def _media_type(found: re.Match[str], parameters: tuple[tuple[str, str], ...]) -> MediaType:
    quality = 1.0
    for name, value in parameters:
        if name == "q":
            try:
                quality = min(1.0, max(0.0, float(value)))
            except ValueError:
                quality = 0.0
    kept = tuple(p for p in parameters if p[0] != "q")
    return MediaType(found.group(1).lower(), found.group(2).lower(), kept, quality)
