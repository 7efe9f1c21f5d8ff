"""What is done to the records of a transform job: filter the input, join it with the results, filter the joined.

A record is a line of CSV or of JSON Lines, or a whole JSON document. Fields of CSV and numbers of JSON keep every byte
that they were written with.

UNSURE: whether an empty line is a record; here it is none where records are filtered or joined.

Source:
    https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html (read 2026-11-23); texts of
    errors: https://github.com/aws/amazon-sagemaker-examples/issues/898 and
    https://github.com/aws/sagemaker-tensorflow-serving-container/issues/154 (read 2026-11-23).
"""

import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final, Protocol

import msgspec

from argosy.errors import RecordError
from argosy.simulator.transform import json_path
from argosy.simulator.transform.content import lines_of, whole_of
from argosy.simulator.transform.definition import CSV, JSON, DataProcessing, JoinSource, TransformJobDefinition
from argosy.simulator.transform.json_path import JsonPath, SliceEnd
from argosy.simulator.transform.split import AssembleWith, BatchStrategy, SplitType

_INPUT: Final = "input"
_OUTPUT: Final = "output from the algorithm"
_NEAR_CHARACTERS: Final = 80
_FIELD: Final = re.compile(rb'(?:"[^"]*+(?:""[^"]*+)*+"|[^",]*+)(?=,|\Z)')  # possessive: nothing is kept for a way back


class _Records(Protocol):
    """How records of a media type are taken apart and put together."""

    def select(self, record: bytes, path: JsonPath, slice_end: SliceEnd, origin: str) -> bytes:
        """The part of a record that a path names."""

    def join(self, record: bytes, answer: bytes) -> bytes:
        """A record with its result."""

    def number(self, record: bytes, time: str) -> bytes:
        """A result with an id of its own and the job's start."""


class _CsvRecords:
    """Rows of CSV (RFC 4180), one a line."""

    def select(self, record: bytes, path: JsonPath, slice_end: SliceEnd, origin: str) -> bytes:
        columns = path.of_row(range(_field_count(record, origin)), slice_end)
        return _cut(record, columns, origin)

    def join(self, record: bytes, answer: bytes) -> bytes:
        _field_count(record, _INPUT)
        _field_count(answer, _OUTPUT)
        return record + b"," + answer

    def number(self, record: bytes, time: str) -> bytes:
        return b"%s,%s,%s" % (record, str(uuid.uuid4()).encode(), time.encode())


class _JsonRecords:
    """JSON documents."""

    def select(self, record: bytes, path: JsonPath, slice_end: SliceEnd, origin: str) -> bytes:
        try:
            return bytes(path.of_json(msgspec.Raw(record), slice_end))
        except msgspec.DecodeError as error:
            raise _not_json(origin, error) from error

    def join(self, record: bytes, answer: bytes) -> bytes:
        """`SageMakerOutput` in the record, or both in an object where the record is none."""
        given, result = _parsed(record, _INPUT), _parsed(answer, _OUTPUT)
        members = _members(given)
        if members is None:
            return msgspec.json.encode({"SageMakerInput": given, "SageMakerOutput": result})
        return msgspec.json.encode({**members, "SageMakerOutput": result})

    def number(self, record: bytes, time: str) -> bytes:
        members = _members(_parsed(record, _OUTPUT))
        if members is None:
            raise RecordError("Failed to add an inference id: the record is no JSON object")
        numbers = {"SageMakerInferenceId": str(uuid.uuid4()), "SageMakerInferenceTime": time}
        return msgspec.json.encode({**members, **{key: _encoded(value) for key, value in numbers.items()}})


class RecordProcessing:
    """What a job does to its records.

    Args:
        job: The job.
        slice_end: Whether the end of a slice belongs to it.
        strategy: How many records a request carries.
        started: The job's start, as in `2022-08-30T00:49:15Z`.

    Raises:
        TransformError: A filter is no path that the service knows.
    """

    def __init__(self, job: TransformJobDefinition, slice_end: SliceEnd, strategy: BatchStrategy, started: str) -> None:
        capture = job.data_capture_config
        processing = job.data_processing
        self._started = started if capture is not None and capture.generate_inference_id else None
        self._input = json_path.parse(processing.input_filter)
        self._output = json_path.parse(processing.output_filter)
        self._slice_end = slice_end
        self._records: _Records = _CsvRecords() if job.record_type == CSV else _JsonRecords()
        self.joins = processing.join_source is JoinSource.INPUT
        self.changes_input = processing != DataProcessing()
        self.changes_output = self.joins or bool(self._output.steps) or self._started is not None
        split = job.transform_input.split_type
        is_assembled = job.transform_output.assemble_with is AssembleWith.LINE
        self._is_document = job.record_type == JSON and split is SplitType.NONE
        self._line_end = b"" if self._is_document or is_assembled else b"\n"
        self._is_one_answer = job.record_type == JSON and (
            split is SplitType.NONE or strategy is BatchStrategy.SINGLE_RECORD
        )

    def records(self, read: Callable[[int], bytes]) -> Iterator[bytes]:
        """The records of an input object; a document is read whole."""
        return whole_of(read) if self._is_document else lines_of(read)

    def filtered(self, read: Callable[[int], bytes]) -> Iterator[bytes]:
        """What is sent of an input object, record by record, lines with their ends.

        Raises:
            TransformError: A record is not what its media type says, or has not what the filter names.
        """
        end = b"" if self._is_document else b"\n"
        for record in self.records(read):
            yield self._selected(record, self._input, _INPUT) + end

    def results(self, inputs: Iterator[bytes] | None, read: Callable[[int], bytes]) -> Iterator[bytes]:
        """What is stored of an answer, record by record; lines have their ends where nothing else ends them.

        Args:
            inputs: The records that the request carried; None where nothing is joined.
            read: Reads the answer.

        Raises:
            TransformError: As above, or the answer has not as many records as the request.
        """
        answers = whole_of(read) if self._is_one_answer else lines_of(read)
        for record in answers if inputs is None else self._joined(inputs, answers):
            found = self._selected(record, self._output, _OUTPUT)
            if self._started is not None:
                found = self._records.number(found, self._started)
            if not self._is_document and b"\n" in found:
                found = msgspec.json.format(found, indent=-1)
            yield found + self._line_end

    def _joined(self, inputs: Iterator[bytes], answers: Iterator[bytes]) -> Iterator[bytes]:
        """UNSURE: the service's words for an answer with another number of records."""
        pairs = zip(inputs, answers, strict=True)
        count = 0
        while True:
            try:
                record, answer = next(pairs)
            except StopIteration:
                return
            except ValueError as error:
                more = "more" if "longer" in str(error) else "fewer"
                raise RecordError(
                    "Failed to join output from the algorithm with input: the number of records differs",
                    got=f"{more} than {count} records" if more == "more" else f"{count} records",
                    want="as many as were sent",
                ) from error
            count += 1
            yield self._records.join(record, answer)

    def _selected(self, record: bytes, path: JsonPath, origin: str) -> bytes:
        return self._records.select(record, path, self._slice_end, origin) if path.steps else record


def field_ends(row: bytes, origin: str) -> Iterator[int]:
    r"""Where the fields of a row end, quotes included; a row may have more of them than memory should hold.

    Args:
        row: One line without its end.
        origin: What errors call the text.

    Raises:
        RecordError: It is no CSV (RFC 4180).

    >>> list(field_ends(b'1,"a ""b"", c",', "input"))
    [1, 14, 15]
    """
    end = -1
    if b'"' not in row:
        while (end := row.find(b",", end + 1)) >= 0:
            yield end
        yield len(row)
        return
    while end < len(row):
        found = _FIELD.match(row, end + 1)
        if found is None:
            near = row[end + 1 : end + 1 + _NEAR_CHARACTERS].decode(errors="replace")
            fault = 'extraneous or missing " in quoted field' if near.startswith('"') else 'bare " in non quoted field'
            raise RecordError(f"Failed to parse {origin} as CSV: {fault} found near: {near}")
        end = found.end()
        yield end


def _field_count(row: bytes, origin: str) -> int:
    """How many fields a row has, all of which are CSV."""
    return row.count(b",") + 1 if b'"' not in row else sum(1 for _ in field_ends(row, origin))


def _cut(row: bytes, columns: Sequence[int], origin: str) -> bytes:
    """Some fields of a row as a row; neighbours in one piece."""
    pieces = [columns] if isinstance(columns, range) else [range(column, column + 1) for column in columns]
    wanted = {number for piece in pieces if piece for number in (piece.start - 1, piece.stop - 1)} - {-1}
    reached = enumerate(islice(field_ends(row, origin), max(wanted, default=-1) + 1))
    ends = {-1: -1} | {number: end for number, end in reached if number in wanted}
    return b",".join([row[ends[piece.start - 1] + 1 : ends[piece.stop - 1]] for piece in pieces if piece])


def _parsed(text: bytes, origin: str) -> msgspec.Raw:
    try:
        return msgspec.json.decode(text, type=msgspec.Raw)
    except msgspec.DecodeError as error:
        raise _not_json(origin, error) from error


def _members(document: msgspec.Raw) -> dict[str, msgspec.Raw] | None:
    """The members of an object; None for any other value."""
    if not bytes(document).lstrip().startswith(b"{"):
        return None
    return msgspec.json.decode(document, type=dict[str, msgspec.Raw])


def _encoded(value: str) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def _not_json(origin: str, error: Exception) -> RecordError:
    return RecordError(f"Failed to parse {origin} as JSON: {error}")
