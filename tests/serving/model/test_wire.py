"""What a model process sends: few frames, nothing lost, nothing overtaken."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator

import pytest

from argosy.serving import frames
from argosy.serving.arena import THRESHOLD
from argosy.serving.frames import ALIKE, BEGINS, BROKEN, END, INLINE, PART, FrameReader, Timings
from argosy.serving.model.pipeline import Answer
from argosy.serving.model.wire import Wire

QUICK = Timings(1, 0.0, 0.0, 0.0)


class Front:
    """The other end of the link."""

    def __init__(self, link: socket.socket) -> None:
        link.settimeout(10)
        self.link = link
        self._reader = FrameReader()
        self._frames: list[tuple[int, bytes]] = []

    def frame(self) -> tuple[int, bytes]:
        """The next frame."""
        while not self._frames:
            self._frames += self._reader.feed(self.link.recv(1 << 20))
        return self._frames.pop(0)

    def items(self) -> list[tuple[int, int, bytes]]:
        """Number, status and body of each item of the next frame."""
        items, _ = frames.unpack_answers(*self.frame())
        return [(number, status, bytes(body)) for number, status, _, body, _, _ in items]


@pytest.fixture
def arena() -> memoryview:
    return memoryview(bytearray(4 * THRESHOLD))


@pytest.fixture
def ends(arena: memoryview) -> Iterator[tuple[Wire, Front]]:
    ours, theirs = socket.socketpair()
    yield Wire(ours, arena), Front(theirs)
    ours.close()
    theirs.close()


def test_parts_of_one_moment_leave_together_and_the_last_at_once(ends: tuple[Wire, Front]) -> None:
    wire, front = ends
    wire.begin(7, 200, b"text/plain", b"a")
    assert front.items() == [(7, 200 | BEGINS, b"a")]  # nothing was sent for a moment
    wire.part(7, b"b")
    wire.begin(8, 200, b"text/plain", b"x")
    wire.part(7, b"c")
    wire.end(7)
    found: list[tuple[int, int, bytes]] = []
    while found[-1:] != [(7, END, b"")]:
        found += front.items()
    assert found == [(7, PART, b"b"), (8, 200 | BEGINS, b"x"), (7, PART, b"c"), (7, END, b"")]
    wire.break_off(8, b"!")
    assert front.items() == [(8, BROKEN, b"!")]


def test_a_part_with_none_behind_it_leaves_too(ends: tuple[Wire, Front]) -> None:
    wire, front = ends
    for part in (b"a", b"b"):
        wire.part(1, part)
    assert front.items() + front.items() == [(1, PART, b"a"), (1, PART, b"b")]
    wire.part(1, b"c")
    assert front.items() == [(1, PART, b"c")]


def test_many_parts_wait_for_no_moment(ends: tuple[Wire, Front]) -> None:
    wire, front = ends
    wire.part(1, b"first")
    for _ in range(3):
        wire.part(1, b"x" * THRESHOLD)
    sizes = [len(body) for _ in range(4) for _, _, body in front.items()]
    assert sizes == [5, THRESHOLD, THRESHOLD, THRESHOLD]


def test_parts_from_many_threads_keep_their_order(ends: tuple[Wire, Front]) -> None:
    wire, front = ends

    def write(number: int) -> None:
        for part in range(200):
            wire.part(number, b"%d" % part)
        wire.end(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    found: list[tuple[int, int, bytes]] = []
    while sum(status == END for _, status, _ in found) < 4:
        found += front.items()
    for thread in threads:
        thread.join()
    for number in range(4):
        mine = [(status, body) for of, status, body in found if of == number]
        assert mine == [(PART, b"%d" % part) for part in range(200)] + [(END, b"")]


def test_parts_from_an_event_loop_leave_while_it_is_blocked(ends: tuple[Wire, Front]) -> None:
    wire, front = ends

    async def write() -> list[tuple[int, int, bytes]]:
        wire.watch(asyncio.get_running_loop(), lambda: None)
        for part in (b"a", b"b"):
            wire.part(1, part)
        return front.items() + front.items()  # the loop has no turn before they are here

    assert asyncio.run(write()) == [(1, PART, b"a"), (1, PART, b"b")]


def test_bodies_that_come_back_as_they_were_lent_stay_where_they_lie(ends: tuple[Wire, Front]) -> None:
    wire, front = ends
    sizes, offsets = [THRESHOLD, 3, THRESHOLD], [0, INLINE, THRESHOLD]
    front.link.sendall(frames.pack_invocations(5, [b"\n"] * 3, [b"", b"abc", b""], sizes, offsets))
    (given,) = wire.receive() or []
    assert not isinstance(given, dict)
    changed = bytes(THRESHOLD)
    answers = [Answer(200, b"text/plain", body) for body in (given.bodies[0], given.bodies[1], changed)]
    wire.answer_all(given, answers, QUICK)
    count, payload = front.frame()
    assert not count & ALIKE
    items, _ = frames.unpack_answers(count, payload)
    assert [(number, offset, size) for number, _, _, _, offset, size in items] == [
        (5, 0, THRESHOLD),
        (6, INLINE, 3),
        (7, INLINE, THRESHOLD),  # nothing is written there: if this process died, it would be asked again
    ]
    assert bytes(items[2][3]) == changed


def test_answers_that_are_too_large_together_leave_one_by_one_and_what_is_too_large_is_refused(
    ends: tuple[Wire, Front],
) -> None:
    wire, front = ends
    fields = [b"text/plain\n", b"text/plain\n\nIcall-2", b"text/plain\n"]
    front.link.sendall(frames.pack_invocations(5, fields, [b"a"] * 3, [1] * 3, None))
    (given,) = wire.receive() or []
    assert not isinstance(given, dict)
    bodies = [b"a", bytes(2**32), b"c"]  # zeros that nobody looks at take no memory
    wire.answer_alike(given, b"text/plain", bodies, QUICK)
    wire.answer_all(given, [Answer(200, b"text/plain", body) for body in bodies], QUICK)
    for _ in range(2):
        found = [frames.unpack_answers(*front.frame()) for _ in range(3)]
        assert [timings is not None for _, timings in found] == [False, False, True]
        items = [item for answered, _ in found for item in answered]
        assert [item[:2] for item in items] == [(5, 200), (6, 500), (7, 200)]
        assert (items[0][3], items[2][3]) == (b"a", b"c")
        told = json.loads(bytes(items[1][3]))["error"]
        assert told["inference_id"] == "call-2"
        assert told["message"].startswith("the answer, or a part of it, is too large: got 4294967296 bytes")


def test_the_answer_to_one_beside_others_leaves_its_question_as_it_is(
    ends: tuple[Wire, Front], arena: memoryview
) -> None:
    wire, front = ends
    front.link.sendall(frames.pack_invocations(5, [b"\n"], [b""], [THRESHOLD], [0]))
    (given,) = wire.receive() or []
    assert not isinstance(given, dict)
    wire.answer(next(given.items()), Answer(200, b"text/plain", b"y" * THRESHOLD), QUICK)
    assert front.items() == [(5, 200, b"y" * THRESHOLD)]
    assert bytes(arena[:THRESHOLD]) == bytes(THRESHOLD), "if this process died, it would be asked again"


def test_the_answer_to_one_takes_the_place_of_its_question(ends: tuple[Wire, Front], arena: memoryview) -> None:
    wire, front = ends
    front.link.sendall(frames.pack_invocations(5, [b"\n"], [b""], [2 * THRESHOLD], [THRESHOLD]))
    (given,) = wire.receive() or []
    assert not isinstance(given, dict)
    wire.answer_all(given, [Answer(200, b"text/plain", b"y" * THRESHOLD)], QUICK)
    items, _ = frames.unpack_answers(*front.frame())
    assert items == [(5, 200, b"text/plain", b"", THRESHOLD, THRESHOLD)]
    assert bytes(arena[THRESHOLD : 2 * THRESHOLD]) == b"y" * THRESHOLD
