"""Predictors whose answers take their time: several invocations at once in one model process.

A generator function runs in a thread for each invocation. `async def`, with or without `yield`, runs on an event loop.
A plain function that only now and then returns a generator has it drained where it stands.
"""

import asyncio
import contextlib
import inspect
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, cast

import uvloop

from argosy.errors import InvocationError
from argosy.serving.context import enter
from argosy.serving.frames import InvocationItem
from argosy.serving.model.pipeline import Answer, Later, Pipeline, raised, refusal
from argosy.serving.model.stream import StreamWriter
from argosy.serving.model.wire import Wire

_RESUME_POLL_S: Final = 0.05
_REMEMBERED: Final = 1024

OnMessage = Callable[[dict[str, Any]], None]


def is_async(predict: Callable[..., object]) -> bool:
    """Whether a predictor runs on an event loop."""
    return inspect.iscoroutinefunction(predict) or inspect.isasyncgenfunction(predict)


class Writers:
    """The streamed answers under way, by the number of their invocation."""

    def __init__(self) -> None:
        self._open: dict[int, StreamWriter] = {}
        self._left_early: deque[int] = deque(maxlen=_REMEMBERED)

    @contextlib.contextmanager
    def opened(self, writer: StreamWriter) -> Iterator[None]:
        """The answer is under way until the block ends."""
        self._open[writer.number] = writer
        if writer.number in self._left_early:
            writer.cancel()
        try:
            yield
        finally:
            del self._open[writer.number]

    def heed(self, message: dict[str, Any]) -> bool:
        """Do what a message of the front asks of a stream; False when it is about something else."""
        event = message["event"]
        writer = self._open.get(message.get("number", -1))
        if event == "cancel" and writer is not None:
            writer.cancel()
        elif event == "cancel":
            self._left_early.append(message["number"])  # its thread has not come to its first part yet
        elif event == "pause" and writer is not None:
            writer.may_go_on.clear()
        elif event == "resume" and writer is not None:
            writer.may_go_on.set()
        return event in ("cancel", "pause", "resume")


def answer_here(wire: Wire, item: InvocationItem, later: Later, pipeline: Pipeline, on_message: OnMessage) -> None:
    """Drain a generator, or await an awaitable, where a plain function returned one; nothing else runs meanwhile."""
    if not isinstance(later.prediction, Iterator):
        asyncio.run(_answer_async(wire, item, later, pipeline, Writers()))
        return
    writers = Writers()
    writer = StreamWriter(wire, item, later.work, pipeline)

    def look() -> None:
        for frame in wire.receive_waiting() or []:
            if isinstance(frame, dict) and not writers.heed(frame):
                on_message(frame)

    with writers.opened(writer):
        _drain(later.prediction, writer, look)


def answer_in_threads(wire: Wire, pipeline: Pipeline, concurrency: int, on_message: OnMessage) -> None:
    """Answer until the front closes the link, each invocation in a thread."""
    writers = Writers()

    def answer(item: InvocationItem) -> None:
        found = pipeline.answer(wire.call(item))
        if isinstance(found, Answer):
            wire.answer([item], [found], pipeline.take_timings())
            return
        writer = StreamWriter(wire, item, found.work, pipeline)
        with writers.opened(writer):
            _drain(cast("Iterator[object]", found.prediction), writer, lambda: None)

    with ThreadPoolExecutor(concurrency, "invocation") as pool:
        while (frames := wire.receive()) is not None:
            for frame in frames:
                if not isinstance(frame, dict):
                    for item in frame:
                        pool.submit(answer, item)
                elif not writers.heed(frame):
                    on_message(frame)


def answer_on_loop(wire: Wire, pipeline: Pipeline, on_message: OnMessage) -> None:
    """Answer until the front closes the link, each invocation as a task of one event loop."""
    uvloop.run(_answer_on_loop(wire, pipeline, on_message))


async def _answer_on_loop(wire: Wire, pipeline: Pipeline, on_message: OnMessage) -> None:
    loop = asyncio.get_running_loop()
    closed = asyncio.Event()
    writers = Writers()
    tasks: set[asyncio.Task[None]] = set()

    async def answer(item: InvocationItem) -> None:
        found = pipeline.answer(wire.call(item))
        if isinstance(found, Answer):
            wire.answer([item], [found], pipeline.take_timings())
        else:
            await _answer_async(wire, item, found, pipeline, writers)

    def read() -> None:
        frames = wire.receive()
        if frames is None:
            loop.remove_reader(wire.link)
            closed.set()
            return
        for frame in frames:
            if not isinstance(frame, dict):
                for item in frame:
                    task = loop.create_task(answer(item))
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
            elif not writers.heed(frame):
                on_message(frame)

    loop.add_reader(wire.link, read)
    await closed.wait()


async def _answer_async(wire: Wire, item: InvocationItem, later: Later, pipeline: Pipeline, writers: Writers) -> None:
    enter(later.work.context)
    inference_id = later.work.context.inference_id
    prediction = later.prediction
    if not isinstance(prediction, AsyncIterator):
        try:
            prediction = await cast("Awaitable[Any]", prediction)
        except InvocationError as error:
            wire.answer([item], [refusal(error, inference_id)], pipeline.take_timings())
            return
        except (Exception, SystemExit) as error:
            wire.answer([item], [refusal(raised(error, inference_id), inference_id)], pipeline.take_timings())
            return
    if not isinstance(prediction, AsyncIterator):
        wire.answer([item], [pipeline.close(later.work, prediction)], pipeline.take_timings())
        return
    writer = StreamWriter(wire, item, later.work, pipeline)
    with writers.opened(writer):
        await _drain_async(prediction, writer)


def _drain(parts: Iterator[object], writer: StreamWriter, look: Callable[[], None]) -> None:
    try:
        for part in parts:
            look()
            while not writer.may_go_on.wait(_RESUME_POLL_S):
                look()
            if writer.is_cancelled:
                break
            writer.write(part)
        close = getattr(parts, "close", None)
        if close is not None:
            close()
        writer.end()
    except (Exception, SystemExit) as error:
        writer.fail(error)


async def _drain_async(parts: AsyncIterator[object], writer: StreamWriter) -> None:
    try:
        async for part in parts:
            while not writer.may_go_on.is_set():
                await asyncio.sleep(_RESUME_POLL_S)
            if writer.is_cancelled:
                break
            writer.write(part)
        close = getattr(parts, "aclose", None)
        if close is not None:
            await close()
        writer.end()
    except (Exception, SystemExit) as error:
        writer.fail(error)
