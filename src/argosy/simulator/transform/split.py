"""First half of a transform job's data path: an input object into records, records into request bodies.

Nothing is copied: records and mini-batches are spans of the object, read when they are sent and read again when they
are sent again. So memory stays flat whatever the object's size.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from argosy.errors import TransformError
from argosy.simulator.transform import framing
from argosy.simulator.transform.framing import JOINT, Record

_BLOCK_BYTES: Final = 2**20


class Content(Protocol):
    """The bytes of an object, read once from its beginning."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most `size`; none at the end."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """With 0 and 2: the size of the whole."""


class SplitType(StrEnum):
    """How an object is divided into records."""

    NONE = "None"
    LINE = "Line"
    RECORD_IO = "RecordIO"
    TF_RECORD = "TFRecord"


class AssembleWith(StrEnum):
    """What is put between the container's answers."""

    NONE = "None"
    LINE = "Line"


class BatchStrategy(StrEnum):
    """How many records a request carries: the value as the API spells it, the name as containers and logs do."""

    SINGLE_RECORD = "SingleRecord"
    MULTI_RECORD = "MultiRecord"


class MiniBatch(NamedTuple):
    """The span of an object that one request carries.

    Attributes:
        start: First byte.
        length: Number of bytes.
        records: Number of records in it.
        pieces: Start and length of each span that is sent instead of the whole, when a record is sent without its
            frame; between them goes `JOINT`.
    """

    start: int
    length: int
    records: int
    pieces: tuple[tuple[int, int], ...] = ()

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """Start and length of what is sent."""
        return self.pieces or ((self.start, self.length),)

    @property
    def body_length(self) -> int:
        """Number of bytes that are sent."""
        if not self.pieces:
            return self.length
        return sum(length for _, length in self.pieces) + len(JOINT) * (len(self.pieces) - 1)


def mini_batches(
    stream: Content, split_type: SplitType, strategy: BatchStrategy, limit_bytes: int | None
) -> Iterator[MiniBatch]:
    r"""The request bodies of an object: in order, without gap or overlap, no record divided.

    A line keeps its newline, is not changed in any byte, and counts with its newline towards the limit; an empty line
    is a record. AWS documents none of the three; SageMaker's own local mode sends lines with their newlines. Records of
    RecordIO and TFRecord are sent without their frames by `SingleRecord`, and with them by `MultiRecord`.

    Args:
        stream: The object, from its beginning.
        split_type: `None` takes the whole object as one record, whatever the strategy.
        strategy: `SingleRecord` sends one record a body, `MultiRecord` fills each body up to the limit.
        limit_bytes: Largest body; None knows no limit.

    Yields:
        One span each, at least one byte long.

    Raises:
        TransformError: One record alone is longer than the limit, or the object is not what `split_type` says.

    Source:
        CreateTransformJob, `SplitType`, `BatchStrategy`, `MaxPayloadInMB`, SageMaker API reference (read 2026-11-22).

    >>> import io
    >>> spans = mini_batches(io.BytesIO(b"1\n2\n3\n"), SplitType.LINE, BatchStrategy.MULTI_RECORD, 4)
    >>> [(span.start, span.length, span.records) for span in spans]
    [(0, 4, 2), (4, 2, 1)]
    """
    if split_type is SplitType.NONE:
        return _whole(stream, limit_bytes)
    if split_type is not SplitType.LINE:
        records = framing.record_io(stream) if split_type is SplitType.RECORD_IO else framing.tf_records(stream)
        return _framed(records, strategy, limit_bytes)
    if strategy is BatchStrategy.SINGLE_RECORD:
        return _lines(stream, limit_bytes)
    return _full_batches(stream, limit_bytes)


def _whole(stream: Content, limit_bytes: int | None) -> Iterator[MiniBatch]:
    length = stream.seek(0, 2)
    if length:
        _check(length, limit_bytes, 0)
        yield MiniBatch(0, length, 1)


def _lines(stream: Content, limit_bytes: int | None) -> Iterator[MiniBatch]:
    """One span a line."""
    start = read = number = 0
    while block := stream.read(_BLOCK_BYTES):
        position = 0
        while (newline := block.find(b"\n", position)) >= 0:
            position = newline + 1
            end = read + position
            _check(end - start, limit_bytes, number)
            yield MiniBatch(start, end - start, 1)
            start, number = end, number + 1
        read += len(block)
        _check(read - start, limit_bytes, number)
    if read > start:
        yield MiniBatch(start, read - start, 1)


def _full_batches(stream: Content, limit_bytes: int | None) -> Iterator[MiniBatch]:
    """As many lines a span as fit, found by searching backwards from the limit.

    `start` is where the span begins, `end` the end of the last whole line known to fit, `records` the lines between.
    """
    start = end = read = records = number = 0
    while block := stream.read(_BLOCK_BYTES):
        while True:
            fitting = len(block) if limit_bytes is None else min(len(block), start + limit_bytes - read)
            known = max(0, end - read)
            newline = block.rfind(b"\n", known, max(known, fitting))
            if newline >= 0:
                records += block.count(b"\n", known, newline + 1)
                end = read + newline + 1
            if fitting == len(block):
                break
            if end == start:
                raise _too_large(limit_bytes, number)
            yield MiniBatch(start, end - start, records)
            start, number, records = end, number + records, 0
        read += len(block)
    if read > start:
        yield MiniBatch(start, read - start, records + (read > end))


def _framed(records: Iterator[Record], strategy: BatchStrategy, limit_bytes: int | None) -> Iterator[MiniBatch]:
    """One record without its frame a body, or as many with theirs as fit."""
    start = end = count = number = 0
    for number, record in enumerate(records):
        if strategy is BatchStrategy.SINGLE_RECORD:
            batch = MiniBatch(record.start, record.end - record.start, 1, record.pieces)
            _check(batch.body_length, limit_bytes, number)
            yield batch
            continue
        _check(record.end - record.start, limit_bytes, number)
        if count and limit_bytes is not None and record.end - start > limit_bytes:
            yield MiniBatch(start, end - start, count)
            start, count = record.start, 0
        end, count = record.end, count + 1
    if count:
        yield MiniBatch(start, end - start, count)


def _check(length: int, limit_bytes: int | None, number: int) -> None:
    if limit_bytes is not None and length > limit_bytes:
        raise _too_large(limit_bytes, number)


def _too_large(limit_bytes: int | None, number: int) -> TransformError:
    return TransformError(f"record {number} is larger than MaxPayloadInMB", want=f"at most {limit_bytes} bytes")
