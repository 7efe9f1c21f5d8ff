"""Objects in Amazon S3, or in any server that speaks its API.

An object that is read is downloaded into a nameless file first, one that is written is uploaded from one: so it can be
read at any place, memory stays flat, and nobody sees an object that is not whole.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from argosy.aws.s3 import S3Access, S3Client
from argosy.errors import StorageError
from argosy.simulator.storage.objects import ObjectUri, StoredObject


class S3:
    """An `ObjectStore` in S3.

    Args:
        scratch: The folder of the nameless files; None takes the system's for temporary files.
        access: Where S3 is and who asks; None leaves both to boto3.

    Raises:
        StorageError: boto3 is not installed.
    """

    def __init__(self, scratch: Path | None = None, access: S3Access | None = None) -> None:
        self._client = S3Client(access)
        self._scratch = scratch

    def list(self, prefix: ObjectUri) -> Iterator[StoredObject]:
        """The objects whose keys begin with a prefix, in the order of their keys' UTF-8 bytes.

        Raises:
            StorageError: There is no such bucket, or it cannot be read.
        """
        for found in self._client.list(prefix.bucket, prefix.key):
            yield StoredObject(found.key, found.size, found.etag)

    def find(self, uri: ObjectUri) -> StoredObject | None:
        """The object with exactly this key, None when there is none.

        Raises:
            StorageError: There is no such bucket, or it cannot be read.
        """
        found = self._client.head(uri.bucket, uri.key)
        return None if found is None else StoredObject(found.key, found.size, found.etag)

    def open(self, uri: ObjectUri) -> BinaryIO:
        """The object, downloaded.

        Raises:
            StorageError: It is not there, cannot be read, or does not fit the disk.
        """
        stream = self._nameless(uri)
        try:
            self._client.download(uri.bucket, uri.key, stream)
            stream.seek(0)
        except OSError as error:
            stream.close()
            raise StorageError("the object cannot be kept while it is read", got=error, where=uri) from error
        except BaseException:
            stream.close()
            raise
        return stream

    def create(self, uri: ObjectUri, content_type: str | None = None) -> "S3Upload":
        """Begin an object; without a media type S3 gives it one of its own.

        Raises:
            StorageError: There is no such bucket: told now, not when all is done; or no file can be made here.
        """
        self.find(uri)
        return S3Upload(self._client, uri, self._nameless(uri), content_type)

    def remove(self, uri: ObjectUri) -> None:
        """Remove an object; nothing happens when there is none.

        Raises:
            StorageError: S3 refuses.
        """
        self._client.delete(uri.bucket, uri.key)

    def _nameless(self, uri: ObjectUri) -> BinaryIO:
        try:
            return cast(BinaryIO, tempfile.TemporaryFile(dir=self._scratch))
        except OSError as error:
            raise StorageError("there is no room for the object on this machine", got=error, where=uri) from error


class S3Upload:
    """An object under way, on this machine until it is whole.

    Args:
        client: Who uploads.
        uri: Its name.
        stream: A nameless file.
        content_type: Its media type, or None.
    """

    def __init__(self, client: S3Client, uri: ObjectUri, stream: BinaryIO, content_type: str | None) -> None:
        self.stream = stream
        self._client = client
        self._uri = uri
        self._content_type = content_type

    def finish(self) -> None:
        """Upload it.

        Raises:
            StorageError: S3 refuses or does not answer; no part of it is left there.
        """
        try:
            self.stream.seek(0)
            self._client.upload(self._uri.bucket, self._uri.key, self.stream, self._content_type)
        except OSError as error:
            raise StorageError("the object cannot be stored", got=error, where=self._uri) from error
        finally:
            self.stream.close()

    def discard(self) -> None:
        """Leave nothing of it. Does nothing after `finish`."""
        self.stream.close()
