"""Model processes that cannot be started just now; the template's part is played by the test."""

import asyncio
import errno
import os
import socket
from pathlib import Path
from typing import cast

from argosy.serving.arena import Arena
from argosy.serving.front.metrics import Metrics
from argosy.serving.pool.pool import Pool
from argosy.serving.pool.readiness import State
from argosy.serving.pool.template_link import ForkOwner, Template, pause_after
from argosy.serving.settings import Settings


class Full:
    """Has no room for a process at first."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.asked = 0
        self.ends: list[socket.socket] = []

    def add(self, owner: ForkOwner) -> None:
        return

    def remove(self, owner: ForkOwner) -> None:
        return

    def next_number(self) -> int:
        return 1

    def fork(self, owner: ForkOwner, number: int, seat: int, seats: int, model_dir: Path) -> socket.socket:
        self.asked += 1
        if self.asked <= self.refusals:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        ours, theirs = socket.socketpair()
        self.ends.append(theirs)
        return ours


async def asked_until_there_is_room(refusals: int) -> tuple[int, State]:
    arena, template = Arena(1 << 20), Full(refusals)
    pool = Pool(Settings(workers=1), arena, cast("Template", template), Metrics(), lambda: None)
    pool.start()
    async with asyncio.timeout(10):
        while not template.ends:
            assert not pool.can_serve
            await asyncio.sleep(0.01)
    state = pool.state
    pool.close()
    template.ends[0].close()
    return template.asked, state


def test_what_cannot_be_started_is_tried_again_and_is_no_reason_to_give_up() -> None:
    assert asyncio.run(asked_until_there_is_room(3)) == (4, State.STARTING)


def test_pauses_grow_to_a_bound() -> None:
    pauses = [pause_after(failures) for failures in range(2000)]
    assert pauses == sorted(pauses)
    assert (pauses[1], pauses[-1]) == (0.1, 5.0)
