"""The queue before a model process whose part is played by the test."""

import asyncio
import socket
from pathlib import Path
from typing import cast

from argosy.serving import frames
from argosy.serving.arena import Arena, Block
from argosy.serving.frames import INLINE, FrameReader, InvocationItem, Timings
from argosy.serving.front.metrics import Metrics
from argosy.serving.pool.invocation import Invocation
from argosy.serving.pool.pool import Pool
from argosy.serving.pool.template_link import ForkOwner, Template
from argosy.serving.settings import Settings

LOADED = {"event": "loaded", "is_concurrent": False, "capacity": 1, "joins": False}
QUICK = Timings(1, 1e-6, 1e-6, 1e-6)
SLOW = Timings(1, 0.0, 1.0, 0.0)
"""Of a model for which several invocations never share a frame."""


class Asked(Invocation):
    """An invocation that only notes how it was answered."""

    status = 0

    def answer(self, status: int, head: bytes, body: bytes | memoryview, block: Block | None) -> None:
        self.status = status

    def begin(self, status: int, head: bytes, part: bytes) -> None:
        raise AssertionError

    def send_part(self, part: bytes) -> None:
        raise AssertionError

    def end(self) -> None:
        raise AssertionError

    def break_off(self, last: bytes) -> None:
        raise AssertionError


class OneProcess:
    """Stands for the template: its one model process is the other end of a socket pair."""

    def __init__(self) -> None:
        self.front, self.end = socket.socketpair()
        self.end.setblocking(False)

    def add(self, owner: ForkOwner) -> None:
        return

    def remove(self, owner: ForkOwner) -> None:
        return

    def loaded(self) -> None:
        return

    async def end_of_lost(self, number: int) -> None:
        return

    def fork(self, owner: ForkOwner, number: int, seat: int, seats: int, model_dir: Path) -> socket.socket:
        return self.front

    def next_number(self) -> int:
        return 1

    async def take(self) -> list[InvocationItem]:
        """The next frame of invocations."""
        ((count, payload),) = FrameReader().feed(await asyncio.get_running_loop().sock_recv(self.end, 65_536))
        return list(frames.unpack_invocations(count, payload).items())

    async def say(self, frame: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.end, frame)


async def batch_when_closed() -> list[int]:
    arena, process = Arena(1 << 20), OneProcess()
    pool = Pool(Settings(workers=1), arena, cast("Template", process), Metrics(), lambda: None)
    pool.start()
    await process.say(frames.pack_message(LOADED))
    async with asyncio.timeout(10):
        while not pool.can_serve:
            await asyncio.sleep(0.001)
        asked = [Asked(b"\n", b"1", None, 1) for _ in range(4)]
        pool.submit(asked[0], is_admitted=False)
        ((number, *_),) = await process.take()
        await process.say(frames.pack_answers([(number, 200, b"text/plain", b"1", INLINE, 1)], QUICK))
        while not asked[0].status:
            await asyncio.sleep(0.001)
        for one in asked[1:]:
            pool.submit(one, is_admitted=False)
        assert len(await process.take()) == 3
        pool.drain()
        pool.close()
        while not all(one.status for one in asked):
            await asyncio.sleep(0.001)
    process.end.close()
    return [one.status for one in asked]


def test_what_is_still_predicted_together_when_time_is_up_is_503() -> None:
    assert asyncio.run(batch_when_closed()) == [200, 503, 503, 503]


async def order_of_answers() -> list[bytes]:
    """What is asked of the one process, in order, when sessions and others wait for it in turn."""
    arena, process = Arena(1 << 20), OneProcess()
    pool = Pool(Settings(workers=1), arena, cast("Template", process), Metrics(), lambda: None)
    pool.start()
    await process.say(frames.pack_message(LOADED))
    found: list[bytes] = []
    async with asyncio.timeout(10):
        while not pool.can_serve:
            await asyncio.sleep(0.001)
        (link,) = pool.links
        for name in (b"pinned 1", b"pinned 2", b"any 1", b"pinned 3", b"any 2", b"any 3", b"pinned 4"):
            asked = Asked(b"\n", name, None, len(name))
            asked.pinned = link if name.startswith(b"pinned") else None
            pool.submit(asked, is_admitted=False)
        while len(found) < 7:
            taken = await process.take()
            found.append(b" + ".join(bytes(item.body) for item in taken))
            items = [(item.number, 200, b"text/plain", b"1", INLINE, 1) for item in taken]
            await process.say(frames.pack_answers(items, SLOW))
    pool.close()
    process.end.close()
    return found


def test_who_has_waited_for_longest_goes_first_whether_of_a_session_or_not() -> None:
    expected = [b"pinned 1", b"pinned 2", b"any 1", b"pinned 3", b"any 2", b"any 3", b"pinned 4"]
    assert asyncio.run(order_of_answers()) == expected
