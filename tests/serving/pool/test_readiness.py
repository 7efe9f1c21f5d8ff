from hypothesis import given
from hypothesis import strategies as st

from argosy.serving.pool.readiness import TRANSITIONS, Event, State, advance

ORDER = [State.STARTING, State.READY, State.DRAINING, State.STOPPED]


@given(st.lists(st.sampled_from(Event)))
def test_the_server_never_goes_back(events: list[Event]) -> None:
    state = State.STARTING
    for event in events:
        before, state = state, advance(state, event)
        if state is State.FAILED:
            assert before in (State.STARTING, State.READY, State.FAILED)
        else:
            assert ORDER.index(state) >= ORDER.index(before)


def test_nothing_leaves_the_last_states() -> None:
    for event in Event:
        assert advance(State.STOPPED, event) is State.STOPPED
        assert advance(State.FAILED, event) is State.FAILED


def test_every_state_but_the_first_can_be_reached() -> None:
    assert set(TRANSITIONS.values()) == set(State) - {State.STARTING}
