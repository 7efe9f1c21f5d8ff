import asyncio
import threading

import pytest

from argosy.simulator.health import uninterrupted


@pytest.mark.parametrize("times", [1, 2, 3])
def test_what_is_done_on_a_thread_is_done_before_a_cancellation_goes_on(times: int) -> None:
    begun, may_end = threading.Event(), threading.Event()
    done: list[str] = []

    def work() -> None:
        begun.set()
        may_end.wait(60)
        done.append("work")

    async def cancelled() -> list[str]:
        working = asyncio.create_task(uninterrupted(work))
        await asyncio.to_thread(begun.wait, 60)
        for _ in range(times):
            working.cancel()
            for _ in range(10):  # turns of the event loop, so that each cancellation arrives by itself
                await asyncio.sleep(0)
        assert not working.done()
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await working
        return list(done)

    try:
        assert asyncio.run(cancelled()) == ["work"]
    finally:
        may_end.set()
