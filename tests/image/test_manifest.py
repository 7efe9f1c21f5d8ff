import json
from pathlib import Path

import pytest

from argosy.image.blobs import BlobStore
from argosy.image.image import Image
from argosy.image.layer import Layer
from argosy.image.manifest import NamedLayer, Settings, assemble
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


def test_an_image_from_nothing_has_our_layers_only(store: BlobStore) -> None:
    made = assemble(None, ADDED, Settings({"PATH": "/bin"}, (), (), "", None, {}), store)
    assert made.config["config"] == {"Env": ["PATH=/bin"]}
    assert len(made.layers) == 2
    assert json.loads(made.manifest_bytes)["config"]["digest"] == sha256(made.config_bytes)
