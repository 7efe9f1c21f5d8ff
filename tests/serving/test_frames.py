from hypothesis import given
from hypothesis import strategies as st

from argosy.serving.frames import (
    ALIKE,
    BEGINS,
    BROKEN,
    END,
    INLINE,
    PART,
    AlikeAnswers,
    AnswerItem,
    FrameReader,
    Timings,
    pack_alike,
    pack_answers,
    pack_invocations,
    pack_message,
    unpack_alike,
    unpack_answers,
    unpack_invocations,
    unpack_message,
)

ids = st.integers(0, 2**32 - 1)
short = st.binary(max_size=40)
bodies = st.binary(max_size=200)
singles = st.floats(0, 1000, width=32)
timings = st.none() | st.builds(Timings, ids, singles, singles, singles, singles)
statuses = st.integers(100, 599) | st.sampled_from([PART, END, BROKEN, 200 | BEGINS, 599 | BEGINS])


def answer(id_: int, status: int, head: bytes, body: bytes) -> AnswerItem:
    return (id_, status, head, body, INLINE, len(body))


# Fields that are all the same, or not; bodies in the frame or in the arena.
sent = st.tuples(bodies, st.none()) | st.tuples(st.just(b""), st.tuples(st.integers(0, 2**40), ids))
invocations = st.lists(st.tuples(short | st.just(b"text/csv\n"), sent), min_size=1) | st.lists(
    st.tuples(st.just(b"text/csv\n"), sent), min_size=1
)
numbers = st.integers(0, 2**64 - 2**20)
shared_answers = st.tuples(numbers, statuses, short, st.just(b""), st.integers(0, 2**40), ids)
answers = st.lists(st.builds(answer, numbers, statuses, short, bodies) | shared_answers, min_size=1)


@given(numbers, invocations)
def test_invocations_come_out_as_they_went_in(
    first: int, given: list[tuple[bytes, tuple[bytes, tuple[int, int] | None]]]
) -> None:
    fields = [each for each, _ in given]
    inline = [body for _, (body, _) in given]
    places = [place or (INLINE, len(body)) for _, (body, place) in given]
    offsets = [offset for offset, _ in places]
    sizes = [size for _, size in places]
    in_arena = offsets if any(offset != INLINE for offset in offsets) else None
    ((count, payload),) = FrameReader().feed(pack_invocations(first, fields, inline, sizes, in_arena))
    items = list(unpack_invocations(count, payload).items())
    assert items == list(zip(range(first, first + len(given)), fields, inline, offsets, sizes, strict=True))


def test_a_body_in_the_arena_is_a_view_of_it() -> None:
    arena = memoryview(bytearray(b"0123456789"))
    ((count, payload),) = FrameReader().feed(pack_invocations(7, [b"\n"] * 2, [b"", b"xy"], [3, 2], [4, INLINE]))
    assert list(unpack_invocations(count, payload, arena).bodies) == [b"456", b"xy"]


@given(numbers, statuses, short, st.lists(bodies, min_size=1), timings)
def test_alike_answers_come_out_as_they_went_in(
    first: int, status: int, head: bytes, each: list[bytes], told: Timings | None
) -> None:
    alike = AlikeAnswers(first, status, head, each)
    ((count, payload),) = FrameReader().feed(pack_alike(alike, told))
    assert count & ALIKE
    assert unpack_alike(count, payload) == (alike, told)


@given(answers, timings)
def test_answers_come_out_as_they_went_in(items: list[AnswerItem], told: Timings | None) -> None:
    ((count, payload),) = FrameReader().feed(pack_answers(items, told))
    assert unpack_answers(count, payload) == (items, told)


@given(st.lists(answers, min_size=1, max_size=4), timings, st.lists(st.integers(1, 60), min_size=1))
def test_frames_are_whole_however_the_bytes_arrive(
    frames: list[list[AnswerItem]], told: Timings | None, cuts: list[int]
) -> None:
    stream = b"".join(pack_answers(items, told) for items in frames)
    reader = FrameReader()
    found = []
    position = turn = 0
    while position < len(stream):
        size = cuts[turn % len(cuts)]
        for count, payload in reader.feed(stream[position : position + size]):
            found.append(unpack_answers(count, payload))
        position, turn = position + size, turn + 1
    assert found == [(items, told) for items in frames]


@given(st.dictionaries(st.text(max_size=8), st.integers(0, 2**31) | st.text(max_size=20) | st.booleans()))
def test_a_message_is_a_frame_without_items(message: dict[str, object]) -> None:
    ((count, payload),) = FrameReader().feed(pack_message(message))
    assert (count, unpack_message(payload)) == (0, message)


def test_a_body_may_be_a_view() -> None:
    body = memoryview(b"0123456789")[2:5]
    ((count, payload),) = FrameReader().feed(pack_answers([(1, 200, b"text/plain", body, INLINE, len(body))]))
    assert unpack_answers(count, payload)[0][0][3] == b"234"
