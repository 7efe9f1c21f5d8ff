"""A model process: loads the model once, then answers what the front hands it, one frame after the other."""

import os
import signal
import socket
import sys

from argosy.errors import ArgosyError, LoadError
from argosy.serving import frames, log
from argosy.serving.arena import THRESHOLD
from argosy.serving.frames import INLINE, AnswerItem, FrameReader, InvocationItem
from argosy.serving.model.pipeline import Pipeline
from argosy.serving.predictor import Predictor
from argosy.serving.settings import Settings

EXIT_LOAD_FAILED = 4
_READ_BYTES = 1 << 18


def run(link: socket.socket, arena: memoryview, predictor_class: type[Predictor], settings: Settings) -> None:
    """Load the predictor, say so over the link, and answer until the front closes it; never returns.

    Signals that stop the server are the front's business: it finishes what is in flight and then closes the link.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        pipeline = _load(predictor_class, settings)
    except LoadError as error:
        log.failure("load-failed", error.__cause__ or error)
        _send(link, frames.pack_notice(str(error)))
        os._exit(EXIT_LOAD_FAILED)
    _send(link, frames.pack_notice(""))
    _answer_until_closed(link, arena, pipeline)
    sys.stdout.flush()
    os._exit(0)


def _load(predictor_class: type[Predictor], settings: Settings) -> Pipeline:
    try:
        predictor = predictor_class()
        predictor.load(settings.model_dir)
        return Pipeline(predictor, settings.content_types)
    except LoadError:
        raise
    except (Exception, SystemExit) as error:
        reason = error.message if isinstance(error, ArgosyError) else f"{type(error).__name__}: {error}"
        raise LoadError(
            f"`{settings.predictor}` could not be loaded from `{settings.model_dir}`", got=reason
        ) from error


def _answer_until_closed(link: socket.socket, arena: memoryview, pipeline: Pipeline) -> None:
    reader = FrameReader()
    while True:
        try:
            chunk = link.recv(_READ_BYTES)
        except ConnectionResetError:
            return
        if not chunk:
            return
        for count, payload in reader.feed(chunk):
            items = [_answer(item, arena, pipeline) for item in frames.unpack_invocations(count, payload)]
            _send(link, frames.pack_answers(items))


def _answer(item: InvocationItem, arena: memoryview, pipeline: Pipeline) -> AnswerItem:
    content_type, accept, inference_id = item.fields.decode("latin-1").split("\n")
    is_shared = item.offset != INLINE
    body = arena[item.offset : item.offset + item.size] if is_shared else item.body
    answer = pipeline.answer(content_type, accept, inference_id, body)
    size = len(answer.body)
    if is_shared and THRESHOLD <= size <= item.size:
        # The answer takes the place of its question: the block is this invocation's until the answer is sent.
        arena[item.offset : item.offset + size] = answer.body
        return AnswerItem(item.id, answer.status, answer.content_type, b"", item.offset, size)
    return AnswerItem(item.id, answer.status, answer.content_type, bytes(answer.body), INLINE, size)


def _send(link: socket.socket, frame: bytes) -> None:
    try:
        link.sendall(frame)
    except (BrokenPipeError, ConnectionResetError):
        os._exit(0)
