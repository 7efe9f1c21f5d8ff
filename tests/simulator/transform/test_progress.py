import asyncio

from argosy.simulator.transform.progress import Board, Listener, Progress


def test_a_thousand_requests_are_told_at_once_and_an_object_without_delay() -> None:
    told: list[Progress] = []

    async def work() -> None:
        board = Board(Listener(lambda _: None, lambda _: None, told.append))
        for _ in range(1000):
            board.advance(requests=1)
        assert told == []
        board.advance(objects=1)
        assert told == [Progress(objects=1, requests=1000)]

    asyncio.run(work())


def test_what_was_done_is_told_although_nothing_more_is_done() -> None:
    async def work() -> Progress:
        first = asyncio.get_running_loop().create_future()
        board = Board(Listener(lambda _: None, lambda _: None, first.set_result))
        board.advance(requests=1)
        return await asyncio.wait_for(first, 20)

    assert asyncio.run(work()) == Progress(requests=1)
