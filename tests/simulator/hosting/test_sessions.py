from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.simulator.hosting.instance import Instance
from argosy.simulator.hosting.sessions import Sessions, opened_session

START = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
NEW, CLOSED, OLD = (
    "x-amzn-sagemaker-new-session-id",
    "x-amzn-sagemaker-closed-session-id",
    "x-amzn-sagemaker-session-id",
)


@dataclass
class Place:
    """All that sessions see of an instance."""

    backend: object
    is_in_service: bool = True


@dataclass
class World:
    moment: datetime = START

    def __post_init__(self) -> None:
        self.sessions = Sessions(lambda: self.moment)
        self.place = Place(object())

    @property
    def instance(self) -> Instance:
        return cast("Instance", self.place)

    def learn(self, headers: dict[str, str]) -> None:
        self.sessions.learn(headers, "blue", self.instance)

    def knows(self, name: str) -> bool:
        found = self.sessions.find({OLD: name})
        assert found in (None, ("blue", self.instance))
        return found is not None


def opens(name: str = "s-1", until: timedelta = timedelta(minutes=20), header: str = NEW) -> dict[str, str]:
    return {header: f"{name}; Expires={(START + until).strftime('%Y-%m-%dT%H:%M:%SZ')}"}


@pytest.mark.parametrize("header", [NEW, OLD])
def test_a_session_is_known_under_either_spelling_of_a_new_one(header: str) -> None:
    world = World()
    world.learn(opens(header=header))
    assert world.knows("s-1")
    assert not world.knows("s-2")
    assert world.sessions.find({}) is None


def test_a_session_ends_when_the_container_closes_it() -> None:
    world = World()
    world.learn(opens())
    world.learn({CLOSED: "s-2"})
    assert world.knows("s-1")
    world.learn({CLOSED: "s-1"})
    assert not world.knows("s-1")


def test_a_session_ends_when_it_expires_unless_it_was_prolonged() -> None:
    world = World()
    world.learn(opens("short"))
    world.learn(opens("long"))
    world.learn(opens("long", timedelta(hours=1)))
    world.moment = START + timedelta(minutes=20)
    assert not world.knows("short")
    assert world.knows("long")


@pytest.mark.parametrize("loss", [{"backend": object()}, {"is_in_service": False}])
def test_a_session_ends_with_its_instance(loss: dict[str, Any]) -> None:
    world = World()
    world.learn(opens())
    for name, value in loss.items():
        setattr(world.place, name, value)
    assert not world.knows("s-1")


@pytest.mark.parametrize("value", ["s-1", "s-1; Expires=never", "s-1; Expires=2026-13-01T00:00:00Z", "; Expires="])
def test_what_opens_no_session_is_none(value: str) -> None:
    world = World()
    world.learn({NEW: value})
    assert not world.knows("s-1")


LONG = f"{'s' * 240}; Expires=2030-01-01T00:00:00Z"


@pytest.mark.parametrize("value", ["garbage", "s-1; Expires=never", "-s; Expires=2030-01-01T00:00:00Z", LONG])
@pytest.mark.parametrize("header", [NEW, OLD])
def test_what_the_api_does_not_allow_reaches_no_client(header: str, value: str) -> None:
    assert opened_session({header: value}) is None


def test_a_session_id_that_is_echoed_opens_nothing() -> None:
    assert opened_session({OLD: "s-1"}) is None


@given(st.dictionaries(st.sampled_from([NEW, CLOSED, OLD]), st.text(max_size=60)))
def test_no_header_field_breaks_it(headers: dict[str, str]) -> None:
    world = World()
    world.learn(headers)
    world.sessions.find(headers)
