r"""Heads of requests that were parsed before: the same bytes mean the same, and most clients send few different heads.

A head is remembered after the parser has taken a whole request from one read, and only when the parser and a plain
search for `\r\n\r\n` agree on where the head ends and the body begins: then the same bytes, followed by as many, are
the same request, and nothing about them is left to find out. Everything else goes through the parser, every time.
"""

from typing import Final, NamedTuple

_LONGEST: Final = 1024
"""Bytes of a head that is remembered: longer ones mostly hold something that is new each time."""
_MOST: Final = 256


class KnownHead(NamedTuple):
    """What a head said.

    Attributes:
        fields: What goes to the model process, as `frames` has it.
        size: Bytes of the body.
        is_ping: Whether it is `GET /ping`; else it is `POST /invocations`.
    """

    fields: bytes
    size: int
    is_ping: bool


class KnownHeads:
    """The heads that one server has seen lately."""

    def __init__(self) -> None:
        self._known: dict[bytes, KnownHead] = {}

    def end(self, data: bytes) -> int:
        r"""Where the body begins in what was read, 0 when that cannot be told.

        >>> KnownHeads().end(b"GET /ping HTTP/1.1\r\n\r\n")
        22
        """
        found = data.find(b"\r\n\r\n", 0, _LONGEST)
        return found + 4 if found > 0 else 0

    def find(self, head: bytes) -> KnownHead | None:
        """What a head said the last time."""
        return self._known.get(head)

    def remember(self, head: bytes, known: KnownHead) -> None:
        """A head was parsed."""
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[head] = known
