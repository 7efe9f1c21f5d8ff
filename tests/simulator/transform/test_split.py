import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from argosy.errors import TransformError
from argosy.simulator.transform import split
from argosy.simulator.transform.object_transform import Assembler
from argosy.simulator.transform.split import AssembleWith, BatchStrategy, MiniBatch, SplitType, mini_batches

LINE, WHOLE = SplitType.LINE, SplitType.NONE
SINGLE, MULTI = BatchStrategy.SINGLE_RECORD, BatchStrategy.MULTI_RECORD

texts = st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\r\n", "é".encode(), b"x" * 20, b"\x00\xff"]), max_size=60).map(
    b"".join
)


@pytest.fixture(autouse=True, scope="module")
def small_blocks() -> object:
    """Blocks of 7 bytes, so that records and limits fall on and across their borders."""
    patch = pytest.MonkeyPatch()
    patch.setattr(split, "_BLOCK_BYTES", 7)
    yield
    patch.undo()


def bodies(content: bytes, split_type: SplitType, strategy: BatchStrategy, limit: int | None) -> list[bytes]:
    spans = mini_batches(io.BytesIO(content), split_type, strategy, limit)
    return [content[span.start : span.start + span.length] for span in spans]


def lines(content: bytes) -> list[bytes]:
    return io.BytesIO(content).readlines()


@given(texts, st.sampled_from([LINE, WHOLE]), st.sampled_from(BatchStrategy), st.one_of(st.none(), st.integers(30, 99)))
def test_assembling_what_was_split_gives_the_object_back(
    content: bytes, split_type: SplitType, strategy: BatchStrategy, limit: int | None
) -> None:
    if limit is not None and max(map(len, lines(content) if split_type is LINE else [content]), default=0) > limit:
        return
    parts = bodies(content, split_type, strategy, limit)
    assert b"".join(parts) == content
    output = io.BytesIO()
    assembler = Assembler(output, AssembleWith.NONE)
    for part in parts:
        assembler.write(part)
        assembler.end_answer()
    assert output.getvalue() == content


@given(texts, st.integers(1, 40))
@example(b"aaaaaa\n", 7)
@example(b"aaaaaaa\n", 7)
@example(b"a\n" * 7 + b"b" * 7, 7)
def test_multi_record_bodies_are_full_and_never_over_the_limit(content: bytes, limit: int) -> None:
    expected: list[bytes] = []
    for line in lines(content):
        if expected and len(expected[-1]) + len(line) <= limit:
            expected[-1] += line
        else:
            expected.append(line)
    if any(len(line) > limit for line in lines(content)):
        with pytest.raises(TransformError):
            bodies(content, LINE, MULTI, limit)
    else:
        assert bodies(content, LINE, MULTI, limit) == expected


@given(texts)
def test_single_record_bodies_are_the_lines_byte_for_byte(content: bytes) -> None:
    assert bodies(content, LINE, SINGLE, None) == lines(content)


@given(texts, st.sampled_from(BatchStrategy), st.integers(1, 30))
def test_every_record_is_counted_once(content: bytes, strategy: BatchStrategy, limit: int) -> None:
    try:
        spans = list(mini_batches(io.BytesIO(content), LINE, strategy, limit))
    except TransformError:
        return
    assert sum(span.records for span in spans) == len(lines(content))
    assert all(span.records for span in spans)


def test_fault_12_a_too_large_first_record_sends_nothing_before_it() -> None:
    spans = mini_batches(io.BytesIO(b"abcdef\nx\n"), LINE, MULTI, 4)
    with pytest.raises(TransformError, match="record 0 is larger than MaxPayloadInMB"):
        next(spans)


@pytest.mark.parametrize("strategy", [SINGLE, MULTI])
def test_fault_12_a_too_large_record_in_the_middle_is_not_sent(strategy: BatchStrategy) -> None:
    sent: list[MiniBatch] = []
    with pytest.raises(TransformError, match="record 2"):
        sent.extend(mini_batches(io.BytesIO(b"a\nb\nabcdef\nc\n"), LINE, strategy, 4))
    assert all(span.start + span.length <= 4 for span in sent)


def test_fault_12_limits_are_counted_in_bytes_as_sent() -> None:
    content = "字\n".encode() * 3
    assert bodies(content, LINE, MULTI, 8) == ["字\n字\n".encode(), "字\n".encode()]


def test_fault_12_an_empty_object_sends_nothing() -> None:
    assert bodies(b"", WHOLE, MULTI, 5) == bodies(b"", LINE, MULTI, 5) == bodies(b"", LINE, SINGLE, 5) == []


def test_fault_13_carriage_returns_and_broken_text_stay() -> None:
    content = b"a\r\nb\xff\r\n"
    assert bodies(content, LINE, SINGLE, None) == [b"a\r\n", b"b\xff\r\n"]


def test_a_whole_object_over_the_limit_is_refused() -> None:
    assert bodies(b"abc", WHOLE, SINGLE, 3) == [b"abc"]
    with pytest.raises(TransformError):
        bodies(b"abcd", WHOLE, SINGLE, 3)


@given(st.lists(st.binary(max_size=9), max_size=9))
def test_line_ends_every_answer_with_exactly_one_more_newline_at_most(answers: list[bytes]) -> None:
    output = io.BytesIO()
    assembler = Assembler(output, AssembleWith.LINE)
    for answer in answers:
        for part in (answer[:2], answer[2:]):
            assembler.write(part)
        assembler.end_answer()
    assert output.getvalue() == b"".join(a if a.endswith(b"\n") else a + b"\n" for a in answers)
