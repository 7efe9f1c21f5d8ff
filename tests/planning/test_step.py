"""What is known of steps, and what will be."""

import pytest

from argosy.errors import PlanError
from argosy.planning.step import Change, Kind, Later, after, output, resolved


def test_what_a_step_gave_is_known_and_all_else_is_known_later() -> None:
    known = {"package": {"arn": "a", "empty": ""}}
    assert output(known, "package", "arn") == "a"
    assert output(known, "package", "empty") == Later("package", "empty")
    assert output(known, "image", "digest") == Later("image", "digest")


def test_a_request_is_filled_in_at_any_depth_and_stays_json() -> None:
    request = {"A": Later("s", "x"), "B": [{"C": (Later("s", "y"), 1)}], "D": "text", "E": None}
    assert resolved(request, {"s": {"x": "1", "y": "2"}}) == {"A": "1", "B": [{"C": ["2", 1]}], "D": "text", "E": None}


@pytest.mark.parametrize("known", [{}, {"s": {}}, {"s": {"other": "1"}}])
def test_what_was_not_given_is_told(known: dict[str, dict[str, str]]) -> None:
    with pytest.raises(PlanError, match="the step `s` has not given `x`"):
        resolved([Later("s", "x")], known)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Kind.NOTHING, {"id": "new", "token": "noted"}),
        (Kind.WAIT, {"id": "new", "token": "noted"}),
        (Kind.UPDATE, {"id": "new", "token": "noted"}),
        (Kind.CREATE, {"id": "new"}),
        (Kind.DELETE, {"id": "new"}),
    ],
)
def test_what_was_noted_of_a_thing_that_is_gone_is_not_known(kind: Kind, expected: dict[str, str]) -> None:
    change = Change("s", "s", kind, outputs={"id": "new"})
    assert after({"s": {"id": "old", "token": "noted"}}, change) == expected
