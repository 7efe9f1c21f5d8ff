"""A bidirectional stream that is open: parts become frames, frames become parts, until one side ends it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from argosy.simulator.runtime import event_stream, web_socket
from argosy.simulator.runtime.event_stream import FramingError, Message
from argosy.simulator.runtime.http2 import Stream, StreamEndedError
from argosy.simulator.runtime.web_socket import Frame, FrameError, Opcode, WebSocket

_SIGNATURE: Final = ":chunk-signature"
_DATA_TYPES: Final = {"UTF8": Opcode.TEXT, "BINARY": Opcode.BINARY, None: Opcode.BINARY}
_NAMES: Final = {Opcode.TEXT: "UTF8", Opcode.BINARY: "BINARY"}
_STATES: Final = {"COMPLETE": True, "PARTIAL": False, None: True}


@dataclass(frozen=True, slots=True)
class BidirectionalOptions:
    """What a person may change about bidirectional streams.

    UNSURE: what the container gets when the client ends its side: here a Close frame with 1000.
    UNSURE: whether a container's Close frame with 1000 is an error as all others; AWS's page makes no difference.
    UNSURE: the codes in a `ModelStreamError`: here the Close frame's number, `StreamBroken` without one, and
    `ModelInvocationTimeExceeded` at the longest time.
    UNSURE: the `Host` field and the time for the upgrade.

    Attributes:
        ping_s: Between two pings; "once every 60 seconds".
        missed_pongs: After as many in a row without an answer the connection is closed.
        longest_s: Of a stream; 30 minutes is second hand, from vendors' documentation.
        open_s: How long the container may take to answer the upgrade.
        closes_with_client: Whether the end of the client's side closes the WebSocket; else it is open for what the
            container has to say until that closes it.
        close_s: How long a container may take to answer a Close frame.
        is_normal_closure_an_error: Whether the client is told of a container's Close frame with 1000, too.
        host: The `Host` field of the upgrade.
    """

    ping_s: float = 60.0
    missed_pongs: int = 5
    longest_s: float = 1800.0
    open_s: float = 60.0
    closes_with_client: bool = True
    close_s: float = 30.0
    is_normal_closure_an_error: bool = True
    host: str = "localhost:8080"


class _EndingError(Exception):
    """The conversation is over.

    Args:
        told: What a person is told.
        event: The last event for the client, if there is one.
        code: Of the Close frame for the container; None when it has closed already, or is gone.
    """

    def __init__(self, told: str, event: bytes | None, code: int | None) -> None:
        super().__init__(told)
        self.told = told
        self.event = event
        self.code = code


class Conversation:
    """One open stream.

    Args:
        stream: The client's, its answer begun.
        socket: The container's.
        options: What a person may change.
    """

    def __init__(self, stream: Stream, socket: WebSocket, options: BidirectionalOptions) -> None:
        self._stream = stream
        self._socket = socket
        self._options = options
        self._unanswered = 0
        self._is_closing = False
        self._is_within_message = False
        self._frames_of = Opcode.BINARY

    async def hold(self) -> str:
        """Pass everything on until it is over; returns why it is, in a clause.

        The client's stream is ended, and the container was told; the connection to it is the caller's to close.
        """
        try:
            async with asyncio.timeout(self._options.longest_s):
                await self._until_one_ends()
            told = "ended"  # not reached: some side always says why
        except TimeoutError:
            limit = f"{self._options.longest_s:g} seconds"
            event = model_stream_error("ModelInvocationTimeExceeded", f"The stream was open for {limit}.")
            told = await self._end(_EndingError(f"closed after {limit}", event, web_socket.GOING_AWAY))
        except _EndingError as ending:
            told = await self._end(ending)
        except StreamEndedError:
            told = await self._end(_EndingError("the client has left", None, web_socket.GOING_AWAY))
        return told

    async def _until_one_ends(self) -> None:
        """Let both sides speak.

        Raises:
            StreamEndedError: The client has left.
        """
        tasks = [asyncio.create_task(work) for work in (self._to_container(), self._to_client(), self._ping())]
        try:
            pending = set(tasks)
            while True:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _end(self, ending: _EndingError) -> str:
        with suppress(StreamEndedError, OSError):
            async with asyncio.timeout(self._options.close_s):  # neither side can keep it open by not reading
                if ending.code is not None:
                    await self._socket.send(web_socket.close_frame(ending.code, ending.told))
                if ending.event is not None:
                    await self._stream.write(ending.event)
                await self._stream.end()
        return ending.told

    async def _to_container(self) -> None:
        """Make a frame of each part until the client's side ends.

        Raises:
            StreamEndedError: The client has left.
        """
        try:
            async for message in self._messages():
                await self._send(self._frame(message))
        except FramingError as error:
            event = internal_stream_failure(f"The request stream cannot be read: {error}.")
            raise _EndingError(f"the client's events cannot be read: {error}", event, web_socket.GOING_AWAY) from error
        if self._options.closes_with_client:
            await self._send(web_socket.close_frame(web_socket.NORMAL_CLOSURE))
            self._is_closing = True
            await asyncio.sleep(self._options.close_s)
            raise _EndingError("the container did not answer the Close frame", None, None)

    async def _messages(self) -> AsyncIterator[Message]:
        """The client's events, out of the signed messages that clients wrap them in.

        Raises:
            FramingError: They cannot be read.
        """
        outer = event_stream.Decoder()
        while data := await self._stream.read():
            for message in outer.feed(data):
                if _SIGNATURE not in message.headers:
                    yield message
                elif message.payload:  # an empty one ends the stream of signed messages
                    inner = event_stream.Decoder()
                    for event in inner.feed(message.payload):
                        yield event
                    if not inner.is_between_messages:
                        raise FramingError("a signed message does not hold a whole event")
        if not outer.is_between_messages:
            raise FramingError("the stream ends within a message")

    def _frame(self, message: Message) -> Frame:
        """The frame of a part.

        Raises:
            FramingError: It is no part.
        """
        kind = message.text(":event-type")
        if kind != "PayloadPart":
            raise FramingError(f"`{kind}` is no event of this stream")
        data_type, state = message.text("DataType"), message.text("CompletionState")
        if data_type not in _DATA_TYPES or state not in _STATES:
            raise FramingError(f"DataType `{data_type}` with CompletionState `{state}`")
        opcode = Opcode.CONTINUATION if self._is_within_message else _DATA_TYPES[data_type]
        is_final = _STATES[state]
        self._is_within_message = not is_final
        return Frame(opcode, message.payload, is_final)

    async def _to_client(self) -> None:
        """Make a part of each frame; ends only with the conversation.

        Raises:
            StreamEndedError: The client has left.
        """
        while True:
            try:
                frame = await self._socket.receive()
            except FrameError as error:
                event = model_stream_error(str(web_socket.PROTOCOL_ERROR), f"The container sent {error}.")
                raise _EndingError(f"the container sent {error}", event, web_socket.PROTOCOL_ERROR) from error
            if frame is None:
                raise self._broken()
            match frame.opcode:
                case Opcode.PING:
                    await self._send(Frame(Opcode.PONG, frame.payload))
                case Opcode.PONG:
                    self._unanswered = 0
                case Opcode.CLOSE:
                    raise await self._closed(frame)
                case _:
                    await self._stream.write(self._part(frame))

    def _part(self, frame: Frame) -> bytes:
        """The event of a frame."""
        if frame.opcode is not Opcode.CONTINUATION:
            self._frames_of = frame.opcode
        headers = {
            ":message-type": "event",
            ":event-type": "PayloadPart",
            ":content-type": "application/octet-stream",
            "DataType": _NAMES[self._frames_of],
            "CompletionState": "COMPLETE" if frame.is_final else "PARTIAL",
        }
        return event_stream.encode(headers, frame.payload)

    async def _closed(self, frame: Frame) -> _EndingError:
        """What the container's Close frame means."""
        code, reason = web_socket.closing(frame)
        if self._is_closing:
            return _EndingError("the client has ended it", None, None)
        with suppress(OSError):
            await self._socket.send(Frame(Opcode.CLOSE, frame.payload[:2]))
        told = f"the container has closed it: {code} {reason}".rstrip()
        if code == web_socket.NORMAL_CLOSURE and not self._options.is_normal_closure_an_error:
            return _EndingError(told, None, None)
        return _EndingError(told, model_stream_error(str(code), reason), None)

    def _broken(self) -> _EndingError:
        if self._is_closing:
            return _EndingError("the client has ended it", None, None)
        event = model_stream_error("StreamBroken", "The connection to the container was closed.")
        return _EndingError("the connection to the container broke", event, None)

    async def _ping(self) -> None:
        """Ping the container for ever, and give it up when it does not answer."""
        while True:
            await asyncio.sleep(self._options.ping_s)
            if self._unanswered >= self._options.missed_pongs:
                told = f"the container has not answered {self._unanswered} pings in a row"
                event = model_stream_error("StreamBroken", told.capitalize() + ".")
                raise _EndingError(told, event, web_socket.GOING_AWAY)
            self._unanswered += 1
            await self._send(Frame(Opcode.PING))

    async def _send(self, frame: Frame) -> None:
        if self._is_closing:
            return  # nothing may follow a Close frame
        try:
            await self._socket.send(frame)
        except OSError as error:
            raise self._broken() from error


def model_stream_error(code: str, message: str) -> bytes:
    """The event of an error that is the container's."""
    return _exception("ModelStreamError", {"ErrorCode": code, "Message": message})


def internal_stream_failure(message: str) -> bytes:
    """The event of an error that is not the container's."""
    return _exception("InternalStreamFailure", {"Message": message})


def _exception(name: str, fields: dict[str, str]) -> bytes:
    headers = {":message-type": "exception", ":exception-type": name, ":content-type": "application/json"}
    return event_stream.encode(headers, json.dumps(fields).encode())
