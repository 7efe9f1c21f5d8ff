"""The judge of the table: it sees a single wrong bit, digit, name and record."""

from dataclasses import replace

import numpy as np
import pytest

from tests.flavors.answers import as_text, is_near, is_same
from tests.flavors.serving import Arrays
from tests.flavors.table import Row, differences, gaps

CSV, JSON = "text/csv", "application/json"
FLOATS = np.array([[0.1, 2.5], [3.0, -4.0]], np.float32)
ROW = Row("onnx", "`x` float32 (any, 4)", "joined", 100, (JSON,), 150, True, ("JSON",), why="said by hand")


def test_same_is_same_to_the_last_bit() -> None:
    assert is_same(FLOATS.copy(), FLOATS)
    assert not is_same(np.nextafter(FLOATS, np.float32(9)), FLOATS)
    assert not is_same(FLOATS.astype(np.float64), FLOATS)
    assert not is_same(FLOATS.reshape(4), FLOATS)
    assert is_same({"a": FLOATS}, {"a": FLOATS.copy()})
    assert not is_same({"a": FLOATS}, {"b": FLOATS})
    assert not is_same({"a": FLOATS}, FLOATS)


@pytest.mark.parametrize(
    ("body", "media_type", "wanted", "agrees"),
    [
        (b"[[0.1, 2.5], [3, -4]]", JSON, FLOATS, True),
        (b"[[0.1, 2.5], [3, -4.000001]]", JSON, FLOATS, False),
        (b"[[0.1, 2.5]]", JSON, FLOATS, False),
        (b"[0.1, 2.5, 3, -4]", JSON, FLOATS, False),
        (b"[[[0.1], [2.5]], [[3], [-4]]]", JSON, FLOATS, False),
        (b"0.1\n2.5\n3.0\n-4.0\n", CSV, FLOATS, False),
        (b"0.1,2.5\n3.0,-4.0\n", CSV, FLOATS.reshape(2, 2, 1), True),
        (b"0.1,2.5\n3.0,-4.0\n", CSV, FLOATS, True),
        (b"0.1,2.5\n3.0,4.0\n", CSV, FLOATS, False),
        (b'["a", "b"]', JSON, np.array(["a", "b"]), True),
        (b"a\nc\n", CSV, np.array(["a", "b"]), False),
        (b'{"x": [[0.1, 2.5], [3, -4]], "y": [1, 2]}', JSON, {"x": FLOATS, "y": np.array([1, 2])}, True),
        (b'{"x": [[0.1, 2.5], [3, -4]], "y": [1, 3]}', JSON, {"x": FLOATS, "y": np.array([1, 2])}, False),
        (b"0.1,2.5,1\n3,-4,2\n", CSV, {"x": FLOATS, "y": np.array([1, 2])}, True),
    ],
)
def test_a_text_holds_the_numbers_or_not(body: bytes, media_type: str, wanted: Arrays, agrees: bool) -> None:
    assert as_text(body, media_type, wanted) is agrees


def test_rounding_is_near_and_another_number_is_not() -> None:
    assert is_near({"a": [1.0, "x"]}, {"a": [1.0000001, "x"]})
    assert not is_near([1.0], [1.1])
    assert not is_near(["x"], ["y"])
    assert as_text(b"[[0.1000001, 2.5], [3, -4]]", JSON, FLOATS, is_near_enough=True)
    assert not as_text(b"[[0.11, 2.5], [3, -4]]", JSON, FLOATS, is_near_enough=True)


def test_a_cell_that_has_changed_is_told_and_a_size_within_a_tenth_is_not() -> None:
    assert differences(ROW, ROW) == []
    assert differences(replace(ROW, image_mb=109, why=""), ROW) == []
    assert len(differences(replace(ROW, image_mb=111), ROW)) == 1
    assert "joined" in differences(replace(ROW, batch="alone"), ROW)[0]
    assert differences(ROW, None) == ["docs/flavors.toml has no row for onnx"]


def test_a_row_is_whole_when_every_cell_is() -> None:
    assert gaps(ROW) == []
    assert len(gaps(replace(ROW, same_bits=False, same_text=(), job_records=99))) == 3
