import bz2
import gzip
import io
import json
import lzma
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from argosy.errors import ImageError
from argosy.image.blobs import BlobStore
from argosy.image.filesystem import read_filesystem
from argosy.image.image import DOCKER_MANIFEST, OCI_INDEX, Image
from argosy.image.layer import LayerCache
from argosy.registry.archive import read_archive, write_archive
from tests.image.foreign import COMPRESS, foreign_image, index_of
from tests.image.images import file, image, sha256, tar, tree

LAYERS = [[file("a", b"1" * 1000)], [file("b", b"2")]]


@pytest.fixture
def cache(tmp_path: Path) -> LayerCache:
    return LayerCache(tmp_path / "cache")


def saved(path: Path, *, names: list[str] | None = None, damage: bytes = b"", links: bool = False) -> Path:
    """An archive as `docker save` writes it: plain tar layers, perhaps shared by links."""
    tars = [tar(layer) for layer in LAYERS]
    config = json.dumps({"rootfs": {"diff_ids": [sha256(content) for content in tars]}, "os": "linux"}).encode()
    listing = [{"Config": "config.json", "RepoTags": names, "Layers": ["0/layer.tar", "1/layer.tar"]}]
    with tarfile.open(path, "w") as archive:
        for number, content in enumerate(tars):
            _add(archive, f"{number}/{'real' if links else 'layer'}.tar", content + (damage if number else b""))
            if links:
                member = tarfile.TarInfo(f"{number}/layer.tar")
                member.type, member.linkname = tarfile.SYMTYPE, "real.tar"
                archive.addfile(member)
        _add(archive, "config.json", config)
        _add(archive, "manifest.json", json.dumps(listing).encode())
    return path


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def test_what_was_written_is_read(store: BlobStore, cache: LayerCache, tmp_path: Path) -> None:
    made = image(store, LAYERS)
    assert write_archive(made, tmp_path / "image.tar", "team/model:1") == made.digest
    found = read_archive(tmp_path / "image.tar", "team/model:1", cache)
    assert found.config_bytes == made.config_bytes
    assert found.layers == made.layers
    assert read_filesystem(found).read("b") == b"2"
    assert read_archive(tmp_path / "image.tar", None, cache).digest == found.digest


def test_the_same_image_is_the_same_archive(store: BlobStore, tmp_path: Path) -> None:
    made = image(store, LAYERS)
    for name in ("one", "two"):
        write_archive(made, tmp_path / name, "model")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def newer(
    path: Path, made: Image, store: BlobStore, *, listed: bool = True, folders: str = "", index: bytes = b""
) -> Path:
    """An archive as Docker 25 and newer write it: an OCI layout, and beside it what older ones read."""
    top = index or made.manifest_bytes
    entry = {"mediaType": OCI_INDEX if index else made.media_type, "digest": sha256(top), "size": len(top)}
    blobs = {top, made.manifest_bytes, made.config_bytes, *(store.read(layer.digest) for layer in made.layers)}
    named = {sha256(content): f"blobs/{sha256(content).replace(':', '/')}" for content in blobs}
    listing = [
        {
            "Config": named[made.config_descriptor.digest],
            "RepoTags": ["model:1"],
            "Layers": [named[layer.digest] for layer in made.layers],
        }
    ]
    with tarfile.open(path, "w") as archive:
        for content in sorted(blobs):
            _add(archive, folders + named[sha256(content)], content)
        _add(archive, f"{folders}index.json", json.dumps({"manifests": [entry]}).encode())
        if listed:
            _add(archive, f"{folders}manifest.json", json.dumps(listing).encode())
    return path


KINDS = ("gzip", "zstd", "uncompressed")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("folders", ["", "./"])
def test_what_newer_engines_save_is_read(
    store: BlobStore, cache: LayerCache, tmp_path: Path, kind: str, folders: str
) -> None:
    made = foreign_image(store, [(kind, layer) for layer in LAYERS])
    found = read_archive(newer(tmp_path / "image.tar", made, store, folders=folders), "model:1", cache)
    assert (found.media_type, found.config_bytes) == (DOCKER_MANIFEST, made.config_bytes)
    assert read_filesystem(found).read("a") == b"1" * 1000
    for layer in found.layers:
        with found.blobs.open(layer.digest) as stream:
            assert stream.read(2) == b"\x1f\x8b"


@pytest.mark.parametrize("kind", KINDS)
def test_a_packed_layout_is_read_as_it_is(store: BlobStore, cache: LayerCache, tmp_path: Path, kind: str) -> None:
    made = foreign_image(store, [(kind, layer) for layer in LAYERS])
    found = read_archive(newer(tmp_path / "one.tar", made, store, listed=False), None, cache)
    assert (found.manifest_bytes, found.index_bytes) == (made.manifest_bytes, None)
    index = index_of(made)
    found = read_archive(newer(tmp_path / "two.tar", made, store, listed=False, index=index), None, cache)
    assert (found.manifest_bytes, found.index_bytes) == (made.manifest_bytes, index)
    assert read_filesystem(found).read("b") == b"2"


@pytest.mark.parametrize("compress", [gzip.compress, COMPRESS["zstd"], bz2.compress, lzma.compress])
@pytest.mark.parametrize("listed", [False, True])
def test_a_compressed_archive_is_read(
    store: BlobStore, cache: LayerCache, tmp_path: Path, compress: Callable[[bytes], bytes], listed: bool
) -> None:
    plain = newer(tmp_path / "image.tar", image(store, LAYERS), store, listed=listed)
    (tmp_path / "packed").write_bytes(compress(plain.read_bytes()))
    found = read_archive(tmp_path / "packed", None, cache)
    assert found.layers == read_archive(plain, None, cache).layers
    packed = (tmp_path / "packed").read_bytes()
    (tmp_path / "cut").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(ImageError):
        read_archive(tmp_path / "cut", None, cache)


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_of_a_newer_archive_that_is_not_its_diff_id_is_an_error(
    store: BlobStore, cache: LayerCache, tmp_path: Path, kind: str
) -> None:
    wrong = {"rootfs": {"type": "layers", "diff_ids": ["sha256:" + "0" * 64]}}
    made = foreign_image(store, [(kind, LAYERS[0])], config=wrong)
    with pytest.raises(ImageError, match="diff ID"):
        read_archive(newer(tmp_path / "image.tar", made, store), None, cache)
    assert not list(cache.store.folder.rglob("*.new*"))


def test_a_damaged_blob_of_a_packed_layout_is_an_error(store: BlobStore, cache: LayerCache, tmp_path: Path) -> None:
    made = foreign_image(store, [("uncompressed", [file("a", b"unmistakable")])])
    path = newer(tmp_path / "image.tar", made, store, listed=False)
    path.write_bytes(path.read_bytes().replace(b"unmistakable", b"unmistakeable"[:12]))
    with pytest.raises(ImageError, match="not what its digest says"):
        read_archive(path, None, cache)


@pytest.mark.parametrize("links", [False, True])
def test_plain_layers_become_gzip_once(cache: LayerCache, tmp_path: Path, links: bool) -> None:
    found = read_archive(saved(tmp_path / "image.tar", links=links), None, cache)
    assert read_filesystem(found).read("a") == b"1" * 1000
    assert found.layers[0].size < 1000
    stamp = cache.store.path(found.layers[0].digest).stat().st_mtime_ns
    assert read_archive(tmp_path / "image.tar", None, cache).manifest_bytes == found.manifest_bytes
    assert cache.store.path(found.layers[0].digest).stat().st_mtime_ns == stamp


def test_the_name_chooses(cache: LayerCache, tmp_path: Path) -> None:
    path = saved(tmp_path / "image.tar", names=["docker.io/library/model:latest", "localhost/other:1"])
    for name in ("model", "model:latest", "docker.io/library/model:latest", "other:1"):
        assert len(read_archive(path, name, cache).layers) == 2
    with pytest.raises(ImageError, match="no such image"):
        read_archive(path, "model:2", cache)


def test_a_layer_that_is_not_its_diff_id_is_an_error(cache: LayerCache, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="diff ID"):
        read_archive(saved(tmp_path / "image.tar", damage=bytes(512)), None, cache)


@pytest.mark.parametrize("content", [b"", b"text", tar([file("x")]), tar([file("manifest.json", b"[]")]),
                                     tar([file("manifest.json", b'[{"Config": 1}]')])])  # fmt: skip
def test_what_is_no_archive_is_an_error(cache: LayerCache, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "image.tar").write_bytes(content)
    with pytest.raises(ImageError):
        read_archive(tmp_path / "image.tar", None, cache)
    with pytest.raises(ImageError, match="no such archive"):
        read_archive(tmp_path / "gone.tar", None, cache)


def test_a_write_that_fails_keeps_the_former_archive(store: BlobStore, tmp_path: Path) -> None:
    made = image(store, LAYERS)
    (tmp_path / "out").mkdir()
    write_archive(made, tmp_path / "out/image.tar", None)
    before = tree(tmp_path / "out")
    store.path(made.layers[1].digest).unlink()
    with pytest.raises(ImageError):
        write_archive(made, tmp_path / "out/image.tar", None)
    assert tree(tmp_path / "out") == before


@pytest.mark.parametrize("rootfs", [None, [], {}, {"diff_ids": None}, {"diff_ids": 5}])
@pytest.mark.parametrize("tags", [7, None, ["x"]])
def test_an_archive_with_odd_fields_is_an_error(
    cache: LayerCache, tmp_path: Path, rootfs: object, tags: object
) -> None:
    config = json.dumps({"rootfs": rootfs}).encode()
    listing = [{"Config": "config.json", "RepoTags": tags, "Layers": ["layer.tar"]}]
    members = [file("config.json", config), file("layer.tar"), file("manifest.json", json.dumps(listing).encode())]
    (tmp_path / "image.tar").write_bytes(tar(members))
    with pytest.raises(ImageError, match="0 diff IDs, 1 layers"):
        read_archive(tmp_path / "image.tar", None, cache)
    with pytest.raises(ImageError, match="no such image"):
        read_archive(tmp_path / "image.tar", "other", cache)
