"""Looking at all steps."""

import pytest

from argosy.aws.api import EmptyAccount
from argosy.errors import AwsError, PlanError
from argosy.planning.plan import Plan, make_plan
from argosy.planning.step import Change, Kind, Later, Obstacle, Outputs
from tests.planning.plans import EMPTY, IMAGE, OLD, PACKAGE, PLAN, PRODUCT
from tests.planning.world import Job, Thing, World


def test_nothing_is_written() -> None:
    world = World()
    plan = make_plan([[[Thing("a"), Job("b")], [Thing("c")]]], world, {})
    assert [change.kind for change in plan.changes] == [Kind.CREATE] * 3
    assert (world.writes, world.things) == ([], {})


def test_changes_come_in_the_order_of_stages_and_lanes() -> None:
    stages = [[[Thing(f"{stage}{lane}") for _ in range(1)] for lane in range(12)] for stage in range(2)]
    plan = make_plan(stages, World(), {})
    assert [change.key for change in plan.changes] == [f"{stage}{lane}" for stage in range(2) for lane in range(12)]


def test_what_is_there_is_known_to_the_steps_after_it_and_the_rest_later() -> None:
    world = World(things={"a": {"Id": "id-of-a"}})
    plan = make_plan([[[Thing("a")], [Thing("b")]], [[Thing("c", ("a", "b"))]]], world, {})
    assert plan.changes[-1].writes[0].parameters["Of"] == ["id-of-a", Later("b", "id")]
    assert plan.outputs == {"a": {"id": "id-of-a"}}


def test_lanes_of_one_stage_know_nothing_of_each_other() -> None:
    world = World(things={"a": {"Id": "id-of-a"}})
    plan = make_plan([[[Thing("a")], [Thing("b", ("a",))]]], world, {})
    assert plan.changes[-1].writes[0].parameters["Of"] == [Later("a", "id")]


def test_due_is_what_has_something_to_do_and_consents_are_theirs() -> None:
    assert PLAN.due == PLAN.changes[1:]
    assert EMPTY.due == ()
    assert PLAN.consents == (PRODUCT.consent, OLD.consent)
    done = Change("x", "x", Kind.NOTHING, consent=OLD.consent)
    assert make_plan([[[_Fixed(done)]]], World(), {}).consents == ()


def test_calls_are_reads_and_writes_of_all_steps() -> None:
    assert PLAN.calls[:3] == (*IMAGE.reads, *PACKAGE.writes)
    assert len(PLAN.calls) == 6


def test_an_account_in_which_nothing_is_can_be_planned_for() -> None:
    plan = make_plan([[[Thing("a"), Job("b")]]], EmptyAccount(), {})
    assert [change.kind for change in plan.changes] == [Kind.CREATE] * 2
    assert list(EmptyAccount().pages(IMAGE.reads[0])) == []


def test_an_error_of_any_lane_is_raised() -> None:
    world = World()
    with pytest.raises(AwsError, match="denied"):
        make_plan([[[Thing("a")], [_Failing()]]], world, {})


class _Fixed:
    def __init__(self, change: Change) -> None:
        self.key, self._change = change.key, change

    def look(self, reader: object, known: Outputs) -> Change:
        return self._change

    def apply(self, change: Change, work: object) -> dict[str, str]:
        raise NotImplementedError


class _Failing(_Fixed):
    def __init__(self) -> None:
        super().__init__(IMAGE)

    def look(self, reader: object, known: Outputs) -> Change:
        raise AwsError("ecr:DescribeImages", "denied")


def test_a_plan_with_something_in_the_way_is_not_carried_out() -> None:
    blocked = Change("a", "model package a", Kind.NOTHING, obstacle=Obstacle("there is none", "argosy register"))
    with pytest.raises(PlanError, match="model package a: there is none") as refused:
        Plan((Change("b", "b", Kind.NOTHING), blocked)).require_possible()
    assert refused.value.hint == "argosy register"
    Plan((Change("b", "b", Kind.NOTHING),)).require_possible()
