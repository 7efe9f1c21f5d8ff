"""Blobs on their way: however they are cut, they are what they were."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.image.image import digest_of
from argosy.local_aws.images.store import ImageStore, RepositoryName
from argosy.local_aws.images.uploads import Uploads

HERE = RepositoryName("111122223333", "us-east-1", "iris")
ELSEWHERE = RepositoryName("111122223333", "us-east-1", "other")


@settings(max_examples=20, deadline=None)
@given(pieces=st.lists(st.binary(max_size=50), max_size=8))
def test_a_blob_is_what_its_pieces_are(pieces: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = ImageStore(Path(folder))
        uploads = Uploads(store, Path(folder))
        name = uploads.begin(HERE)
        upload = uploads.find(HERE, name)
        assert upload is not None
        for piece in pieces:
            upload.write(piece)
        whole = b"".join(pieces)
        assert (upload.size, upload.digest) == (len(whole), digest_of(whole))
        assert uploads.finish(name) == digest_of(whole)
        assert store.blobs.read(digest_of(whole)) == whole
        assert store.has_layer(HERE, digest_of(whole))
        assert not store.has_layer(ELSEWHERE, digest_of(whole))
        store.close()


def test_what_was_not_finished_leaves_nothing(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    uploads = Uploads(store, tmp_path)
    names = [uploads.begin(HERE) for _ in range(3)]
    assert uploads.find(ELSEWHERE, names[0]) is None
    uploads.discard(names[0])
    left = Uploads(store, tmp_path)  # as after a kill
    assert left.find(HERE, names[1]) is None
    assert list((tmp_path / "uploads").iterdir()) == []
    uploads.close()
    store.close()
