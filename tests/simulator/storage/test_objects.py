"""What every object store does, shown by each of them."""

import pytest

from argosy.errors import StorageError, UsageError
from argosy.simulator.storage.objects import ObjectStore, ObjectUri


def put(store: ObjectStore, uri: ObjectUri, content: bytes) -> None:
    upload = store.create(uri)
    upload.stream.write(content)
    upload.finish()


def content(store: ObjectStore, uri: ObjectUri) -> bytes:
    with store.open(uri) as stream:
        return stream.read()


def keys(store: ObjectStore, prefix: ObjectUri) -> list[str]:
    return [found.key for found in store.list(prefix)]


def test_what_was_stored_is_read_back_from_any_place(store: ObjectStore, bucket: str) -> None:
    uri = ObjectUri(bucket, "a/b c/é.csv")
    put(store, uri, b"0123456789")
    with store.open(uri) as stream:
        assert stream.seek(4) == 4
        assert stream.read(3) == b"456"
        assert stream.seek(0) == 0
        assert stream.read() == b"0123456789"
        stream.fileno()  # a file, so that many can read it at a time


def test_the_list_is_by_string_prefix_and_in_the_order_of_the_keys_bytes(store: ObjectStore, bucket: str) -> None:
    written = ["a/z", "a.csv", "a/b/c", "ab", "b", "ä", "B", "a-/x"]
    for key in written:
        put(store, ObjectUri(bucket, key), key.encode())
    everything = sorted(written, key=str.encode)
    assert keys(store, ObjectUri(bucket, "")) == everything
    for prefix in ("a", "a/", "a/b", "a.csv", "b", "c", "a/z/", "a//"):
        assert keys(store, ObjectUri(bucket, prefix)) == [key for key in everything if key.startswith(prefix)]


def test_an_object_has_its_size_and_a_tag_that_changes_with_its_content(store: ObjectStore, bucket: str) -> None:
    uri = ObjectUri(bucket, "a")
    put(store, uri, b"123")
    first = store.find(uri)
    put(store, uri, b"321")
    second = store.find(uri)
    assert first is not None
    assert second is not None
    assert (first.size, second.size) == (3, 3)
    assert first.etag != second.etag
    assert [*store.list(ObjectUri(bucket, ""))] == [second]


def test_nobody_sees_an_object_before_it_is_finished(store: ObjectStore, bucket: str) -> None:
    uri = ObjectUri(bucket, "a")
    put(store, uri, b"old")
    upload = store.create(uri)
    upload.stream.write(b"new")
    upload.stream.flush()
    assert content(store, uri) == b"old"
    assert keys(store, ObjectUri(bucket, "")) == ["a"]
    upload.finish()
    upload.discard()
    assert content(store, uri) == b"new"


def test_a_discarded_object_leaves_what_was_there(store: ObjectStore, bucket: str) -> None:
    put(store, ObjectUri(bucket, "a"), b"old")
    for key in ("a", "b/c"):
        upload = store.create(ObjectUri(bucket, key))
        upload.stream.write(b"new")
        upload.discard()
    assert keys(store, ObjectUri(bucket, "")) == ["a"]
    assert content(store, ObjectUri(bucket, "a")) == b"old"


def test_what_is_not_there_is_not_found(store: ObjectStore, bucket: str) -> None:
    put(store, ObjectUri(bucket, "a/b"), b"1")
    for key in ("b", "a", "a/b/c", "a/"):
        assert store.find(ObjectUri(bucket, key)) is None
        with pytest.raises(StorageError):
            store.open(ObjectUri(bucket, key))
        store.remove(ObjectUri(bucket, key))
    assert keys(store, ObjectUri(bucket, "")) == ["a/b"]


def test_a_removed_object_is_gone(store: ObjectStore, bucket: str) -> None:
    for key in ("a/b/c", "a/d"):
        put(store, ObjectUri(bucket, key), b"1")
    store.remove(ObjectUri(bucket, "a/b/c"))
    assert keys(store, ObjectUri(bucket, "")) == ["a/d"]
    put(store, ObjectUri(bucket, "a/b"), b"the folder is gone too")


def test_an_empty_object_is_one(store: ObjectStore, bucket: str) -> None:
    put(store, ObjectUri(bucket, "a"), b"")
    assert content(store, ObjectUri(bucket, "a")) == b""
    assert [found.size for found in store.list(ObjectUri(bucket, ""))] == [0]


def test_a_bucket_that_is_not_there_is_told(store: ObjectStore) -> None:
    nowhere = ObjectUri("no-such-bucket", "a")
    with pytest.raises(StorageError):
        list(store.list(nowhere))
    with pytest.raises(StorageError):
        store.find(nowhere)
    with pytest.raises(StorageError):
        store.open(nowhere)


@pytest.mark.parametrize(
    ("text", "uri"), [("s3://b", ("b", "")), ("s3://b/", ("b", "")), ("s3://b/a//b", ("b", "a//b"))]
)
def test_uris(text: str, uri: tuple[str, str]) -> None:
    assert ObjectUri.parse(text) == ObjectUri(*uri)


@pytest.mark.parametrize("text", ["", "b/a", "s3:///a", "https://b/a", "s3:/b"])
def test_no_uris(text: str) -> None:
    with pytest.raises(UsageError, match="no S3 URI"):
        ObjectUri.parse(text)
