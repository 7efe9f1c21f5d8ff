"""A model process: loads the model once, then answers what the front hands it."""

import gc
import inspect
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from argosy.errors import ArgosyError, InvocationError, LoadError
from argosy.serving import answers, codecs, log
from argosy.serving.model.joining import Alike, Joiner
from argosy.serving.model.pipeline import Answer, Later, Pipeline, is_out_of_memory
from argosy.serving.model.wire import Wire
from argosy.serving.model.writers import Writers
from argosy.serving.openapi.hosting import Hosting
from argosy.serving.openapi.invocation import Signature, document
from argosy.serving.predictor import Predictor
from argosy.serving.settings import Settings

EXIT_LOAD_FAILED: Final = 4
_SUFFIXES: Final = {
    ".json": "application/json",
    ".csv": "text/csv",
    ".jsonl": "application/jsonlines",
    ".npy": "application/x-npy",
    ".npz": "application/x-npz",
    ".parquet": "application/x-parquet",
    ".arrow": "application/vnd.apache.arrow.stream",
    ".libsvm": "text/libsvm",
    ".txt": "text/plain",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
}


class Seat(NamedTuple):
    """What one model process is given.

    Attributes:
        model_dir: The folder of the artifacts.
        cpus: Processors that it keeps to while it loads, so that thread pools are made as large as they should be.
    """

    model_dir: Path
    cpus: frozenset[int]


def run(link: socket.socket, arena: memoryview, make: Callable[[], Predictor], seat: Seat, settings: Settings) -> None:
    """Load the predictor, say so over the link, and answer until the front closes it; never returns.

    Signals that stop the server are the front's business: it finishes what is in flight and then closes the link.

    Args:
        link: The socket to the front.
        arena: Where large bodies lie.
        make: Gives the predictor, loaded.
        seat: What this process is given.
        settings: What the server is told from outside.
    """
    os.register_at_fork(after_in_child=link.close)  # a child of the predictor's own would hold it open
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    wire = Wire(link, arena)
    try:
        predictor, pipeline = _load(make, seat, settings)
        is_async = inspect.iscoroutinefunction(predictor.predict) or inspect.isasyncgenfunction(predictor.predict)
        if hasattr(predictor, "converse"):
            wire = _attach_conversations(wire, predictor, is_async=is_async)
    except LoadError as error:
        log.failure("load-failed", error.__cause__ or error)
        wire.tell({"event": "failed", "reason": str(error), "is_memory": is_out_of_memory(error.__cause__)})
        os._exit(EXIT_LOAD_FAILED)
    joiner = Joiner(pipeline, settings.batching)
    wire.tell(_introduction(predictor, pipeline, joiner, settings))
    gc.freeze()  # what was loaded stays: the collector need not look at it again
    gc.enable()
    on_message = _Listener(wire, predictor, pipeline)
    if not is_async and not inspect.isgeneratorfunction(predictor.predict):
        _answer_in_turn(wire, pipeline, joiner, on_message)
    else:
        from argosy.serving.model import concurrent  # here: most predictors can do without an event loop

        if is_async:
            concurrent.answer_on_loop(wire, pipeline, on_message)
        else:
            concurrent.answer_in_threads(wire, pipeline, settings.streaming.concurrency, on_message)
    sys.stdout.flush()
    os._exit(0)


def load(predictor_class: type[Predictor], model_dir: Path, settings: Settings) -> Predictor:
    """Make and load a predictor.

    Raises:
        LoadError: Whatever it raised, told in one line.
    """
    try:
        predictor = predictor_class()
        predictor.load(model_dir)
        return predictor
    except LoadError:
        raise
    except (Exception, SystemExit) as error:
        reason = error.message if isinstance(error, ArgosyError) else f"{type(error).__name__}: {error}"
        what = f"`{settings.predictor}`" if settings.predictor is not None else "the model of the inference script"
        raise LoadError(f"{what} could not be loaded from `{model_dir}`", got=reason) from error


def _attach_conversations(wire: Wire, predictor: Predictor, *, is_async: bool) -> Wire:
    from argosy.serving.model import conversation  # here: see `run`

    converse = conversation.find(predictor)
    return wire if converse is None else conversation.attach(wire, converse, is_async=is_async)


def _load(make: Callable[[], Predictor], seat: Seat, settings: Settings) -> tuple[Predictor, Pipeline]:
    everywhere = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    if everywhere and seat.cpus:
        os.sched_setaffinity(0, seat.cpus & everywhere or everywhere)
    try:
        predictor = make()
        pipeline = Pipeline(predictor, settings.content_types, settings.max_body_bytes)
        _warm_up(pipeline, settings)
    finally:
        if everywhere and seat.cpus:
            os.sched_setaffinity(0, everywhere)
    return predictor, pipeline


def _warm_up(pipeline: Pipeline, settings: Settings) -> None:
    """Predict the sample inputs, streams up to their first part, so that no client waits for what is done once.

    Raises:
        LoadError: A sample is missing, or is not answered with 200.
    """
    for sample in settings.warm_up:
        try:
            body = sample.read_bytes()
        except OSError as error:
            raise LoadError("a warm-up sample cannot be read", got=error.strerror, where=sample) from error
        content_type = _SUFFIXES.get(sample.suffix.lower(), "application/octet-stream")
        answer: Answer | Later | None = pipeline.answer(content_type.encode() + b"\n", body)
        if isinstance(answer, Later):
            from argosy.serving.model import concurrent  # here: see `run`

            try:
                answer = concurrent.warm_up(answer, pipeline)
            except (Exception, SystemExit) as error:
                raise LoadError(f"a warm-up sample is refused: {_told(error)}", where=sample) from error
        if answer is not None and answer.status != 200:
            told = answers.message_of(answer.body)
            raise LoadError(f"a warm-up sample is refused with {answer.status}: {told}", where=sample)
    if not settings.warm_up and pipeline.spec.example is not None:
        _try_example(pipeline)
    pipeline.take_timings()


def _try_example(pipeline: Pipeline) -> None:
    """Predict what the model itself says that it takes, for a project without samples.

    Raises:
        LoadError: It is not answered with 200, and that shows that the model is broken.
    """
    if "application/json" not in pipeline.negotiator.content_types:
        return
    answer = pipeline.answer(b"application/json\n", orjson.dumps(pipeline.spec.example))
    if isinstance(answer, Later) or answer.status == 200:
        return
    told = answers.message_of(answer.body)
    if answer.status not in pipeline.excused:
        raise LoadError("the model does not take its own example", got=f"{answer.status}: {told}")
    log.event("example-refused", status=answer.status, reason=told, hint="name a sample in `serving.warm_up`")


def _told(error: BaseException) -> str:
    """What an exception says, in one line and without its hint."""
    told = error.message if isinstance(error, ArgosyError) else f"{type(error).__name__}: {error}"
    return " ".join(told.split()).removesuffix(":")


def _introduction(predictor: Predictor, pipeline: Pipeline, joiner: Joiner, settings: Settings) -> dict[str, object]:
    """What the front learns of a model process: how many invocations it takes at a time, and what it serves."""
    predict = predictor.predict
    is_streaming = inspect.isgeneratorfunction(predict) or inspect.isasyncgenfunction(predict)
    is_concurrent = is_streaming or inspect.iscoroutinefunction(predict)
    has_adapters = hasattr(predictor, "load_adapter")
    signature = Signature(pipeline.spec, pipeline.output, pipeline.negotiator.content_types, is_streaming)
    hosting = Hosting(settings.session_ttl_s > 0, has_adapters, settings.is_multi_model)
    return {
        "event": "loaded",
        "is_concurrent": is_concurrent,
        "capacity": settings.streaming.concurrency if is_concurrent else 1,
        "joins": joiner.joins,
        "is_bidirectional": hasattr(predictor, "converse"),
        "has_adapters": has_adapters,
        "openapi": document(type(predictor).__name__, signature, hosting).decode(),
        "answers": list(codecs.names()),
    }


def _answer_in_turn(wire: Wire, pipeline: Pipeline, joiner: Joiner, on_message: "_Listener") -> None:
    writers = Writers()
    joins = joiner.joins
    while (found := wire.receive()) is not None:
        for frame in found:
            if isinstance(frame, dict):
                if not writers.heed(frame):
                    on_message(frame)
                continue
            given = joiner.answer_all(frame.fields, frame.bodies)
            if joins and not joiner.joins:
                joins = False
                wire.tell({"event": "not-row-wise"})
            if isinstance(given, Alike):
                wire.answer_alike(frame, given.head, given.bodies, pipeline.take_timings())
                continue
            whole = [answer for answer in given if isinstance(answer, Answer)]
            if len(whole) == len(given):
                wire.answer_all(frame, whole, pipeline.take_timings())
                continue
            for item, answer in zip(frame.items(), given, strict=True):
                if isinstance(answer, Later):
                    from argosy.serving.model import concurrent  # here: see `run`

                    concurrent.answer_here(wire, item, answer, pipeline, writers, on_message)
                else:
                    wire.answer(item, answer, pipeline.take_timings())


class _Listener:
    """Does what messages of the front ask for, streams apart."""

    def __init__(self, wire: Wire, predictor: Predictor, pipeline: Pipeline) -> None:
        self._wire = wire
        self._predictor = predictor
        self._pipeline = pipeline

    def __call__(self, message: dict[str, Any]) -> None:
        match message["event"]:
            case "close-session":
                self._close_session(message["session"])
            case "load-adapter" | "unload-adapter":
                self._change_adapter(message)

    def _close_session(self, session_id: str) -> None:
        session = self._pipeline.sessions.pop(session_id, None)
        close = getattr(self._predictor, "close_session", None)
        if session is None or close is None:
            return
        try:
            close(session)
        except (Exception, SystemExit) as error:
            log.raised("close-session-raised", error)

    def _change_adapter(self, message: dict[str, Any]) -> None:
        asked = {name: message[name] for name in ("ticket", "name")}
        is_load = message["event"] == "load-adapter"
        told = {"event": "adapter", **asked, "is_load": is_load, "error": "", "is_refused": False, "is_memory": False}
        try:
            change = getattr(self._predictor, "load_adapter" if is_load else "unload_adapter", None)
            if change is not None:
                change(message["name"], *([Path(message["path"])] if is_load else []))
        except (Exception, SystemExit) as error:
            log.raised("adapter-failed", error, adapter=message["name"])
            told["error"] = type(error).__name__
            told["is_refused"] = isinstance(error, (ValueError, InvocationError))
            told["is_memory"] = is_out_of_memory(error)
        self._wire.tell(told)
