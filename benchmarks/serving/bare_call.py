"""The models without a server; `WORK` picks one. Reads a command a line, prints how many a second.

`batch ROWS SECONDS CONTENT_TYPE BODY`: so many bodies decoded, predicted in one call and encoded, as `work.py` does it.
`pace STREAMS SECONDS`: so many streams at a time, run by an event loop that does nothing else.
"""

import asyncio
import sys
import time
from pathlib import Path

import uvloop

from benchmarks.serving import work


def main() -> None:
    """Answer until the input ends."""
    model = work.load()
    for line in sys.stdin:
        what, count, seconds, *rest = line.split()
        if what == "batch":
            content_type, body = rest
            rate = batch_rate(model, int(count), float(seconds), content_type, Path(body).read_bytes())
        else:
            rate = pace_rate(int(count), float(seconds))
        sys.stdout.write(f"{rate}\n")
        sys.stdout.flush()


def batch_rate(model: work.type_of_model, rows: int, seconds: float, content_type: str, body: bytes) -> float:
    """Bodies a second."""
    bodies = [body] * rows
    for _ in range(3):
        work.answers(model, bodies, content_type)
    started, calls = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - started) < seconds:
        work.answers(model, bodies, content_type)
        calls += 1
    return calls * rows / elapsed


def pace_rate(streams: int, seconds: float) -> float:
    """Streams a second: how many at a time / the mean time of one."""

    async def one() -> float:
        started, done = time.perf_counter(), 0
        while (elapsed := time.perf_counter() - started) < seconds:
            async for _ in work.parts_async():
                pass
            done += 1
        return elapsed / done

    async def all_of_them() -> list[float]:
        return await asyncio.gather(*(one() for _ in range(streams)))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        times = runner.run(all_of_them())
    return streams / (sum(times) / len(times))


if __name__ == "__main__":
    main()
