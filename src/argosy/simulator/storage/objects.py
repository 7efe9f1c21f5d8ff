"""Objects in buckets, as the simulator reads and writes them; `local_folder.py` and `s3.py` implement the protocol.

The methods block; asynchronous callers put them on a thread.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from argosy.errors import UsageError

_URI = re.compile(r"s3://([^/]+)/?(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ObjectUri:
    """`s3://BUCKET/KEY`; the key may be empty or a prefix.

    Attributes:
        bucket: Name of the bucket.
        key: Without a slash in front.
    """

    bucket: str
    key: str

    @classmethod
    def parse(cls, text: str) -> "ObjectUri":
        """Read a URI.

        Raises:
            UsageError: It is no S3 URI.
        """
        matched = _URI.fullmatch(text)
        if matched is None:
            raise UsageError("this is no S3 URI", got=f"`{text}`", want="s3://BUCKET/KEY")
        return cls(*matched.groups())

    def child(self, relative: str) -> "ObjectUri":
        """The object of a key below this one, joined by one slash."""
        return ObjectUri(self.bucket, f"{self.key.rstrip('/')}/{relative}" if self.key else relative)

    def __str__(self) -> str:
        """As it was written."""
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object that is there.

    Attributes:
        key: Its whole key.
        size: In bytes.
        etag: Changes when the content does.
    """

    key: str
    size: int
    etag: str


class Upload(Protocol):
    """An object under way: nobody sees it before `finish`."""

    @property
    def stream(self) -> BinaryIO:
        """Where its bytes go, from the beginning."""

    def finish(self) -> None:
        """Give it its key; what was there before is replaced.

        Raises:
            StorageError: It could not be stored; nothing of it is there.
        """

    def discard(self) -> None:
        """Leave nothing of it; what was there before stays. Does nothing after `finish`."""


class ObjectStore(Protocol):
    """Buckets with objects."""

    def list(self, prefix: ObjectUri) -> Iterator[StoredObject]:
        """The objects whose keys begin with a prefix, in the order of their keys' UTF-8 bytes.

        Raises:
            StorageError: There is no such bucket, or it cannot be read.
        """

    def find(self, uri: ObjectUri) -> StoredObject | None:
        """The object with exactly this key, None when there is none.

        Raises:
            StorageError: There is no such bucket, or it cannot be read.
        """

    def open(self, uri: ObjectUri) -> BinaryIO:
        """The object's bytes, seekable; reading from several threads by `seek` and `read` is the caller's to order.

        Raises:
            StorageError: It is not there or cannot be read.
        """

    def create(self, uri: ObjectUri, content_type: str | None = None) -> Upload:
        """Begin an object.

        Args:
            uri: Its name.
            content_type: Its media type, where a store keeps one: a folder does not. None leaves it to the store.

        Raises:
            StorageError: It cannot be stored there.
        """

    def remove(self, uri: ObjectUri) -> None:
        """Remove an object; nothing happens when there is none."""
