"""InvokeEndpointWithBidirectionalStream: events of a client over HTTP/2 are frames of a WebSocket to a container.

    client  -- POST /endpoints/NAME/invocations-bidirectional-stream, events -->  here  -- WebSocket -->  container

One part is one frame, either way; nothing is joined, cut or looked into.

Source:
    "Custom Inference Code with Hosting Services" (AWS's page on inference containers, the text of 2026 as found in
    public mirrors, read 2026-11-23); the service's model in aws-sdk-sagemaker-runtime-http2 0.12.0.
"""

import asyncio
import re
import uuid
from collections.abc import Callable
from typing import Final

from argosy.errors import ContainerError
from argosy.simulator import answers, request_headers
from argosy.simulator.answers import Answer
from argosy.simulator.health import Report
from argosy.simulator.hosting.backend import Refused, Request
from argosy.simulator.hosting.endpoint import Endpoint
from argosy.simulator.hosting.visit import VARIANT_HEADER, Visit
from argosy.simulator.request_headers import Field
from argosy.simulator.runtime import event_stream, web_socket
from argosy.simulator.runtime.conversation import BidirectionalOptions, Conversation
from argosy.simulator.runtime.http2 import Stream
from argosy.simulator.runtime.web_socket import UpgradeRefusedError, WebSocket

DEFAULT_PATH: Final = "invocations-bidirectional-stream"

_ROUTE = re.compile(r"/endpoints/([^/]+)/invocations-bidirectional-stream")
_REGION = re.compile(r"Credential=[^/,\s]+/\d{8}/([a-z0-9-]{1,30})/")
_VALUE: Final = r"(?:[A-Za-z0-9._~\-]|%[0-9A-Fa-f]{2})+"
_PAIR: Final = rf"[a-zA-Z0-9][A-Za-z0-9_-]*={_VALUE}"

_PATH: Final = Field(
    "X-Amzn-SageMaker-Model-Invocation-Path",
    "modelInvocationPath",
    100,
    r"^[A-Za-z0-9\-._]+(?:/[A-Za-z0-9\-._]+)*$",
)
_QUERY: Final = Field("X-Amzn-SageMaker-Model-Query-String", "modelQueryString", 2048, rf"^{_PAIR}(?:&{_PAIR})*$")
_VARIANT: Final = Field(request_headers.TARGET_VARIANT, "targetVariant", 63, r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*")
_FIELDS: Final = {field.header.lower(): field for field in (_PATH, _QUERY, _VARIANT)}
_REQUEST_ID: Final = "X-Amzn-SageMaker-Request-Id"
_ERROR_TYPES: Final = {
    "ValidationError": "InputValidationError",
    "ServiceUnavailable": "ServiceUnavailableError",
    "ThrottlingException": "ServiceUnavailableError",
}
"""What this API calls an error that the other one calls otherwise."""

FindEndpoint = Callable[[str], Endpoint | None]


class BidirectionalStreams:
    """The API in front of some endpoints; `answer` is for an HTTP/2 server.

    Args:
        find: The endpoint of a name.
        report: Takes what a person should know, one line each.
        options: What a person may change.
        is_labelled: Whether the image of an endpoint has the label that asks for these streams; None when the image
            cannot tell, as a plain process. It may block.
    """

    def __init__(
        self,
        find: FindEndpoint,
        report: Report,
        options: BidirectionalOptions | None = None,
        is_labelled: Callable[[Endpoint], bool | None] = lambda _endpoint: None,
    ) -> None:
        self._find = find
        self._report = report
        self._options = options or BidirectionalOptions()
        self._is_labelled = is_labelled

    async def answer(self, stream: Stream) -> None:
        """Answer one request, from its upgrade to its end.

        Raises:
            StreamEndedError: The client has left.
        """
        found = self._endpoint(stream)
        if isinstance(found, Endpoint) and await asyncio.to_thread(self._is_labelled, found) is False:
            found = answers.wrong_inference_type(found.definition.name, found.definition.account)
        if isinstance(found, Answer):
            await self._refuse(stream, found)
            return
        signed = _REGION.search(stream.headers.get("authorization", ""))
        region = signed.group(1) if signed else answers.REGION
        try:
            definition = found.definition
            request = Request(stream.headers, b"", region, definition.name, account=definition.account)
            async with found.visit(request) as visit:
                await self._converse(stream, visit)
        except Refused as refused:
            await self._refuse(stream, refused.answer)

    def _endpoint(self, stream: Stream) -> Endpoint | Answer:
        """The endpoint of a request, or why there is none for it."""
        path = stream.headers.get(":path", "").partition("?")[0]
        route = _ROUTE.fullmatch(path)
        if route is None or stream.headers.get(":method") != "POST":
            return answers.not_simulated(
                404, f"{path} is not served here; POST /endpoints/NAME/invocations-bidirectional-stream is"
            )
        name = route.group(1)
        message = request_headers.faults(name, stream.headers, _FIELDS)
        if message is not None:
            return answers.validation_error(message)
        endpoint = self._find(name)
        if endpoint is None:
            return answers.endpoint_not_found(name)
        if endpoint.definition.async_inference is not None:
            return answers.wrong_inference_type(name, endpoint.definition.account)
        return endpoint

    async def _converse(self, stream: Stream, visit: Visit) -> None:
        """Open the WebSocket, and let both sides speak.

        Raises:
            Refused: The container does not take it.
        """
        request_id = str(uuid.uuid4())
        socket = await self._open(stream, visit, request_id)
        visit.status = 101
        try:
            headers = [
                ("Content-Type", event_stream.CONTENT_TYPE),
                (VARIANT_HEADER, visit.variant),
                ("x-amzn-RequestId", request_id),
            ]
            await stream.start(200, headers)
            ending = await Conversation(stream, socket, self._options).hold()
            self._report(f"{visit.place.endpoint}: bidirectional stream {request_id}: {ending}")
        finally:
            await socket.close()

    async def _open(self, stream: Stream, visit: Visit, request_id: str) -> WebSocket:
        path = stream.headers.get(_PATH.header.lower(), DEFAULT_PATH)
        query = stream.headers.get(_QUERY.header.lower())
        target = f"/{path}?{query}" if query else f"/{path}"
        hop = visit.hop
        headers = {"Host": self._options.host, _REQUEST_ID: request_id}
        try:
            return await web_socket.connect(hop.connection.url, target, headers, self._options.open_s)
        except UpgradeRefusedError as refused:
            visit.status = refused.status
            raise Refused(answers.model_error(visit.place, refused.status, refused.body)) from refused
        except ContainerError as error:
            raise Refused(answers.no_answer(visit.place, error)) from error

    async def _refuse(self, stream: Stream, answer: Answer) -> None:
        """Answer with an error, before there is a stream of events."""
        self._report(f"POST {stream.headers.get(':path')}: {answer.status}: {answer.note or answer.body.decode()}")
        renamed = [
            (name, _ERROR_TYPES.get(value, value) if name == answers.ERROR_TYPE else value)
            for name, value in answer.headers
        ]
        await stream.start(answer.status, [*renamed, ("Content-Length", str(len(answer.body)))])
        await stream.write(answer.body)
        await stream.end()
