"""The plan as people read it."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from argosy.aws.call import Call
from argosy.planning.plan import Plan
from argosy.planning.step import Change, Kind, Obstacle
from argosy.planning.text import plan_text
from tests.planning.plans import ARN, EMPTY, PLAN

GOLDEN = Path(__file__).parents[1] / "golden/plan.txt"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


def test_the_text_is_as_agreed() -> None:
    assert plan_text(PLAN) == GOLDEN.read_text(encoding="utf-8")


def test_80_columns_hold_all_but_a_word_that_has_to_stay_whole() -> None:
    long = [line for line in plan_text(PLAN).splitlines() if len(line) > 80]
    assert [line.split() for line in long] == [[f'"{ARN}"']]


def test_nothing_to_do_is_said() -> None:
    assert plan_text(EMPTY).splitlines()[-1] == "plan: nothing to do"


def test_no_text_of_a_sellers_steers_a_terminal() -> None:
    assert all(sign.isprintable() or sign == "\n" for sign in plan_text(PLAN))


def _text(parameters: dict[str, object], before: dict[str, object]) -> str:
    write = Call("sagemaker", "CreateModel", "us-east-1", parameters)
    return plan_text(Plan((Change("a", "a", Kind.UPDATE, (write,), before=before),)))


@given(parameters=st.dictionaries(st.text(max_size=8), JSON, max_size=4))
def test_what_is_there_already_is_only_counted(parameters: dict[str, object]) -> None:
    text = _text(parameters, parameters)
    assert [line for line in text.splitlines()[2:-1] if not line.startswith("      = ")] == []


@given(parameters=st.dictionaries(st.text(min_size=1, max_size=8), JSON, min_size=1, max_size=4), before=JSON)
def test_any_request_can_be_shown_beside_anything(parameters: dict[str, object], before: object) -> None:
    text = _text(parameters, before if isinstance(before, dict) else {"": before})
    assert all(sign.isprintable() or sign == "\n" for sign in text)
    assert text.endswith("plan: 1 to update\n")


def test_a_long_value_is_cut_and_its_length_told() -> None:
    text = _text({"Body": "word " * 1000}, {})
    assert "... (5002 characters)" in " ".join(text.split())
    assert len(text) < 1000


def test_what_a_call_says_as_the_one_before_it_is_only_counted() -> None:
    judged = {"Intent": "VALIDATE", "ChangeSet": [{"ChangeType": "ReleaseProduct"}]}
    writes = tuple(
        Call("marketplace-catalog", "StartChangeSet", "us-east-1", {**judged, "Intent": intent})
        for intent in ("VALIDATE", "APPLY")
    )
    lines = plan_text(Plan((Change("a", "a", Kind.CREATE, writes),))).splitlines()
    assert lines[6:] == [
        "    aws-marketplace:StartChangeSet (us-east-1)",
        '      + Intent: "APPLY"',
        "      = 1 as in the call above",
        "plan: 1 to create",
    ]


def test_what_is_in_the_way_stands_out_and_is_told_last() -> None:
    obstacle = Obstacle("there is no such model package", "argosy register")
    lines = plan_text(Plan((Change("a", "model package a", Kind.NOTHING, obstacle=obstacle),))).splitlines()
    assert lines[0] == "! model package a"
    assert lines[-2:] == [
        "in the way: model package a: there is no such model package",
        "      hint: argosy register",
    ]
