"""A file of this machine -> an object in S3: every byte under a SHA-256 checksum, gone on with after a killed run.

A small file is one request. A large one goes in parts, several at a time; the parts that a killed run has stored are
not sent again, and what is left of other attempts at the same key is taken away. Memory holds a few parts, however
large the file is. S3 keeps no SHA-256 of a whole object that came in parts: it is in the object's metadata.

Source: Amazon S3 API reference, PutObject, CreateMultipartUpload, "Checking object integrity" (read 2026-11-23).
"""

import base64
import hashlib
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from argosy.aws.api import Api, Reader
from argosy.aws.call import Call
from argosy.errors import StorageError

PART_BYTES: Final = 16 << 20
"""Size of a part, and of the largest file that goes in one request."""

_MOST_PARTS: Final = 10_000
_AT_A_TIME: Final = 4
_DIGEST: Final = "sha256"
_ABSENT: Final = ("404", "NoSuchKey", "NoSuchBucket", "NotFound")
_GONE: Final = ("NoSuchUpload",)


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file of this machine as it was when it was read.

    Attributes:
        path: Where it is.
        name: What it is called where it goes.
        size: In bytes.
        sha256: Of its bytes, 64 hexadecimal digits.
    """

    path: Path
    name: str
    size: int
    sha256: str

    @classmethod
    def read(cls, path: Path, name: str) -> "LocalFile":
        """Read the file once, for its digest."""
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            return cls(path, name, stream.tell(), digest)


class State(StrEnum):
    """What is at a key."""

    ABSENT = "absent"
    SAME = "same"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file, and where it goes.

    Attributes:
        file: What is stored.
        region: Of the bucket.
        bucket: Its name.
        key: Of the object.
    """

    file: LocalFile
    region: str
    bucket: str
    key: str

    @property
    def uri(self) -> str:
        """The object as `s3://` names it."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def head(self) -> Call:
        """The call that asks what is there."""
        return self._call("HeadObject", ChecksumMode="ENABLED")

    @property
    def put(self) -> Call:
        """The call that stores it, or begins to; the bytes are left out."""
        metadata = {"Metadata": {_DIGEST: self.file.sha256}}
        if self.is_small:
            return self._call("PutObject", ChecksumSHA256=_encoded(bytes.fromhex(self.file.sha256)), **metadata)
        return self._call("CreateMultipartUpload", ChecksumAlgorithm="SHA256", **metadata)

    @property
    def reads(self) -> tuple[Call, ...]:
        """What storing it asks meanwhile."""
        return () if self.is_small else (self._listed(), self._call("ListParts", UploadId="*"))

    @property
    def is_small(self) -> bool:
        """Whether it goes in one request."""
        return self.file.size <= PART_BYTES

    def state(self, reader: Reader) -> tuple[State, str]:
        """What is there, and its SHA-256 as far as that is known.

        Raises:
            AwsError: S3 refuses or does not answer.
        """
        found = reader.ask(self.head, _ABSENT)
        if found is None:
            return State.ABSENT, ""
        digest = str(found.get("Metadata", {}).get(_DIGEST, ""))
        if not digest and self.is_small:
            digest = _decoded(str(found.get("ChecksumSHA256", "")))
        is_same = (found.get("ContentLength"), digest) == (self.file.size, self.file.sha256)
        return (State.SAME if is_same else State.OTHER), digest

    def send(self, api: Api, begun: str, begin: Callable[[str], None], advance: Callable[[int], None]) -> None:
        """Store it.

        Args:
            api: AWS.
            begun: The upload in parts that an earlier run has noted for this very file; empty for none.
            begin: Takes the upload in parts that was begun now, to note it.
            advance: Takes the number of bytes that are stored, part by part; called by several threads.

        Raises:
            AwsError: S3 refuses or does not answer.
            StorageError: The file is no longer what it was.
        """
        if self.is_small:
            body = self.file.path.read_bytes()
            if hashlib.sha256(body).hexdigest() != self.file.sha256:
                raise self._changed()
            api.write(Call("s3", "PutObject", self.region, {**self.put.parameters, "Body": body}))
            advance(len(body))
            return
        upload, stored = self._open(api, begun)
        if not upload:
            upload = str(api.write(self.put)["UploadId"])
            begin(upload)
        parts = self._send_parts(api, upload, stored, advance)
        wanted = {"UploadId": upload, "MultipartUpload": {"Parts": parts}}
        api.write(self._call("CompleteMultipartUpload", **wanted), _GONE)
        if self.state(api)[0] is not State.SAME:
            raise StorageError("S3 has stored something else", where=self.uri, hint="run it again")

    def abandon(self, api: Api, uri: str, begun: str) -> None:
        """Take away an upload in parts that was begun for another key of a bucket in this region.

        Raises:
            AwsError: S3 refuses or does not answer.
        """
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        wanted = {"Bucket": bucket, "Key": key, "UploadId": begun}
        api.write(Call("s3", "AbortMultipartUpload", self.region, wanted), (*_GONE, "NoSuchBucket"))

    def _open(self, api: Api, begun: str) -> tuple[str, Mapping[int, Any]]:
        """The upload to go on with and its parts; whatever else was begun for this key is taken away."""
        found = ""
        for page in api.pages(self._listed()):
            for one in page.get("Uploads", ()):
                if one["Key"] != self.key:
                    continue
                if one["UploadId"] == begun:
                    found = begun
                else:
                    api.write(self._call("AbortMultipartUpload", UploadId=one["UploadId"]), _GONE)
        if not found:
            return "", {}
        pages = api.pages(self._call("ListParts", UploadId=found))
        return found, {int(part["PartNumber"]): part for page in pages for part in page.get("Parts", ())}

    def _send_parts(
        self, api: Api, upload: str, stored: Mapping[int, Any], advance: Callable[[int], None]
    ) -> list[dict[str, Any]]:
        """What completing an upload says of each part; `stored` are those that S3 has."""
        free, failed = threading.BoundedSemaphore(_AT_A_TIME), threading.Event()

        def send(number: int, body: bytes) -> dict[str, Any]:
            try:
                part = self._send_part(api, {"UploadId": upload, "PartNumber": number}, body, stored.get(number, {}))
            except BaseException:
                failed.set()
                raise
            finally:
                free.release()
            advance(len(body))
            return part

        whole = hashlib.sha256()
        sending: list[Future[dict[str, Any]]] = []
        with self.file.path.open("rb") as stream, ThreadPoolExecutor(_AT_A_TIME) as threads:
            while not failed.is_set() and (body := stream.read(self.part_bytes)):
                whole.update(body)
                free.acquire()  # no more parts in memory than are on their way
                sending.append(threads.submit(send, len(sending) + 1, body))
        parts = [future.result() for future in sending]
        if whole.hexdigest() != self.file.sha256:
            api.write(self._call("AbortMultipartUpload", UploadId=upload), _GONE)
            raise self._changed()
        return parts

    def _send_part(self, api: Api, part: Mapping[str, Any], body: bytes, known: Mapping[str, Any]) -> dict[str, Any]:
        """What completing an upload says of a part, which is sent unless S3 has it."""
        checksum = _encoded(hashlib.sha256(body).digest())
        if known.get("Size") == len(body) and _is_of(known, body, checksum):
            tag = known["ETag"]
        else:
            tag = api.write(self._call("UploadPart", **part, ChecksumSHA256=checksum, Body=body))["ETag"]
        return {"PartNumber": part["PartNumber"], "ETag": tag, "ChecksumSHA256": checksum}

    @property
    def part_bytes(self) -> int:
        """Size of its parts: the same for the same file, so that the parts of two runs are the same."""
        least = -(-self.file.size // _MOST_PARTS)
        return max(PART_BYTES, -(-least // PART_BYTES) * PART_BYTES)

    def _listed(self) -> Call:
        return Call("s3", "ListMultipartUploads", self.region, {"Bucket": self.bucket, "Prefix": self.key})

    def _call(self, operation: str, **more: Any) -> Call:  # any member of the requests on one object
        return Call("s3", operation, self.region, {"Bucket": self.bucket, "Key": self.key, **more})

    def _changed(self) -> StorageError:
        return StorageError("the file has changed since it was read", where=self.file.path, hint="run it again")


def _is_of(part: Mapping[str, Any], body: bytes, checksum: str) -> bool:
    """Whether a stored part is of these bytes; one listed without its checksum is known by its MD5. Any: JSON."""
    if "ChecksumSHA256" in part:
        return bool(part["ChecksumSHA256"] == checksum)
    return str(part.get("ETag", "")).strip('"') == hashlib.md5(body, usedforsecurity=False).hexdigest()


def _encoded(digest: bytes) -> str:
    """A checksum as S3 writes it."""
    return base64.b64encode(digest).decode()


def _decoded(checksum: str) -> str:
    """The hexadecimal digits of a checksum of S3's; empty for one of parts, or none."""
    try:
        return base64.b64decode(checksum, validate=True).hex()
    except ValueError:
        return ""
