"""Buckets in memory, with S3's freedom of keys: `a` and `a/b` at once, keys that end in a slash, `..`."""

import hashlib
import io
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from argosy.errors import StorageError
from argosy.simulator.storage.objects import ObjectUri, StoredObject, Upload


class MemoryStore:
    def __init__(self, objects: Mapping[str, bytes]) -> None:
        self.objects = {str(ObjectUri.parse(uri)): body for uri, body in objects.items()}
        self.opened: list[str] = []

    def list(self, prefix: ObjectUri) -> Iterator[StoredObject]:
        for uri, body in sorted(self.objects.items(), key=lambda item: item[0].encode(errors="surrogateescape")):
            if uri.startswith(str(prefix)):
                yield _stored(uri, body)

    def find(self, uri: ObjectUri) -> StoredObject | None:
        body = self.objects.get(str(uri))
        return None if body is None else _stored(str(uri), body)

    def open(self, uri: ObjectUri) -> BinaryIO:
        if str(uri) not in self.objects:
            raise StorageError("no such object", where=uri)
        self.opened.append(str(uri))
        return io.BytesIO(self.objects[str(uri)])

    def create(self, uri: ObjectUri, content_type: str | None = None) -> Upload:
        raise StorageError("nothing can be stored here", where=uri)

    def remove(self, uri: ObjectUri) -> None:
        self.objects.pop(str(uri), None)


def _stored(uri: str, body: bytes) -> StoredObject:
    return StoredObject(ObjectUri.parse(uri).key, len(body), hashlib.md5(body, usedforsecurity=False).hexdigest())
