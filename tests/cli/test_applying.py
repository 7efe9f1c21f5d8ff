"""What every verb that writes to AWS does around its steps."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from argosy.aws.call import Call
from argosy.cli import applying
from argosy.cli.applying import EXIT_DECLINED, Manner, carry_out
from argosy.errors import AwsError, PlanError, UsageError
from argosy.planning.journal import Journal
from argosy.planning.step import Consent, Risk
from tests.planning.world import Thing, World

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/reference/plan.schema.json").read_text(encoding="utf-8"))
COST = Consent(Risk.COST, "it costs 1 USD an hour")
FREE = [[[Thing("a"), Thing("b", ("a",))]]]
DEAR = [[[Thing("a"), Thing("b", consent=COST)]]]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """An account in memory: what is asked of AWS is a matter of tests/aws and of the scenarios."""
    made = World()
    monkeypatch.setattr(applying, "AwsApi", lambda: made)
    return made


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / ".argosy/toy.json"


def manner(*, plan_only: bool = False, as_json: bool = False, agrees: bool = False) -> Manner:
    return Manner(plan_only, as_json, agrees)


def test_a_plan_is_shown_on_stdout_and_nothing_is_written(
    world: World, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert carry_out(DEAR, state, manner(plan_only=True))[0] == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert shown.out.startswith("+ a\n    sagemaker:CreateModel (us-east-1)\n")
    assert shown.out.endswith("asks first: it costs 1 USD an hour (costs money)\n")
    assert (world.writes, state.parent.exists()) == ([], False)


def test_a_plan_for_programs_keeps_its_schema(world: World, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    carry_out(DEAR, state, manner(plan_only=True, as_json=True))
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, SCHEMA)
    assert [step["key"] for step in document["steps"]] == ["a", "b"]


def test_what_costs_nothing_is_done_without_asking(
    world: World, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, given = carry_out(FREE, state, manner(as_json=True))
    assert (code, given) == (0, {"a": {"id": "id-of-a"}, "b": {"id": "id-of-b"}})
    shown = capsys.readouterr()
    assert json.loads(shown.out) == given
    assert shown.err.startswith("+ a\n")
    assert shown.err.endswith("plan: 2 to create\ndone: 2 steps\n")
    assert Journal(state).outputs == given


def test_the_second_time_there_is_nothing_to_do_and_the_same_is_given(
    world: World, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = carry_out(FREE, state, manner())
    made = list(world.writes)
    capsys.readouterr()
    assert carry_out(FREE, state, manner()) == first
    assert capsys.readouterr().err == "nothing to do: all is as it shall be\n"
    assert world.writes == made


def test_where_nobody_can_be_asked_nothing_is_done(world: World, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="somebody has to agree") as caught:
        carry_out(DEAR, state, manner())
    assert caught.value.got == COST.sentence
    monkeypatch.setattr(sys, "stdin", None)  # `argosy publish <&-`
    with pytest.raises(UsageError, match="somebody has to agree"):
        carry_out(DEAR, state, manner())
    assert world.writes == []


def test_yes_agrees_beforehand(world: World, state: Path) -> None:
    assert carry_out(DEAR, state, manner(agrees=True))[0] == 0
    assert sorted(world.things) == ["a", "b"]


def test_another_run_at_the_same_time_is_refused_and_a_plan_is_not(world: World, state: Path) -> None:
    with Journal(state).held():
        with pytest.raises(PlanError, match="another run"):
            carry_out(FREE, state, manner())
        assert carry_out(FREE, state, manner(plan_only=True))[0] == 0
    assert world.writes == []


def test_ctrl_c_says_that_it_can_be_run_again(
    world: World, state: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(call: object, absent: object = ()) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(world, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        carry_out(FREE, state, manner())
    assert capsys.readouterr().err.endswith("interrupted: run it again, and it goes on where it was\n")


_PROGRAM = """
import sys
from pathlib import Path
from argosy.cli import applying, main
from tests.cli.test_applying import DEAR, manner
from tests.planning.world import World

world = World()
applying.AwsApi = lambda: world
main.command.main = lambda **_: applying.carry_out(DEAR, Path(sys.argv[1]), manner())[0]
try:
    main.main()
finally:
    print(sorted(world.things))
"""


def _at_a_terminal(state: Path, answer: bytes) -> tuple[int, str, str]:
    """The exit code, stdout and stderr of a run that is asked on a terminal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", _PROGRAM, str(state)]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        os.close(theirs)
        os.write(ours, answer)
        out, err = process.communicate(timeout=60)
        os.close(ours)
    return process.returncode, out.decode(), err.decode()


@pytest.mark.parametrize(
    ("answer", "code", "made"),
    [(b"y\n", 0, "['a', 'b']"), (b"n\n", EXIT_DECLINED, "[]"), (b"\x04", 130, "[]")],
)
def test_somebody_at_a_terminal_is_asked(state: Path, answer: bytes, code: int, made: str) -> None:
    done = _at_a_terminal(state, answer)
    assert (done[0], done[1].strip()) == (code, made), done[2]
    assert "it costs 1 USD an hour (costs money)" in done[2]
    assert "Go on?" in done[2]


def test_aws_is_asked_where_there_is_one(state: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    lane = [_Real()]
    with pytest.raises(AwsError, match="no credentials"):
        carry_out([[lane]], state, manner())


class _Real(Thing):
    """A step that asks AWS by the names of its API."""

    def __init__(self) -> None:
        super().__init__("a")

    def look(self, reader: Any, known: Any) -> Any:
        return reader.ask(Call("sagemaker", "DescribeModel", "us-east-1", {"ModelName": "a"}))
