import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from argosy.image.blobs import BlobStore
from argosy.registry.layout import read_layout, write_layout
from tests.image.foreign import foreign_image
from tests.image.images import file, tree

CONFIG = {"config": {"Env": ["API_TOKEN=swordfish", "PLAIN=1"], "Labels": {"url": "https://me:swordfish@host/"}},
          "history": [{"created_by": "RUN PASSWORD=swordfish make"}]}  # fmt: skip


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    """A foreign image: OCI's formats, a zstd layer, secrets in its config."""
    made = foreign_image(
        BlobStore(tmp_path / "blobs"), [("zstd", [file("opt/model/weights", b"w" * 5000)])], config=CONFIG
    )
    write_layout(made, tmp_path / "layout", "x")
    return tmp_path / "layout"


def argosy(layout: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "ARGOSY_CACHE_DIR": str(layout.parent / "cache")}
    command = [sys.executable, "-m", "argosy", "image", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environ)


def test_convert_says_what_it_changed_and_prints_the_digest(layout: Path) -> None:
    done = argosy(layout, "convert", f"oci:{layout}:x", f"oci:{layout}:fixed")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{read_layout(layout, 'fixed').digest}\n"
    assert "layer 0: zstd" in done.stderr
    assert done.stderr.endswith(f"wrote oci:{layout}:fixed\n")
    before = tree(layout)
    again = argosy(layout, "convert", f"oci:{layout}:fixed", f"oci:{layout}:fixed")
    assert (again.returncode, again.stdout) == (0, done.stdout)
    assert "nothing to do" in again.stderr
    assert tree(layout) == before


def test_show_is_text_or_json_and_never_a_secret(layout: Path) -> None:
    text = argosy(layout, "show", f"oci:{layout}:x")
    assert text.returncode == 0, text.stderr
    assert "/opt/model/weights" in text.stdout
    assert "PLAIN=1" in text.stdout
    found = argosy(layout, "show", f"oci:{layout}:x", "--json")
    assert json.loads(found.stdout)["layers"][0]["unpacked"] == 5000
    for done in (text, found):
        assert "swordfish" not in done.stdout + done.stderr
        assert "hidden" in done.stdout


def test_diff_of_the_same_image_stored_twice_is_none(layout: Path) -> None:
    argosy(layout, "convert", f"oci:{layout}:x", f"oci:{layout}:fixed")
    done = argosy(layout, "diff", f"oci:{layout}:x", f"oci:{layout}:fixed", "--exit-code")
    assert (done.returncode, done.stdout) == (0, "no difference: they are only stored differently\n")


@pytest.mark.parametrize(("options", "code"), [((), 0), (("--exit-code",), 1), (("--exit-code", "--json"), 1)])
def test_a_difference_is_an_exit_code_on_demand(layout: Path, options: tuple[str, ...], code: int) -> None:
    other = foreign_image(BlobStore(layout.parent / "blobs"), [("gzip", [file("opt/model/weights", b"v" * 5000)])])
    write_layout(other, layout, "y")
    done = argosy(layout, "diff", f"oci:{layout}:x", f"oci:{layout}:y", *options)
    assert done.returncode == code, done.stderr
    assert "opt/model/weights" in done.stdout
    assert "swordfish" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("show", "layout"), 2, "not a reference to an image"),
        (("show", "oci:nowhere"), 1, "not an OCI layout"),
        (("convert", "oci:{0}:x", "docker-daemon:sha256:" + "0" * 64), 2, "cannot be given an id"),
        (("convert", "oci:{0}:gone", "oci:{0}:y"), 1, "no such image"),
        (("diff", "oci:{0}:x"), 2, "Missing argument"),
    ],
)
def test_an_error_is_a_sentence_and_a_code(layout: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    done = argosy(layout, *(argument.format(layout) for argument in arguments))
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
