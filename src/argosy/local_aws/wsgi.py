"""A WSGI application as an ASGI one, with bodies on disk: neither a request nor an answer is held in memory here.

moto, for which this is, does hold an object: whole in memory, up to three times, while it is stored, put together from
its parts or read (a 300 MB object took it 900 MB, moto 5.2.5), and in a temporary file from 5 MB on in between (its
`MOTO_S3_DEFAULT_KEY_BUFFER_SIZE`, read 2026-11-23).
"""

import asyncio
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import IO, Any, Final
from urllib.parse import unquote_to_bytes

from argosy.local_aws.messages import PART, chunks, send_start
from argosy.simulator.runtime.asgi import Message, Receive, Send

Environ = dict[str, Any]  # as PEP 3333 has it: texts, and objects of the server
Wsgi = Callable[[Environ, Any], Iterable[bytes]]
OnAnswer = Callable[[Environ, IO[bytes], int, bytes], None]

_IN_MEMORY: Final = 2**20


class WsgiApplication:
    """Answers HTTP requests with a WSGI application, each on a thread.

    Args:
        application: What is called; safe for several threads.
        add_environ: What a request's environ has beside PEP 3333's, from its raw header fields.
        on_answer: Told of every request before its answer is sent: the environ, the body, the answer's status and
            first bytes.
    """

    def __init__(
        self, application: Wsgi, add_environ: Callable[[Message], Mapping[str, Any]], on_answer: OnAnswer
    ) -> None:
        self._on_answer = on_answer
        self._application = application
        self._add_environ = add_environ

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one HTTP request (ASGI)."""
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as body:
            try:
                async for chunk in chunks(receive):
                    body.write(chunk)
            except ConnectionAbortedError:
                return
            size = body.tell()
            body.seek(0)
            environ = {**_environ(scope, body, size), **self._add_environ(scope)}
            await self._answer(environ, body, send)

    async def _answer(self, environ: Environ, body: IO[bytes], send: Send) -> None:
        head: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _error: object = None) -> None:
            head[:] = [(status, headers)]

        answer = await asyncio.to_thread(self._application, environ, start_response)
        parts = _parts(answer)
        try:
            first = await asyncio.to_thread(next, parts, b"")
            status, headers = int(head[0][0].partition(" ")[0]), head[0][1]
            await asyncio.to_thread(self._on_answer, environ, body, status, first)
            await send_start(send, status, headers)
            part: bytes = first
            while part:
                await send({"type": "http.response.body", "body": part, "more_body": True})
                part = await asyncio.to_thread(next, parts, b"")
            await send({"type": "http.response.body", "body": b""})
        finally:
            if (close := getattr(answer, "close", None)) is not None:
                await asyncio.to_thread(close)


def _parts(answer: Iterable[bytes]) -> Iterator[bytes]:
    """The answer in parts that are not empty and not large."""
    for chunk in answer:
        view = memoryview(chunk)
        for begin in range(0, len(view), PART):
            yield bytes(view[begin : begin + PART])


def _environ(scope: Message, body: IO[bytes], size: int) -> Environ:
    host, port = scope.get("server") or ("127.0.0.1", 80)
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "RAW_URI": scope["raw_path"].decode("latin-1")
        + (f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    environ["REQUEST_URI"] = environ["RAW_URI"]
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1").upper().replace("-", "_")
        if name in ("TRANSFER_ENCODING", "CONTENT_LENGTH"):
            continue  # the body is whole, and its length known
        key = name if name == "CONTENT_TYPE" else f"HTTP_{name}"
        value = raw_value.decode("latin-1")
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    environ["CONTENT_LENGTH"] = str(size)
    return environ
