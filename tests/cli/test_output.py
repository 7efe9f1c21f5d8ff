"""Data on stdout, talk on stderr."""

import json
import subprocess
import sys

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


_BUILD = """
import sys
from argosy.cli.main import main
sys.argv = ["argosy", "build", "/nowhere"]
try:
    main()
finally:
    print([name for name in sys.modules if name.partition(".")[0] in ("rich", "pygments")])
"""


def test_what_moves_is_loaded_for_a_terminal_alone() -> None:
    done = subprocess.run([sys.executable, "-c", _BUILD], capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr.startswith("error: ")
    assert done.stdout == "[]\n"


def test_a_step_says_what_ran_and_how_long(capsys: pytest.CaptureFixture[str]) -> None:
    with output.step("locking the dependencies"):
        pass
    assert capsys.readouterr().err == "locking the dependencies (0.0 s)\n"
