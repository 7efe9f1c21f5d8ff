"""Bidirectional streaming, the model process's side: `converse` of the predictor, once for each conversation.

Theory of operation. All conversations of a model process run as tasks of one event loop. When `predict` is `async def`
they share its loop. Otherwise the loop has a thread of its own: it reads the link and leaves invocations to the main
thread, where `predict` goes on being called as if there were no conversations (`QueuedWire`). So a long `predict` makes
a conversation wait for the interpreter's lock and for nothing else.

A message is taken from the front only when the generator asks for one, and a yielded one waits while the client has not
taken those before it: a slow end makes the other wait, nothing piles up.
"""

import asyncio
import importlib.util
import inspect
import threading
from collections.abc import AsyncIterator, Callable
from queue import SimpleQueue
from typing import Final, cast

import uvloop

from argosy.errors import InvocationError, LoadError, PredictError
from argosy.serving import answers, frames, log
from argosy.serving.context import InvocationContext, enter
from argosy.serving.frames import CloseCode, Piece, PieceKind
from argosy.serving.model.pipeline import raised
from argosy.serving.model.window import Window
from argosy.serving.model.wire import Frame, Wire, checked
from argosy.serving.predictor import Predictor

GRACE_S: Final = 10.0
"""How long a generator may go on after its client has left, to tidy up; then it is cancelled."""

Converse = Callable[[AsyncIterator[str | bytes]], AsyncIterator[object]]


def find(predictor: Predictor) -> Converse | None:
    """The predictor's `converse`; None when it has none, or wsproto, which speaks WebSocket, is not installed.

    Raises:
        LoadError: It is not an async generator method.
    """
    converse = getattr(predictor, "converse", None)
    if converse is None:
        return None
    if inspect.iscoroutinefunction(converse) or inspect.isgeneratorfunction(converse) or not callable(converse):
        raise LoadError("`converse` is not an async generator method", want="`async def` with `yield` in it")
    if importlib.util.find_spec("wsproto") is None:
        log.event("no-conversations", got="wsproto is not installed", want="`argosy[bidirectional]`")
        return None
    return cast("Converse", converse)


class Incoming(AsyncIterator[str | bytes]):
    """The client's messages, as `converse` gets them; it ends when the client closes or is gone.

    Args:
        on_taken: Called for each message that is taken.
    """

    def __init__(self, on_taken: Callable[[], None]) -> None:
        self._on_taken = on_taken
        self._messages: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self._is_over = False

    def put(self, message: str | bytes | None) -> None:
        """A message came; None: the last one has."""
        self._messages.put_nowait(message)

    async def __anext__(self) -> str | bytes:
        """The next message: text as `str`, binary as `bytes`."""
        message = None if self._is_over else await self._messages.get()
        if message is None:
            self._is_over = True
            raise StopAsyncIteration
        self._on_taken()
        return message


class Conversations:
    """All conversations of this process.

    Args:
        wire: To the front; what comes over it about conversations is taken here, on the event loop that reads it.
        converse: The predictor's method.
    """

    def __init__(self, wire: Wire, converse: Converse) -> None:
        self._wire = wire
        self._converse = converse
        self._open: dict[int, _Conversation] = {}
        wire.on_piece = self.take

    def take(self, piece: Piece) -> None:
        """Something came from the front; about a conversation that has ended, nobody wants it.

        An echo is asked of the loop that holds the conversations: given here, it says that none of them holds it up.
        """
        if piece.kind == PieceKind.OPEN:
            found = _Conversation(self._wire, piece.number, _context(piece.body))
            found.task = asyncio.get_running_loop().create_task(self._run(found))
            self._open[piece.number] = found
            return
        conversation = self._open.get(piece.number)
        if conversation is None:
            self._wire.echo(piece)
            return
        match piece.kind:
            case PieceKind.TEXT:
                conversation.incoming.put(piece.body.decode())
            case PieceKind.BINARY:
                conversation.incoming.put(piece.body)
            case PieceKind.TAKEN:
                conversation.window.taken()
            case PieceKind.CLOSE:
                conversation.client_left()

    async def _run(self, conversation: "_Conversation") -> None:
        ending = await conversation.run(self._converse)
        del self._open[conversation.number]
        conversation.incoming.put(None)  # a task of the predictor's own may read on
        self._wire.piece(PieceKind.CLOSE, conversation.number, frames.pack_close(*ending))


class QueuedWire(Wire):
    """A wire that an event loop in a thread of its own reads, so that conversations go on while the main thread works.

    Frames that are not about conversations wait for whoever calls `receive`, in their order.

    Args:
        wire: The one whose place it takes.
    """

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire.link, wire.arena)
        self._waiting: SimpleQueue[list[Frame] | None] = SimpleQueue()

    def start(self) -> None:
        """Read from now on."""
        threading.Thread(target=self._run, name="conversations", daemon=True).start()

    def receive(self) -> list[Frame] | None:
        """Wait for frames; None when the front has closed the link."""
        found = self._waiting.get()
        if found is None:
            self._waiting.put(None)  # whoever asks again gets the same answer
        return found

    def receive_waiting(self) -> list[Frame] | None:
        """The frames that are there already."""
        return [] if self._waiting.empty() else self.receive()

    def _run(self) -> None:
        try:
            uvloop.run(self._read())
        finally:
            self._waiting.put(None)

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        closed = asyncio.Event()

        def read() -> None:
            found = Wire.receive(self)
            if found is None:
                loop.remove_reader(self.link)
                closed.set()
            elif found:
                self._waiting.put(found)

        self.watch(asyncio.get_running_loop(), read)
        await closed.wait()


class _Conversation:
    """One run of the generator."""

    def __init__(self, wire: Wire, number: int, context: InvocationContext) -> None:
        self._wire = wire
        self._context = context
        self._is_gone = False
        self._is_cut = False
        self.number = number
        self.window = Window()
        self.incoming = Incoming(lambda: wire.piece(PieceKind.TAKEN, number, b""))
        self.task: asyncio.Task[None] | None = None

    async def run(self, converse: Converse) -> tuple[int, str]:
        """Run it to its end; gives the code and the reason of the Close frame."""
        enter(self._context)
        inference_id = self._context.inference_id
        outgoing: AsyncIterator[object] | None = None
        try:
            outgoing = converse(self.incoming)
            async for message in outgoing:
                if self._is_cut:
                    break
                await self._send(message)
            ending = CloseCode.NORMAL, ""
        except InvocationError as error:
            is_clients_fault = answers.status_of(error) < 500
            ending = (CloseCode.REFUSED if is_clients_fault else CloseCode.FAILED), error.message
        except (Exception, SystemExit) as error:
            ending = CloseCode.FAILED, raised(error, inference_id).message
        except asyncio.CancelledError as error:
            message = "" if self._is_cut else raised(error, inference_id).message
            ending = CloseCode.FAILED, message
        await self._finish(outgoing)
        return ending

    def client_left(self) -> None:
        """Nobody listens any more: `incoming` ends, and a moment later the generator does."""
        self._is_gone = True
        self.incoming.put(None)
        self.window.lift()
        asyncio.get_running_loop().call_later(GRACE_S, self._cut)

    def _cut(self) -> None:
        self._is_cut = True
        if self.task is not None:
            self.task.cancel()

    async def _send(self, message: object) -> None:
        if self._is_gone:
            await asyncio.sleep(0)  # a generator that goes on without a pause must not stop all others
            return
        await self.window.room()
        if isinstance(message, str):
            kind, body = PieceKind.TEXT, message.encode()
        elif isinstance(message, bytes | bytearray | memoryview):
            kind, body = PieceKind.BINARY, bytes(message)
        else:
            raise PredictError("a message is neither text nor bytes", got=f"`{type(message).__name__}`")
        self.window.sent(len(body))
        self._wire.piece(kind, self.number, checked(body))

    async def _finish(self, outgoing: AsyncIterator[object] | None) -> None:
        """Let the generator's `finally` run, if it has not come to its end by itself."""
        close = getattr(outgoing, "aclose", None)
        if close is None:
            return
        try:
            async with asyncio.timeout(GRACE_S):
                await close()
        except (Exception, SystemExit, asyncio.CancelledError) as error:
            log.raised("predictor-raised", error, inference_id=self._context.inference_id)


def attach(wire: Wire, converse: Converse, *, is_async: bool) -> Wire:
    """Hold conversations over a wire.

    Args:
        wire: Nothing has been read from it yet, and nobody else writes to it.
        converse: The predictor's method.
        is_async: Whether whoever reads the wire does so on an event loop.

    Returns:
        The wire that whoever answers invocations reads.
    """
    if is_async:
        Conversations(wire, converse)
        return wire
    queued = QueuedWire(wire)
    Conversations(queued, converse)
    queued.start()
    return queued


def _context(fields: bytes) -> InvocationContext:
    content_type, accept, *more = fields.decode("latin-1").split("\n")
    context = InvocationContext(content_type, accept)
    found = {line[:1]: line[1:] for line in more}
    context.inference_id = found.get("I", "")
    context.custom_attributes = found.get("C", "")
    context.adapter = found.get("A", "")
    context.query = found.get("Q", "")
    return context
