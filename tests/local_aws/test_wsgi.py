"""A WSGI application as an ASGI one: bodies, headers, large answers, threads."""

import asyncio
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from argosy.local_aws.messages import PART
from argosy.local_aws.wsgi import Environ, WsgiApplication
from argosy.simulator.runtime.asgi import Message

SCOPE: Message = {
    "type": "http",
    "method": "PUT",
    "raw_path": b"/a%20b/%C3%BC",
    "query_string": b"x=1",
    "http_version": "1.1",
    "headers": [(b"content-type", b"text/csv"), (b"x-twice", b"1"), (b"x-twice", b"2"), (b"content-length", b"99")],
}


def echo(environ: Environ, start_response: Any) -> Iterable[bytes]:
    names = ("PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "CONTENT_LENGTH", "HTTP_X_TWICE", "RAW_URI")
    start_response("201 Created", [("X-Seen", "|".join(environ[name] for name in names))])
    return [b"", environ["wsgi.input"].read(), b""]


def asked(application: WsgiApplication, *parts: bytes) -> list[Message]:
    """What is sent to a client that sends its body in parts."""
    waiting = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    waiting.append({"type": "http.request", "body": b"", "more_body": False})
    sent: list[Message] = []

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    async def main() -> None:
        with ThreadPoolExecutor(1) as pool:
            asyncio.get_running_loop().set_default_executor(pool)
            is_asked = threading.Event()
            busy = asyncio.create_task(asyncio.to_thread(is_asked.wait, 20))  # as the simulator's that reads S3
            await application(SCOPE, receive, send)
            is_asked.set()
            assert await busy

    asyncio.run(main())
    application.close()
    return sent


def nothing(*_: object) -> None:
    """Nobody is told."""


def test_a_request_comes_and_an_answer_goes_as_it_is_while_the_loops_threads_are_all_busy() -> None:
    start, *bodies = asked(WsgiApplication(echo, lambda _: {}, nothing), b"one ", b"two")
    assert start["status"] == 201
    seen = "/a b/ü|x=1|text/csv|7|1,2|/a%20b/%C3%BC?x=1".encode().decode("latin-1")
    assert dict(start["headers"])[b"x-seen"].decode("latin-1") == seen
    assert b"".join(message["body"] for message in bodies) == b"one two"


def test_a_large_answer_goes_in_parts() -> None:
    _, *bodies = asked(WsgiApplication(echo, lambda _: {}, nothing), b"x" * (2 * PART + 1))
    assert [len(message["body"]) for message in bodies] == [PART, PART, 1, 0]
    assert [message.get("more_body", False) for message in bodies] == [True, True, True, False]


def test_who_listens_is_told_before_the_answer_goes() -> None:
    told: list[tuple[str, int, bytes, bytes]] = []

    def listen(environ: Environ, body: Any, status: int, answer: bytes) -> None:
        body.seek(0)
        told.append((environ["REQUEST_METHOD"], status, body.read(), answer))

    asked(WsgiApplication(echo, lambda _: {}, listen), b"body")
    assert told == [("PUT", 201, b"body", b"body")]
