import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from argosy.conformance.check import SAMPLE
from argosy.conformance.finding import Report
from argosy.conformance.reporting.document import to_json
from argosy.conformance.reporting.wording import plain
from tests.conformance.reporting.reports import (
    CONFORMING,
    HOSTILE,
    NASTY,
    NOT_EXAMINED,
    RECORDING,
    REPORT,
    UNDECIDED,
    WAIVED,
)

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / "docs/reference/check-report.schema.json").read_text(encoding="utf-8"))


def test_the_json_is_as_agreed() -> None:
    assert to_json([REPORT]).decode() == (ROOT / "tests/golden/check-report.json").read_text(encoding="utf-8")


def test_the_json_says_whether_the_image_conforms() -> None:
    (report,) = json.loads(to_json([REPORT]))["reports"]
    assert report["conforming"] is REPORT.is_conforming is False
    assert report["counts"] == {"pass": 1, "fail": 2, "unknown": 1, "skip": 1}


def test_the_json_carries_the_verdict_of_the_text() -> None:
    refused, undecided, conforming = json.loads(to_json([REPORT, UNDECIDED, CONFORMING]))["reports"]
    assert refused["verdict"] == "does not conform"
    assert undecided["verdict"] == "undecided"
    assert undecided["conforming"] is True
    assert [finding["decide"] for finding in undecided["findings"]][-2:] == [SAMPLE, SAMPLE]
    assert conforming["verdict"] == "conforms"


@pytest.mark.parametrize(
    "report", [REPORT, UNDECIDED, CONFORMING, WAIVED, HOSTILE, NOT_EXAMINED, replace(REPORT, recording=RECORDING)]
)
def test_the_json_keeps_its_published_schema(report: Report) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(json.loads(to_json([report])), SCHEMA)


def test_the_schema_refuses_another_version_and_a_report_without_its_verdict() -> None:
    document = json.loads(to_json([CONFORMING]))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**document, "schema": "argosy-check-report-0"}, SCHEMA)
    del document["reports"][0]["verdict"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA)


def test_every_field_of_the_schema_says_what_it_is() -> None:
    for name, definition in SCHEMA["$defs"].items():
        for field, value in definition.get("properties", {}).items():
            assert value.get("description"), f"{name}.{field}"


def test_the_json_shows_waivers_profile_and_notes() -> None:
    report, plain = json.loads(to_json([WAIVED, REPORT]))["reports"]
    waivers = {finding["clause"]: finding["waiver"] for finding in report["findings"] if finding["waiver"]}
    assert waivers == {"stop-grace": {"reason": "the next release has it", "until": "2027-03-01"}}
    assert [finding["status"] for finding in report["findings"] if finding["waiver"]] == ["fail"]
    assert report["conforming"] is True
    assert report["profile"] == "marketplace"
    assert report["notes"] == list(WAIVED.notes)
    assert (report["checked_at"], report["version"]) == (WAIVED.checked_at, "1.2.3")
    assert report["given_again"] is True
    assert (plain["profile"], plain["notes"], plain["given_again"]) == (None, [], False)


def test_hostile_text_is_text() -> None:
    text = to_json([HOSTILE]).decode()
    assert {letter for letter in text if not letter.isprintable()} == {"\n"}
    assert json.loads(text)["reports"][0]["target"] == plain(NASTY)
