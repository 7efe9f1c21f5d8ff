"""Carries TCP connections from a port of this machine to a port of another network namespace, both ways.

Runs in the other namespace: a socket belongs to the namespace that it was made in, so the one that was handed in takes
connections of this machine, and those that are made here reach the container. Standard library alone: see
`supervisor.py`.

This machine's socket listens only while the container does. Until then, and after the container's server has ended,
whoever connects is refused, as if there were no relay.
"""

import errno
import select
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

_PART_BYTES: Final = 256 * 1024
_BACKLOG: Final = 512
_RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER: close with a reset
_UNDER_WAY: Final = (0, errno.EINPROGRESS)

Ready = Callable[[int], None]
"""Takes the events of a file descriptor, as `epoll` gives them."""


class Loop:
    """An event loop over file descriptors."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._ready: dict[int, Ready] = {}
        self._masks: dict[int, int] = {}

    def watch(self, descriptor: int, mask: int, ready: Ready) -> None:
        """Call `ready` when one of the events of `mask` is there; a mask of 0 hears of nothing, hangups included."""
        before = self._masks.get(descriptor, 0)
        self._ready[descriptor] = ready
        self._masks[descriptor] = mask
        if mask == before:
            return
        if not mask:
            self._epoll.unregister(descriptor)
        elif before:
            self._epoll.modify(descriptor, mask)
        else:
            self._epoll.register(descriptor, mask)

    def forget(self, descriptor: int) -> None:
        """Hear no more of a descriptor that is about to be closed."""
        if self._masks.pop(descriptor, 0):
            self._epoll.unregister(descriptor)
        self._ready.pop(descriptor, None)

    def turn(self, timeout_s: float) -> None:
        """Wait for events, and hand them out; what one of them made another's owner forget is left out."""
        for descriptor, events in self._epoll.poll(timeout_s):
            ready = self._ready.get(descriptor)
            if ready is not None and self._masks.get(descriptor):
                ready(events)


class Relay:
    """Relays whatever connects to a socket.

    Args:
        loop: Runs it.
        listener: Bound, not listening; of this machine's namespace.
        target: Address and port in the namespace of the caller.
    """

    def __init__(self, loop: Loop, listener: socket.socket, target: tuple[str, int]) -> None:
        self._loop = loop
        self._listener = listener
        self._target = target
        self._is_open = False
        listener.setblocking(False)
        # So that it may listen again beside earlier connections; not before `bind`, where it would let others in.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)

    @property
    def is_open(self) -> bool:
        """Whether it takes connections."""
        return self._is_open

    def open(self) -> None:
        """Take connections."""
        if not self._is_open:
            self._listener.listen(_BACKLOG)
            self._loop.watch(self._listener.fileno(), select.EPOLLIN, self._accept)
            self._is_open = True

    def close(self) -> None:
        """Refuse connections until `open`; the port stays ours, and connections that are there stay."""
        if self._is_open:
            self._loop.forget(self._listener.fileno())
            self._listener.shutdown(socket.SHUT_RDWR)  # Linux: a listening socket becomes a bound one again
            self._is_open = False

    def _accept(self, _events: int) -> None:
        while self._is_open:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            code = server.connect_ex(self._target)
            if code in _UNDER_WAY:
                client.setblocking(False)
                Passage(self._loop, client, server, self.close)
                continue
            _reset(client)
            server.close()


class Passage:
    """One connection through the relay: two sockets, and what of each the other has not taken yet.

    Args:
        loop: Runs it.
        client: Connected.
        server: Connected, or about to be.
        on_refused: Called when nobody listens where it is to be connected to.
    """

    def __init__(
        self, loop: Loop, client: socket.socket, server: socket.socket, on_refused: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._on_refused = on_refused
        self._sides = (client, server)
        self._left: list[memoryview] = [memoryview(b""), memoryview(b"")]  # for each side, not sent to it yet
        self._has_ended = [False, False]  # whether the side has said its last
        self._is_told = [False, False]  # whether the side was told that the other has
        self._is_connected = False
        self._readies = tuple(partial(self._ready, side) for side in (0, 1))
        for side in self._sides:
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._settle()

    def _ready(self, side: int, events: int) -> None:
        try:
            if not self._is_connected and side == 1:
                code = self._sides[1].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if code:
                    raise OSError(code, "connect")
                self._is_connected = True
            if events & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
                self._receive(side)
            if events & select.EPOLLOUT:
                self._send(side)
        except BlockingIOError:
            pass
        except OSError as error:
            for broken in self._sides:
                self._loop.forget(broken.fileno())
                _reset(broken)
            if error.errno == errno.ECONNREFUSED:
                self._on_refused()
            return
        self._settle()

    def _receive(self, side: int) -> None:
        """Take from one side what it has, once the other has taken all that came before."""
        other = 1 - side
        if self._has_ended[side] or self._left[other] or not self._is_connected:
            return
        part = self._sides[side].recv(_PART_BYTES)
        if part:
            self._left[other] = memoryview(part)
        else:
            self._has_ended[side] = True
        self._send(other)

    def _send(self, side: int) -> None:
        """Send a side what is left for it; then, that nothing more comes."""
        while self._left[side]:
            try:
                sent = self._sides[side].send(self._left[side])
            except BlockingIOError:
                return
            self._left[side] = self._left[side][sent:]
        if self._has_ended[1 - side] and not self._is_told[side]:
            self._is_told[side] = True
            with suppress(OSError):
                self._sides[side].shutdown(socket.SHUT_WR)

    def _settle(self) -> None:
        """Say what to wait for; close when both have said their last."""
        if all(self._is_told):
            for side in self._sides:
                self._loop.forget(side.fileno())
                side.close()
            return
        for number, side in enumerate(self._sides):
            mask = 0
            if not self._has_ended[number] and not self._left[1 - number] and self._is_connected:
                mask |= select.EPOLLIN
            if self._left[number] or (number == 1 and not self._is_connected):
                mask |= select.EPOLLOUT
            self._loop.watch(side.fileno(), mask, self._readies[number])


def _reset(broken: socket.socket) -> None:
    with suppress(OSError):
        broken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    broken.close()
