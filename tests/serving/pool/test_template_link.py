"""The template as the front knows it; its part is played by the test."""

import asyncio
import errno
import signal
import socket
from pathlib import Path
from typing import cast

import orjson
import pytest

from argosy.serving import memory
from argosy.serving.pool.template_link import ForkOwner, Template


async def starts_until_there_is_room() -> int:
    starts = 0
    ends: list[socket.socket] = []

    def spawn() -> tuple[int, socket.socket]:
        nonlocal starts
        starts += 1
        if starts in (2, 3):
            raise OSError(errno.EAGAIN, "Resource temporarily unavailable")
        ours, theirs = socket.socketpair()
        ends.append(theirs)
        return 0, ours

    template = Template(spawn)
    template.start()
    ends[0].close()
    async with asyncio.timeout(10):
        while len(ends) < 2:
            await asyncio.sleep(0.01)
    template.close()
    ends[1].close()
    return starts


class Forks:
    """Asks for model processes, and hears nothing of them."""

    def on_forked(self, number: int, pid: int) -> None:
        return

    def on_exited(self, number: int) -> None:
        return


async def are_ends_of_memory(codes: list[int], killed: list[int], monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether memory is said to have ended processes with these exit codes; `killed` is what the kernel counts."""
    count = 0
    monkeypatch.setattr(memory, "killed", lambda: count)
    ours, theirs = socket.socketpair()
    template = Template(lambda: (0, ours))
    template.start()
    owner = cast("ForkOwner", Forks())
    template.add(owner)
    found = []
    for place, code in enumerate(codes):
        number = template.next_number()
        link = template.fork(owner, number, 0, 1, Path())
        assert link is not None
        count = killed[place]
        for message in ({"event": "forked", "number": number, "pid": number}, {"event": "exited", "pid": number}):
            theirs.sendall(orjson.dumps({**message, "code": code}) + b"\n")
        end = await template.end_of_lost(number)
        assert end is not None
        found.append(end.is_memory)
        link.close()
    template.close()
    theirs.close()
    return found


@pytest.mark.parametrize(
    ("codes", "killed", "expected"),
    [
        ([-signal.SIGKILL] * 3, [2, 2, 2], [True, True, False]),
        ([3, -signal.SIGKILL], [1, 1], [False, False]),
        ([-signal.SIGKILL] * 2, [0, 1], [False, True]),
    ],
    ids=["two at a time", "a child of one that exits", "by somebody, then by the kernel"],
)
def test_each_kill_for_memory_explains_one_end(
    codes: list[int], killed: list[int], expected: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asyncio.run(are_ends_of_memory(codes, killed, monkeypatch)) == expected


def test_a_template_that_cannot_be_started_again_is_tried_again() -> None:
    assert asyncio.run(starts_until_there_is_room()) == 4
