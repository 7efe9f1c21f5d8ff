import json
from pathlib import Path

import pytest

from argosy.errors import ImageError
from argosy.image.blobs import BlobStore
from argosy.image.image import DOCKER_LAYER, DOCKER_MANIFEST, OCI_LAYER, OCI_LAYER_GZIP, OCI_MANIFEST, Image
from argosy.image.layer import Layer, LayerCache
from argosy.image.manifest import NamedLayer, Settings, assemble, with_gzip_layers
from tests.image.images import file, image, sha256

GOLDEN = Path(__file__).parent.parent / "golden"
ADDED = (
    NamedLayer("dependencies", Layer("sha256:" + "1" * 64, 11, "sha256:" + "a" * 64)),
    NamedLayer("predictor", Layer("sha256:" + "2" * 64, 22, "sha256:" + "b" * 64)),
)
STARTED = Settings(
    {"PATH": "/opt/venv/bin:/usr/bin", "ADDED": "1"},
    ["/opt/venv/bin/serve"],
    ["serve"],
    "/opt/program",
    8080,
    {"ours": "true"},
)
BASE_CONFIG = {
    "created": "2020-02-02T02:02:02Z",
    "author": "somebody",
    "config": {
        "Env": ["PATH=/usr/bin", "LANG=C.UTF-8"],
        "User": "nobody",
        "StopSignal": "SIGKILL",
        "Healthcheck": {"Test": ["CMD", "true"]},
        "Entrypoint": ["/bin/sh", "-c"],
        "Labels": {"theirs": "1"},
    },
}


def assembled(store: BlobStore, **base: str) -> Image:
    return assemble(image(store, [[file("a")]], config=BASE_CONFIG, **base), ADDED, STARTED, store)  # type: ignore[arg-type]  # only the types are passed on


@pytest.mark.parametrize(("name", "which"), [("image-config.json", "config"), ("image-manifest.json", "manifest")])
def test_the_bytes_do_not_move(store: BlobStore, name: str, which: str) -> None:
    made = assembled(store)
    content = made.config_bytes if which == "config" else made.manifest_bytes
    assert content.decode() + "\n" == (GOLDEN / name).read_text()


def test_an_oci_base_keeps_its_bytes_and_gets_dockers_names(store: BlobStore) -> None:
    ours = assembled(store)
    theirs = assembled(store, layer_type=OCI_LAYER_GZIP, manifest_type=OCI_MANIFEST)
    assert theirs.manifest_bytes == ours.manifest_bytes
    assert theirs.media_type == DOCKER_MANIFEST
    assert {layer.media_type for layer in theirs.layers} == {DOCKER_LAYER}


def test_only_environment_and_labels_of_the_base_stay(store: BlobStore) -> None:
    config = assembled(store).config
    assert config["config"] == {
        "Env": ["PATH=/opt/venv/bin:/usr/bin", "LANG=C.UTF-8", "ADDED=1"],
        "Entrypoint": ["/opt/venv/bin/serve"],
        "Cmd": ["serve"],
        "WorkingDir": "/opt/program",
        "ExposedPorts": {"8080/tcp": {}},
        "Labels": {"theirs": "1", "ours": "true"},
    }
    assert config["created"] == "1970-01-01T00:00:00Z"
    assert [entry["created_by"] for entry in config["history"]] == [
        "a test", "argosy: dependencies", "argosy: predictor"
    ]  # fmt: skip


def test_a_base_for_another_platform_is_refused(store: BlobStore) -> None:
    base_image = image(store, [[file("a")]], config={"architecture": "arm64"})
    with pytest.raises(ImageError, match=r"got linux/arm64"):
        assemble(base_image, ADDED, STARTED, store)


def test_a_zstd_base_is_refused_with_a_way_out(store: BlobStore) -> None:
    with pytest.raises(ImageError, match="not gzip'ed") as raised:
        assembled(store, layer_type=f"{OCI_LAYER}+zstd")
    assert "skopeo copy" in str(raised.value.hint)


def test_uncompressed_layers_are_compressed_once(store: BlobStore) -> None:
    cache = LayerCache(store.folder.parent)
    plain = image(store, [[file("a", b"x" * 1000)]], compressed=False, layer_type=OCI_LAYER)
    packed = with_gzip_layers(plain, cache)
    assert packed.layers[0].media_type == OCI_LAYER_GZIP
    assert packed.layers[0].size < plain.layers[0].size
    assert packed.diff_ids == plain.diff_ids
    stamp = store.path(packed.layers[0].digest).stat().st_mtime_ns
    assert with_gzip_layers(plain, cache).manifest_bytes == packed.manifest_bytes
    assert store.path(packed.layers[0].digest).stat().st_mtime_ns == stamp
    assert with_gzip_layers(packed, cache) is packed


def test_an_image_from_nothing_has_our_layers_only(store: BlobStore) -> None:
    made = assemble(None, ADDED, Settings({"PATH": "/bin"}, (), (), "", None, {}), store)
    assert made.config["config"] == {"Env": ["PATH=/bin"]}
    assert len(made.layers) == 2
    assert json.loads(made.manifest_bytes)["config"]["digest"] == sha256(made.config_bytes)
