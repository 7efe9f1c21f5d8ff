import io
import json
import re
import sys
from pathlib import Path

import pytest

from argosy.cli import output
from argosy.conformance.check import SAMPLE, Evidence, failed
from argosy.conformance.finding import Finding, Report
from argosy.conformance.reporting.form import Form, write
from argosy.conformance.reporting.text import WIDTH, lines, to_text
from tests.conformance.reporting.reports import CONFORMING, HIDDEN, NOT_EXAMINED, NOT_TRIED, REPORT, UNDECIDED, WAIVED

GOLDEN = Path(__file__).parents[2] / "golden"
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def test_the_text_is_as_agreed() -> None:
    assert to_text([REPORT]) == (GOLDEN / "check-report.txt").read_text(encoding="utf-8")


def test_no_line_is_wider_than_80_columns_but_for_what_cannot_be_broken() -> None:
    for line in to_text([REPORT, UNDECIDED, CONFORMING]).splitlines():
        assert len(line) <= WIDTH or " " not in line.strip()


def test_the_text_has_no_colours() -> None:
    assert "\x1b" not in to_text([REPORT])


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown_on_a_terminal(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"TERM": "xterm-256color"} | variables).items():
        monkeypatch.setenv(name, value)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    output.print_lines(lines([REPORT, UNDECIDED]))
    return terminal.getvalue()


def test_colours_add_nothing_but_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = shown_on_a_terminal(monkeypatch)
    assert "\x1b[1;31mFAIL\x1b[0m stop-grace" in shown
    assert ESCAPES.sub("", shown) == to_text([REPORT, UNDECIDED])


def test_who_wants_no_colour_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = shown_on_a_terminal(monkeypatch, NO_COLOR="1")
    assert ESCAPES.sub("", shown) == to_text([REPORT, UNDECIDED])
    assert not set(re.findall(r"\x1b\[([0-9;]*)m", shown)) & {"31", "1;31", "32", "1;32", "33", "1;33"}


def test_an_unknown_must_leaves_the_image_undecided_and_says_what_would_decide_it() -> None:
    assert UNDECIDED.is_conforming
    *_, sample, container, nothing, _, last, _, end = to_text([UNDECIDED]).split("\n")
    assert sample == f"undecided without {SAMPLE}: ping-busy, invocations"
    assert container == "undecided without --container docker: start-offline"
    assert nothing == "undecided: image-init"
    assert last.startswith("undecided: no MUST failed, 4 MUST unknown; 1 passed, 0 failed, 5 unknown, 1")
    assert end == ""


def test_an_unknown_should_leaves_nothing_undecided() -> None:
    report = Report("x", "", "docker", 1.0, UNDECIDED.findings[-1:])
    assert report.undecided == ()
    assert "undecided" not in to_text([report])


def test_a_should_that_fails_leaves_the_image_conforming() -> None:
    only_should = Report("x", "", "process", 1.0, (REPORT.findings[0], REPORT.findings[3]))
    assert only_should.is_conforming
    assert "conforms: 1 passed, 1 failed (1 SHOULD), " in to_text([only_should])


def test_several_reports_end_with_a_table_of_their_verdicts() -> None:
    text = to_text([REPORT, UNDECIDED, CONFORMING])
    assert text.startswith(to_text([REPORT]))
    assert text.splitlines()[-4:] == [
        "verdict           MUST  SHOULD  unknown  image",
        "does not conform     1       1        1  docker-daemon:my-inference-image",
        "undecided            0       0        5  x",
        "conforms             0       0        0  oci:build/image:latest",
    ]


def test_what_an_image_says_cannot_steer_the_terminal() -> None:
    nasty = "a\x1b[2Jb\rc\nd\u202ee"
    finding = Finding(REPORT.findings[0].clause, "image", failed(nasty, Evidence(nasty, nasty, None, (nasty,))))
    text = to_text([Report(nasty, "", "docker", 1.0, (finding,))])
    assert {letter for letter in text if not letter.isprintable()} == {"\n"}
    assert "a�[2Jb�c d�e" in text


def test_what_is_waived_is_shown_as_failed_and_waived_and_does_not_count() -> None:
    text = to_text([WAIVED])
    assert "  FAIL stop-grace             MUST, waived  it ignores SIGTERM" in text
    assert "MUST stop-grace\n  The container ends within" in text
    assert "  waived  until 2027-03-01: the next release has it\n" in text
    assert "2 failed (1 SHOULD, 1 waived), 1 unknown" in text.replace("\n", " ")
    assert to_text([WAIVED, CONFORMING]).splitlines()[-2].split()[:4] == ["undecided", "0", "1", "1"]


def test_a_report_says_its_profile_its_notes_and_that_it_is_given_again() -> None:
    text = to_text([WAIVED])
    assert "  run by docker, profile marketplace\n" in text
    assert " checked at 2026-11-22T10:11:12+00:00 by Argosy 1.2.3: nothing has changed since " in " ".join(text.split())
    assert "\n\nnote: the waiver of image-root waives nothing: the clause holds\n\n" in text
    assert "profile" not in to_text([REPORT])


def test_an_image_that_could_not_be_examined_says_why() -> None:
    assert not NOT_EXAMINED.is_conforming
    text = to_text([NOT_EXAMINED, CONFORMING])
    assert text.startswith(f"{NOT_EXAMINED.target}\n  checked at {NOT_EXAMINED.checked_at} by Argosy ")
    assert f"\n\nnot examined: {NOT_EXAMINED.failure}\n" in text
    assert text.splitlines()[-2].startswith("not examined ")


def test_what_a_waived_failure_hides_is_undecided_in_every_form() -> None:
    text = to_text([HIDDEN])
    assert "\n\nundecided while start-healthy fails: ping\n\n" in text
    assert "undecided: no MUST failed that is not waived, 1 MUST unknown or not tried;" in text
    assert "not tried while " in write([HIDDEN], Form.HTML).decode()
    notes = json.loads(write([HIDDEN], Form.SARIF))["runs"][0]["invocations"][0]["toolExecutionNotifications"]
    assert "not tried: it builds on start-healthy" in [note["message"]["text"] for note in notes]
    (told,) = json.loads(write([HIDDEN], Form.JSON))["reports"]
    assert (told["verdict"], told["findings"][1]["blocked_by"]) == ("undecided", HIDDEN.findings[0].clause.id)


def test_what_was_not_tried_for_one_reason_is_told_once() -> None:
    text = to_text([NOT_TRIED])
    assert text.split("\n\n")[1:3] == [
        "image\n"
        "  -    image-manifest, image-platform, image-init: there is no image: `.` is run\n"
        "       as it is\n"
        "  ok   image-root             runs as root\n"
        "  -    image-secrets, model-archive: there is no image: `.` is run as it is",
        "health\n  -    ping                   MUST  there is no image: `.` is run as it is",
    ]
