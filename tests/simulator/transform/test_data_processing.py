"""Every example of AWS's page on data processing, and what it leaves open."""

import io
import tracemalloc
import uuid
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import RecordError, TransformError
from argosy.simulator.transform.data_processing import RecordProcessing, field_ends
from argosy.simulator.transform.json_path import SliceEnd
from argosy.simulator.transform.split import BatchStrategy
from tests.simulator.transform.conftest import definition

CSV, JSON, LINES = "text/csv", "application/json", "application/jsonlines"
TIME = "2022-08-30T00:49:15Z"


def processed(
    media_type: str, given: bytes, answer: bytes, *, end: SliceEnd = SliceEnd.INCLUSIVE,
    strategy: BatchStrategy = BatchStrategy.MULTI_RECORD, **fields: Any,
) -> tuple[bytes, list[bytes]]:  # fmt: skip
    """What is sent of an object, and what is stored of the answer to all of it."""
    split = fields.pop("split", "None" if media_type == JSON else "Line")
    job = definition(ContentType=media_type, Accept=media_type, SplitType=split, AssembleWith=split, **fields)
    processing = RecordProcessing(job, end, strategy, TIME)
    sent = b"".join(processing.filtered(io.BytesIO(given).read))
    inputs = processing.records(io.BytesIO(given).read) if processing.joins else None
    return sent, list(processing.results(inputs, io.BytesIO(answer).read))


def test_golden_output_only_inferences() -> None:
    job = definition(ContentType=CSV, Accept=CSV, InputFilter="$", JoinSource="None", OutputFilter="$")
    processing = RecordProcessing(job, SliceEnd.INCLUSIVE, BatchStrategy.MULTI_RECORD, TIME)
    assert not processing.changes_input
    assert not processing.changes_output


def test_golden_join_of_json() -> None:
    _, results = processed(JSON, b'{"key":1}', b'{"label":1}', JoinSource="Input")
    assert results == [b'{"key":1,"SageMakerOutput":{"label":1}}']


def test_golden_join_of_json_that_is_no_object() -> None:
    _, results = processed(JSON, b"[1, 2]", b'{"label":1}', JoinSource="Input")
    assert results == [b'{"SageMakerInput":[1, 2],"SageMakerOutput":{"label":1}}']


def test_golden_the_reserved_attribute_is_overwritten() -> None:
    _, results = processed(LINES, b'{"SageMakerOutput":0,"id":7}', b"1", JoinSource="Input")
    assert results == [b'{"SageMakerOutput":1,"id":7}']


def test_golden_join_of_csv() -> None:
    _, results = processed(CSV, b"1,2,3\n", b"1\n", JoinSource="Input")
    assert results == [b"1,2,3,1"]


def test_golden_the_id_column_is_not_sent_and_is_stored() -> None:
    given = b"id1,1,2,3,4\nid2,5,6,7,8\n"
    sent, results = processed(CSV, given, b"0.9\n0.1\n", InputFilter="$[1:]", JoinSource="Input", OutputFilter="$")
    assert sent == b"1,2,3,4\n5,6,7,8\n"
    assert results == [b"id1,1,2,3,4,0.9", b"id2,5,6,7,8,0.1"]


def test_golden_the_first_and_the_last_column() -> None:
    given = b"id1,1,2,3,4\nid2,5,6,7,8\n"
    _, results = processed(CSV, given, b"0.9\n0.1\n", InputFilter="$[1:]", JoinSource="Input", OutputFilter="$[0,-1]")
    assert results == [b"id1,0.9", b"id2,0.1"]


@pytest.mark.parametrize(
    ("path", "sent"),
    [("$[1:4]", b"1,2,3,4\n"), ("$[5:]", b"5,6\n"), ("$[:5]", b"0,1,2,3,4,5\n"), ("$[1,3,5]", b"1,3,5\n")],
)
def test_golden_columns(path: str, sent: bytes) -> None:
    assert processed(CSV, b"0,1,2,3,4,5,6\n", b"", InputFilter=path)[0] == sent


def test_golden_the_id_attribute_is_not_sent_and_is_stored() -> None:
    given = b'{"id": "a", "features": [1, 2.50]}\n{"id": "b", "features": [3, 4]}\n'
    sent, results = processed(
        LINES, given, b'{"score": 1e-7}\n{"score": 2}\n',
        InputFilter="$.features", JoinSource="Input", OutputFilter="$['id','SageMakerOutput']",
    )  # fmt: skip
    assert sent == b"[1, 2.50]\n[3, 4]\n"
    assert results == [
        b'{"id":"a","SageMakerOutput":{"score": 1e-7}}',
        b'{"id":"b","SageMakerOutput":{"score": 2}}',
    ]


def test_golden_children_of_a_field() -> None:
    given = b'{"field1": {"child1": 1, "child2": {"grandchild": 2}, "x": 3}}'
    assert processed(LINES, given, b"", InputFilter="$.field1.['child1','child2']")[0] == (
        b'{"child1":1,"child2":{"grandchild": 2}}\n'
    )


def test_golden_inference_ids_of_csv() -> None:
    capture = {"DestinationS3Uri": "s3://c", "GenerateInferenceId": True}
    _, (first, second) = processed(CSV, b"", b"0\n1\n", DataCaptureConfig=capture)
    for result, score in ((first, "0"), (second, "1")):
        found, inference_id, time = result.decode().split(",")
        assert (found, str(uuid.UUID(inference_id)), time) == (score, inference_id, TIME)


def test_golden_inference_ids_of_json_lines() -> None:
    capture = {"DestinationS3Uri": "s3://c", "GenerateInferenceId": True}
    _, (result,) = processed(LINES, b"", b'{"output": 0}', DataCaptureConfig=capture)
    members = msgspec.json.decode(result)
    assert list(members) == ["output", "SageMakerInferenceId", "SageMakerInferenceTime"]
    assert members["SageMakerInferenceTime"] == TIME
    with pytest.raises(RecordError):
        processed(LINES, b"", b"[1]", DataCaptureConfig=capture)


def test_an_output_filter_works_without_a_join() -> None:
    assert processed(LINES, b"1\n", b'{"a": 1, "b": 2}\n', OutputFilter="$.b")[1] == [b"2"]


def test_quoted_fields_keep_their_quotes() -> None:
    sent, results = processed(
        CSV, b'"a, ""b""",1, x \r\n', b'"y,z"\r\n', InputFilter="$[0,-1]", JoinSource="Input", OutputFilter="$[0,-1]"
    )
    assert sent == b'"a, ""b""", x \n'
    assert results == [b'"a, ""b""","y,z"']


def test_json_lines_stay_lines() -> None:
    answer = b'{\n  "score": 1.0\n}\n'
    single = BatchStrategy.SINGLE_RECORD
    _, results = processed(JSON, b'{"id": 1}\n', answer, split="Line", strategy=single, JoinSource="Input")
    assert results == [b'{"id":1,"SageMakerOutput":{"score":1.0}}']


def test_lines_that_nothing_assembles_keep_their_ends() -> None:
    given = b'{"id": 1}\n{"id": 2}\n'
    _, results = processed(LINES, given, b"3\n4\n", split="None", JoinSource="Input")
    assert b"".join(results) == b'{"id":1,"SageMakerOutput":3}\n{"id":2,"SageMakerOutput":4}\n'


def test_empty_lines_are_no_records() -> None:
    sent, results = processed(CSV, b"\n1,2\n\r\n3,4\n\n", b"a\n\nb\n\n", JoinSource="Input")
    assert sent == b"1,2\n3,4\n"
    assert results == [b"1,2,a", b"3,4,b"]


@pytest.mark.parametrize("answer", [b"", b"1\n", b"1\n2\n3\n"])
def test_another_number_of_records_is_an_error(answer: bytes) -> None:
    with pytest.raises(RecordError, match="the number of records differs"):
        processed(CSV, b"1\n2\n", answer, JoinSource="Input")


@pytest.mark.parametrize(
    ("given", "answer", "words"),
    [
        (b'a "b" c\n', b"1\n", 'Failed to parse input as CSV: bare " in non quoted field found near: a "b" c'),
        (b"1\n", b'    "predictions": [[1.5881,\n',
         'Failed to parse output from the algorithm as CSV: bare " in non quoted field found near:     "predictions"'),
        (b'"a"b,c\n', b"1\n", "in quoted field found near"),
        (b'"a\n', b"1\n", "in quoted field found near"),
    ],
)  # fmt: skip
def test_what_is_no_csv_is_told_in_the_service_s_words(given: bytes, answer: bytes, words: str) -> None:
    with pytest.raises(RecordError) as raised:
        processed(CSV, given, answer, JoinSource="Input")
    assert words in raised.value.message


@pytest.mark.parametrize(
    ("given", "answer", "origin"), [(b"{", b"1", "input"), (b"1", b"NaN", "output from the algorithm")]
)
def test_what_is_no_json_is_told(given: bytes, answer: bytes, origin: str) -> None:
    with pytest.raises(RecordError, match=f"Failed to parse {origin} as JSON"):
        processed(LINES, given, answer, JoinSource="Input")
    with pytest.raises(TransformError):
        processed(LINES, given, answer, JoinSource="Input", InputFilter="$.a")


def parts_of(row: bytes) -> list[bytes]:
    ends = list(field_ends(row, "input"))
    return [row[start:end] for start, end in zip([0, *(end + 1 for end in ends)], ends, strict=False)]


fields = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=8)


@given(st.lists(fields, min_size=1, max_size=6), st.lists(st.booleans(), min_size=6, max_size=6))
def test_a_row_that_follows_the_rfc_is_taken_apart_as_it_was_put_together(row: list[str], quoted: list[bool]) -> None:
    written = [
        '"' + field.replace('"', '""') + '"' if quote or any(mark in field for mark in '",') else field
        for field, quote in zip(row, quoted, strict=False)
    ]
    assert [part.decode() for part in parts_of(",".join(written).encode())] == written


@given(st.binary(max_size=30).filter(lambda row: b"\n" not in row))
def test_any_row_is_taken_apart_without_loss_or_refused(row: bytes) -> None:
    try:
        assert b",".join(parts_of(row)) == row
    except RecordError:
        assert b'"' in row


@pytest.mark.parametrize("field", [b"12", b'"1"'])
@pytest.mark.parametrize(("path", "sent"), [("$[0]", [0]), ("$[-1,0]", [-1, 0]), ("$[2:3]", [2, 3]), ("$[9:8]", [])])
def test_a_long_row_is_not_taken_apart_for_a_few_fields(field: bytes, path: str, sent: list[int]) -> None:
    row = b",".join([field] * 100_000)
    tracemalloc.start()
    try:
        assert processed(CSV, row, b"", InputFilter=path)[0] == b",".join(field for _ in sent) + b"\n"
        assert tracemalloc.get_traced_memory()[1] < 4 * len(row)
    finally:
        tracemalloc.stop()
