import contextlib

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.serving import context
from argosy.serving.context import (
    InvocationContext,
    Merged,
    SeveralAtOnceError,
    current_invocation,
    enter,
    meter,
)


def metered(given: InvocationContext, status: int = 200) -> object:
    """What the metering header field says, or None."""
    found = given.header_fields(status).partition(b"X-Amzn-Inference-Metering: ")[2]
    return orjson.loads(found) if found else None


def two(*counts: int) -> tuple[Merged, list[InvocationContext]]:
    contexts = [InvocationContext("", "") for _ in counts]
    return Merged(lambda: contexts, counts), contexts


def test_units_add_up_and_are_told_with_2xx_alone() -> None:
    told = InvocationContext("", "")
    told.meter(2)
    told.meter(0.5)
    assert metered(told) == {"Dimension": "inference.count", "ConsumedUnits": 2.5}
    told.meter(1.5)
    assert metered(told) == {"Dimension": "inference.count", "ConsumedUnits": 4}
    assert metered(told, 400) is None
    assert metered(told, 500) is None


@pytest.mark.parametrize("units", [-1, float("nan"), float("inf"), 1e300, 2**60])
def test_units_that_nobody_can_pay_are_refused(units: float) -> None:
    told = InvocationContext("", "")
    with pytest.raises(ValueError, match="metered units"):
        told.meter(units)
    assert told.header_fields(200) == b""


@pytest.mark.parametrize("dimension", ["", "a\r\nX-Evil: 1", "naïve", "\udcff", "x" * 2000])
def test_a_dimension_that_is_no_name_is_refused(dimension: str) -> None:
    with pytest.raises(ValueError, match="metered units"):
        InvocationContext("", "").meter(1, dimension)


def test_one_invocation_has_one_dimension() -> None:
    told = InvocationContext("", "")
    told.meter(1, "pages")
    with pytest.raises(ValueError, match="one dimension"):
        told.meter(1, "words")


@pytest.mark.parametrize("units", [np.int64(3), np.float32(3), 3, 3.0])
def test_a_number_is_a_number_whosever_it_is(units: float) -> None:
    told = InvocationContext("", "")
    enter(told)
    meter(units)
    told.meter(units)
    assert metered(told) == {"Dimension": "inference.count", "ConsumedUnits": 6}


@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=4), min_size=1, max_size=5))
def test_units_by_row_go_to_the_invocation_of_the_row(rows: list[list[int]]) -> None:
    merged, contexts = two(*map(len, rows))
    enter(merged)
    meter([units for own in rows for units in own])
    assert [told.metered_units for told in contexts] == [sum(own) for own in rows]


def test_units_for_another_number_of_rows_are_refused() -> None:
    merged, contexts = two(1, 2)
    enter(merged)
    with pytest.raises(ValueError, match="got 2, want 3"):
        meter([1, 1])
    assert [told.metered_units for told in contexts] == [0, 0]


def test_who_asks_about_one_while_there_are_several_is_told_so() -> None:
    enter(two(1, 1)[0])
    with pytest.raises(SeveralAtOnceError):
        current_invocation()
    with pytest.raises(SeveralAtOnceError):
        meter(1)


def test_a_predictors_own_except_does_not_swallow_it() -> None:
    assert not issubclass(SeveralAtOnceError, Exception)


def test_outside_of_predict_nothing_is_answered() -> None:
    enter(None)
    with pytest.raises(LookupError):
        current_invocation()
    with pytest.raises(LookupError):
        meter([1.0])


@pytest.mark.parametrize("text", ["a\r\nX-Evil: 1", "a\nb", "a\0b", "\x7f", "é", "x" * 1025])
def test_custom_attributes_that_are_no_header_field_are_refused(text: str) -> None:
    told = InvocationContext("", "")
    with pytest.raises(ValueError, match="custom attributes"):
        told.reply_custom_attributes(text)
    assert told.header_fields(200) == b""


@given(st.text(max_size=40), st.text(max_size=40), st.integers(0, 9))
def test_no_text_becomes_a_header_field_of_its_own(attributes: str, dimension: str, units: int) -> None:
    told = InvocationContext("", "")
    with contextlib.suppress(ValueError):
        told.reply_custom_attributes(attributes)
    with contextlib.suppress(ValueError):
        told.meter(units, dimension)
    lines = told.header_fields(200).split(b"\r\n")[1:]
    names = [line.partition(b": ")[0].decode() for line in lines]
    assert set(names) <= {"X-Amzn-SageMaker-Custom-Attributes", "X-Amzn-Inference-Metering"}
    assert b"\n" not in b"".join(lines)


def test_custom_attributes_go_with_every_status() -> None:
    told = InvocationContext("", "")
    told.reply_custom_attributes("trace=1; b")
    want = b"\r\nX-Amzn-SageMaker-Custom-Attributes: trace=1; b"
    assert told.header_fields(200) == want
    assert told.header_fields(500) == want
    assert context.Reply(b"x").content_type == "application/octet-stream"
