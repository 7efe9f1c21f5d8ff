from hypothesis import given
from hypothesis import strategies as st

from argosy.serving.frames import (
    INLINE,
    AnswerItem,
    FrameReader,
    InvocationItem,
    pack_answers,
    pack_invocations,
    pack_notice,
    unpack_answers,
    unpack_invocations,
)

ids = st.integers(0, 2**32 - 1)
short = st.binary(max_size=40)


def invocation(id_: int, fields: bytes, body: bytes) -> InvocationItem:
    return InvocationItem(id_, fields, body, INLINE, len(body))


def answer(id_: int, status: int, content_type: bytes, body: bytes) -> AnswerItem:
    return AnswerItem(id_, status, content_type, body, INLINE, len(body))


shared_invocations = st.builds(InvocationItem, ids, short, st.just(b""), st.integers(0, 2**40), ids)
invocations = st.lists(st.builds(invocation, ids, short, st.binary(max_size=200)) | shared_invocations, min_size=1)
shared_answers = st.builds(AnswerItem, ids, st.integers(100, 599), short, st.just(b""), st.integers(0, 2**40), ids)
answers = st.lists(
    st.builds(answer, ids, st.integers(100, 599), short, st.binary(max_size=200)) | shared_answers, min_size=1
)


@given(invocations)
def test_invocations_come_out_as_they_went_in(items: list[InvocationItem]) -> None:
    ((count, payload),) = FrameReader().feed(pack_invocations(items))
    assert list(unpack_invocations(count, payload)) == items


@given(answers)
def test_answers_come_out_as_they_went_in(items: list[AnswerItem]) -> None:
    ((count, payload),) = FrameReader().feed(pack_answers(items))
    assert list(unpack_answers(count, payload)) == items


@given(st.lists(answers, min_size=1, max_size=4), st.lists(st.integers(1, 60), min_size=1))
def test_frames_are_whole_however_the_bytes_arrive(frames: list[list[AnswerItem]], cuts: list[int]) -> None:
    stream = b"".join(map(pack_answers, frames))
    reader = FrameReader()
    found = []
    position = turn = 0
    while position < len(stream):
        size = cuts[turn % len(cuts)]
        for count, payload in reader.feed(stream[position : position + size]):
            found.append(list(unpack_answers(count, payload)))
        position, turn = position + size, turn + 1
    assert found == frames


def test_a_notice_is_a_frame_without_items() -> None:
    assert FrameReader().feed(pack_notice("") + pack_notice("why")) == [(0, b""), (0, b"why")]
