import json
from pathlib import Path

import pytest

from argosy.errors import ImageError
from argosy.image.blobs import BlobStore
from argosy.image.filesystem import read_filesystem
from argosy.image.image import DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, Image
from argosy.registry.conversion import convert_image
from argosy.registry.transports import Access, read_image, write_image
from tests.image.foreign import foreign_image, index_of
from tests.image.images import file, image, sha256, tree
from tests.registry.memory import MemoryRegistry

MIXED = [("gzip", [file("a", b"1")]), ("zstd", [file("b", b"2" * 5000)]), ("uncompressed", [file("c", b"3")])]


def place(memory: MemoryRegistry, name: str) -> str:
    return f"docker://{memory.url.removeprefix('http://')}/{name}"


def hold(memory: MemoryRegistry, made: Image, store: BlobStore, *, indexed: bool = False) -> None:
    """Put an image into the registry as somebody else has pushed it: `team/model:1`."""
    for blob in (*made.layers, made.config_descriptor):
        memory.blobs["team/model", blob.digest] = store.read(blob.digest)
    memory.manifests["team/model", made.digest] = (made.media_type, made.manifest_bytes)
    memory.manifests["team/model", "1"] = (made.media_type, made.manifest_bytes)
    if indexed:
        index = index_of(made)
        memory.manifests["team/model", "1"] = (OCI_INDEX, index)


def test_within_a_repository_only_what_changed_moves(memory: MemoryRegistry, access: Access, store: BlobStore) -> None:
    made = foreign_image(store, MIXED)
    hold(memory, made, store, indexed=True)
    found = convert_image(place(memory, "team/model:1"), place(memory, "team/model:1"), access)
    assert found.is_written
    assert len(found.changes) == 4
    kept, *remade = (layer.digest for layer in found.image.layers)
    fetched = {name for name in memory.sent("GET") if name.startswith("sha256:")}
    read_back = found.image.digest
    assert fetched == {
        made.digest,
        made.config_descriptor.digest,
        made.layers[1].digest,
        made.layers[2].digest,
        read_back,
    }
    sent = {key[1] for key in memory.blobs} - {blob.digest for blob in (*made.layers, made.config_descriptor)}
    assert sent == set(remade)
    assert kept == made.layers[0].digest
    assert memory.manifests["team/model", "1"] == (DOCKER_MANIFEST, found.image.manifest_bytes)
    assert read_filesystem(read_image(place(memory, "team/model:1"), access)).read("b") == b"2" * 5000


def test_to_another_repository_of_the_registry_gzip_layers_are_mounted(
    memory: MemoryRegistry, access: Access, store: BlobStore
) -> None:
    made = foreign_image(store, MIXED[:1])
    hold(memory, made, store)
    found = convert_image(place(memory, "team/model:1"), place(memory, "other/model:2"), access)
    assert made.layers[0].digest not in memory.sent("GET")
    assert ("other/model", made.layers[0].digest) in memory.blobs
    assert memory.manifests["other/model", "2"] == (DOCKER_MANIFEST, found.image.manifest_bytes)


@pytest.mark.parametrize("target", ["team/model:1", "team/model:latest"])
def test_what_is_right_is_left_alone(memory: MemoryRegistry, access: Access, store: BlobStore, target: str) -> None:
    made = image(store)
    hold(memory, made, store)
    memory.manifests["team/model", "latest"] = memory.manifests["team/model", "1"]
    found = convert_image(place(memory, "team/model:1"), place(memory, target), access)
    assert (found.is_written, found.changes, found.image.digest) == (False, (), made.digest)
    assert not memory.sent("PUT")
    assert not memory.sent("POST")


def test_a_new_tag_of_a_right_image_is_one_manifest(memory: MemoryRegistry, access: Access, store: BlobStore) -> None:
    hold(memory, image(store), store)
    found = convert_image(place(memory, "team/model:1"), place(memory, "team/model:2"), access)
    assert (found.is_written, found.changes) == (True, ())
    assert memory.sent("PUT") == ["2"]


def test_an_index_of_right_images_is_replaced_by_the_one(
    memory: MemoryRegistry, access: Access, store: BlobStore
) -> None:
    made = image(store)
    hold(memory, made, store, indexed=True)
    found = convert_image(place(memory, "team/model:1"), place(memory, "team/model:1"), access)
    assert found.is_written
    assert memory.manifests["team/model", "1"] == (DOCKER_MANIFEST, made.manifest_bytes)


def test_what_leaves_a_registry_is_verified(memory: MemoryRegistry, access: Access, store: BlobStore) -> None:
    wrong = {"rootfs": {"type": "layers", "diff_ids": ["sha256:" + "0" * 64]}}
    hold(memory, foreign_image(store, MIXED[:1], config=wrong), store)
    with pytest.raises(ImageError, match="diff ID"):
        convert_image(place(memory, "team/model:1"), f"oci:{access.cache_dir}/layout", access)
    assert not (access.cache_dir / "layout").exists()


def test_a_layout_is_converted_in_its_place(access: Access, store: BlobStore, tmp_path: Path) -> None:
    made = foreign_image(store, MIXED)
    folder = tmp_path / "layout"
    index = index_of(made)
    for content in (
        index,
        made.manifest_bytes,
        made.config_bytes,
        *(store.read(layer.digest) for layer in made.layers),
    ):
        BlobStore(folder / "blobs").add_bytes(content, sha256(content))
    entry = {"mediaType": OCI_INDEX, "digest": sha256(index), "size": len(index)}
    annotations = {"org.opencontainers.image.ref.name": "x"}
    listing = {"schemaVersion": 2, "manifests": [{**entry, "annotations": annotations}]}
    (folder / "index.json").write_text(json.dumps(listing))
    found = convert_image(f"oci:{folder}", f"oci:{folder}:x", access)
    assert found.changes[0].startswith("index of")
    stored = read_image(f"oci:{folder}:x", access)
    assert (stored.digest, stored.index_bytes) == (found.image.digest, None)
    before = tree(folder)
    again = convert_image(f"oci:{folder}:x", f"oci:{folder}:x", access)
    assert (again.is_written, tree(folder)) == (False, before)


@pytest.mark.parametrize("manifest_type", [OCI_MANIFEST, DOCKER_MANIFEST])
def test_an_image_of_another_platform_writes_nothing(
    access: Access, store: BlobStore, tmp_path: Path, manifest_type: str
) -> None:
    made = foreign_image(store, MIXED[:1], manifest_type, config={"architecture": "arm64"})
    write_image(made, f"oci:{tmp_path}/source:x", access)
    with pytest.raises(ImageError, match="another platform"):
        convert_image(f"oci:{tmp_path}/source:x", f"oci:{tmp_path}/target:x", access)
    assert not (tmp_path / "target").exists()
