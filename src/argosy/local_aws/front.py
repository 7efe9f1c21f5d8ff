"""The one door: a request goes to the service that its signature names, in the account of its access key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from argosy.local_aws import operations
from argosy.local_aws.control import CONTROL_PATH
from argosy.local_aws.images.ecr_api import MEDIA_TYPE, REQUEST_BYTES, EcrApi, read_request
from argosy.local_aws.images.ecr_images import EcrImages
from argosy.local_aws.images.refusals import EcrRefusal
from argosy.local_aws.images.store import RepositoryName
from argosy.local_aws.messages import given_again, headers_of, read_body, respond, respond_json
from argosy.local_aws.moto_services import MotoServices
from argosy.local_aws.objects import s3
from argosy.local_aws.objects.digests import S3Refusal
from argosy.local_aws.service import AfterWrite, Caller, Service
from argosy.local_aws.signature import scope_of
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
        if signed is None:
            await _refuse_unsigned(scope["path"], headers, receive, send)
            return
        account = self._behind.moto.account_of(signed.access_key)
        try:
            form = b""
            if headers.get("content-type", "").startswith(_FORM) and signed.service != "s3":
                form = await read_body(receive, _FORM_BYTES) or b""
                receive = given_again(form)
            operation = operations.operation_of(signed.service, scope, headers, form)
            if account is None:
                await _refuse_stranger(signed.service, receive, send)
                return
            if not self._behind.moto.knows_region(signed.region):
                await read_body(receive, 0)
                fault = {"__type": "NotSimulated", "message": f"There is no region {signed.region}."}
                await respond_json(send, 400, fault, MEDIA_TYPE)
                return
            if operations.changes(operation):
                send = self._telling(send, signed.service, operation)
            caller = Caller(account, signed.region)
            service = self._behind.services.get(signed.service)
            if service is None:
                await self._behind.moto.answer(caller, scope, receive, send)
            else:
                await service.answer(caller, scope, receive, send)
        except ConnectionAbortedError:
            return

    def _telling(self, send: Send, service: str, operation: str) -> Send:
        """A `send` that tells of a success before the client hears of it."""

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 300:
                await self._behind.after_write(service, operation)
            await send(message)

        return told


class Ecr:
    """ECR behind the door: images are ours, repositories moto's.

    Args:
        api: The operations on images.
        images: All images.
        moto: Has the repositories.
    """

    def __init__(self, api: EcrApi, images: EcrImages, moto: MotoServices) -> None:
        self._api = api
        self._images = images
        self._moto = moto

    async def answer(self, caller: Caller, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request of ECR's JSON API (ASGI)."""
        operation = headers_of(scope).get("x-amz-target", "").rpartition(".")[2]
        body = await read_body(receive, REQUEST_BYTES)
        if body is None:
            fault = {"__type": "RequestEntityTooLargeException", "message": f"More than {REQUEST_BYTES} bytes."}
            await respond_json(send, 413, fault, MEDIA_TYPE)
            return
        if self._api.knows(operation):
            status, members = await self._api.answer(operation, caller.account, caller.region, body)
            await respond_json(send, status, members, MEDIA_TYPE)
            return
        try:
            request = read_request(body)
            if operation == "DeleteRepository":
                await self._delete_repository(caller, scope, request, body, send)
                return
        except EcrRefusal as refusal:
            await respond_json(send, 400, {"__type": refusal.code, "message": refusal.message}, MEDIA_TYPE)
            return
        await self._moto.answer(caller, scope, given_again(body), send)

    async def _delete_repository(
        self, caller: Caller, scope: Message, request: Mapping[str, Any], body: bytes, send: Send
    ) -> None:
        name = RepositoryName(caller.account, caller.region, str(request.get("repositoryName")))
        refusal = self._api.may_delete(name, bool(request.get("force")))
        if refusal is not None:
            raise refusal

        async def deleted(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                self._images.remove_all(name)
            await send(message)

        await self._moto.answer(caller, scope, given_again(body), deleted)


async def _refuse_unsigned(path: str, headers: Mapping[str, str], receive: Receive, send: Send) -> None:
    """Nobody asks: 403, as S3 says it where nothing tells that it is another service that is asked."""
    await read_body(receive, 0)
    if "x-amz-target" in headers or operations.is_runtime(path):
        fault = {"__type": "MissingAuthenticationTokenException", "message": "Missing Authentication Token"}
        await respond_json(send, 403, fault, MEDIA_TYPE)
    else:
        await s3.refuse(send, s3.DENIED)


async def _refuse_stranger(service: str, receive: Receive, send: Send) -> None:
    """An access key that nobody has: 403, in the form that the service's clients read."""
    await read_body(receive, 0)
    if service == "s3":
        text = "The AWS Access Key Id you provided does not exist in our records."
        await s3.refuse(send, S3Refusal("InvalidAccessKeyId", text, 403))
    elif service in ("sts", "iam"):
        error = f"<Error><Code>InvalidClientTokenId</Code><Message>{_INVALID_TOKEN}</Message></Error>"
        await respond(send, 403, [("Content-Type", "text/xml")], f"<ErrorResponse>{error}</ErrorResponse>".encode())
    else:
        fault = {"__type": "UnrecognizedClientException", "message": _INVALID_TOKEN}
        await respond_json(send, 403, fault, MEDIA_TYPE)
