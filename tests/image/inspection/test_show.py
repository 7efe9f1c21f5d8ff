import json
from typing import Any

import msgspec
import pytest

from argosy.errors import ImageError
from argosy.image.blobs import BlobStore
from argosy.image.image import Image
from argosy.image.inspection.settings import HIDDEN
from argosy.image.inspection.show import HiddenFile, ImageView, Weight, show
from argosy.image.inspection.text import WIDTH, image_text
from tests.image.foreign import foreign_image
from tests.image.images import file, image, link

SITE = "usr/lib/python3.11/site-packages"
LAYERS = [
    [
        file("usr/lib/big.so", b"b" * 9000),
        file("etc/secret", b"s" * 50),
        file(f"{SITE}/numpy/core.so", b"n" * 3000),
        file(f"{SITE}/numpy-2.4.dist-info/RECORD", b"numpy/core.so,,\n"),
        link("usr/lib/link.so", "usr/lib/big.so", b"1"),
    ],
    [file("usr/lib/big.so", b"c" * 100), file("etc/.wh.secret"), file("opt/model/weights", b"w" * 70_000)],
]
CONFIG: dict[str, Any] = {
    "config": {
        "Env": ["PATH=/bin", "API_KEY=hunter2", "EMPTY="],
        "Entrypoint": ["serve"],
        "User": "root",
        "Labels": {"a": "b", "token": "hunter2"},
    },
    "history": [
        {"created_by": "/bin/sh -c #(nop) ADD file:1 in / "},
        {"created_by": "ENV API_KEY=hunter2", "empty_layer": True},
        {"created_by": "RUN pip install --index https://me:hunter2@host # buildkit"},
    ],
}


def conceal(name: str, value: str) -> bool:
    return "hunter2" in value


@pytest.fixture
def view(store: BlobStore) -> ImageView:
    return show(image(store, LAYERS, config=CONFIG), conceal)


def test_layers_are_weighed(view: ImageView) -> None:
    low, high = view.layers
    assert (low.unpacked, low.files, high.files) == (12_066, 4, 3)
    assert [(weight.package.name, weight.size, weight.is_declared) for weight in low.packages] == [
        ("numpy", 3000, False)
    ]
    assert low.largest[:2] == (Weight("usr/lib/big.so", 9000), Weight(f"{SITE}/numpy/core.so", 3000))
    assert Weight(f"{SITE}/numpy", 3000) in low.folders or Weight("usr/lib", 12_016) in low.folders
    assert high.folders[0] == Weight("opt/model", 70_000)
    assert view.unpacked == low.unpacked + high.unpacked
    assert view.stored == sum(layer.stored for layer in view.layers)


def test_what_no_container_sees_is_told(view: ImageView) -> None:
    low, high = view.layers
    assert low.hidden == 50
    assert low.hidden_files == (HiddenFile("etc/secret", 50, None),)
    assert high.hidden == 0


def test_a_replaced_file_is_hidden_unless_a_hard_link_keeps_it(store: BlobStore) -> None:
    found = show(image(store, [LAYERS[0][:-1], LAYERS[1]]), conceal)
    assert found.layers[0].hidden_files[0] == HiddenFile("usr/lib/big.so", 9000, 1)


def test_secrets_are_in_no_answer(view: ImageView) -> None:
    assert view.settings["env API_KEY"] == view.settings["label token"] == HIDDEN
    assert view.settings["env PATH"] == "/bin"
    assert view.settings["env EMPTY"] == ""
    assert [layer.made_by for layer in view.layers] == ["ADD file:1 in /", HIDDEN]
    for text in (image_text(view), msgspec.json.encode(view).decode()):
        assert "hunter2" not in text


def test_the_text_keeps_to_80_columns_and_names_what_matters(view: ImageView) -> None:
    text = image_text(view)
    assert max(map(len, text.splitlines())) <= WIDTH
    for words in ("2 layers", "Python numpy 2.4", "/opt/model/weights", "deleted later", "ADD file:1", "entrypoint"):
        assert words in text
    assert "convert" not in text


def test_an_image_that_sagemaker_would_not_take_is_called_so(store: BlobStore) -> None:
    text = image_text(show(foreign_image(store, [("zstd", LAYERS[0])]), conceal))
    assert "argosy image convert" in text


@pytest.mark.parametrize("history", [None, [], "x", [{"created_by": 5}] * 3, [7]])
def test_a_history_of_other_layers_names_none(store: BlobStore, history: object) -> None:
    found = show(image(store, LAYERS, config={"history": history}), conceal)
    assert [layer.made_by for layer in found.layers] == ["", ""]


def test_a_long_path_is_cut_in_its_middle(store: BlobStore) -> None:
    found = show(image(store, [[file(f"{'d' * 90}/{'e' * 60}/end.so", b"x" * 10_000)]]), conceal)
    lines = [line for line in image_text(found).splitlines() if line.endswith("end.so")]
    assert lines
    assert all(len(line) <= WIDTH and "…" in line for line in lines)


def test_a_broken_image_is_an_error(store: BlobStore) -> None:
    made = image(store, LAYERS)
    config = json.loads(made.config_bytes)
    config["rootfs"]["diff_ids"][1] = "sha256:" + "0" * 64
    with pytest.raises(ImageError, match="diff ID"):
        show(Image(made.manifest_bytes, json.dumps(config).encode(), store), conceal)


def test_an_image_of_nothing_is_shown(store: BlobStore) -> None:
    assert "0 B unpacked" in image_text(show(image(store, [[]]), conceal))


def test_odd_names_and_values_neither_break_nor_steer_a_terminal(store: BlobStore) -> None:
    config = {"config": {"Env": ["A=\x1b[2J\ud800"], "ExposedPorts": 5, "Healthcheck": [], "Volumes": "x"}}
    found = show(image(store, [[file("\udcff\x1b[31m/x", b"x" * 900)]], config=config), conceal)
    text = image_text(found)
    assert "\x1b" not in text
    assert text.encode()
    assert msgspec.json.encode(found)
