"""Bytes that are no request: another protocol's, or HTTP's own bent out of shape.

Source:
    RFC 9112 sections 6.1 (both framings), 6.3 (Content-Length) and 7.1 (chunks); RFC 9113 section 3.4 (the preface of
    HTTP/2); RFC 8446 section 4.1.2 (ClientHello) (read 2026-11-23).
"""

import contextlib
import socket
import time
from typing import Final

from argosy.conformance import requests
from argosy.conformance.drills.clients import open_connection
from argosy.conformance.drills.drill import NOT_HEALTHY, Plan, act, aftermath
from argosy.conformance.observing.trial import Trial
from argosy.conformance.probes import GARBAGE_S, PLATFORM_HOST
from argosy.conformance.scenes.drills import Aftermath, Garbage

_HEAD: Final = f"POST /invocations HTTP/1.1\r\nHost: {PLATFORM_HOST}\r\nContent-Type: application/json\r\n".encode()
_CHUNKED: Final = b"Transfer-Encoding: chunked\r\n"
_LISTEN_S: Final = 0.3

KINDS: Final[tuple[tuple[str, bytes], ...]] = (
    ("a TLS hello", requests.GARBAGE),
    ("HTTP/2's preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04" + bytes(5)),
    ("nothing at all", b""),
    ("zero bytes", bytes(4096)),
    ("a request line of 1 MB", b"GET /" + b"a" * 2**20 + b" HTTP/1.1\r\n\r\n"),
    ("a header of 1 MB", _HEAD + b"X-Long: " + b"a" * 2**20 + b"\r\n\r\n"),
    ("10,000 headers", _HEAD + b"X-Many: 1\r\n" * 10_000 + b"\r\n"),
    ("a negative Content-Length", _HEAD + b"Content-Length: -1\r\n\r\n{}"),
    ("a Content-Length that is no number", _HEAD + b"Content-Length: many\r\n\r\n{}"),
    ("two different Content-Lengths", _HEAD + b"Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}"),
    ("a Content-Length of 2**70", _HEAD + b"Content-Length: 1180591620717411303424\r\n\r\n{}"),
    ("both framings", _HEAD + b"Content-Length: 2\r\n" + _CHUNKED + b"\r\n2\r\n{}\r\n0\r\n\r\n"),
    ("chunks whose length is no number", _HEAD + _CHUNKED + b"\r\nzz\r\n{}\r\n0\r\n\r\n"),
    ("a chunk longer than any memory", _HEAD + _CHUNKED + b"\r\nffffffffffffffff\r\n{}"),
    ("a header without a name", _HEAD + b": none\r\n\x00\xff: none\r\nContent-Length: 2\r\n\r\n{}"),
)
"""What is sent, in words and in bytes."""


def play(plan: Plan) -> Garbage | str:
    """Send each kind to one container; what breaks it is sent to a fresh one, since it may have been a slow moment."""
    broken: list[Aftermath] = []
    todo = list(KINDS)
    while todo and not broken:
        with Trial(plan.bench) as trial:
            if not trial.start().is_healthy:
                return NOT_HEALTHY
            while todo:
                what, sent = todo.pop(0)
                if not _send(plan, trial, what, sent).is_fine:
                    broken += _sent_again(plan, what, sent)
                    break
    return Garbage(tuple(what for what, _ in KINDS), tuple(broken))


def _sent_again(plan: Plan, what: str, sent: bytes) -> list[Aftermath]:
    with Trial(plan.bench) as trial:
        if not trial.start().is_healthy:
            return []
        seen = _send(plan, trial, what, sent)
        return [] if seen.is_fine else [seen]


def _send(plan: Plan, trial: Trial, what: str, sent: bytes) -> Aftermath:
    trial.log()
    opened = open_connection(trial.container.url)
    if opened is not None:
        with opened, contextlib.suppress(OSError):
            opened.settimeout(_LISTEN_S)
            opened.sendall(sent)
            opened.shutdown(socket.SHUT_WR)
            until = time.monotonic() + GARBAGE_S
            while opened.recv(2**16) and time.monotonic() < until:
                pass
    return aftermath(plan, trial, what)


ACT: Final = act("garbage", Garbage, play)
