"""Lanes side by side."""

import functools
import threading

import pytest

from argosy.planning.lanes import side_by_side


def test_each_says_what_it_gave_in_the_order_of_the_lanes() -> None:
    assert side_by_side([functools.partial(pow, number, 2) for number in range(40)]) == [n * n for n in range(40)]
    assert side_by_side([]) == []


def test_lanes_go_on_at_the_same_time() -> None:
    meeting = threading.Barrier(12)
    assert len(side_by_side([lambda: meeting.wait(60) for _ in range(12)])) == 12


def test_one_alone_is_done_in_this_thread() -> None:
    assert side_by_side([threading.current_thread]) == [threading.current_thread()]


def test_all_come_to_their_ends_before_the_first_error_is_raised() -> None:
    ended: list[int] = []

    def fail(number: int) -> None:
        ended.append(number)
        raise ValueError(number)

    with pytest.raises(ValueError, match=r"^1$"):
        side_by_side([lambda: ended.append(0), lambda: fail(1), lambda: fail(2), lambda: ended.append(3)])
    assert sorted(ended) == [0, 1, 2, 3]
