"""When what waits is handed over."""

import asyncio

import pytest

from argosy.serving.pool.turn import Turn


async def turns(steps: list[str]) -> list[int]:
    """The turns of the event loop in which something is handed over; `s` asks for it soon, `a` behind answers."""
    found: list[int] = []
    turn = Turn(lambda: found.append(now))
    now = 0
    while now < len(steps):
        for step in steps[now]:
            if step == "s":
                turn.soon()
            else:
                turn.after_answers()
        await asyncio.sleep(0)
        now += 1
    return found


@pytest.mark.parametrize(
    ("steps", "want"),
    [
        pytest.param(["ss", "", "s", ""], [0, 2], id="what one turn brings is handed over together"),
        pytest.param(["a", "", ""], [1], id="behind answers it waits for one turn more"),
        pytest.param(["a", "s", ""], [1], id="what comes meanwhile is handed over with it"),
        pytest.param(["sa", "", ""], [1], id="also what came before them in the same turn"),
        pytest.param(["a"] * 9 + ["", ""], [1, 3, 5, 7, 9], id="answers in every turn do not put it off for ever"),
    ],
)
def test_when_it_is_handed_over(steps: list[str], want: list[int]) -> None:
    assert asyncio.run(turns(steps)) == want
