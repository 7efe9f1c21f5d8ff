"""A blob to a registry: not if it is there, mounted where another repository has it, resumed where it broke off.

A small blob is one PUT. A large one is one PATCH, as Docker sends it, and not many: ECR takes several but loses what
comes after the first (aws/containers-roadmap#2831). Where that PATCH breaks off, the registry is asked what it has and
the rest follows in another; where it does not say, or the digest proves wrong at the end, the blob is sent anew.

Source: OCI distribution-spec 1.1, "Pushing blobs" (read 2026-11-22).
"""

import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final
from urllib.parse import urlencode

import httpx

from argosy.errors import RegistryError
from argosy.image.blobs import CHUNK
from argosy.image.download import AgainError, StoppedError, pause_s, persistently
from argosy.image.image import Descriptor
from argosy.registry.progress import Transfer
from argosy.registry.protocol import Repository

SMALL: Final = 4 << 20
"""Bytes up to which a blob is not worth resuming."""

_STARTED: Final = frozenset({httpx.codes.ACCEPTED})
_MOUNTED_OR_STARTED: Final = frozenset({httpx.codes.CREATED, httpx.codes.ACCEPTED})
_THERE_OR_NOT: Final = frozenset({httpx.codes.OK, httpx.codes.NOT_FOUND})
_TAKEN: Final = frozenset({httpx.codes.ACCEPTED, httpx.codes.CREATED, httpx.codes.NO_CONTENT})
_TOLD: Final = frozenset({httpx.codes.NO_CONTENT, httpx.codes.OK, httpx.codes.ACCEPTED})
_CREATED: Final = frozenset({httpx.codes.CREATED})
_LOST: Final = frozenset({httpx.codes.NOT_FOUND, httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE})
"""Statuses of an upload that the registry knows no more: it is started anew."""

_RANGE: Final = re.compile(r"(?:bytes=)?0-(\d+)")


@dataclass(frozen=True, slots=True)
class Upload:
    """A blob that is to be in a repository.

    Attributes:
        blob: What a manifest says of it.
        opened: Opens its bytes, each time from their start; they are verified by their end.
        origin: A repository of the same registry that may have it.
    """

    blob: Descriptor
    opened: Callable[[], BinaryIO]
    origin: str | None


def upload(wanted: Upload, repository: Repository, transfer: Transfer, stopped: threading.Event) -> None:
    """Have the blob in the repository.

    Raises:
        RegistryError: The registry does not answer, refuses, or has something else under the digest.
        ImageError: The bytes are not what the digest says.
    """
    outcome = _Sender(wanted, repository, transfer, stopped).run()
    transfer.end(outcome)


class _Sender:
    """One blob on its way."""

    def __init__(self, wanted: Upload, repository: Repository, transfer: Transfer, stopped: threading.Event) -> None:
        self._blob = wanted.blob
        self._opened = wanted.opened
        self._origin = wanted.origin
        self._repository = repository
        self._transfer = transfer
        self._stopped = stopped
        self._sent = 0
        self._is_resumable = wanted.blob.size > SMALL

    def run(self) -> str:
        """Send what has to be sent; how it came to be there."""
        if self._is_there():
            return "is there"
        is_first = True

        def attempt() -> str:
            nonlocal is_first
            if not is_first and self._is_there():  # a connection may break after the registry has all
                return "sent"
            is_first = False
            location = self._start()
            if location is None:
                return f"mounted from {self._origin}"
            self._transfer_all(location)
            return "sent"

        return persistently(attempt, self._repository.attempts)

    def _is_there(self) -> bool:
        url = self._repository.url(f"blobs/{self._blob.digest}")
        known = self._repository.send("HEAD", url, expected=_THERE_OR_NOT)
        if known.status_code != httpx.codes.OK:
            return False
        self._verify(known)
        # Some proxies leave the length of an answer without a body at 0.
        return known.headers.get("Content-Length", "0") in ("0", str(self._blob.size))

    def _start(self) -> str | None:
        """Where the bytes are to be sent to; None when they were mounted."""
        url, empty = self._repository.url("blobs/uploads/"), {"Content-Length": "0"}
        if self._origin is not None:
            query = urlencode({"mount": self._blob.digest, "from": self._origin})
            scopes = (f"repository:{self._origin}:pull",)
            try:
                started = self._repository.send_once(
                    "POST", f"{url}?{query}", expected=_MOUNTED_OR_STARTED, headers=empty, scopes=scopes
                )
            except (RegistryError, AgainError):  # not allowed to read there, or not able to mount: send the bytes
                self._origin = None
                return self._start()
            if started.status_code == httpx.codes.CREATED:
                self._verify(started)
                return None
            self._origin = None
            return self._repository.location(started)
        started = self._repository.send_once("POST", url, expected=_STARTED, headers=empty)
        return self._repository.location(started)

    def _transfer_all(self, location: str) -> None:
        if not self._is_resumable:
            self._finish(location, 0)
            return
        begun, is_resumed = 0, False
        while begun < self._blob.size:
            try:
                location = self._patch(location, begun, is_resumed)
                break
            except AgainError as again:
                told = self._told(location)
                if told is None or told[1] <= begun:
                    raise
                location, begun = told
                is_resumed = True
                time.sleep(pause_s(1, again.wait_s))
        try:
            self._finish(location, self._blob.size)
        except RegistryError as error:
            if not is_resumed:
                raise
            self._is_resumable = False  # what it said it had was not so
            raise AgainError(error) from error

    def _patch(self, location: str, begun: int, is_resumed: bool) -> str:
        size = self._blob.size
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size - begun)}
        if is_resumed:
            headers["Content-Range"] = f"{begun}-{size - 1}"
        answer = self._repository.send_once(
            "PATCH", location, expected=_TAKEN | _LOST, headers=headers, body=lambda: self._chunks(begun)
        )
        self._require_known(answer)
        return self._repository.location(answer)

    def _told(self, location: str) -> tuple[str, int] | None:
        """Where to go on and how many bytes the registry has, if it says so."""
        try:
            answer = self._repository.send("GET", location, expected=_TOLD)
        except RegistryError:
            return None
        found = _RANGE.fullmatch(answer.headers.get("Range", "").strip())
        # `0-0` is said of one byte, and of none.
        if found is None or not 0 < int(found[1]) < self._blob.size:
            return None
        where = self._repository.location(answer) if "Location" in answer.headers else location
        return where, int(found[1]) + 1

    def _finish(self, location: str, begun: int) -> None:
        size = self._blob.size
        target = f"{location}{'&' if '?' in location else '?'}{urlencode({'digest': self._blob.digest})}"
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size - begun)}
        body = (lambda: self._chunks(begun)) if begun < size or size == 0 else None
        answer = self._repository.send_once("PUT", target, expected=_CREATED | _LOST, headers=headers, body=body)
        self._require_known(answer)
        self._verify(answer)

    def _require_known(self, answer: httpx.Response) -> None:
        if answer.status_code in _LOST:
            try:
                self._repository.require(answer, _CREATED)
            except RegistryError as error:
                raise AgainError(error) from error

    def _verify(self, answer: httpx.Response) -> None:
        digest = answer.headers.get("Docker-Content-Digest", self._blob.digest)
        if digest != self._blob.digest:
            raise RegistryError(
                "the registry has another blob than was asked for",
                got=digest,
                want=self._blob.digest,
                where=self._repository.url("blobs"),
            )

    def _chunks(self, begun: int) -> Iterator[bytes]:
        """The bytes from there on; those before are read, since all of them are verified."""
        self._transfer.advance(begun - self._sent)
        self._sent = begun
        position = 0
        with self._opened() as stream:
            while chunk := stream.read(CHUNK):
                position += len(chunk)
                rest = chunk[max(0, len(chunk) - (position - begun)) :] if position > begun else b""
                if not rest:
                    continue
                if self._stopped.is_set():
                    raise StoppedError
                yield rest
                self._sent += len(rest)
                self._transfer.advance(len(rest))
