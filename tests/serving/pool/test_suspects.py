"""Who is handed what a lost process held; the links are real, their model processes are not there."""

import asyncio
import math
import socket
from collections import deque
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from argosy.serving import frames
from argosy.serving.arena import Block
from argosy.serving.frames import Piece, Timings
from argosy.serving.pool.invocation import Invocation
from argosy.serving.pool.model_link import ModelLink
from argosy.serving.pool.suspects import Suspects


class Asked(Invocation):
    """An invocation that nobody waits for."""

    def __init__(self, number: int) -> None:
        super().__init__(b"\n", b"%d" % number, None, 1)

    def answer(self, status: int, head: bytes, body: bytes | memoryview, block: Block | None) -> None:
        return

    def begin(self, status: int, head: bytes, part: bytes) -> None:
        return

    def send_part(self, part: bytes) -> None:
        return

    def end(self) -> None:
        return

    def break_off(self, last: bytes) -> None:
        return


class Owner:
    """Has the suspects, and hears nothing of its links."""

    arena_view = memoryview(b"")

    def __init__(self) -> None:
        self.suspects = Suspects()

    @property
    def is_asking_again(self) -> bool:
        return bool(self.suspects)

    def hand_out(self, links: Sequence[ModelLink]) -> None:
        self.suspects.hand_out(links, lambda link, group: link.send(group, 1.0))

    def on_message(self, link: ModelLink, message: dict[str, Any]) -> None:
        return

    def on_answers(
        self, invocations: Sequence[Invocation], status: int, sizes: Sequence[int], frame: tuple[int, Timings] | None
    ) -> None:
        return

    def on_frame(self, link: ModelLink, count: int, timings: Timings | None) -> None:
        return

    def on_room(self) -> None:
        return

    def stop_if_drained(self) -> None:
        return

    def on_lost(self, link: ModelLink) -> None:
        return


class Talking:
    """The front's end of a conversation that says nothing."""

    def take(self, piece: Piece) -> None:
        return


async def opened(owner: Owner, count: int) -> tuple[list[ModelLink], list[socket.socket]]:
    """Links to concurrent processes for eight invocations each, and the other ends."""
    links, ends = [], []
    for number in range(count):
        ours, theirs = socket.socketpair()
        link = ModelLink(owner, number, number)
        await link.open(ours)
        loaded = {"event": "loaded", "is_concurrent": True, "capacity": 8}
        link.data_received(frames.pack_message(loaded))
        links.append(link)
        ends.append(theirs)
    return links, ends


@given(st.integers(0, 200), st.booleans())
def test_groups_are_as_many_as_each_has_members_and_lose_nobody(count: int, is_concurrent: bool) -> None:
    lost = [Asked(number) for number in range(count)]
    suspects = Suspects()
    suspects.add(lost, is_concurrent=is_concurrent)
    most = math.isqrt(count) if is_concurrent else 1
    groups: list[list[Invocation]] = []

    def look(group: deque[Invocation]) -> list[Invocation]:
        groups.append(list(group))
        return []

    suspects.drain(look)
    assert [one for group in groups for one in group] == lost
    assert all(len(group) <= most for group in groups)
    assert all(one.is_suspect and one.is_alone == (len(group) == 1) for group in groups for one in group)


async def reserves() -> None:
    owner = Owner()
    (idle_talks, less, more), ends = await opened(owner, 3)
    links = [idle_talks, less, more]
    idle_talks.converse(Talking(), b"")
    less.send([Asked(1)], 0.0)
    more.send([Asked(2), Asked(3)], 0.0)
    owner.suspects.add([Asked(number) for number in range(4)], is_concurrent=True)
    owner.hand_out(links)
    assert [len(link.held) for link in links] == [0, 1, 2], "nothing is risked where somebody talks"
    assert [link.room(1) for link in links] == [8, 0, 6], "and one process is let run empty"
    more.take_held()
    owner.hand_out(links)
    assert [len(link.held) for link in links] == [0, 1, 2], "whoever is empty first takes a group"
    assert [link.room(1) for link in links] == [8, 0, 0]
    less.take_held()
    owner.hand_out(links)
    assert [len(link.held) for link in links] == [0, 2, 2]
    assert [link.room(1) for link in links] == [8, 0, 0], "which it has for itself"
    less.take_held()
    assert [link.room(1) for link in links] == [8, 8, 0]
    for end in ends:
        end.close()


def test_a_process_is_let_run_empty_for_what_is_asked_again() -> None:
    asyncio.run(reserves())
