"""Carrying a plan out: once, again, and after having been killed anywhere."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from argosy.errors import AwsError, PlanError
from argosy.planning import polling
from argosy.planning.apply import apply
from argosy.planning.journal import Journal
from argosy.planning.plan import make_plan
from argosy.planning.step import Change, Consent, Kind, Lane, Outputs, Risk, Stage, Work
from tests.planning.world import Job, Killed, Shape, Thing, World, call

COST = Consent(Risk.COST, "it costs 1 USD an hour")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "_FIRST_S", 0.0)


def run(shape: Shape, world: World, state: Path, *, agreed: tuple[Consent, ...] | None = ()) -> Outputs:
    journal = Journal(state)
    with journal.held():
        return apply(shape, world, journal, agreed, lambda text: None)


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    """Stages of lanes of steps; a thing is made of things of its own lane or of stages before."""
    stages: list[list[list[Thing | Job]]] = []
    before: list[str] = []
    for stage in range(draw(st.integers(1, 3))):
        made: list[str] = []
        lanes: list[list[Thing | Job]] = []
        for lane in range(draw(st.integers(1, 4))):
            own: list[str] = []
            steps: list[Thing | Job] = []
            for number in range(draw(st.integers(1, 3))):
                key = f"{stage}-{lane}-{number}"
                if draw(st.booleans()):
                    usable = sorted({*before, *own})
                    needs = draw(st.lists(st.sampled_from(usable), max_size=2, unique=True)) if usable else []
                    steps.append(Thing(key, tuple(needs)))
                else:
                    steps.append(Job(key))
                own.append(key)
            made += own
            lanes.append(steps)
        before += made
        stages.append(lanes)
    return stages


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(shape=shapes())
def test_a_plan_that_is_carried_out_twice_calls_nothing_the_second_time(
    shape: Shape, tmp_path_factory: pytest.TempPathFactory
) -> None:
    world, state = World(), tmp_path_factory.mktemp("state") / "plan.json"
    planned = [write for change in make_plan(shape, world, {}).changes for write in change.writes]
    first = run(shape, world, state)
    made = list(world.writes)
    assert sorted(write.parameters["Name"] for write in made) == sorted(write.parameters["Name"] for write in planned)
    assert run(shape, world, state) == first
    assert world.writes == made
    assert make_plan(shape, world, {}).due == ()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(shape=shapes(), choice=st.data(), keeps_state=st.booleans())
def test_a_run_that_was_killed_after_any_write_is_gone_on_with_by_running_it_again(
    shape: Shape, choice: st.DataObject, keeps_state: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    undisturbed = World()
    expected = run(shape, undisturbed, tmp_path_factory.mktemp("state") / "plan.json")
    state = tmp_path_factory.mktemp("state") / "plan.json"
    world = World(killed_after=choice.draw(st.integers(1, len(undisturbed.writes))))
    with pytest.raises(Killed):
        run(shape, world, state)
    world.killed_after = None
    if not keeps_state:
        state.unlink()
    assert run(shape, world, state) == expected
    assert world.state == undisturbed.state
    names = [write.parameters["Name"] for write in world.writes]
    assert sorted(names) == sorted(set(names)), "written twice"


def test_what_later_steps_need_is_filled_in(tmp_path: Path) -> None:
    world = World()
    run([[[Thing("a")], [Thing("b")]], [[Thing("c", ("a", "b"))]]], world, tmp_path / "plan.json")
    assert world.things["c"]["Of"] == ["id-of-a", "id-of-b"]


def test_a_thing_that_is_gone_is_made_again_and_what_was_noted_of_it_is_not_used(tmp_path: Path) -> None:
    world, shape, state = World(), [[[Thing("a"), Thing("b", ("a",))]]], tmp_path / "plan.json"
    run(shape, world, state)
    del world.things["a"], world.things["b"]
    first, second = make_plan(shape, world, Journal(state).outputs).changes
    assert (first.kind, second.kind) == (Kind.CREATE, Kind.CREATE)
    assert str(second.writes[0].parameters["Of"][0]) == "(id: known after a)"


def test_a_step_that_costs_money_is_done_only_by_consent(tmp_path: Path) -> None:
    world, state = World(), tmp_path / "plan.json"
    shape = [[[Thing("a"), Thing("b", consent=COST)]]]
    with pytest.raises(PlanError, match="no longer what was agreed to") as caught:
        run(shape, world, state)
    assert caught.value.got == COST.sentence
    assert sorted(world.things) == ["a"]
    dearer = Consent(Risk.COST, "it costs 2 USD an hour")
    with pytest.raises(PlanError):
        run(shape, world, state, agreed=(dearer,))
    run(shape, world, state, agreed=(COST,))
    assert sorted(world.things) == ["a", "b"]


def test_who_agrees_to_everything_is_not_asked_about_what_comes(tmp_path: Path) -> None:
    world = World()
    run([[[Thing("b", consent=COST)]]], world, tmp_path / "plan.json", agreed=None)
    assert sorted(world.things) == ["b"]


def test_what_was_deleted_is_forgotten(tmp_path: Path) -> None:
    world, state = World(), tmp_path / "plan.json"
    run([[[Thing("a"), Thing("b")]]], world, state)
    run([[[Thing("a", is_unwanted=True)]]], world, state)
    assert sorted(world.things) == ["b"]
    assert sorted(Journal(state).outputs) == ["b"]


class Refused:
    """A step that AWS does not do."""

    def __init__(self, key: str) -> None:
        self.key = key

    def look(self, reader: object, known: Outputs) -> Change:
        return Change(self.key, self.key, Kind.CREATE, (call("CreateModel", Name=self.key),))

    def apply(self, change: Change, work: Work) -> dict[str, str]:
        raise AwsError("sagemaker:CreateModel", f"Refused{self.key}", hint="mend it")


def test_each_lane_comes_to_its_end_and_no_error_is_lost(tmp_path: Path) -> None:
    world = World()
    said: list[str] = []
    journal = Journal(tmp_path / "plan.json")
    shape: list[Stage] = [[[Refused("a")], [Job("b"), Thing("c", ("b",))], [Refused("d")]], [[Thing("never")]]]
    with pytest.raises(AwsError, match="Refuseda"):
        apply(shape, world, journal, (), said.append)
    assert sorted(world.things) == ["b", "b-input", "c"]
    assert sorted(line.partition("Refused")[2][:1] for line in said) == ["a", "d"]
    assert all(line.startswith("failed: ") and "hint: mend it" in line for line in said)
    assert sorted(Journal(tmp_path / "plan.json").outputs) == ["b", "c"]


def test_an_error_of_the_only_lane_is_said_once(tmp_path: Path) -> None:
    said: list[str] = []
    lane: Lane = [Refused("a")]
    with pytest.raises(AwsError):
        apply([[lane]], World(), Journal(tmp_path / "plan.json"), (), said.append)
    assert said == []


class Noting:
    """A step that keeps an id before it goes on, and is stopped there."""

    key = "noting"

    def look(self, reader: object, known: Outputs) -> Change:
        kind = Kind.WAIT if known.get("noting") else Kind.CREATE
        return Change(self.key, self.key, kind, (call("CreateModel", Name="x"),))

    def apply(self, change: Change, work: Work) -> dict[str, str]:
        if change.kind is Kind.WAIT:
            return {"seen": work.known["noting"]["token"]}
        work.note({"token": "of-the-first-run"})
        raise Killed


def test_what_a_step_noted_is_there_in_the_run_after_the_one_that_was_killed(tmp_path: Path) -> None:
    state = tmp_path / "plan.json"
    with pytest.raises(Killed):
        apply([[[Noting()]]], World(), Journal(state), (), print)
    given = apply([[[Noting()]]], World(), Journal(state), (), print)
    assert given == {"noting": {"token": "of-the-first-run", "seen": "of-the-first-run"}}


class Waiting:
    """A step that waits for as long as nobody lets it go on, and then calls again."""

    def __init__(self, key: str, entered: threading.Semaphore, go_on: threading.Event) -> None:
        self.key, self._entered, self._go_on = key, entered, go_on

    def look(self, reader: object, known: Outputs) -> Change:
        return Change(self.key, self.key, Kind.CREATE, (call("CreateModel", Name=self.key),))

    def apply(self, change: Change, work: Work) -> dict[str, str]:
        self.thread = threading.current_thread()
        self._entered.release()
        assert self._go_on.wait(60)
        work.report("still here")
        work.api.write(change.writes[0])
        return {}


def test_after_ctrl_c_no_lane_calls_or_says_anything_more(tmp_path: Path) -> None:
    entered, go_on, world = threading.Semaphore(0), threading.Event(), World()
    said: list[str] = []

    def interrupt() -> None:
        assert entered.acquire(timeout=60)
        assert entered.acquire(timeout=60)
        os.kill(os.getpid(), signal.SIGINT)

    lanes = [[Waiting(key, entered, go_on)] for key in "ab"]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # the workers of pytest-xdist ignore it
    try:
        threading.Thread(target=interrupt, daemon=True).start()
        with pytest.raises(KeyboardInterrupt):
            apply([lanes], world, Journal(tmp_path / "plan.json"), (), said.append)
    finally:
        signal.signal(signal.SIGINT, before)
    go_on.set()
    for (step,) in lanes:
        step.thread.join(60)
        assert not step.thread.is_alive()
    assert (said, world.things) == ([], {})


def test_ctrl_c_ends_the_process_while_lanes_wait_for_aws(tmp_path: Path) -> None:
    program = textwrap.dedent(
        f"""
        import os, threading
        from pathlib import Path
        from argosy.planning.apply import apply
        from argosy.planning.journal import Journal
        from tests.planning.test_apply import Waiting
        from tests.planning.world import World

        class Said:
            def release(self):
                os.write(1, b"waits\\n")  # whole, beside the other lane

        lanes = [[Waiting(key, Said(), threading.Event())] for key in "ab"]
        apply([lanes], World(), Journal(Path({str(tmp_path / "plan.json")!r})), (), print)
        """
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == ["waits\n", "waits\n"]
        process.send_signal(signal.SIGINT)
        _, talk = process.communicate(timeout=30)  # the lanes would wait for a minute
    assert process.returncode == -signal.SIGINT
    assert talk.rstrip().endswith("KeyboardInterrupt")
