"""The platform's WebSocket to a container, frame by frame (RFC 6455).

A library that speaks in messages would not do: SageMaker makes one frame of each part that a client sends, and one part
of each frame that a container sends, and leaves the bytes as they are, also where a text is cut within a character.
"""

import asyncio
import base64
import hashlib
import os
import struct
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from argosy.errors import ContainerError, ContainerTimeoutError

LONGEST_FRAME: Final = 24 * 1024 * 1024
"""Bytes of a frame's payload: what fits into a message of an event stream."""
NORMAL_CLOSURE: Final = 1000
GOING_AWAY: Final = 1001
PROTOCOL_ERROR: Final = 1002
NO_STATUS: Final = 1005
"""Stands for a Close frame without a status code (RFC 6455, section 7.4.1)."""

_ACCEPT_KEY: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_LONGEST_HEAD: Final = 64 * 1024
_LONGEST_REFUSAL: Final = 1024 * 1024
_READ: Final = 256 * 1024


class Opcode(IntEnum):
    """What a frame is."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame.

    Attributes:
        opcode: What it is.
        payload: Unmasked.
        is_final: Whether it ends its message: the FIN bit.
    """

    opcode: Opcode
    payload: bytes = b""
    is_final: bool = True


class FrameError(Exception):
    """What came is no WebSocket frame that a server may send."""


class UpgradeRefusedError(Exception):
    """The container answered the upgrade with something else than a WebSocket.

    Args:
        status: The container's.
        body: The container's, the beginning of it.
    """

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body


def encode(frame: Frame, mask: bytes) -> bytes:
    """A client's frame.

    Args:
        frame: What it holds.
        mask: Four random bytes.
    """
    first = (0x80 if frame.is_final else 0) | frame.opcode
    size = len(frame.payload)
    if size < 126:
        head = struct.pack("!BB", first, 0x80 | size)
    elif size < 2**16:
        head = struct.pack("!BBH", first, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", first, 0x80 | 127, size)
    return head + mask + _masked(frame.payload, mask)


class Decoder:
    """Takes the bytes of a server as they come and gives the frames that are whole."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._is_within_message = False

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that end in these bytes.

        Raises:
            FrameError: A server may not send this.
        """
        self._buffer += data
        while (frame := self._take()) is not None:
            self._check_order(frame)
            yield frame

    def _take(self) -> Frame | None:
        if len(self._buffer) < 2:
            return None
        first, second = self._buffer[:2]
        start = 2 + {126: 2, 127: 8}.get(second, 0)
        try:
            opcode = Opcode(first & 0x0F)
        except ValueError as error:
            raise FrameError(f"a frame with the reserved opcode {first & 0x0F}") from error
        if first & 0x70:
            raise FrameError("a frame with a reserved bit set: no extension was agreed upon")
        if second & 0x80:
            raise FrameError("a masked frame: only clients mask")
        if opcode >= Opcode.CLOSE and (second > 125 or not first & 0x80):
            raise FrameError("a control frame that is longer than 125 bytes or in parts")
        if len(self._buffer) < start:
            return None
        size = second if start == 2 else int.from_bytes(self._buffer[2:start], "big")
        if size > LONGEST_FRAME:
            raise FrameError(f"a frame of {size} bytes, more than {LONGEST_FRAME}")
        if len(self._buffer) < start + size:
            return None
        payload = bytes(self._buffer[start : start + size])
        del self._buffer[: start + size]
        return Frame(opcode, payload, bool(first & 0x80))

    def _check_order(self, frame: Frame) -> None:
        if frame.opcode >= Opcode.CLOSE:
            return
        if (frame.opcode is Opcode.CONTINUATION) != self._is_within_message:
            raise FrameError(
                "a message begins within another" if self._is_within_message else "a continuation of nothing"
            )
        self._is_within_message = not frame.is_final


class WebSocket:
    """An open WebSocket; made by `connect`.

    Args:
        reader: What the container sends after its answer.
        writer: The way to the container.
        headers: Of the container's answer to the upgrade, names in lower case.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, headers: Mapping[str, str]) -> None:
        self.headers = headers
        self._reader = reader
        self._writer = writer
        self._decoder = Decoder()
        self._frames: Iterator[Frame] = iter(())

    async def send(self, frame: Frame) -> None:
        """Send one frame.

        Raises:
            ConnectionError: The container has left.
        """
        self._writer.write(encode(frame, os.urandom(4)))
        await self._writer.drain()

    async def receive(self) -> Frame | None:
        """The next frame; None when the connection ended.

        Raises:
            FrameError: A server may not send this.
        """
        while (frame := next(self._frames, None)) is None:
            try:
                data = await self._reader.read(_READ)
            except ConnectionError:
                return None
            if not data:
                return None
            self._frames = self._decoder.feed(data)
        return frame

    async def close(self) -> None:
        """End the connection, without a word more."""
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()


def close_frame(code: int, reason: str = "") -> Frame:
    """A Close frame; a reason that is too long for one is cut."""
    text = reason.encode()[:123].decode(errors="ignore")
    return Frame(Opcode.CLOSE, struct.pack("!H", code) + text.encode())


def closing(frame: Frame) -> tuple[int, str]:
    """Status code and reason of a Close frame."""
    if len(frame.payload) < 2:
        return NO_STATUS, ""
    return int.from_bytes(frame.payload[:2], "big"), frame.payload[2:].decode(errors="replace")


async def connect(url: str, target: str, headers: Mapping[str, str], timeout_s: float) -> WebSocket:
    """Open a WebSocket.

    Args:
        url: `http://ADDRESS:PORT` of the container.
        target: Path and query.
        headers: Sent beside what the upgrade needs; `Host` too.
        timeout_s: How long the container may take to answer.

    Raises:
        UpgradeRefusedError: The container answers, but does not upgrade.
        ContainerError: It does not answer.
        ContainerTimeoutError: Not in time.
    """
    parts = urllib.parse.urlsplit(url)
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=_LONGEST_HEAD)
            return await _upgrade(reader, writer, target, headers)
    except BaseException as error:
        if writer is not None:
            writer.close()
        if isinstance(error, TimeoutError):
            raise ContainerTimeoutError(f"{target} was not answered within {timeout_s:g} s") from error
        if isinstance(error, OSError | EOFError | asyncio.LimitOverrunError):
            raise ContainerError(f"the connection broke before {target} was answered", got=error) from error
        raise


async def _upgrade(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: str, headers: Mapping[str, str]
) -> WebSocket:
    key = base64.b64encode(os.urandom(16))
    fields = {
        **headers,
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": key.decode(),
    }
    lines = [f"GET {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    writer.write("\r\n".join(lines).encode("latin-1"))
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    words = head[0].split(" ", 2)
    if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdigit():
        raise ContainerError(f"{target} is answered by something that is not HTTP", got=f"`{head[0][:100]}`")
    received = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    status = int(words[1])
    if status != 101:
        raise UpgradeRefusedError(status, await _refusal(reader, received))
    accept = base64.b64encode(hashlib.sha1(key + _ACCEPT_KEY, usedforsecurity=False).digest()).decode()
    if received.get("sec-websocket-accept") != accept:
        raise ContainerError(f"{target}: the container's Sec-WebSocket-Accept does not fit the key")
    return WebSocket(reader, writer, received)


async def _refusal(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    """The body of an answer that is no upgrade, or the beginning of it."""
    declared = headers.get("content-length", "")
    if not declared.isdigit():
        return b""
    size = min(int(declared), _LONGEST_REFUSAL)
    try:
        return await reader.readexactly(size)
    except asyncio.IncompleteReadError as error:
        return error.partial


def _masked(payload: bytes, mask: bytes) -> bytes:
    size = len(payload)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")
