"""What both ways of a request have in common."""

from hypothesis import given
from hypothesis import strategies as st

from argosy.serving.front.requests import BodyRoom, room_for_bodies

MB = 2**20


@given(st.lists(st.integers(0, 100)))
def test_no_more_is_taken_than_there_is_and_all_of_it_can_be(sizes: list[int]) -> None:
    room, taken = BodyRoom(200), 0
    for size in sizes:
        has_room = room.take(size)
        assert has_room == (taken + size <= 200)
        taken += size * has_room
    room.give_back(taken)
    assert room.take(200)
    assert not room.take(1)


def test_the_room_is_what_was_told_or_a_share_of_the_memory_and_enough_for_one_body() -> None:
    for told, available, expected in [
        (300 * MB, 10 * MB, 300 * MB),
        (1 * MB, None, 100 * MB),
        (None, None, 1024 * MB),
        (None, 800 * MB, 200 * MB),
        (None, 80 * MB, 100 * MB),
        (None, 64 * 1024 * MB, 1024 * MB),
    ]:
        room = room_for_bodies(told, 100 * MB, available)
        assert room.take(expected)
        assert not room.take(1)
