"""Requests that ask for an upgrade in vain, cut into segments that a server reads one by one, and their answers."""

import http.client
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Final

from hypothesis import strategies as st

from tests.serving.raw_client import RawClient

UPGRADES: Final = {
    "websocket": b"Connection: Upgrade\r\nUpgrade: websocket\r\n",
    "h2c": b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAA\r\n",
    "several": b"upgrade: TLS/1.2, x\r\nconnection: keep-alive\r\nconnection: UPGRADE\r\n",
}
"""Header fields; `h2c` are those of Java's client."""


@dataclass(frozen=True)
class Talk:
    """What one connection sends, and the bodies of its requests."""

    segments: tuple[bytes, ...]
    bodies: tuple[bytes, ...]


def request(target: str, body: bytes, fields: bytes = b"", chunk: int = 0) -> bytes:
    """A POST of that body; in chunks of that many bytes when the number is given."""
    head = b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n%b" % (target.encode(), fields)
    if not chunk:
        return b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body)
    parts = (body[place : place + chunk] for place in range(0, len(body), chunk))
    framed = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    return b"%bTransfer-Encoding: chunked\r\n\r\n%b0\r\n\r\n" % (head, framed)


@st.composite
def talks(draw: st.DrawFn, target: str) -> Talk:
    """Some requests to one target, most with Upgrade, cut anywhere; bodies may look like requests themselves."""
    texts = st.one_of(
        st.binary(max_size=60),
        st.sampled_from((b"GET / HTTP/1.1\r\n\r\n", b"0\r\n\r\n", request(target, b"inner", UPGRADES["websocket"]))),
    )
    fields = st.sampled_from((b"", *UPGRADES.values()))
    asked = draw(st.lists(st.tuples(texts, fields, st.integers(0, 20)), min_size=1, max_size=4))
    whole = b"".join(request(target, *one) for one in asked)
    cuts = sorted(draw(st.sets(st.integers(1, len(whole) - 1), max_size=6)))
    ends = zip([0, *cuts], [*cuts, len(whole)], strict=True)
    return Talk(tuple(whole[start:end] for start, end in ends), tuple(body for body, _, _ in asked))


def answer(stream: BinaryIO) -> tuple[int, bytes]:
    """Status and body of the next answer that has a Content-Length."""
    status = int(stream.readline().split()[1])
    return status, stream.read(int(http.client.parse_headers(stream)["content-length"]))


def answers(port: int, talk: Talk, until_read: Callable[[], object]) -> list[tuple[int, bytes]]:
    """The answer to each request.

    Args:
        until_read: Returns when the server has read what was sent before: it reads its sockets in turn, so any answer
            over another connection will do.
    """
    with RawClient(port) as client:
        for segment in talk.segments:
            client.socket.sendall(segment)
            until_read()
        return [answer(client.stream) for _ in talk.bodies]
