"""A WSGI application as an ASGI one, with bodies on disk: neither a request nor an answer is held in memory here.

moto, for which this is, does hold an object: whole in memory, up to three times, while it is stored, put together from
its parts or read (a 300 MB object took it 900 MB, moto 5.2.5), and in a temporary file from 5 MB on in between (its
`MOTO_S3_DEFAULT_KEY_BUFFER_SIZE`, read 2026-11-23).
"""

import asyncio
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import IO, Any, Final
from urllib.parse import unquote_to_bytes

from argosy.local_aws.messages import PART, chunks, send_start
from argosy.simulator.runtime.asgi import Message, Receive, Send

Environ = dict[str, Any]  # as PEP 3333 has it: texts, and objects of the server
Wsgi = Callable[[Environ, Any], Iterable[bytes]]
OnAnswer = Callable[[Environ, IO[bytes], int, bytes], None]

_IN_MEMORY: Final = 2**20
_THREADS: Final = 32


class WsgiApplication:
    """Answers HTTP requests with a WSGI application, each on a thread of its own pool.

    The event loop's pool would not do: its threads wait for answers from here, when the simulator reads S3.

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
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="argosy-wsgi")
        self._application = application
        self._add_environ = add_environ

    def close(self) -> None:
        """Let the threads end; requests under way are answered."""
        self._threads.shutdown(wait=False)

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

        on_thread = partial(asyncio.get_running_loop().run_in_executor, self._threads)
        answer = await on_thread(self._application, environ, start_response)
        parts = _parts(answer)
        try:
            first = await on_thread(next, parts, b"")
            status, headers = int(head[0][0].partition(" ")[0]), head[0][1]
            await on_thread(self._on_answer, environ, body, status, first)
            await send_start(send, status, headers)
            part: bytes = first
            while part:
                await send({"type": "http.response.body", "body": part, "more_body": True})
                part = await on_thread(next, parts, b"")
            await send({"type": "http.response.body", "body": b""})
        finally:
            if (close := getattr(answer, "close", None)) is not None:
                await on_thread(close)


def _parts(answer: Iterable[bytes]) -> Iterator[bytes]:
    """The answer in parts that are not empty and not large."""
    for chunk in answer:
        view = memoryview(chunk)
        for begin in range(0, len(view), PART):
            yield bytes(view[begin : begin + PART])


def environ_of(method: str, path: str, query: str = "") -> Environ:
    """The environ of a request without header fields: texts alone, to which `call` adds the rest.

    Args:
        method: Of HTTP.
        path: As it is sent, quoted.
        query: The query string, as it is sent.
    """
    uri = f"{path}?{query}" if query else path
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "RAW_URI": uri,
        "REQUEST_URI": uri,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1",
        "wsgi.url_scheme": "http",
    }


def with_body(environ: Environ, body: IO[bytes]) -> Environ:
    """An environ with the objects that a server puts into it: PEP 3333."""
    return {
        **environ,
        "wsgi.version": (1, 0),
        "wsgi.input": body,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def call(application: Wsgi, environ: Environ, body: IO[bytes]) -> tuple[int, bytes]:
    """Have an application answer one request here; returns the status and the whole answer."""
    statuses: list[str] = []

    def start_response(status: str, _headers: list[tuple[str, str]], _error: object = None) -> None:
        statuses[:] = [status]

    answer = b"".join(application(with_body(environ, body), start_response))
    return int(statuses[0].partition(" ")[0]), answer


def _environ(scope: Message, body: IO[bytes], size: int) -> Environ:
    path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
    environ = with_body(environ_of(scope["method"], path, query), body)
    del environ["HTTP_HOST"]  # the client sends its own
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1").upper().replace("-", "_")
        if name in ("TRANSFER_ENCODING", "CONTENT_LENGTH"):
            continue  # the body is whole, and its length known
        key = name if name == "CONTENT_TYPE" else f"HTTP_{name}"
        value = raw_value.decode("latin-1")
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    environ["CONTENT_LENGTH"] = str(size)
    return environ
