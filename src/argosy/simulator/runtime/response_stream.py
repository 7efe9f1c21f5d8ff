"""InvokeEndpointWithResponseStream: a container's answer as an event stream, part by part."""

import asyncio
import json
import uuid
from typing import Final

from argosy.errors import ArgosyError, ContainerError, ContainerTimeoutError
from argosy.simulator.health import Report
from argosy.simulator.hosting.backend import Request
from argosy.simulator.hosting.endpoint import Endpoint
from argosy.simulator.runtime import event_stream
from argosy.simulator.runtime.asgi import Receive, Send

_PART: Final = {":message-type": "event", ":event-type": "PayloadPart", ":content-type": "application/octet-stream"}
_TIME_EXCEEDED: Final = (
    "ModelInvocationTimeExceeded",
    "The model failed to finish sending the response within the timeout period allowed by Amazon SageMaker AI.",
)
_BROKEN: Final = (
    "StreamBroken",
    "The Transmission Control Protocol (TCP) connection between the client and the model was reset or closed.",
)
_FAILED: Final = (
    "The stream processing failed because of an unknown error, exception or failure. Try your request again."
)
"""Error codes with the words of the API's model (botocore, sagemaker-runtime 2017-05-13, read 2026-11-23)."""


async def answer(endpoint: Endpoint, request: Request, send: Send, receive: Receive, report: Report) -> None:
    """Send the event stream; a client that leaves ends the container's work as far as a closed connection does.

    A cancellation ends a stream that has begun with an event that says so, and is over then.

    Raises:
        Refused: Before the first byte of the container's answer: the client gets an ordinary answer.
    """
    sending = asyncio.create_task(_send_all(endpoint, request, send, report))
    leaving = asyncio.create_task(_left(receive))
    try:
        await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if sending.done():
            sending.result()
        else:
            report(f"{request.endpoint}: the client left in the middle of a stream")
    except asyncio.CancelledError:
        sending.cancel()
        await asyncio.wait({sending})
        if sending.cancelled():
            raise  # nothing was sent
    finally:
        sending.cancel()
        leaving.cancel()
        await asyncio.wait({sending, leaving})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_all(endpoint: Endpoint, request: Request, send: Send, report: Report) -> None:
    async with endpoint.stream(request) as streamed:
        headers = [
            ("Content-Type", event_stream.CONTENT_TYPE),
            *(
                ("X-Amzn-SageMaker-Content-Type" if name == "Content-Type" else name, value)
                for name, value in streamed.headers
            ),
            ("x-amzn-RequestId", str(uuid.uuid4())),
        ]
        encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        await send({"type": "http.response.start", "status": 200, "headers": encoded})
        try:
            async for part in streamed.parts:
                for start in range(0, len(part), event_stream.LONGEST_PAYLOAD):
                    frame = event_stream.encode(_PART, part[start : start + event_stream.LONGEST_PAYLOAD])
                    await send({"type": "http.response.body", "body": frame, "more_body": True})
        except ArgosyError as error:
            report(f"{request.endpoint}: a stream broke: {error.message}")
            await send({"type": "http.response.body", "body": _exception(error), "more_body": True})
        except asyncio.CancelledError:
            failure = ArgosyError("the simulator ends")
            await send({"type": "http.response.body", "body": _exception(failure), "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _exception(error: ArgosyError) -> bytes:
    """The event that ends a stream which broke."""
    kind, fields = "InternalStreamFailure", {"Message": _FAILED}
    if isinstance(error, ContainerError):
        code, message = _TIME_EXCEEDED if isinstance(error, ContainerTimeoutError) else _BROKEN
        kind, fields = "ModelStreamError", {"Message": message, "ErrorCode": code}
    headers = {":message-type": "exception", ":exception-type": kind, ":content-type": "application/json"}
    return event_stream.encode(headers, json.dumps(fields).encode())
