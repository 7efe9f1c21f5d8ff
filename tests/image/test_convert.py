import json
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest

from argosy.errors import ImageError
from argosy.image.blobs import BlobStore
from argosy.image.convert import convert
from argosy.image.filesystem import read_filesystem
from argosy.image.image import (
    DOCKER_CONFIG,
    DOCKER_LAYER,
    DOCKER_MANIFEST,
    OCI_MANIFEST,
    Image,
    canonical_json,
)
from argosy.image.layer import LayerCache
from tests.image.foreign import foreign_image, index_of
from tests.image.images import file, image, sha256

MIXED = [("gzip", [file("a", b"1")]), ("zstd", [file("b", b"2" * 5000)]), ("uncompressed", [file("c", b"3" * 5000)])]


@pytest.fixture
def cache(tmp_path: Path) -> LayerCache:
    return LayerCache(tmp_path / "cache")


@pytest.mark.parametrize("manifest_type", [OCI_MANIFEST, DOCKER_MANIFEST])
@pytest.mark.parametrize("trusting", [False, True])
def test_any_image_becomes_schema_2_with_gzip_layers(
    store: BlobStore, cache: LayerCache, manifest_type: str, trusting: bool
) -> None:
    made = foreign_image(store, MIXED, manifest_type, annotations={"a": "b"})
    found = convert(made, cache, trusting=trusting)
    assert json.loads(found.image.manifest_bytes).keys() == {"schemaVersion", "mediaType", "config", "layers"}
    assert found.image.media_type == DOCKER_MANIFEST
    assert found.image.config_descriptor.media_type == DOCKER_CONFIG
    assert {layer.media_type for layer in found.image.layers} == {DOCKER_LAYER}
    assert found.image.config_bytes == made.config_bytes
    assert found.image.layers[0].digest == made.layers[0].digest
    files = read_filesystem(found.image)
    assert (files.read("a"), files.read("b"), files.read("c")) == (b"1", b"2" * 5000, b"3" * 5000)
    for layer in found.image.layers:
        with found.image.blobs.open(layer.digest) as stream:
            assert stream.read(2) == b"\x1f\x8b"
    assert len(found.changes) == 3
    assert "annotations" in found.changes[0]
    assert [change.partition(",")[0] for change in found.changes[1:]] == ["layer 1: zstd", "layer 2: uncompressed"]


def test_what_is_right_is_not_touched(store: BlobStore, cache: LayerCache) -> None:
    made = image(store)
    found = convert(made, cache)
    assert found.image is made
    assert found.changes == ()
    converted = convert(foreign_image(store, MIXED), cache).image
    assert convert(converted, cache).changes == ()


def test_an_index_is_told(store: BlobStore, cache: LayerCache) -> None:
    made = image(store)
    found = convert(replace(made, index_bytes=index_of(made)), cache)
    assert found.image.manifest_bytes == made.manifest_bytes
    assert found.changes == ("index of linux/arm64/v8, linux/amd64, 1 attestation -> the linux/amd64 image alone",)


def test_a_layer_is_compressed_once(store: BlobStore, cache: LayerCache) -> None:
    made = foreign_image(store, MIXED)
    digest = convert(made, cache, trusting=True).image.digest
    for layer in made.layers:
        store.remove(layer.digest)
    assert convert(made, cache, trusting=True).image.digest == digest


def test_trusted_layers_are_not_read(store: BlobStore, cache: LayerCache) -> None:
    class Unreadable:
        def open(self, digest: str) -> BinaryIO:
            raise AssertionError(f"{digest} was read")

    made = foreign_image(store, MIXED[:1])
    assert convert(replace(made, blobs=Unreadable()), cache, trusting=True).image.media_type == DOCKER_MANIFEST


def test_the_bytes_say_what_a_layer_is_when_its_media_type_is_wrong(store: BlobStore, cache: LayerCache) -> None:
    made = foreign_image(store, [("zstd", [file("a", b"1")])])
    lying = Image(made.manifest_bytes.replace(b"tar+zstd", b"tar+gzip"), made.config_bytes, store)
    found = convert(lying, cache)
    assert "layer 0: zstd" in found.changes[1]
    assert found.image.layers == convert(made, cache).image.layers


@pytest.mark.parametrize("kind", ["gzip", "zstd", "uncompressed"])
def test_a_layer_that_is_not_its_diff_id_is_an_error(store: BlobStore, cache: LayerCache, kind: str) -> None:
    wrong = {"rootfs": {"type": "layers", "diff_ids": ["sha256:" + "0" * 64]}}
    with pytest.raises(ImageError, match="diff ID"):
        convert(foreign_image(store, [(kind, [file("a")])], config=wrong), cache)
    assert not list((cache.store.folder.parent / "layers").glob("*"))


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_a_broken_layer_is_an_error(store: BlobStore, cache: LayerCache, kind: str) -> None:
    made = foreign_image(store, [(kind, [file("a", bytes(range(256)) * 50)])])
    content = store.read(made.layers[0].digest)[:-20]
    store.add_bytes(content, sha256(content))
    manifest = made.manifest_bytes.replace(made.layers[0].digest.encode(), sha256(content).encode())
    with pytest.raises(ImageError, match=r"broken|diff ID"):
        convert(Image(manifest, made.config_bytes, store), cache)


@pytest.mark.parametrize(
    ("media_type", "said"),
    [
        ("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "may not be distributed"),
        ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "may not be distributed"),
        ("application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "not a layer of a container image"),
        ("text/plain", "not a layer of a container image"),
    ],
)
def test_layers_that_are_no_layers_are_errors(store: BlobStore, cache: LayerCache, media_type: str, said: str) -> None:
    made = foreign_image(store, MIXED[:1])
    manifest = json.loads(made.manifest_bytes)
    manifest["layers"][0]["mediaType"] = media_type
    with pytest.raises(ImageError, match=said) as raised:
        convert(Image(canonical_json(manifest), made.config_bytes, store), cache)
    assert media_type in str(raised.value)


@pytest.mark.parametrize("config", [{"architecture": "arm64"}, {"os": "windows"}])
def test_another_platform_is_an_error(store: BlobStore, cache: LayerCache, config: dict[str, str]) -> None:
    with pytest.raises(ImageError, match="another platform"):
        convert(foreign_image(store, MIXED, config=config), cache)


def test_an_artifact_is_an_error(store: BlobStore, cache: LayerCache) -> None:
    made = foreign_image(store, MIXED)
    manifest = made.manifest_bytes.replace(b"image.config.v1+json", b"empty.v1+json")
    with pytest.raises(ImageError, match="no container image"):
        convert(Image(manifest, made.config_bytes, store), cache)
