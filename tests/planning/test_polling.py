"""Waiting for AWS."""

from collections.abc import Iterator

import pytest

from argosy.errors import AwsError, PlanError
from argosy.planning.polling import Telling, poll


def test_it_looks_until_it_is_over_and_gives_what_it_saw(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("argosy.planning.polling.time.sleep", pauses.append)
    seen = iter(["Pending", "InProgress", *["InProgress"] * 20, "Completed", "never asked"])
    assert poll(lambda: next(seen), lambda status: status == "Completed", "the package", 3600) == "Completed"
    assert next(seen) == "never asked"
    assert pauses == sorted(pauses)
    assert pauses[0] < 1
    assert pauses[-1] == 30


def test_what_is_over_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("argosy.planning.polling.time.sleep", lambda seconds: pytest.fail("it waited"))
    assert poll(lambda: 1, bool, "it", 0) == 1


@pytest.mark.parametrize("refusal", ["EndpointConnectionError", "ThrottlingException"])
def test_a_long_wait_outlives_some_looks_that_aws_does_not_answer(
    monkeypatch: pytest.MonkeyPatch, refusal: str
) -> None:
    monkeypatch.setattr("argosy.planning.polling.time.sleep", lambda seconds: None)
    gone = AwsError("sagemaker:DescribeModelPackage", refusal)
    looks: Iterator[str | AwsError] = iter(["Pending", *[gone] * 6, "Pending", *[gone] * 6, "Completed"])
    assert poll(lambda: _answered(next(looks)), lambda status: status == "Completed", "it", 60) == "Completed"
    with pytest.raises(AwsError, match=refusal):
        poll(lambda: _answered(gone), bool, "it", 60)


def test_what_aws_refuses_ends_a_wait_at_once() -> None:
    denied = AwsError("sagemaker:DescribeModelPackage", "AccessDeniedException")
    looks: Iterator[str | AwsError] = iter([denied, "never asked"])
    with pytest.raises(AwsError, match="AccessDenied"):
        poll(lambda: _answered(next(looks)), bool, "it", 60)
    assert next(looks) == "never asked"


def _answered(look: str | AwsError) -> str:
    if isinstance(look, AwsError):
        raise look
    return look


def test_it_does_not_wait_for_ever() -> None:
    with pytest.raises(PlanError, match="the package is not over after 0 minutes") as caught:
        poll(lambda: False, bool, "the package", 0)
    assert caught.value.hint == "run it again: it goes on where it was"


def test_what_has_not_changed_is_told_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now, said = [0.0], list[str]()
    monkeypatch.setattr("argosy.planning.polling.time.monotonic", lambda: now[0])
    telling = Telling(said.append)
    for second, line in ((0, "Pending"), (200, "Pending"), (310, "Pending"), (500, "Pending"), (620, "Done")):
        now[0] = second
        telling.tell(line)
    assert said == ["Pending", "Pending, after 5 minutes", "Done"]
