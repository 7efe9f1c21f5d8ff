from hypothesis import given
from hypothesis import strategies as st

from argosy.serving.frames import (
    BEGINS,
    BROKEN,
    END,
    INLINE,
    PART,
    AnswerItem,
    FrameReader,
    InvocationItem,
    Timings,
    pack_answers,
    pack_invocations,
    pack_message,
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


def invocation(id_: int, fields: bytes, body: bytes) -> InvocationItem:
    return (id_, fields, body, INLINE, len(body))


def answer(id_: int, status: int, head: bytes, body: bytes) -> AnswerItem:
    return (id_, status, head, body, INLINE, len(body))


shared_invocations = st.tuples(ids, short, st.just(b""), st.integers(0, 2**40), ids)
invocations = st.lists(st.builds(invocation, ids, short, bodies) | shared_invocations, min_size=1)
shared_answers = st.tuples(ids, statuses, short, st.just(b""), st.integers(0, 2**40), ids)
answers = st.lists(st.builds(answer, ids, statuses, short, bodies) | shared_answers, min_size=1)


@given(invocations)
def test_invocations_come_out_as_they_went_in(items: list[InvocationItem]) -> None:
    ((count, payload),) = FrameReader().feed(pack_invocations(items))
    assert unpack_invocations(count, payload) == items


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
