"""Sends inputs to a server, many connections at a time, and says what it did wrong.

No clock tells when the server is done with a batch, a barrier does: the front reads what lies in its sockets in turn
and the one model process answers in turn, so once a request that was sent last has been answered, so have all others.
"""

import http.client
import itertools
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from tests.serving.fuzz.answers import ALLOWED, statuses
from tests.serving.fuzz.grammar import Input
from tests.serving.server_process import ServerProcess

BATCH = 100
"""Connections at a time: fewer than the server's queue is long, so that it has no reason to be overloaded."""
_BARRIERS = 4
"""More than there are requests in one input: those of one connection may be begun one after the other's answer."""
_PATIENCE_S = 5.0
"""How long a good request may take to be answered."""
_ATTEMPTS = 300
"""Of making a fault smaller."""


@dataclass(frozen=True)
class Fault:
    """What was sent and what was wrong with the answer."""

    sent: tuple[bytes, ...]
    wrong: str


class Hammer:
    """One server under inputs; it stays the same processes throughout. `close` it in the end."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self._pids = server.model_pids()
        self._control = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)

    def close(self) -> None:
        """Hang up."""
        self._control.close()

    def run(self, inputs: Iterable[Input]) -> Iterator[Fault]:
        """The faults, each as small as it can be made in a few hundred attempts."""
        for batch in _batched(inputs):
            for wrong, culprit in self._faults(batch):
                yield Fault(self._smaller(culprit), wrong)

    def _faults(self, batch: Sequence[Input]) -> Iterator[tuple[str, Input]]:
        try:
            received = self._send(batch)
        except (OSError, AssertionError) as error:
            yield from self._find(batch, repr(error))
            return
        for sent, (answer, is_closed) in zip(batch, received, strict=True):
            if wrong := fault_of(sent, answer, is_closed=is_closed):
                yield wrong, sent

    def _find(self, batch: Sequence[Input], told: str) -> Iterator[tuple[str, Input]]:
        """Which of a batch stopped or killed something: each alone."""
        self._recover()
        found = False
        for sent in batch:
            if wrong := self._alone(sent):
                found = True
                yield wrong, sent
        if not found:
            yield f"all of a batch together: {told}", Input((b"",), 0)

    def _alone(self, sent: Input) -> str:
        try:
            ((answer, is_closed),) = self._send([sent])
        except (OSError, AssertionError) as error:
            self._recover()
            return repr(error)
        return fault_of(sent, answer, is_closed=is_closed)

    def _recover(self) -> None:
        self._control.close()
        self._server.wait_ready()
        self._pids = self._server.model_pids()

    def _send(self, batch: Sequence[Input]) -> list[tuple[bytes, bool]]:
        connections = [socket.create_connection(("127.0.0.1", self._server.port), timeout=10) for _ in batch]
        try:
            for turn in range(max(len(sent.segments) for sent in batch)):
                for connection, sent in zip(connections, batch, strict=True):
                    if turn < len(sent.segments):
                        _send_if_open(connection, sent.segments[turn])
                self._barrier()
            return [_receive(connection, sent.valid) for connection, sent in zip(connections, batch, strict=True)]
        finally:
            for connection in connections:
                connection.close()

    def _barrier(self) -> None:
        for _ in range(_BARRIERS):
            assert self.ask("GET", "/ping") == 200, "/ping is not 200"
            assert self.ask("POST", "/invocations", b"[[1]]") == 200, "a good request is not answered with 200"
        assert self._server.model_pids() == self._pids, "the model process ended"

    def ask(self, method: str, path: str, body: bytes | None = None) -> int:
        """The status of a request over the connection that the server must keep."""
        self._control.request(method, path, body)
        response = self._control.getresponse()
        response.read()
        return response.status

    def _smaller(self, culprit: Input) -> tuple[bytes, ...]:
        if not self._alone(culprit):
            return culprit.segments  # alone it does no harm
        whole = culprit.whole
        if not self._alone(Input((whole,), 0)):
            return culprit.segments
        return (smaller(whole, lambda text: bool(self._alone(Input((text,), 0)))),)


def fault_of(sent: Input, answer: bytes, *, is_closed: bool) -> str:
    """What is wrong with what came back over one connection; empty when nothing is."""
    try:
        found = statuses(answer)
    except ValueError as error:
        return f"{error}: {answer[:200]!r}"
    if unexpected := set(found) - set(ALLOWED):
        return f"status {sorted(unexpected)}: {answer[-300:]!r}"
    if sent.valid and (len(found) != sent.valid or is_closed):
        return f"{sent.valid} good requests, {len(found)} answers{', closed' if is_closed else ''}"
    return ""


def smaller(text: bytes, is_faulty: Callable[[bytes], bool]) -> bytes:
    """The text with every stretch left out that the fault does not need."""
    attempts = 0
    size = len(text) // 2
    while size and attempts < _ATTEMPTS:
        place = 0
        while place < len(text) and attempts < _ATTEMPTS:
            attempts += 1
            without = text[:place] + text[place + size :]
            if is_faulty(without):
                text = without
            else:
                place += size
        size //= 2
    return text


def _batched(inputs: Iterable[Input]) -> Iterator[tuple[Input, ...]]:
    """`itertools.batched`, which Python 3.11 does not have."""
    iterator = iter(inputs)
    while batch := tuple(itertools.islice(iterator, BATCH)):
        yield batch


def _send_if_open(connection: socket.socket, segment: bytes) -> None:
    try:
        connection.sendall(segment)
    except ConnectionError:
        return  # the server had enough of it


def _receive(connection: socket.socket, wanted: int) -> tuple[bytes, bool]:
    """What has come by now, and whether the server closed; wanted answers are waited for."""
    received = b""
    while True:
        connection.settimeout(_PATIENCE_S if received.count(b"HTTP/1.1 ") < wanted else 0)
        try:
            chunk = connection.recv(1 << 18)
        except (BlockingIOError, TimeoutError):
            return received, False
        except ConnectionError:
            return received, True
        if not chunk:
            return received, True
        received += chunk
