"""Waiting for AWS."""

import pytest

from argosy.errors import PlanError
from argosy.planning.polling import poll


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


def test_it_does_not_wait_for_ever() -> None:
    with pytest.raises(PlanError, match="the package is not over after 0 minutes") as caught:
        poll(lambda: False, bool, "the package", 0)
    assert caught.value.hint == "run it again: it goes on where it was"
