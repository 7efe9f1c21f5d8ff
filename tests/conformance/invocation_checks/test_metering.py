import json
from dataclasses import replace

import pytest

from argosy.conformance.check import Status
from argosy.conformance.probes import Exchange
from argosy.conformance.scenes.metering import Metering
from argosy.contract import HEADER_METERING
from tests.conformance.exchanges import exchange, finding


def metered(value: object, status: int = 200) -> Exchange:
    text = value if isinstance(value, str) else json.dumps(value)
    return replace(exchange(status), headers=((HEADER_METERING.lower(), text),))


def units(count: object, dimension: object = "inference.count") -> dict[str, object]:
    return {"Dimension": dimension, "ConsumedUnits": count}


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (units(3), Status.PASS),
        (units(0.5), Status.PASS),
        (units("3"), Status.FAIL),
        (units(True), Status.FAIL),
        (units(3, 7), Status.FAIL),
        (units(3) | {"ClientToken": "x"}, Status.FAIL),
        ({"ConsumedUnits": 3}, Status.FAIL),
        ([1], Status.FAIL),
        ("3", Status.FAIL),
        ("inference.count=3", Status.FAIL),
        ('{"Dimension": "inference.count", "ConsumedUnits": 3, "x": "\u00e9"}', Status.FAIL),
    ],
)
def test_the_header_is_one_line_of_json_with_two_keys(value: object, status: Status) -> None:
    assert finding("metering-syntax", Metering((metered(value),))).status is status


@pytest.mark.parametrize(
    ("count", "status"),
    [(1, Status.PASS), (3.0, Status.PASS), (0.5, Status.FAIL), (-1, Status.FAIL), (0, Status.UNKNOWN)],
)
def test_units_are_counted_in_whole_numbers(count: float, status: Status) -> None:
    assert finding("metering-units", Metering((metered(units(1)), metered(units(count))))).status is status


def test_a_dimension_that_aws_does_not_name_is_told_and_its_records_are_not_counted() -> None:
    scene = Metering((metered(units(7, "tokens")),), metered(units(7, "tokens")), metered(units(7, "tokens")), 3)
    assert finding("metering-dimension", scene).status is Status.FAIL
    assert finding("metering-dimension", scene).clause.level == "SHOULD"
    assert finding("metering-records", scene).status is Status.SKIP


@pytest.mark.parametrize(
    ("several", "status"),
    [
        (metered(units(3)), Status.PASS),
        (metered(units(1)), Status.FAIL),
        (exchange(200), Status.FAIL),
        (metered(units(2)), Status.UNKNOWN),
        (exchange(400), Status.UNKNOWN),
        (None, Status.UNKNOWN),
    ],
)
def test_several_records_are_several_units(several: Exchange | None, status: Status) -> None:
    single = metered(units(1))
    assert finding("metering-records", Metering((single,), single, several, 3)).status is status


def test_an_error_is_not_metered_and_its_header_is_not_judged_otherwise() -> None:
    scene = Metering((metered(units(1)), metered("nonsense", 400)))
    assert finding("metering-errors", scene).status is Status.FAIL
    assert finding("metering-syntax", scene).status is Status.PASS
    assert finding("metering-errors", Metering((metered(units(1)),))).status is Status.PASS


def test_a_line_of_the_log_that_counts_too_is_told_and_not_demanded() -> None:
    line = '{"_aws": {"CloudWatchMetrics": []}, "ConsumedUnits": 1}'
    assert finding("metering-log", Metering((metered(units(1)),), log=(line,))).status is Status.PASS
    assert finding("metering-log", Metering((metered(units(1)),))).status is Status.SKIP
