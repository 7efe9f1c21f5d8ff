"""The one door: a request goes to the service that its signature names, in the account of its access key."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from argosy.local_aws import operations
from argosy.local_aws.control import CONTROL_PATH
from argosy.local_aws.images.ecr_api import MEDIA_TYPE
from argosy.local_aws.messages import given_again, headers_of, read_body, respond, respond_json
from argosy.local_aws.moto_services import MotoServices
from argosy.local_aws.objects import s3
from argosy.local_aws.objects.digests import S3Refusal
from argosy.local_aws.service import AfterWrite, Caller, Service
from argosy.local_aws.signature import CredentialScope, scope_of
from argosy.simulator.runtime.asgi import Application, Message, Receive, Send

_FORM: Final = "application/x-www-form-urlencoded"
_FORM_BYTES: Final = 2**20
_INVALID_TOKEN: Final = "The security token included in the request is invalid."


@dataclass(frozen=True, slots=True)
class Behind:
    """What is behind the door.

    Attributes:
        moto: Whatever no other is there for.
        services: By signing name.
        control: At `/_argosy/`.
        after_write: Told of every call that has changed something, before it is answered.
    """

    moto: MotoServices
    services: Mapping[str, Service]
    control: Application
    after_write: AfterWrite


class Front:
    """The door (ASGI)."""

    def __init__(self, behind: Behind) -> None:
        self._behind = behind

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one HTTP request (ASGI)."""
        if scope["path"].startswith(CONTROL_PATH):
            await self._behind.control(scope, receive, send)
            return
        headers = headers_of(scope)
        signed = scope_of(headers, scope["query_string"])
        with suppress(ConnectionAbortedError):
            if signed is None:
                await _refuse_unsigned(scope["path"], headers, receive, send)
            else:
                await self._signed(signed, scope, receive, send)

    async def _signed(self, signed: CredentialScope, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request of which it is known whose it is."""
        account = self._behind.moto.account_of(signed.access_key)
        if account is None:
            await _refuse_stranger(signed.service, receive, send)
            return
        if not self._behind.moto.knows_region(signed.region):
            await _refuse(400, "NotSimulated", f"There is no region {signed.region}.", receive, send)
            return
        headers, form = headers_of(scope), b""
        if headers.get("content-type", "").startswith(_FORM) and signed.service != "s3":
            form = await read_body(receive, _FORM_BYTES) or b""
            receive = given_again(form)
        operation = operations.operation_of(signed.service, scope, headers, form)
        if operations.changes(operation):
            send = self._telling(send, signed.service, operation)
        service = self._behind.services.get(signed.service, self._behind.moto)
        await service.answer(Caller(account, signed.region), scope, receive, send)

    def _telling(self, send: Send, service: str, operation: str) -> Send:
        """A `send` that tells of a success before the client hears of it."""

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 300:
                await self._behind.after_write(service, operation)
            await send(message)

        return told


async def _refuse_unsigned(path: str, headers: Mapping[str, str], receive: Receive, send: Send) -> None:
    """Nobody asks: 403, as S3 says it where nothing tells that it is another service that is asked."""
    if "x-amz-target" in headers or operations.is_runtime(path):
        message = "Missing Authentication Token"
        await _refuse(403, "MissingAuthenticationTokenException", message, receive, send)
    else:
        await read_body(receive, 0)
        await s3.refuse(send, s3.DENIED)


async def _refuse_stranger(service: str, receive: Receive, send: Send) -> None:
    """An access key that nobody has: 403, in the form that the service's clients read."""
    if service == "s3":
        await read_body(receive, 0)
        text = "The AWS Access Key Id you provided does not exist in our records."
        await s3.refuse(send, S3Refusal("InvalidAccessKeyId", text, 403))
    elif service in ("sts", "iam"):
        await read_body(receive, 0)
        error = f"<Error><Code>InvalidClientTokenId</Code><Message>{_INVALID_TOKEN}</Message></Error>"
        await respond(send, 403, [("Content-Type", "text/xml")], f"<ErrorResponse>{error}</ErrorResponse>".encode())
    else:
        await _refuse(403, "UnrecognizedClientException", _INVALID_TOKEN, receive, send)


async def _refuse(status: int, code: str, message: str, receive: Receive, send: Send) -> None:
    """An error as the services have it that speak JSON; the body is read, so that the client reads the answer."""
    await read_body(receive, 0)
    await respond_json(send, status, {"__type": code, "message": message}, MEDIA_TYPE)
