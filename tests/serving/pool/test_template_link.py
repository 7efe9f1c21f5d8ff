"""The template as the front knows it; its part is played by the test."""

import asyncio
import errno
import socket

from argosy.serving.pool.template_link import Template


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


def test_a_template_that_cannot_be_started_again_is_tried_again() -> None:
    assert asyncio.run(starts_until_there_is_room()) == 4
