"""The SageMaker Runtime API over HTTP: a plain ASGI application on loopback, for unmodified AWS clients.

`InvokeEndpoint` is here, and the ways to `InvokeEndpointWithResponseStream` and `InvokeEndpointAsync`; other operations
are answered with a sentence that says so.
"""

import asyncio
import re
import socket
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import uvicorn
import uvloop

from argosy.errors import ArgosyError, UsageError
from argosy.http_protocol import HttpProtocol
from argosy.simulator import answers, request_headers
from argosy.simulator.answers import Answer
from argosy.simulator.health import Report
from argosy.simulator.hosting.backend import Refused, Request
from argosy.simulator.hosting.endpoint import Endpoint
from argosy.simulator.request_headers import Field
from argosy.simulator.runtime import response_stream
from argosy.simulator.runtime.asgi import Application, Message, Receive, Send
from argosy.simulator.runtime.async_inference import AsyncInference
from argosy.simulator.runtime.async_request import LONGEST_BODY

new_event_loop: Final[Callable[[], asyncio.AbstractEventLoop]] = uvloop.new_event_loop
"""The loop that makes an invocation's way through the simulator shortest; any other works too."""

_ROUTE = re.compile(r"/endpoints/([^/]+)/([^/]+)")
_INVOKE: Final = "invocations"
_INVOKE_ASYNC: Final = "async-invocations"
_INVOKE_STREAM: Final = "invocations-response-stream"
_LATER: Final = {
    "invocations-bidirectional-stream": "InvokeEndpointWithBidirectionalStream",
}
_OPERATIONS: Final[Mapping[str, Mapping[str, Field]]] = {
    _INVOKE: request_headers.FIELDS,
    _INVOKE_STREAM: request_headers.STREAM_FIELDS,
    _INVOKE_ASYNC: {},
    **{name: {} for name in _LATER},
}
"""The header fields of each operation that are checked here."""
_REGION = re.compile(r"Credential=[^/,\s]+/\d{8}/([a-z0-9-]{1,30})/")
_DRAIN_S: Final = 5
_LAST_WORDS_S: Final = 1.0  # for what is said to clients whose requests were cut short
_BACKLOG: Final = 2048


class Runtime:
    """The API in front of some endpoints.

    Args:
        endpoints: By name, in the case of letters that CreateEndpoint was given: "The name is case-insensitive in
            CreateEndpoint, but the case is preserved and must be matched in InvokeEndpoint" (its reference, read
            2026-11-23). The `sagemaker` API finds them in any case.
        report: Takes a line for every answer that is no success.
        async_inference: Takes asynchronous invocations; without it an endpoint that wants them is not simulated.
        account: Whose endpoints they are.
    """

    def __init__(
        self,
        endpoints: Mapping[str, Endpoint],
        report: Report,
        async_inference: AsyncInference | None = None,
        account: str = answers.ACCOUNT,
    ) -> None:
        self._account = account
        self._endpoints = endpoints
        self._report = report
        self._async_inference = async_inference

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one HTTP request (ASGI)."""
        if scope["type"] != "http":
            raise UsageError("only HTTP is served here", got=scope["type"])
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        route = _ROUTE.fullmatch(scope["path"])
        operation = route.group(2) if route else ""
        found = self._find(scope, route, headers)
        # The body is read in any case, so that every client reads the answer too.
        limit = (
            0 if isinstance(found, Answer) else LONGEST_BODY if operation == _INVOKE_ASYNC else found.limits.body_bytes
        )
        try:
            body = await _read_body(headers, receive, limit)
        except ConnectionAbortedError:
            return
        try:
            if isinstance(found, Answer):
                answer = found
            elif operation == _INVOKE_ASYNC and self._async_inference is not None:
                answer = await self._async_inference.accept(found, headers, body, _region(headers))
            elif body is None:
                answer = answers.body_too_large(limit)
            elif operation == _INVOKE_STREAM:
                named = request_headers.of_invocation(headers)
                request = _request(found, named, body, headers)
                await response_stream.answer(found, request, send, receive, self._report)
                return
            else:
                answer = await found.invoke(_request(found, headers, body, headers))
        except Refused as refused:
            answer = refused.answer
        except ArgosyError as error:
            answer = answers.internal_failure(str(error))
        except asyncio.CancelledError:  # the server ends, and has waited for this long enough
            answer = answers.service_unavailable("the simulator ends")
        await self._send(scope, answer, send)

    async def _send(self, scope: Message, answer: Answer, send: Send) -> None:
        if not 200 <= answer.status < 300:
            note = answer.note or answer.body[:300].decode(errors="replace")
            self._report(f"{scope['method']} {scope['path']}: {answer.status}: {note}")
        encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
        encoded.append((b"x-amzn-RequestId", str(uuid.uuid4()).encode()))
        encoded.append((b"Content-Length", b"%d" % len(answer.body)))
        await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
        await send({"type": "http.response.body", "body": answer.body})

    def _find(self, scope: Message, route: re.Match[str] | None, headers: Mapping[str, str]) -> Endpoint | Answer:
        """The endpoint of a request, or why there is none for it."""
        if route is None or route.group(2) not in _OPERATIONS:
            return answers.not_simulated(
                404, f"{scope['path']} is no operation of SageMaker Runtime; POST /endpoints/NAME/invocations is"
            )
        name, operation = route.groups()
        if scope["method"] != "POST":
            return answers.not_simulated(405, f"{operation} takes POST, not {scope['method']}")
        if operation in _LATER:
            return answers.not_simulated(501, f"{_LATER[operation]} is HTTP/2, and on a port of its own")
        message = request_headers.faults(name, headers, _OPERATIONS[operation])
        if message is not None:
            return answers.validation_error(message)
        endpoint = self._endpoints.get(name)
        if endpoint is None:
            return answers.endpoint_not_found(name, self._account)
        is_async = endpoint.definition.async_inference is not None
        if is_async and self._async_inference is None:
            return answers.not_simulated(501, f"{name} is asynchronous, which nobody asked to simulate")
        fits = is_async == (operation == _INVOKE_ASYNC)
        return endpoint if fits else answers.wrong_inference_type(name, self._account)


def _request(found: Endpoint, named: Mapping[str, str], body: bytes, headers: Mapping[str, str]) -> Request:
    """An invocation of an endpoint, with the header fields of InvokeEndpoint."""
    definition = found.definition
    return Request(named, body, _region(headers), definition.name, account=definition.account)


def _region(headers: Mapping[str, str]) -> str:
    """The client's region, as its signature names it."""
    signed = _REGION.search(headers.get("authorization", ""))
    return signed.group(1) if signed else answers.REGION


async def serve(
    runtime: Application, listener: socket.socket, stopping: asyncio.Event, on_open: Callable[[], None]
) -> None:
    """Serve an API on a bound socket until `stopping` is set; requests under way get a few seconds to end.

    Signals are the caller's: nothing is installed here. `on_open` is called as soon as clients can connect.
    """
    listener.listen(_BACKLOG)
    on_open()
    config = uvicorn.Config(
        runtime,
        http=HttpProtocol,
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        log_level="error",  # its start and its end are told elsewhere
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_DRAIN_S,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    waiting = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        server.should_exit = True
        await serving


def bind(port: int) -> socket.socket:
    """A socket on loopback that takes no connection yet: the port is ours while the container starts.

    Args:
        port: 0 takes a free one.

    Raises:
        UsageError: The port is taken or not allowed.
    """
    # asyncio turns Nagle's delay off only for sockets that say they are TCP: without it every answer takes 40 ms more.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise UsageError(f"cannot take port {port} of 127.0.0.1", got=error, hint="leave `--port` out") from error
    return listener


class _Server(uvicorn.Server):
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=_LAST_WORDS_S)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _read_body(headers: Mapping[str, str], receive: Receive, limit: int) -> bytes | None:
    """The whole body, or None when it is longer than `limit`; what is too long is read and thrown away.

    Raises:
        ConnectionAbortedError: The client left before it had sent everything.
    """
    declared = headers.get("content-length", "0")
    too_long = declared.isdigit() and int(declared) > limit
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionAbortedError
        part: bytes = message.get("body", b"")
        size += len(part)
        if too_long or size > limit:
            too_long = True
            parts.clear()
        else:
            parts.append(part)
        if not message.get("more_body", False):
            return None if too_long else b"".join(parts)
