import json
from pathlib import Path

from argosy.conformance.catalogue import CLAUSES
from argosy.conformance.check import SAMPLE, Evidence, failed, passed, skipped, unknown
from argosy.conformance.finding import Finding, Report
from argosy.conformance.report import WIDTH, to_json, to_text

GOLDEN = Path(__file__).parents[1] / "golden"

LONG_ANSWER = "500, text/html, 265 bytes: <!doctype html> <title>500 Internal Server Error</title> " * 2 + "x"

REPORT = Report(
    target="docker-daemon:my-inference-image",
    digest="sha256:" + "ab" * 32,
    container="docker",
    seconds=12.345,
    findings=(
        Finding(CLAUSES["image-root"], "image", passed("runs as root")),
        Finding(CLAUSES["image-init"], "image", unknown("AWS names tini; nobody wrote down whether `dumb-init` works")),
        Finding(CLAUSES["model-archive"], "image", skipped("no --model-data was given")),
        Finding(
            CLAUSES["error-client"],
            "errors",
            failed(
                "not with 4xx: malformed JSON 500",
                Evidence("POST /invocations, Content-Type: application/json, body of 22 bytes", LONG_ANSWER, 0.004),
            ),
        ),
        Finding(
            CLAUSES["stop-grace"],
            "stop",
            failed(
                "it ignores SIGTERM and had to be killed",
                Evidence("SIGTERM", "still runs after 30 s", 30.0, ("a", "b", "c", "d", "the last line of the log")),
            ),
        ),
    ),
)


def test_the_text_is_as_agreed() -> None:
    assert to_text(REPORT) == (GOLDEN / "check-report.txt").read_text(encoding="utf-8")


def test_the_json_is_as_agreed() -> None:
    assert to_json(REPORT).decode() == (GOLDEN / "check-report.json").read_text(encoding="utf-8")


def test_no_line_is_wider_than_80_columns_but_for_what_cannot_be_broken() -> None:
    for line in to_text(REPORT).splitlines():
        assert len(line) <= WIDTH or " " not in line.strip()


def test_the_text_has_no_colours() -> None:
    assert "\x1b" not in to_text(REPORT)


def test_the_json_says_whether_the_image_conforms() -> None:
    report = json.loads(to_json(REPORT))
    assert report["conforming"] is REPORT.is_conforming is False
    assert report["counts"] == {"pass": 1, "fail": 2, "unknown": 1, "skip": 1}


UNDECIDED = Report(
    "x",
    "",
    "process",
    1.0,
    (
        *REPORT.findings[:3],
        Finding(CLAUSES["start-offline"], "start", unknown("not cut off", decide="--container docker")),
        Finding(CLAUSES["ping-busy"], "health", unknown("never busy", decide=SAMPLE)),
        Finding(CLAUSES["invocations"], "invocations", unknown("not understood", decide=SAMPLE)),
        Finding(CLAUSES["stop-drain"], "stop", unknown("nothing was predicted", decide=SAMPLE)),
    ),
)


def test_an_unknown_must_leaves_the_image_undecided_and_says_what_would_decide_it() -> None:
    assert UNDECIDED.is_conforming
    *_, sample, container, nothing, _, last, _, end = to_text(UNDECIDED).split("\n")
    assert sample == f"undecided without {SAMPLE}: ping-busy, invocations"
    assert container == "undecided without --container docker: start-offline"
    assert nothing == "undecided: image-init"
    assert last.startswith("undecided: no MUST failed, 4 MUST unknown; 1 passed, 0 failed, 5 unknown, 1")
    assert end == ""


def test_the_json_carries_the_verdict_of_the_text() -> None:
    report = json.loads(to_json(UNDECIDED))
    assert report["verdict"] == "undecided"
    assert report["conforming"] is True
    assert [finding["decide"] for finding in report["findings"]][-2:] == [SAMPLE, SAMPLE]
    assert json.loads(to_json(REPORT))["verdict"] == "does not conform"
    decided = Report("x", "", "docker", 1.0, REPORT.findings[:1])
    assert json.loads(to_json(decided))["verdict"] == "conforms"
    assert to_text(decided).splitlines()[-1].startswith("conforms: ")


def test_an_unknown_should_leaves_nothing_undecided() -> None:
    report = Report("x", "", "docker", 1.0, UNDECIDED.findings[-1:])
    assert report.undecided == ()
    assert "undecided" not in to_text(report)


def test_a_should_that_fails_leaves_the_image_conforming() -> None:
    only_should = Report("x", "", "process", 1.0, (REPORT.findings[0], REPORT.findings[3]))
    assert only_should.is_conforming
    assert "conforms: 1 passed, 1 failed (1 SHOULD), " in to_text(only_should)
