"""ECR behind the door: its images, layers and logins are ours, its repositories moto's."""

from collections.abc import Mapping
from typing import Any, Final

from argosy.local_aws.images.ecr_api import MEDIA_TYPE, REQUEST_BYTES, EcrApi, read_request
from argosy.local_aws.images.ecr_images import EcrImages
from argosy.local_aws.images.refusals import EcrRefusal
from argosy.local_aws.images.store import RepositoryName
from argosy.local_aws.messages import given_again, headers_of, read_body, respond_json
from argosy.local_aws.moto_services import MotoServices
from argosy.local_aws.service import Caller
from argosy.simulator.runtime.asgi import Message, Receive, Send

_NOT_SIMULATED: Final = ("GetDownloadUrlForLayer", "DescribeImageReplicationStatus", "ListImageReferrers")
"""Operations on images that moto would answer from none of ours."""


class Ecr:
    """The service.

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
        if operation in _NOT_SIMULATED:
            fault = {"__type": "NotSimulated", "message": f"{operation} is not simulated; the registry has all of it"}
            await respond_json(send, 501, fault, MEDIA_TYPE)
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
