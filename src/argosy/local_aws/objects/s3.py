"""S3 behind the door: moto's, whose buckets are open to everybody and whose objects may be anything."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

from argosy.local_aws.accounts import MARKETPLACE
from argosy.local_aws.messages import headers_of, read_body, respond
from argosy.local_aws.moto_services import MotoServices
from argosy.local_aws.objects.digests import Digests, S3Refusal
from argosy.local_aws.service import Caller
from argosy.simulator.runtime.asgi import Message, Receive, Send

DENIED: Final = S3Refusal("AccessDenied", "Access Denied", 403)
_COPY_SOURCE: Final = "x-amz-copy-source"


class Objects:
    """S3: a bucket is its account's alone unless it has a policy, and a body is what its digests say.

    What a policy says is not looked at. AWS Marketplace's own account, which the local SageMaker reads with, sees all.

    Args:
        moto: Has the buckets.
    """

    def __init__(self, moto: MotoServices) -> None:
        self._moto = moto

    async def answer(self, caller: Caller, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one HTTP request (ASGI)."""
        headers = headers_of(scope)
        try:
            self._require_own(caller, scope, headers)
            digests = Digests({} if _completes_upload(scope) else headers)
        except S3Refusal as refusal:
            await read_body(receive, 0)
            await refuse(send, refusal)
            return

        async def verified() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                digests.update(message.get("body", b""))
                if not message.get("more_body", False):
                    digests.verify()  # before moto has it: what is refused is not stored
            return message

        try:
            await self._moto.answer(caller, scope, verified, send)
        except S3Refusal as refusal:
            await refuse(send, refusal)

    def _require_own(self, caller: Caller, scope: Message, headers: Mapping[str, str]) -> None:
        """Refuse another account's bucket; making one of its name is refused by moto, in other words."""
        bucket, _, key = scope["path"].lstrip("/").partition("/")
        is_made = scope["method"] == "PUT" and not key and not scope["query_string"]
        source = unquote(headers.get(_COPY_SOURCE, "")).lstrip("/").partition("/")[0]
        for name in ("" if is_made else bucket, source):
            owner = self._moto.private_bucket_owner(name)
            if owner not in (None, caller.account) and caller.account != MARKETPLACE.number:
                raise DENIED


async def refuse(send: Send, refusal: S3Refusal) -> None:
    """Answer with an error as S3 has it."""
    content = f"<Error><Code>{refusal.code}</Code><Message>{escape(refusal.message)}</Message></Error>"
    await respond(send, refusal.status, [("Content-Type", "application/xml")], content.encode())


def _completes_upload(scope: Message) -> bool:
    """Whether the digests in a request are those of an object that is put together, not of the body."""
    return scope["method"] == "POST" and "uploadId" in parse_qs(scope["query_string"].decode("latin-1"))
