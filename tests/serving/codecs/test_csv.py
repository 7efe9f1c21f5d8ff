import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import DecodeError, NotAcceptableError
from argosy.media_type import MediaType, parse
from argosy.serving.codecs.csv import CsvCodec
from argosy.serving.inputs.kind import InputKind

PLAIN = MediaType("text", "csv")
codec = CsvCodec()
tables = st.integers(1, 6).flatmap(
    lambda columns: st.lists(st.lists(st.floats(), min_size=columns, max_size=columns), min_size=1, max_size=8)
)


def array(body: bytes, content_type: str = "text/csv") -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    parsed = parse(content_type)
    assert parsed is not None
    decoded = codec.decode(body, InputKind.ARRAY, parsed)
    assert isinstance(decoded, np.ndarray)
    return decoded


@given(tables)
def test_what_was_encoded_decodes_to_the_same_numbers(rows: list[list[float]]) -> None:
    decoded = array(bytes(codec.encode(np.array(rows))))
    np.testing.assert_array_equal(decoded, np.array(rows))
    assert decoded.dtype == np.float64
    assert decoded.flags.c_contiguous


@pytest.mark.parametrize(
    ("body", "want"),
    [
        (b"1,2\n3,4\n", [[1, 2], [3, 4]]),
        (b"1,2\r\n3,4", [[1, 2], [3, 4]]),
        (b"5\n6\n", [[5], [6]]),
        (b"\n1,2\n\n3,4\n\n", [[1, 2], [3, 4]]),
        (b'"1","2"\n', [[1, 2]]),
        (b"+1, .5 ,1.,01,1e3\n", [[1, 0.5, 1, 1, 1000]]),
        (b"1,,nan\n", [[1, math.nan, math.nan]]),
        (b"\xef\xbb\xbf1,2\n", [[1, 2]]),
        (b"-inf,inf\n", [[-math.inf, math.inf]]),
    ],
)
def test_every_usual_spelling_of_numbers_is_understood(body: bytes, want: list[list[float]]) -> None:
    np.testing.assert_array_equal(array(body), np.array(want, dtype=float))


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"", "no rows"),
        (b"\n\n", "no rows"),
        (b"1,2\n3\n", "row 2 has another length"),
        (b"1,2\n3,x\n", "row 2, column 2"),
        (b"1,true\n", "row 1, column 2"),
        (b"1,null\n", "row 1, column 2"),
        (b"1,[2]\n", "row 1, column 2"),
        (b"1,2],[3\n", "row 1, column 2"),
        (b"1_000,2\n", "row 1, column 1"),
        (b'1,"2\n', "not CSV"),
        (b"\xff\n", "not `utf-8`"),
    ],
)
def test_what_is_not_a_table_of_numbers_is_refused_with_its_place(body: bytes, place: str) -> None:
    with pytest.raises(DecodeError, match=place):
        array(body)


def test_a_header_is_dropped_when_the_content_type_announces_it() -> None:
    np.testing.assert_array_equal(array(b"a,b\n1,2\n", "text/csv; header=present"), [[1, 2]])
    with pytest.raises(DecodeError, match="row 1, column 1") as refused:
        array(b"a,b\n1,2\n")
    assert "header=present" in (refused.value.hint or "")


def test_the_charset_is_honoured() -> None:
    np.testing.assert_array_equal(array("1,2\n".encode("utf-16"), "text/csv; charset=utf-16"), [[1, 2]])


def test_lists_keep_what_is_not_a_number() -> None:
    decoded = codec.decode(b'1.50,007,"a,b",\n', InputKind.LIST, PLAIN)
    assert decoded == [[1.5, "007", "a,b", ""]]


@pytest.mark.parametrize(
    ("prediction", "want"),
    [
        (np.array([1, 2]), b"1\n2\n"),
        (np.array([[0.1, 0.9]]), b"0.1,0.9\n"),
        (np.float64(0.5), b"0.5\n"),
        ([["a,b", 1], ["c", None]], b'"a,b",1\nc,\n'),
        (["yes", "no"], b"yes\nno\n"),
        ("as it is", b"as it is"),
        (b"as it is", b"as it is"),
    ],
)
def test_predictions_are_written_row_by_row(prediction: object, want: bytes) -> None:
    assert codec.encode(prediction) == want


@pytest.mark.parametrize("prediction", [{"a": [1]}, [[1, [2]]], [{"a": {}}]])
def test_what_is_no_table_is_not_acceptable_as_csv(prediction: object) -> None:
    with pytest.raises(NotAcceptableError):
        codec.encode(prediction)
