"""The registry's protocol over the images of ECR, as docker, skopeo and Argosy speak it: one region's registry.

Whose registry it is, the token says. A repository has to be there; tags of an immutable one stay where they are; every
digest is verified; a blob can be taken over from another repository of the same account and region.

Source:
    OCI distribution-spec 1.1 (read 2026-11-23); Amazon ECR User Guide, "Private registry authentication" for the basic
    login. UNSURE: ECR mounts blobs only in registries whose settings allow it; here it always does. Pushing the very
    image again that an immutable tag names is accepted, as a push that was cut off needs it.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

from argosy.image.image import is_digest
from argosy.local_aws.images import refusals
from argosy.local_aws.images.ecr_images import EcrImages
from argosy.local_aws.images.refusals import EcrRefusal
from argosy.local_aws.images.store import RepositoryName
from argosy.local_aws.images.tokens import Tokens
from argosy.local_aws.images.uploads import Upload
from argosy.local_aws.messages import PART, chunks, headers_of, read_body, respond, respond_json, send_start
from argosy.local_aws.service import AfterWrite
from argosy.simulator.runtime.asgi import Message, Receive, Send

MANIFEST_BYTES: Final = 4 * 2**20
"""Largest manifest that is read; distribution-spec: a registry takes at least this."""

_JSON: Final = "application/json; charset=utf-8"
_BYTES: Final = "application/octet-stream"
_ROUTE: Final = re.compile(r"/v2/(?P<name>.+)/(?P<kind>manifests|blobs|tags)/(?P<rest>.+)")
_RANGE: Final = re.compile(r"bytes=(\d+)-(\d*)")
_UPLOADS: Final = "uploads/"
_WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True)
class _Ask:
    """One request: what it is about, and how it is read and answered."""

    method: str
    name: RepositoryName
    rest: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    receive: Receive
    send: Send


class Distribution:
    """The registry of one region (ASGI).

    Args:
        region: Of it.
        images: What is in it.
        tokens: Knows who may come in.
        after_write: Told of every write.
    """

    def __init__(self, region: str, images: EcrImages, tokens: Tokens, after_write: AfterWrite) -> None:
        self._region = region
        self._images = images
        self._tokens = tokens
        self._after_write = after_write

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one HTTP request (ASGI)."""
        headers = headers_of(scope)
        account = self._tokens.account_of(headers.get("authorization", ""), self._region)
        path = scope["path"]
        if account is None:
            challenge = (
                "WWW-Authenticate",
                f'Basic realm="http://{headers.get("host", "")}/",service="ecr.amazonaws.com"',
            )
            await _refuse(send, 401, "UNAUTHORIZED", "Not Authorized", challenge)
            return
        if path.rstrip("/") == "/v2":
            await respond(send, 200, [("Docker-Distribution-Api-Version", "registry/2.0"), ("Content-Type", _JSON)])
            return
        route = _ROUTE.fullmatch(path)
        if route is None:
            await _refuse(send, 404, "UNSUPPORTED", "There is no such route.")
            return
        query = {name: values[-1] for name, values in parse_qs(scope["query_string"].decode("latin-1")).items()}
        name = RepositoryName(account, self._region, route["name"])
        told = self._telling(send, f"{scope['method']} {route['kind']}") if scope["method"] in _WRITES else send
        ask = _Ask(scope["method"], name, route["rest"], headers, query, receive, told)
        try:
            self._images.repository(name)
            await self._routed(route["kind"], ask)
        except EcrRefusal as refusal:
            status, code = refusal.in_registry
            await _refuse(send, status, code, refusal.message)
        except ConnectionAbortedError:
            return

    async def _routed(self, kind: str, ask: _Ask) -> None:
        if kind == "manifests":
            await self._manifests(ask)
        elif kind == "tags":
            tags = sorted({tag for image in self._images.store.all(ask.name) for tag in image.tags})
            await respond_json(ask.send, 200, {"name": ask.name.name, "tags": tags}, _JSON)
        elif not f"{ask.rest}/".startswith(_UPLOADS):
            await self._blob(ask)
        else:
            await self._uploads(ask, ask.rest.removeprefix("uploads").strip("/"))

    async def _manifests(self, ask: _Ask) -> None:
        if ask.method in ("GET", "HEAD"):
            tag = None if is_digest(ask.rest) else ask.rest
            found = self._images.image(ask.name, ask.rest if tag is None else None, tag)
            listed = [("Content-Type", found.media_type), ("Docker-Content-Digest", found.digest)]
            await respond(ask.send, 200, listed, found.manifest)
        elif ask.method == "PUT":
            await self._put_manifest(ask)
        else:
            await _refuse(ask.send, 405, "UNSUPPORTED", "ECR deletes images by BatchDeleteImage.")

    async def _put_manifest(self, ask: _Ask) -> None:
        body = await read_body(ask.receive, MANIFEST_BYTES)
        if body is None:
            await _refuse(ask.send, 413, "MANIFEST_INVALID", f"A manifest has at most {MANIFEST_BYTES} bytes.")
            return
        repository = self._images.repository(ask.name)
        tag = None if is_digest(ask.rest) else ask.rest
        given = ask.headers.get("content-type", "").partition(";")[0].strip() or None
        digest = ask.rest if tag is None else None
        stored = self._images.push(repository, body, given, tag, digest)
        place = ("Location", f"/v2/{ask.name.name}/manifests/{stored.digest}")
        await respond(ask.send, 201, [place, ("Docker-Content-Digest", stored.digest)])

    async def _blob(self, ask: _Ask) -> None:
        if ask.method not in ("GET", "HEAD"):
            await _refuse(ask.send, 405, "UNSUPPORTED", "ECR keeps layers for as long as an image has them.")
            return
        size = self._images.store.blobs.size(ask.rest) if is_digest(ask.rest) else None
        if size is None or not self._images.store.has_layer(ask.name, ask.rest):
            raise EcrRefusal("LayersNotFoundException", f"The layer '{ask.rest}' does not exist in '{ask.name.name}'")
        wanted = _RANGE.fullmatch(ask.headers.get("range", ""))
        begin = int(wanted[1]) if wanted else 0
        end = min(int(wanted[2]), size - 1) if wanted and wanted[2] else size - 1
        if wanted and begin > end:
            await _refuse(ask.send, 416, "RANGE_INVALID", f"The blob has {size} bytes.")
            return
        listed = [("Content-Type", _BYTES), ("Docker-Content-Digest", ask.rest), ("Accept-Ranges", "bytes")]
        listed.append(("Content-Length", str(end + 1 - begin)))
        listed += [("Content-Range", f"bytes {begin}-{end}/{size}")] if wanted else []
        await send_start(ask.send, 206 if wanted else 200, listed)
        if ask.method == "GET":
            with self._images.store.blobs.path(ask.rest).open("rb") as file:
                file.seek(begin)
                left = end + 1 - begin
                while left > 0 and (part := file.read(min(PART, left))):
                    left -= len(part)
                    await ask.send({"type": "http.response.body", "body": part, "more_body": True})
        await ask.send({"type": "http.response.body", "body": b""})

    async def _uploads(self, ask: _Ask, name: str) -> None:
        if not name:
            await self._begin(ask)
            return
        upload = self._images.uploads.find(ask.name, name)
        if upload is None:
            raise refusals.upload_not_found(ask.name, name)
        if ask.method == "PATCH":
            if await self._grow(ask, name, upload):
                await self._progress(ask, name, upload, 202)
        elif ask.method == "PUT":
            if await self._grow(ask, name, upload):
                await self._finish(ask, name, upload)
        elif ask.method == "GET":
            await self._progress(ask, name, upload, 204)
        else:
            self._images.uploads.discard(name)
            await respond(ask.send, 204, [])

    async def _begin(self, ask: _Ask) -> None:
        """Start an upload, unless the blob comes along or is another repository's already."""
        if ask.method != "POST":
            await _refuse(ask.send, 405, "UNSUPPORTED", "An upload begins with POST.")
            return
        mounted, origin = ask.query.get("mount", ""), ask.query.get("from")
        if origin is not None and is_digest(mounted):
            source = RepositoryName(ask.name.account, ask.name.region, origin)
            if self._images.store.has_layer(source, mounted):
                self._images.store.add_layer(ask.name, mounted)
                await self._created(ask, mounted)
                return
        name = self._images.uploads.begin(ask.name)
        upload = self._images.uploads.find(ask.name, name)
        assert upload is not None, "it was just begun"
        if "digest" not in ask.query:
            await self._progress(ask, name, upload, 202)
        elif await self._grow(ask, name, upload):
            await self._finish(ask, name, upload)

    async def _grow(self, ask: _Ask, name: str, upload: Upload) -> bool:
        """Add the body to an upload, where it follows what is there; whether it does."""
        said = ask.headers.get("content-range", "").removeprefix("bytes ").partition("-")[0].strip()
        if said.isdigit() and int(said) != upload.size:
            await self._progress(ask, name, upload, 416)
            return False
        async for chunk in chunks(ask.receive):
            self._require_open(ask, name)
            upload.write(chunk)
        self._require_open(ask, name)
        return True

    def _require_open(self, ask: _Ask, name: str) -> None:
        """Refuse what comes for an upload that another request has ended meanwhile."""
        if self._images.uploads.find(ask.name, name) is None:
            raise refusals.upload_not_found(ask.name, name)

    async def _finish(self, ask: _Ask, name: str, upload: Upload) -> None:
        digest = ask.query.get("digest", "")
        self._images.finish_upload(upload, name, digest)
        await self._created(ask, digest)

    async def _created(self, ask: _Ask, digest: str) -> None:
        place = ("Location", f"/v2/{ask.name.name}/blobs/{digest}")
        await respond(ask.send, 201, [place, ("Docker-Content-Digest", digest)])

    async def _progress(self, ask: _Ask, name: str, upload: Upload, status: int) -> None:
        listed = [
            ("Location", f"/v2/{ask.name.name}/blobs/uploads/{name}"),
            ("Docker-Upload-UUID", name),
            ("Range", f"0-{max(0, upload.size - 1)}"),
        ]
        await respond(ask.send, status, listed)

    def _telling(self, send: Send, operation: str) -> Send:
        async def told(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 300:
                await self._after_write("registry", operation)
            await send(message)

        return told


async def _refuse(send: Send, status: int, code: str, message: str, *headers: tuple[str, str]) -> None:
    """An error as the protocol has it."""
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
    listed = [("Content-Type", _JSON), ("Docker-Distribution-Api-Version", "registry/2.0"), *headers]
    await respond(send, status, listed, body)
