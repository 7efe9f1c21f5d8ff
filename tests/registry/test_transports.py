import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy import engine
from argosy.errors import EngineError, InvalidReferenceError
from argosy.image.blobs import BlobStore
from argosy.image.convert import convert
from argosy.image.filesystem import read_filesystem
from argosy.image.layer import LayerCache
from argosy.registry.transports import Access, read_image, write_image
from tests.image.foreign import foreign_image
from tests.image.images import Member, file, folder, image, link
from tests.image.web import serving
from tests.registry.memory import MemoryRegistry


@pytest.mark.parametrize("text", ["oci:{0}/layout:v1", "oci:{0}/layout", "docker-archive:{0}/image.tar:model:1"])
def test_an_image_is_the_same_after_any_way(access: Access, store: BlobStore, tmp_path: Path, text: str) -> None:
    made = image(store)
    assert write_image(made, text.format(tmp_path), access) == made.digest
    found = read_image(text.format(tmp_path), access)
    assert (found.config_bytes, found.layers) == (made.config_bytes, made.layers)


NAMES = st.sampled_from(["a", "b", "dir", "dir/c", "dir/.wh.c", ".wh.b", "dir/.wh..wh..opq", "ü" * 120])
MEMBERS = st.builds(file, NAMES, st.binary(max_size=3000), st.sampled_from([0o644, 0o755, 0o4755]))
LINKS = st.builds(link, st.sampled_from(["l", "dir/l"]), st.sampled_from(["a", "/dir/c", "../x"]))
LAYER = st.lists(MEMBERS | LINKS | st.just(folder("new", 0o700)), max_size=6)
LAYERS = st.lists(st.tuples(st.sampled_from(["gzip", "zstd", "uncompressed"]), LAYER), min_size=1, max_size=4)


@given(LAYERS)
@settings(max_examples=15, deadline=None)
def test_any_image_is_the_same_after_every_way(layers: list[tuple[str, list[Member]]]) -> None:
    """Converted, written and read through each transport, one after the other: the same image with the same files."""
    memory = MemoryRegistry()
    with tempfile.TemporaryDirectory() as place, serving(memory) as memory.url:
        access = Access(Path(place, "docker"), {}, Path(place, "cache"))
        given_image = foreign_image(BlobStore(Path(place, "source")), layers)
        files = list(read_filesystem(given_image))
        made = convert(given_image, LayerCache(access.cache_dir)).image
        found = made
        host = memory.url.removeprefix("http://")
        for number, text in enumerate(
            [f"oci:{place}/layout:x", f"docker-archive:{place}/image.tar:m", f"docker://{host}/m:1"]
        ):
            reader = Access(access.docker_config, {}, Path(place, f"cache-{number}"))
            assert write_image(found, text, access) == made.digest
            found = read_image(text, reader)
            assert (found.manifest_bytes, found.config_bytes) == (made.manifest_bytes, made.config_bytes)
            assert list(read_filesystem(found)) == files


def test_what_is_no_reference_is_refused(access: Access, store: BlobStore) -> None:
    with pytest.raises(InvalidReferenceError):
        read_image("model", access)
    with pytest.raises(InvalidReferenceError, match="cannot be given an id"):
        write_image(image(store), "docker-daemon:sha256:" + "0" * 64, access)


@pytest.mark.engine
@pytest.mark.parametrize(("transport", "program"), [("docker-daemon", "docker"), ("containers-storage", "podman")])
def test_the_local_engine_takes_and_gives_back(access: Access, store: BlobStore, transport: str, program: str) -> None:
    real = Access(access.docker_config, os.environ, access.cache_dir)
    made = image(store)
    name = f"argosy-test/{program}:{os.getpid()}"
    try:
        assert write_image(made, f"{transport}:{name}", real) == made.digest
        back = read_image(f"{transport}:{name}", real)
        assert back.config_bytes == made.config_bytes
        assert read_filesystem(back).resolve("usr/local/bin/python3") is not None
        assert read_image(f"{transport}:{made.config_descriptor.digest}", real).config_bytes == made.config_bytes
    finally:
        engine.find(program, os.environ).remove_image(name)
    with pytest.raises(EngineError):
        read_image(f"{transport}:{name}", real)
    assert not list(access.cache_dir.glob(".argosy-*"))


STAND_IN = """#!/bin/sh
case $1 in
  load) echo 'Loaded image: model:1' ;;
  image) echo '[{inspected}]' ;;
esac
"""


@pytest.mark.parametrize("wrong", [None, "layers", "Env"])
def test_what_an_engine_has_loaded_is_compared(
    access: Access, store: BlobStore, tmp_path: Path, wrong: str | None
) -> None:
    """An engine that knows images by another digest, as Docker with containerd's store does."""
    made = image(store)
    inspected = {
        "Id": "sha256:" + "0" * 64,
        "RootFS": {"Layers": list(made.diff_ids) if wrong != "layers" else []},
        "Config": {"Env": made.runtime["Env"] if wrong != "Env" else None, "Cmd": None, "Labels": {}},
    }
    program = tmp_path / "bin/podman"
    program.parent.mkdir()
    program.write_text(STAND_IN.format(inspected=json.dumps(inspected)))
    program.chmod(0o755)
    around = Access(access.docker_config, {"PATH": f"{program.parent}:{os.environ['PATH']}"}, access.cache_dir)
    if wrong is None:
        assert write_image(made, "containers-storage:model:1", around) == made.digest
    else:
        with pytest.raises(EngineError, match=rf"another image than it was given.*{wrong}"):
            write_image(made, "containers-storage:model:1", around)
