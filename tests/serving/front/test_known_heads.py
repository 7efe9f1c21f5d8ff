"""A head that is known is taken without the parser, and nobody can tell."""

import asyncio
from collections.abc import Iterator
from typing import Any, cast

import pytest
import uvicorn
from hypothesis import example, given, settings
from hypothesis import strategies as st
from uvicorn.server import ServerState

from argosy.serving.arena import Arena
from argosy.serving.front.connections import Connections
from argosy.serving.front.known_heads import KnownHead, KnownHeads
from argosy.serving.front.requests import BodyRoom
from argosy.serving.front.short_path import ShortPath
from argosy.serving.pool.invocation import Invocation
from argosy.serving.pool.pool import Pool

MOST = 100_000


class Forgetful(KnownHeads):
    """Never knows a head: everything is parsed."""

    def remember(self, head: bytes, known: KnownHead) -> None:
        return


class Counting(KnownHeads):
    """Counts how often a head was known."""

    hits = 0

    def find(self, head: bytes) -> KnownHead | None:
        found = super().find(head)
        self.hits += found is not None
        return found


class EchoPool:
    """Answers at once: fields, a bar, and the body."""

    can_serve = True

    def __init__(self, arena: Arena) -> None:
        self.arena = arena
        self.arena_view = arena.view
        self.receiving = 0

    def admit(self) -> bool:
        self.receiving += 1
        return True

    def withdraw(self) -> None:
        self.receiving -= 1

    def abandon(self, invocation: Invocation) -> None:
        return

    def submit(self, invocation: Invocation, *, is_admitted: bool) -> None:
        self.receiving -= is_admitted
        body = invocation.body
        if invocation.block is not None:
            start = invocation.block.offset
            body = bytes(self.arena_view[start : start + invocation.size])
            invocation.block.free()
        assert len(body) == invocation.size
        invocation.answer(200, b"text/plain", invocation.fields + b"|" + body, None)


class Wire(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.closed = False

    def write(self, data: Any) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        return

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def pause_reading(self) -> None:
        return

    def resume_reading(self) -> None:
        return


async def refused(scope: Any, receive: Any, send: Any) -> None:
    """Stands for all that is not the short path."""
    await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


def said(reads: list[bytes], heads: KnownHeads) -> tuple[bytes, bool, int]:
    """What a connection answers to these reads: its bytes, whether it was closed, and what is still being received."""

    async def talk() -> tuple[bytes, bool, int]:
        arena = Arena(1 << 20)
        pool = EchoPool(arena)
        bound = ShortPath.bound(
            pool=cast("Pool", pool), watched=Connections(10), room=BodyRoom(MOST), max_body_bytes=MOST, heads=heads
        )
        config = uvicorn.Config(refused, http=bound, loop="none", lifespan="off", interface="asgi3", log_config=None)
        connection = bound(config, ServerState(), {}, asyncio.get_running_loop())
        wire = Wire()
        connection.connection_made(wire)
        for data in reads:
            if wire.closed:
                break
            connection.data_received(data)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        connection.connection_lost(None)
        await asyncio.sleep(0)
        said = bytes(wire.written), wire.closed, pool.receiving
        del connection, pool
        return said

    return asyncio.run(talk())


def request(body: bytes, *more: bytes, length: int | None = None) -> bytes:
    head = (b"POST /invocations HTTP/1.1", b"Content-Length: %d" % (len(body) if length is None else length), *more)
    return b"\r\n".join((*head, b"", body))


PLAIN = request(b"12345", b"Content-Type: text/csv")
OTHER = request(b"abcde", b"Content-Type: text/csv")
PING = b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKED = b"POST /invocations HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
LONG_WAY = b"GET /elsewhere HTTP/1.1\r\n\r\n"
pieces = st.sampled_from(
    [
        PLAIN,
        OTHER,
        PING,
        CHUNKED,
        LONG_WAY,
        request(b"", b"Content-Type: text/csv"),
        request(b"x" * 70_000),
        request(b"y" * 70_000),
        request(b"12345", b"Accept: text/csv", b"X-Amzn-SageMaker-Inference-Id: 7"),
        request(b"12345", b"Connection: close"),
        request(b"12345", b"Connection: keep-alive"),
        request(b"12345", b"Expect: 100-continue"),
        request(b"12", length=5),
        request(b"1\r\n\r\n5"),
        b"\r\n",
        b"\n\n",
        b"garbage\r\n\r\n",
        b"POST /invocations HTTP/1.1\nContent-Length: 5\n\n12345",
        b"POST /invocations HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n12345",
        b"POST /invocations HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n12345",
        b"POST /invocations HTTP/1.0\r\nContent-Length: 5\r\n\r\n12345",
    ]
)


@st.composite
def conversations(draw: st.DrawFn) -> list[bytes]:
    """A few requests, several times over, in reads that mostly hold one request each."""
    sent = draw(st.lists(pieces, min_size=1, max_size=4)) * draw(st.integers(1, 3))
    reads: list[bytes] = []
    for one in sent:
        how = draw(st.integers(0, 5))
        if how == 0 and reads:
            reads[-1] += one
        elif how == 1:
            cut = draw(st.integers(0, len(one)))
            reads += [one[:cut], one[cut:]]
        else:
            reads.append(one)
    return [read for read in reads if read]


@settings(max_examples=150, deadline=None)
@given(conversations())
@example([PLAIN, OTHER, PLAIN + OTHER, OTHER[:-2], OTHER[-2:], PING, PING, LONG_WAY, PLAIN])
@example([PLAIN, b"POST /invocations HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n12345"])
def test_nobody_can_tell_a_known_head_from_a_parsed_one(reads: list[bytes]) -> None:
    known = Counting()
    said(reads, known)  # another client of the same server sent the same before
    assert said(reads, known) == said(reads, Forgetful())


@pytest.fixture
def heads() -> Iterator[Counting]:
    yield Counting()


def test_the_same_head_is_parsed_once(heads: Counting) -> None:
    written, _, _ = said([PLAIN, OTHER, PING, PING], heads)
    assert heads.hits == 2
    assert b"|12345HTTP" in written and b"|abcdeHTTP" in written


@pytest.mark.parametrize(
    "reads",
    [
        pytest.param([CHUNKED, CHUNKED], id="a body without a length"),
        pytest.param([PLAIN + OTHER, PLAIN + OTHER], id="two requests in one read"),
        pytest.param([request(b"12345", b"Connection: keep-alive, x")] * 2, id="what the long way takes"),
        pytest.param([request(b"1", b"X-Long: " + b"x" * 2000)] * 2, id="a long head"),
        pytest.param([request(b"x" * (MOST + 1))] * 2, id="a body that is refused"),
    ],
)
def test_what_is_not_remembered(heads: Counting, reads: list[bytes]) -> None:
    said(reads, heads)
    assert heads.hits == 0


def test_no_more_heads_are_kept_than_there_is_room_for(heads: Counting) -> None:
    said([request(b"1", b"X-Number: %d" % number) for number in range(1000)], heads)
    assert len(heads._known) <= 256
