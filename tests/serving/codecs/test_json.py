import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import DecodeError, PredictError
from argosy.media_type import MediaType
from argosy.serving.codecs.json import JsonCodec
from argosy.serving.inputs.kind import InputKind

JSON = MediaType("application", "json")
codec = JsonCodec()
finite = st.floats(allow_nan=False, allow_infinity=False)
tables = st.integers(1, 6).flatmap(
    lambda columns: st.lists(st.lists(finite, min_size=columns, max_size=columns), min_size=1, max_size=8)
)
values = st.recursive(
    st.none() | st.booleans() | finite | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(tables)
def test_what_was_encoded_decodes_to_the_same_numbers(rows: list[list[float]]) -> None:
    encoded = codec.encode(np.array(rows))
    decoded = codec.decode(encoded, InputKind.ARRAY, JSON)
    assert isinstance(decoded, np.ndarray)
    np.testing.assert_array_equal(decoded, np.array(rows))


@given(values)
def test_values_come_back_as_they_went(value: object) -> None:
    assert codec.decode(codec.encode(value), InputKind.ANY, JSON) == value


@pytest.mark.parametrize(
    ("body", "want"),
    [
        (b"[1, 2]", [[1, 2]]),
        (b"[[1], [2]]", [[1], [2]]),
        (b'{"instances": [[1, 2], [3, 4]]}', [[1, 2], [3, 4]]),
        (b"[[1, null]]", [[1, math.nan]]),
        (b"[[18446744073709551616, 1]]", [[2.0**64, 1]]),
        (b"[[[1, 2], [3, 4]]]", [[[1, 2], [3, 4]]]),
    ],
)
def test_arrays_are_rows_of_float64(body: bytes, want: object) -> None:
    decoded = codec.decode(body, InputKind.ARRAY, JSON)
    assert isinstance(decoded, np.ndarray)
    assert decoded.dtype == np.float64
    np.testing.assert_array_equal(decoded, np.array(want, dtype=float))


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[NaN]", "not JSON"),
        (b"\xff", "not JSON"),
        (b"3", "not an array"),
        (b'{"rows": []}', "not an array"),
        (b"[]", "no rows"),
        (b"[[]]", "no rows"),
        (b"[[1, 2], [3]]", "row 2 has another length"),
        (b"[[1, 2], 3]", "row 2 is not like the first"),
        (b'[[1, "2"]]', "row 1, column 2 is not a number"),
        (b"[[1, 2], [true, 1]]", "row 2, column 1 is not a number"),
        (b"[true, 1]", "column 1 is not a number"),
        (b"[[1, {}]]", "row 1, column 2 is not a number"),
    ],
)
def test_what_is_not_an_array_of_numbers_is_refused_with_its_place(body: bytes, sentence: str) -> None:
    with pytest.raises(DecodeError, match=sentence):
        codec.decode(body, InputKind.ARRAY, JSON)


def test_lists_and_objects_must_be_what_the_predictor_asks_for() -> None:
    with pytest.raises(DecodeError):
        codec.decode(b"{}", InputKind.LIST, JSON)
    with pytest.raises(DecodeError):
        codec.decode(b"[]", InputKind.DICT, JSON)


def test_the_content_of_a_body_is_never_in_the_message() -> None:
    with pytest.raises(DecodeError) as refused:
        codec.decode(b'{"patient": "Smith', InputKind.ANY, JSON)
    assert "Smith" not in str(refused.value)


@pytest.mark.parametrize(
    ("prediction", "want"),
    [
        (np.array([[1.5]], dtype=np.float32), [[1.5]]),
        (np.asfortranarray([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.arange(6)[::2], [0, 2, 4]),
        (np.int64(3), 3),
        ({"scores": np.array([0.5]), "label": np.str_("yes")}, {"scores": [0.5], "label": "yes"}),
        (np.array(["a", "b"]), ["a", "b"]),
        ([math.nan, math.inf], [None, None]),
        ({3, 1, 2}, [1, 2, 3]),
    ],
)
def test_predictions_of_numpy_are_plain_json(prediction: object, want: object) -> None:
    assert json.loads(bytes(codec.encode(prediction))) == want


@pytest.mark.parametrize("prediction", [object(), {1: 2}, 1 + 2j])
def test_what_json_cannot_say_is_the_predictors_fault(prediction: object) -> None:
    with pytest.raises(PredictError):
        codec.encode(prediction)
