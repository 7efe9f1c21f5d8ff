"""First half of a transform job's data path: an input object into records, records into request bodies.

Nothing is copied: records and mini-batches are spans of the object, read when they are sent and read again when they
are sent again. So memory stays flat whatever the object's size.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, Final

from argosy.errors import TransformError

_BLOCK_BYTES: Final = 2**20


class SplitType(StrEnum):
    """How an object is divided into records."""

    NONE = "None"
    LINE = "Line"


class BatchStrategy(StrEnum):
    """How many records a request carries: the value as the API spells it, the name as containers and logs do."""

    SINGLE_RECORD = "SingleRecord"
    MULTI_RECORD = "MultiRecord"


@dataclass(frozen=True, slots=True)
class MiniBatch:
    """The span of an object that one request carries.

    Attributes:
        start: First byte.
        length: Number of bytes.
        records: Number of records in it.
    """

    start: int
    length: int
    records: int


def mini_batches(
    stream: BinaryIO, split_type: SplitType, strategy: BatchStrategy, limit_bytes: int | None
) -> Iterator[MiniBatch]:
    r"""The request bodies of an object: in order, without gap or overlap, no record divided.

    A line keeps its newline, is not changed in any byte, and counts with its newline towards the limit; an empty line
    is a record. AWS documents none of the three; SageMaker's own local mode sends lines with their newlines.

    Args:
        stream: The object, seekable, from its beginning.
        split_type: `None` takes the whole object as one record, whatever the strategy.
        strategy: `SingleRecord` sends one record a body, `MultiRecord` fills each body up to the limit.
        limit_bytes: Largest body; None knows no limit.

    Yields:
        One span each, at least one byte long.

    Raises:
        TransformError: One record alone is longer than the limit.

    Source:
        CreateTransformJob, `SplitType`, `BatchStrategy`, `MaxPayloadInMB`, SageMaker API reference (read 2026-11-22).

    >>> import io
    >>> spans = mini_batches(io.BytesIO(b"1\n2\n3\n"), SplitType.LINE, BatchStrategy.MULTI_RECORD, 4)
    >>> [(span.start, span.length, span.records) for span in spans]
    [(0, 4, 2), (4, 2, 1)]
    """
    if split_type is SplitType.NONE:
        return _whole(stream, limit_bytes)
    if strategy is BatchStrategy.SINGLE_RECORD:
        return _lines(stream, limit_bytes)
    return _full_batches(stream, limit_bytes)


def _whole(stream: BinaryIO, limit_bytes: int | None) -> Iterator[MiniBatch]:
    length = stream.seek(0, 2)
    if length:
        _check(length, limit_bytes, 0)
        yield MiniBatch(0, length, 1)


def _lines(stream: BinaryIO, limit_bytes: int | None) -> Iterator[MiniBatch]:
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


def _full_batches(stream: BinaryIO, limit_bytes: int | None) -> Iterator[MiniBatch]:
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


def _check(length: int, limit_bytes: int | None, number: int) -> None:
    if limit_bytes is not None and length > limit_bytes:
        raise _too_large(limit_bytes, number)


def _too_large(limit_bytes: int | None, number: int) -> TransformError:
    return TransformError(f"record {number} is larger than MaxPayloadInMB", want=f"at most {limit_bytes} bytes")
