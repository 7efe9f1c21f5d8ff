"""Predictors whose answers take their time: several invocations at once in one model process.

A generator function runs in a thread for each invocation. `async def`, with or without `yield`, runs on an event loop.
A plain function that only now and then returns a generator has it drained where it stands.
"""

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any, Final, cast

import uvloop

from argosy.errors import InvocationError
from argosy.serving.context import enter
from argosy.serving.frames import InvocationItem
from argosy.serving.model.pipeline import Answer, Later, Pipeline, raised, refusal
from argosy.serving.model.stream import StreamWriter
from argosy.serving.model.wire import Wire
from argosy.serving.model.writers import Writers

_RESUME_POLL_S: Final = 0.05
_BREATH_S: Final = 0.005
"""How long an async generator may go on without a turn for the others."""
_RAISED: Final = (Exception, SystemExit, asyncio.CancelledError)
"""What code that is awaited may end with; a cancellation is its own, unless the client has left."""

OnMessage = Callable[[dict[str, Any]], None]


def answer_here(
    wire: Wire, item: InvocationItem, later: Later, pipeline: Pipeline, writers: Writers, on_message: OnMessage
) -> None:
    """Drain a generator, or await an awaitable, where a plain function returned one; nothing else runs meanwhile."""

    def look() -> None:
        frames = wire.receive_waiting()
        if frames is None:
            writers.cancel_all()
        for frame in frames or []:
            if isinstance(frame, dict) and not writers.heed(frame):
                on_message(frame)

    enter(later.work.context)  # others of the same frame have been called since
    start = perf_counter()
    if isinstance(later.prediction, Iterator):
        writer = StreamWriter(wire, item, later.work, pipeline)
        with writers.opened(writer):
            _drain(later.prediction, writer, look)
    else:
        asyncio.run(_answer_beside(_answer_async(wire, item, later, pipeline, writers), look))
    pipeline.predicting += perf_counter() - start  # told with what is answered next


async def _answer_beside(answered: Coroutine[Any, Any, None], look: Callable[[], None]) -> None:
    """Look at what the front says while an answer is made."""

    async def watch() -> None:
        while True:
            look()
            await asyncio.sleep(_RESUME_POLL_S)

    watching = asyncio.create_task(watch())
    await answered
    watching.cancel()


def answer_in_threads(wire: Wire, pipeline: Pipeline, concurrency: int, on_message: OnMessage) -> None:
    """Answer until the front closes the link, each invocation in a thread."""
    writers = Writers()

    def answer(item: InvocationItem) -> None:
        found = pipeline.answer(item.fields, item.body)
        if isinstance(found, Answer):
            wire.answer(item, found, pipeline.take_timings())
            return
        writer = StreamWriter(wire, item, found.work, pipeline)
        with writers.opened(writer):
            _drain(cast("Iterator[object]", found.prediction), writer, lambda: None)

    pool = ThreadPoolExecutor(concurrency, "invocation")
    while (frames := wire.receive()) is not None:
        for frame in frames:
            if not isinstance(frame, dict):
                for item in frame.items():
                    pool.submit(answer, item)
            elif not writers.heed(frame):
                on_message(frame)
    # Nobody waits for those that are under way; some wait themselves, for a client that reads slowly.
    pool.shutdown(wait=False, cancel_futures=True)


def answer_on_loop(wire: Wire, pipeline: Pipeline, on_message: OnMessage) -> None:
    """Answer until the front closes the link, each invocation as a task of one event loop."""
    with _runner() as runner:
        runner.run(_answer_on_loop(wire, pipeline, on_message))


def warm_up(later: Later, pipeline: Pipeline) -> Answer | None:
    """Answer a sample: what is awaited as a whole, of a stream the first part, which is None here.

    It runs on the loop that answers later: what the predictor ties to a loop stays usable.

    Raises:
        Exception: What a stream raises before its first part.
    """
    if not isinstance(later.prediction, Iterator):
        return _runner().run(_warm_up(later, pipeline))
    next(later.prediction, None)
    close = getattr(later.prediction, "close", None)
    if close is not None:
        close()
    return None


async def _warm_up(later: Later, pipeline: Pipeline) -> Answer | None:
    enter(later.work.context)
    prediction: object = later.prediction
    if not isinstance(prediction, AsyncIterator):
        try:
            prediction = await cast("Awaitable[Any]", prediction)
        except InvocationError as error:
            return refusal(error, later.work.context)
        except _RAISED as error:
            return refusal(raised(error, ""), later.work.context)
    if not isinstance(prediction, AsyncIterator):
        return pipeline.close(later.work, prediction)
    await anext(prediction, None)
    close = getattr(prediction, "aclose", None)
    if close is not None:
        await close()
    return None


@functools.cache
def _runner() -> asyncio.Runner:
    """The process's one event loop, made when it is first needed."""
    return asyncio.Runner(loop_factory=uvloop.new_event_loop)


async def _answer_on_loop(wire: Wire, pipeline: Pipeline, on_message: OnMessage) -> None:
    loop = asyncio.get_running_loop()
    closed = asyncio.Event()
    writers = Writers()
    tasks: set[asyncio.Task[None]] = set()

    async def answer(item: InvocationItem) -> None:
        found = pipeline.answer(item.fields, item.body)
        if isinstance(found, Answer):
            wire.answer(item, found, pipeline.take_timings())
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
                for item in frame.items():
                    task = loop.create_task(answer(item))
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
            elif not writers.heed(frame):
                on_message(frame)

    wire.watch(asyncio.get_running_loop(), read)
    await closed.wait()


async def _answer_async(wire: Wire, item: InvocationItem, later: Later, pipeline: Pipeline, writers: Writers) -> None:
    enter(later.work.context)
    prediction: object = later.prediction
    writer = StreamWriter(wire, item, later.work, pipeline)
    with writers.opened(writer):
        if not isinstance(prediction, AsyncIterator):
            start = perf_counter()
            try:
                prediction = await _unless_left(cast("Coroutine[Any, Any, object]", prediction), writer)
            except _RAISED as error:
                if writer.is_cancelled and isinstance(error, asyncio.CancelledError):
                    writer.end()
                else:
                    writer.fail(error)
                return
            finally:
                pipeline.predicting += perf_counter() - start
        if isinstance(prediction, AsyncIterator):
            await _drain_async(prediction, writer)
        elif writer.is_cancelled:  # and the predictor took no notice
            writer.end()
        else:
            wire.answer(item, pipeline.close(later.work, prediction), pipeline.take_timings())


async def _unless_left(predicting: Coroutine[Any, Any, object], writer: StreamWriter) -> object:
    """What a coroutine returns; it is interrupted where it waits when its client leaves.

    Raises:
        CancelledError: The client has left, or the coroutine says so of itself.
        Exception: What the coroutine raises.
    """
    if writer.is_cancelled:
        predicting.close()
        raise asyncio.CancelledError
    task = asyncio.current_task()
    assert task is not None  # this is a coroutine
    writer.on_cancel = task.cancel
    try:
        return await predicting
    finally:
        writer.on_cancel = lambda: None


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
        try:
            if not writer.is_cancelled:
                await _write_async(parts, writer)
        except asyncio.CancelledError:
            if not writer.is_cancelled:
                raise
        close = getattr(parts, "aclose", None)
        if close is not None:
            await close()
        writer.end()
    except _RAISED as error:
        writer.fail(error)


async def _write_async(parts: AsyncIterator[object], writer: StreamWriter) -> None:
    task = asyncio.current_task()
    assert task is not None  # this is a coroutine
    writer.on_cancel = task.cancel
    breath = perf_counter() + _BREATH_S
    try:
        async for part in parts:
            if perf_counter() > breath:
                await asyncio.sleep(0)  # a generator that awaits nothing would leave nothing else a turn
                breath = perf_counter() + _BREATH_S
            while not writer.may_go_on.is_set():
                await asyncio.sleep(_RESUME_POLL_S)
            if writer.is_cancelled:
                return
            writer.write(part)
    finally:
        writer.on_cancel = lambda: None
