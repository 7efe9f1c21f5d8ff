"""Data on stdout, talk on stderr."""

import json

import pytest

from argosy.cli import output


def test_talk_and_text_go_their_own_ways(capsys: pytest.CaptureFixture[str]) -> None:
    output.say("for [people]")
    output.print_data("for programs")
    output.print_json({"digest": "sha256:0"})
    out, err = capsys.readouterr()
    assert err == "for [people]\n"
    first, rest = out.split("\n", 1)
    assert first == "for programs"
    assert json.loads(rest) == {"digest": "sha256:0"}


def test_a_step_says_what_ran_and_how_long(capsys: pytest.CaptureFixture[str]) -> None:
    with output.step("locking the dependencies"):
        pass
    assert capsys.readouterr().err == "locking the dependencies (0.0 s)\n"
