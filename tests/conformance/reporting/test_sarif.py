import json
from dataclasses import replace
from typing import Any

import pytest
from sarif_kit import validation_errors

from argosy.conformance.finding import Report
from argosy.conformance.reporting.sarif import to_sarif
from tests.conformance.reporting.reports import CONFORMING, HOSTILE, NOT_EXAMINED, REPORT, UNDECIDED, WAIVED


def run_of(*reports: Report) -> dict[str, Any]:
    (run,) = json.loads(to_sarif(reports))["runs"]
    assert isinstance(run, dict)
    return run


@pytest.mark.parametrize(
    "reports", [(REPORT,), (REPORT, UNDECIDED, CONFORMING), (HOSTILE,), (WAIVED,), (NOT_EXAMINED,), ()]
)
def test_it_keeps_the_official_schema(reports: tuple[Report, ...]) -> None:
    assert validation_errors(json.loads(to_sarif(reports))) == []


def test_a_clause_is_a_rule_and_what_failed_is_a_result() -> None:
    run = run_of(REPORT)
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [finding.clause.id for finding in REPORT.findings]
    assert rules[-1]["helpUri"].startswith("https://docs.aws.amazon.com/")
    assert rules[-1]["defaultConfiguration"] == {"level": "error"}
    assert [(result["ruleId"], result["level"]) for result in run["results"]] == [
        ("error-client", "warning"),
        ("stop-grace", "error"),
    ]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    message = run["results"][1]["message"]["text"]
    assert message.startswith("it ignores SIGTERM and had to be killed\nsent: SIGTERM\n")
    assert message.endswith("log: the last line of the log")


def test_what_is_undecided_is_a_notification() -> None:
    (invocation,) = run_of(UNDECIDED)["invocations"]
    told = invocation["toolExecutionNotifications"]
    assert [each["associatedRule"]["id"] for each in told] == [
        *("image-init", "start-offline", "ping-busy", "invocations", "stop-drain")
    ]
    assert told[1]["message"]["text"] == "unknown: not cut off"


def test_what_is_waived_is_a_notification_and_no_result() -> None:
    run = run_of(WAIVED)
    assert [result["ruleId"] for result in run["results"]] == ["error-client"]
    told = {
        each["associatedRule"]["id"]: each["message"]["text"]
        for each in run["invocations"][0]["toolExecutionNotifications"]
        if "associatedRule" in each
    }
    assert told["stop-grace"] == (
        "fails, waived until 2027-03-01: the next release has it: it ignores SIGTERM and had to be killed"
    )


@pytest.mark.parametrize(
    ("target", "uri"),
    [
        (".", "argosy.toml"),
        ("./", "argosy.toml"),
        ("./examples/sums", "examples/sums/argosy.toml"),
        ("/home/me/a b", "/home/me/a%20b/argosy.toml"),
        ("..", "../argosy.toml"),
    ],
)
def test_a_result_of_a_project_is_in_its_argosy_toml(target: str, uri: str) -> None:
    run = run_of(replace(REPORT, target=target, is_project=True))
    assert run["artifacts"][0]["location"]["uri"] == uri
    locations = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    assert {location["artifactLocation"]["uri"] for location in locations} == {uri}


def test_a_result_is_in_its_image() -> None:
    run = run_of(REPORT, replace(REPORT, target="registry.example:5000/x@sha256:ab"))
    first, last = run["results"][0], run["results"][-1]
    assert first["locations"][0]["physicalLocation"]["artifactLocation"] == {
        "uri": "docker-daemon%3Amy-inference-image",
        "index": 0,
    }
    (location,) = last["locations"]
    assert location["logicalLocations"] == [
        {"fullyQualifiedName": "registry.example:5000/x@sha256:ab", "kind": "module"}
    ]
    uri = run["artifacts"][1]["location"]["uri"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == uri
    assert ":" not in uri and not uri.startswith("/")


def test_a_fingerprint_stays_as_long_as_image_and_clause_do() -> None:
    before = [result["partialFingerprints"] for result in run_of(REPORT)["results"]]
    after = [result["partialFingerprints"] for result in run_of(replace(REPORT, seconds=1.0, digest=""))["results"]]
    other = [result["partialFingerprints"] for result in run_of(replace(REPORT, target="y"))["results"]]
    assert before == after
    assert len({json.dumps(each) for each in before + other}) == 4


def test_hostile_text_is_text_and_no_link() -> None:
    run = run_of(HOSTILE)
    told = run["results"] + run["invocations"][0]["toolExecutionNotifications"]
    assert len(told) == 3
    assert all("](" not in each["message"]["text"] for each in told)
    assert {letter for letter in to_sarif([HOSTILE]).decode() if not letter.isprintable()} == {"\n"}


def test_an_image_that_could_not_be_examined_makes_the_run_unsuccessful() -> None:
    (invocation,) = run_of(REPORT, NOT_EXAMINED)["invocations"]
    assert invocation["executionSuccessful"] is False
    told = [each for each in invocation["toolExecutionNotifications"] if each["level"] == "error"]
    assert [each["message"]["text"] for each in told] == [f"not examined: {NOT_EXAMINED.failure}"]
    assert run_of(REPORT)["invocations"][0]["executionSuccessful"] is True


def test_that_a_report_is_given_again_and_its_notes_are_notifications() -> None:
    (invocation,) = json.loads(to_sarif([WAIVED]))["runs"][0]["invocations"]
    texts = [told["message"]["text"] for told in invocation["toolExecutionNotifications"]]
    assert texts[0] == f"checked at {WAIVED.checked_at} by Argosy 1.2.3: nothing has changed since"
    assert texts[1] == WAIVED.notes[0]
