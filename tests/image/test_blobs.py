import io
import multiprocessing
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from argosy.errors import ImageError
from argosy.image.blobs import BlobStore, JoinedBlobs, local_file, verified
from tests.image.images import sha256, tree

CONTENT = b"content" * 1000


def test_a_blob_is_named_by_its_digest_and_read_back(store: BlobStore) -> None:
    store.add(io.BytesIO(CONTENT), sha256(CONTENT), len(CONTENT))
    assert store.read(sha256(CONTENT)) == CONTENT
    assert store.size(sha256(CONTENT)) == len(CONTENT)
    assert list(tree(store.folder)) == [sha256(CONTENT).replace(":", "/")]


@pytest.mark.parametrize(("digest", "size"), [(sha256(b"other"), None), (sha256(CONTENT), 1)])
def test_a_wrong_blob_is_refused_and_nothing_is_kept(store: BlobStore, digest: str, size: int | None) -> None:
    with pytest.raises(ImageError, match="digest"):
        store.add(io.BytesIO(CONTENT), digest, size)
    assert tree(store.folder) == {}


def test_a_blob_that_was_damaged_on_disk_is_found_when_it_is_read(store: BlobStore) -> None:
    store.add_bytes(CONTENT, sha256(CONTENT))
    path = store.path(sha256(CONTENT))
    path.chmod(0o644)
    path.write_bytes(CONTENT[:-1] + b"!")
    with pytest.raises(ImageError, match="not what its digest says"):
        store.read(sha256(CONTENT))


def test_an_interrupted_write_leaves_nothing(store: BlobStore) -> None:
    with pytest.raises(KeyboardInterrupt), store.writer() as writer:
        writer.write(CONTENT)
        raise KeyboardInterrupt
    assert tree(store.folder) == {}


@pytest.mark.parametrize("digest", ["", "sha256:", "sha256:../../etc/passwd", "md5:" + "0" * 64, "sha256:" + "G" * 64])
def test_a_digest_never_leads_out_of_the_store(store: BlobStore, digest: str) -> None:
    with pytest.raises(ImageError, match="not a digest"):
        store.path(digest)


def test_a_missing_blob_is_an_error(store: BlobStore) -> None:
    with pytest.raises(ImageError, match="missing"):
        store.open(sha256(CONTENT))


def test_a_verified_stream_passes_bytes_on_in_any_portion(store: BlobStore) -> None:
    with verified(io.BytesIO(CONTENT), sha256(CONTENT), "here") as stream:
        assert b"".join(iter(lambda: stream.read(13), b"")) == CONTENT
    with verified(io.BytesIO(b""), sha256(b""), "here") as stream:
        assert stream.read() == b""


def test_joined_blobs_are_those_of_the_store_first(store: BlobStore, tmp_path: Path) -> None:
    other = BlobStore(tmp_path / "other")
    other.add_bytes(CONTENT, sha256(CONTENT))
    joined = JoinedBlobs(store, other)
    with joined.open(sha256(CONTENT)) as stream:
        assert stream.read() == CONTENT
    assert local_file(joined, sha256(CONTENT), len(CONTENT)) == other.path(sha256(CONTENT))
    assert local_file(joined, sha256(CONTENT), 1) is None
    store.add_bytes(CONTENT, sha256(CONTENT))
    assert local_file(joined, sha256(CONTENT), len(CONTENT)) == store.path(sha256(CONTENT))


def _write_often(folder: str) -> None:
    store = BlobStore(Path(folder))
    for number in range(50):
        content = str(number).encode() * 10_000
        store.add(io.BytesIO(content), sha256(content), len(content))
        assert store.read(sha256(content)) == content


def test_several_processes_share_a_store(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        pool.map(_write_often, [str(tmp_path / "blobs")] * 3)
    assert len(tree(tmp_path / "blobs")) == 50


def _write_and_wait(folder: str, resumes: bool, ready: Connection) -> None:
    store = BlobStore(Path(folder))
    digest = sha256(CONTENT)
    with store.resumed(digest), store.resumed(digest) if resumes else store.writer() as writer:
        writer.write(CONTENT)
        ready.send(None)
        ready.recv()  # for ever


@pytest.mark.parametrize("resumes", [False, True])
def test_what_a_killed_writer_left_is_removed_by_the_next(store: BlobStore, resumes: bool) -> None:
    context = multiprocessing.get_context("spawn")
    ready, theirs = context.Pipe()
    process = context.Process(target=_write_and_wait, args=(str(store.folder), resumes, theirs))
    process.start()
    try:
        ready.recv()
        (left,) = store.folder.glob(".new.*")
        store.add_bytes(b"1", sha256(b"1"))
        assert (left / "blob").exists(), "its writer lives"
    finally:
        process.kill()
        process.join()
    assert (left / "blob").exists()
    store.add_bytes(b"2", sha256(b"2"))
    assert not list(store.folder.glob(".new.*"))


def test_a_blob_goes_on_where_the_last_attempt_ended(store: BlobStore) -> None:
    digest = sha256(CONTENT)
    with pytest.raises(KeyboardInterrupt), store.resumed(digest) as partial:
        partial.write(CONTENT[:10])
        raise KeyboardInterrupt
    assert store.size(digest) is None
    with store.resumed(digest) as partial:
        assert partial.size == 10
        assert partial.digest == sha256(CONTENT[:10])
        partial.write(CONTENT[10:])
    assert tree(store.folder) == {f"sha256/{digest[7:]}": CONTENT}


def test_a_resumed_blob_that_is_not_its_digest_is_not_kept(store: BlobStore) -> None:
    with pytest.raises(ImageError, match="not what its digest says"), store.resumed(sha256(CONTENT)) as partial:
        partial.write(b"evil")
    assert tree(store.folder) == {}


def test_an_attempt_that_brings_nothing_leaves_nothing(store: BlobStore) -> None:
    with pytest.raises(ZeroDivisionError), store.resumed(sha256(CONTENT)) as partial:
        partial.write(b"wrong")
        partial.restart()
        raise ZeroDivisionError
    assert tree(store.folder) == {}
    with store.resumed(sha256(b"")):
        pass
    assert store.read(sha256(b"")) == b""


def test_two_that_bring_the_same_blob_do_not_disturb_each_other(store: BlobStore) -> None:
    digest = sha256(CONTENT)
    with store.resumed(digest) as first:
        first.write(CONTENT[:5])
        with store.resumed(digest) as second:
            assert second.size == 0
            second.write(CONTENT)
        assert store.read(digest) == CONTENT
        first.write(CONTENT[5:])
    assert tree(store.folder) == {f"sha256/{digest[7:]}": CONTENT}
