import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from argosy.errors import DamagedCacheError, ImageError
from argosy.image.blobs import BlobStore
from argosy.image.image import DOCKER_MANIFEST, OCI_INDEX, Image, canonical_json
from argosy.registry.layout import VerifiedBlobs, read_layout, write_layout
from tests.image.foreign import index_of
from tests.image.images import file, image, sha256, tree


def test_what_was_written_is_read(store: BlobStore, tmp_path: Path) -> None:
    made = image(store, [[file("a", b"1")], [file("b", b"2")]])
    assert write_layout(made, tmp_path / "layout", "latest") == made.digest
    found = read_layout(tmp_path / "layout", "latest")
    assert (found.manifest_bytes, found.config_bytes) == (made.manifest_bytes, made.config_bytes)
    assert read_layout(tmp_path / "layout", None).digest == made.digest
    with found.blobs.open(found.layers[1].digest) as stream:
        assert sha256(stream.read()) == made.layers[1].digest


def test_it_is_a_layout_as_others_know_it(store: BlobStore, tmp_path: Path) -> None:
    made = image(store)
    write_layout(made, tmp_path / "layout", "v1")
    assert json.loads((tmp_path / "layout/oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    (entry,) = json.loads((tmp_path / "layout/index.json").read_bytes())["manifests"]
    assert entry["mediaType"] == DOCKER_MANIFEST
    assert entry["annotations"] == {"org.opencontainers.image.ref.name": "v1"}
    for path, content in tree(tmp_path / "layout/blobs/sha256").items():
        assert isinstance(content, bytes)
        assert sha256(content) == f"sha256:{path}"


def test_other_tags_stay_and_the_same_tag_moves(store: BlobStore, tmp_path: Path) -> None:
    one, two = image(store, [[file("1")]]), image(store, [[file("2")]])
    write_layout(one, tmp_path / "layout", "a")
    write_layout(one, tmp_path / "layout", "b")
    write_layout(two, tmp_path / "layout", "b")
    assert read_layout(tmp_path / "layout", "a").digest == one.digest
    assert read_layout(tmp_path / "layout", "b").digest == two.digest
    for tag in (None, "c"):
        with pytest.raises(ImageError, match=r'"a", "b"'):
            read_layout(tmp_path / "layout", tag)


def test_a_layout_with_an_index_gives_the_amd64_image(store: BlobStore, tmp_path: Path) -> None:
    made = image(store)
    write_layout(made, tmp_path / "layout", "x")
    platform = {"os": "linux", "architecture": "amd64"}
    index = canonical_json(
        {"manifests": [{"mediaType": DOCKER_MANIFEST, "digest": made.digest, "size": 1, "platform": platform}]}
    )
    BlobStore(tmp_path / "layout/blobs").add_bytes(index, sha256(index))
    entry = {"mediaType": OCI_INDEX, "digest": sha256(index), "size": len(index)}
    (tmp_path / "layout/index.json").write_bytes(canonical_json({"manifests": [entry]}))
    found = read_layout(tmp_path / "layout", None)
    assert (found.digest, found.index_bytes) == (made.digest, index)


def test_a_layout_that_is_itself_an_index_of_platforms_gives_the_amd64_image(store: BlobStore, tmp_path: Path) -> None:
    made = image(store)
    write_layout(made, tmp_path / "layout", "x")
    (tmp_path / "layout/index.json").write_bytes(index_of(made))
    found = read_layout(tmp_path / "layout", None)
    assert found.digest == made.digest
    assert found.index_bytes is not None
    with pytest.raises(ImageError, match="no such image"):
        read_layout(tmp_path / "layout", "x")


def test_an_index_in_an_index_is_followed(store: BlobStore, tmp_path: Path) -> None:
    made = image(store)
    write_layout(made, tmp_path / "layout", "x")
    inner = index_of(made)
    outer = canonical_json({"manifests": [{"mediaType": OCI_INDEX, "digest": sha256(inner), "size": len(inner)}]})
    for content in (inner, outer):
        BlobStore(tmp_path / "layout/blobs").add_bytes(content, sha256(content))
    entry = {"mediaType": OCI_INDEX, "digest": sha256(outer), "size": len(outer)}
    (tmp_path / "layout/index.json").write_bytes(canonical_json({"manifests": [entry]}))
    found = read_layout(tmp_path / "layout", None)
    assert (found.digest, found.index_bytes) == (made.digest, outer)


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"{",
        b"[]",
        b'{"manifests": []}',
        b'{"manifests": [{"digest": "x"}]}',
        b'{"manifests": null}',
        b'{"manifests": 5}',
        b'{"manifests": [5]}',
        b'{"manifests": [{"annotations": []}]}',
        b'{"manifests": [{}, {"annotations": [1]}]}',
    ],
)
def test_what_is_no_layout_is_an_error(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "index.json").write_bytes(content)
    with pytest.raises(ImageError):
        read_layout(tmp_path, None)


def test_a_write_that_fails_names_no_image(store: BlobStore, tmp_path: Path) -> None:
    made = image(store, [[file("a")], [file("b")]])
    store.path(made.layers[1].digest).unlink()
    with pytest.raises(ImageError, match="missing"):
        write_layout(made, tmp_path / "layout", "x")
    assert not (tmp_path / "layout/index.json").exists()
    with pytest.raises(ImageError, match="not an OCI layout"):
        read_layout(tmp_path / "layout", "x")


def test_a_damaged_blob_is_found_when_it_is_read(store: BlobStore, tmp_path: Path) -> None:
    made = image(store)
    write_layout(Image(made.manifest_bytes, made.config_bytes, _Streamed(store)), tmp_path / "layout", "x")
    path = BlobStore(tmp_path / "layout/blobs").path(made.config_descriptor.digest)
    path.chmod(0o644)
    path.write_bytes(b"{}")
    with pytest.raises(ImageError, match="not what its digest says"):
        read_layout(tmp_path / "layout", "x")


class _Streamed:
    """Blobs that cannot be linked."""

    def __init__(self, store: BlobStore) -> None:
        self.open = store.open


def damage(path: Path) -> None:
    """Change a file's bytes, not its length."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)


@pytest.mark.parametrize("streamed", [False, True])
def test_a_damaged_blob_never_enters_a_layout(store: BlobStore, tmp_path: Path, streamed: bool) -> None:
    made = image(store)
    damage(store.path(made.layers[0].digest))
    given = Image(made.manifest_bytes, made.config_bytes, _Streamed(store)) if streamed else made
    with pytest.raises(ImageError, match="not what its digest says"):
        write_layout(given, tmp_path / "layout", "x")
    assert not (tmp_path / "layout/index.json").exists()


def test_a_damaged_blob_of_the_layout_is_written_again(store: BlobStore, tmp_path: Path) -> None:
    made = image(store)
    spare = image(BlobStore(tmp_path / "spare"))
    write_layout(made, tmp_path / "layout", "x")
    for digest in (made.layers[0].digest, made.config_descriptor.digest):
        damage(BlobStore(tmp_path / "layout/blobs").path(digest))
    write_layout(spare, tmp_path / "layout", "x")
    found = read_layout(tmp_path / "layout", "x")
    with found.blobs.open(found.layers[0].digest) as stream:
        assert sha256(stream.read()) == made.layers[0].digest


class _Counting(BlobStore):
    """Counts the blobs that are read as a whole."""

    read_whole = 0

    def is_whole(self, digest: str, size: int | None = None) -> bool:
        self.read_whole += 1
        return super().is_whole(digest, size)


def later() -> int:
    """A time at which what is written now has long been written."""
    return time.time_ns() + 10**10


def test_a_blob_that_did_not_change_is_read_once(store: BlobStore, tmp_path: Path) -> None:
    made = image(store)
    write_layout(made, tmp_path / "layout", "x")
    blobs = _Counting(tmp_path / "layout/blobs")
    known = VerifiedBlobs(tmp_path / "cache", later)
    assert all(known.is_whole(blobs, made.layers[0]) for _ in range(3))
    assert blobs.read_whole == 1
    wrong = replace(made.layers[0], size=made.layers[0].size + 1)
    assert not known.is_whole(blobs, wrong)
    next((tmp_path / "cache/verified").iterdir()).write_text("{")
    assert known.is_whole(blobs, made.layers[0])
    assert blobs.read_whole == 3


def test_a_blob_that_changed_just_now_is_read_again(store: BlobStore, tmp_path: Path) -> None:
    made = image(store)
    write_layout(made, tmp_path / "layout", "x")
    blobs = _Counting(tmp_path / "layout/blobs")
    changed = blobs.path(made.layers[0].digest).stat().st_ctime_ns
    known = VerifiedBlobs(tmp_path / "cache", lambda: changed + 10**9)
    assert all(known.is_whole(blobs, made.layers[0]) for _ in range(3))
    assert blobs.read_whole == 3


def test_damage_is_noticed_in_a_blob_that_was_verified(store: BlobStore, tmp_path: Path) -> None:
    made = image(store)
    spare = image(BlobStore(tmp_path / "spare"))
    known = VerifiedBlobs(tmp_path / "cache", later)
    for _ in range(2):
        write_layout(made, tmp_path / "layout", "x", known)
    assert list((tmp_path / "cache/verified").iterdir())
    path = BlobStore(tmp_path / "layout/blobs").path(made.layers[0].digest)
    before = path.stat()
    damage(path)
    path.chmod(before.st_mode)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    write_layout(spare, tmp_path / "layout", "x", known)
    assert sha256(path.read_bytes()) == made.layers[0].digest


def test_a_damaged_blob_of_a_cache_is_removed(tmp_path: Path) -> None:
    cache = BlobStore(tmp_path / "cache", is_cache=True)
    for given in ("linked", "read"):
        made = image(cache)
        path = cache.path(made.layers[0].digest)
        damage(path)
        with pytest.raises(DamagedCacheError):
            if given == "linked":
                write_layout(made, tmp_path / "layout", "x")
            else:
                cache.read(made.layers[0].digest)
        assert not path.exists()


@pytest.mark.parametrize("entry", [{"annotations": []}, {"annotations": None}, 5])
def test_odd_neighbours_in_an_index_do_not_matter(store: BlobStore, tmp_path: Path, entry: object) -> None:
    made = image(store)
    write_layout(made, tmp_path / "layout", "x")
    index = json.loads((tmp_path / "layout/index.json").read_bytes())
    index["manifests"].append(entry)
    (tmp_path / "layout/index.json").write_bytes(canonical_json(index))
    assert read_layout(tmp_path / "layout", "x").digest == made.digest
    write_layout(made, tmp_path / "layout", "y")
    assert read_layout(tmp_path / "layout", "y").digest == made.digest
