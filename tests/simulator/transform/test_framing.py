import io
import struct

import google_crc32c
import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import TransformError
from argosy.simulator.transform import framing
from argosy.simulator.transform.framing import JOINT, masked_crc32c, tf_records
from argosy.simulator.transform.split import BatchStrategy, MiniBatch, SplitType, mini_batches

SINGLE, MULTI = BatchStrategy.SINGLE_RECORD, BatchStrategy.MULTI_RECORD
RECORD_IO, TF_RECORD = SplitType.RECORD_IO, SplitType.TF_RECORD
records = st.lists(st.one_of(st.binary(max_size=40), st.just(b"ab" + JOINT + b"cd"), st.just(JOINT * 2)), max_size=12)


def record_io(record: bytes) -> bytes:
    """As dmlc-core writes a record: divided wherever the magic number stands in it."""
    parts = record.split(JOINT)
    flags = [0] if len(parts) == 1 else [1, *[2] * (len(parts) - 2), 3]
    return b"".join(
        JOINT + struct.pack("<I", flag << 29 | len(part)) + part + bytes(-len(part) % 4)
        for flag, part in zip(flags, parts, strict=True)
    )


def tf_record(record: bytes) -> bytes:
    length = struct.pack("<Q", len(record))
    return b"".join([length, checksum(length), record, checksum(record)])


def checksum(content: bytes) -> bytes:
    return struct.pack("<I", masked_crc32c(google_crc32c.value(content)))


FRAMES = {RECORD_IO: record_io, TF_RECORD: tf_record}


@pytest.fixture(autouse=True, scope="module")
def small_blocks() -> object:
    """Blocks of 7 bytes, so that everything falls across their borders."""
    patch = pytest.MonkeyPatch()
    patch.setattr(framing, "_BLOCK_BYTES", 7)
    yield
    patch.undo()


def spans(content: bytes, form: SplitType, strategy: BatchStrategy, limit: int | None) -> list[MiniBatch]:
    return list(mini_batches(io.BytesIO(content), form, strategy, limit))


def body(content: bytes, batch: MiniBatch) -> bytes:
    pieces = batch.pieces or ((batch.start, batch.length),)
    return JOINT.join(content[start : start + length] for start, length in pieces)


@given(records, st.sampled_from([RECORD_IO, TF_RECORD]), st.integers(0, 80))
def test_the_bodies_of_many_records_are_the_object_with_padding_and_never_over_the_limit(
    written: list[bytes], form: SplitType, extra: int
) -> None:
    content = b"".join(map(FRAMES[form], written))
    limit = max((len(FRAMES[form](record)) for record in written), default=1) + extra
    batches = spans(content, form, MULTI, limit)
    assert b"".join(body(content, batch) for batch in batches) == content
    assert sum(batch.records for batch in batches) == len(written)
    assert all(batch.body_length <= limit for batch in batches)


@given(records, st.sampled_from([RECORD_IO, TF_RECORD]))
def test_the_body_of_a_single_record_is_what_was_written(written: list[bytes], form: SplitType) -> None:
    content = b"".join(map(FRAMES[form], written))
    batches = spans(content, form, SINGLE, None)
    assert [body(content, batch) for batch in batches] == written
    assert [batch.body_length for batch in batches] == [len(record) for record in written]
    assert b"".join(FRAMES[form](body(content, batch)) for batch in batches) == content


@given(records.filter(bool), st.sampled_from([RECORD_IO, TF_RECORD]), st.data())
def test_a_cut_object_is_never_taken_for_a_whole_one(
    written: list[bytes], form: SplitType, data: st.DataObject
) -> None:
    frames = [FRAMES[form](record) for record in written]
    content = b"".join(frames)
    ends = {sum(map(len, frames[:count])) for count in range(len(frames) + 1)}
    cut = data.draw(st.integers(0, len(content)).filter(lambda place: place not in ends))
    with pytest.raises(TransformError):
        spans(content[:cut], form, SINGLE, None)


@given(st.binary(max_size=30), st.data())
def test_a_changed_bit_of_a_tf_record_is_found(record: bytes, data: st.DataObject) -> None:
    content = bytearray(tf_record(record))
    place = data.draw(st.integers(0, len(content) * 8 - 1))
    content[place // 8] ^= 1 << place % 8
    with pytest.raises(TransformError):
        list(tf_records(io.BytesIO(bytes(content))))


def test_the_head_of_tensorflow_s_own_event_files_is_known() -> None:
    # Every event file of TensorBoard's begins with this length and checksum: `file_version` in 24 bytes.
    head = bytes.fromhex("1800000000000000a37f4b22")
    assert head[8:] == checksum(head[:8])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"12345678", "magic number"),
        (JOINT + struct.pack("<I", 2 << 29), "not in order"),
        (JOINT + struct.pack("<I", 1 << 29), "between its parts"),
        (JOINT + struct.pack("<I", 5 << 29), "not in order"),
        (record_io(b"a") + JOINT + struct.pack("<I", 9) + b"1", "record 1 is cut"),
    ],
)
def test_what_is_no_record_io_is_told(content: bytes, words: str) -> None:
    with pytest.raises(TransformError, match=words):
        spans(content, RECORD_IO, SINGLE, None)


@pytest.mark.parametrize("strategy", [SINGLE, MULTI])
def test_a_record_over_the_limit_is_not_sent(strategy: BatchStrategy) -> None:
    content = record_io(b"ok") + record_io(b"x" * 100)
    found = mini_batches(io.BytesIO(content), RECORD_IO, strategy, 50)
    with pytest.raises(TransformError, match="record 1 is larger than MaxPayloadInMB"):
        list(found)


def test_the_limit_of_a_single_record_is_that_of_its_content() -> None:
    assert len(spans(record_io(b"x" * 50), RECORD_IO, SINGLE, 50)) == 1
