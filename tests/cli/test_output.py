"""Data on stdout, talk on stderr."""

import json
import subprocess
import sys
from pathlib import Path

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


_DEAF = """
import sys
from argosy.cli.output import say
sys.stdin.readline()
say("nobody reads this")
say("nor this")
print("done")
"""


def test_nobody_has_to_read_what_is_said() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _DEAF], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    process.stderr.close()
    out, _ = process.communicate("go\n", timeout=60)
    assert (out, process.returncode) == ("done\n", 0)


def test_a_full_disk_does_not_stop_who_says_something() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", _DEAF], input="go\n", stdout=subprocess.PIPE, stderr=full, text=True, timeout=60
        )
    assert done.stdout == "done\n"


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
