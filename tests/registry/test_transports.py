import os
from pathlib import Path

import pytest

from argosy import engine
from argosy.errors import EngineError, InvalidReferenceError
from argosy.image.blobs import BlobStore
from argosy.registry.transports import Access, read_image, write_image
from tests.image.images import image


@pytest.mark.parametrize("text", ["oci:{0}/layout:v1", "oci:{0}/layout", "docker-archive:{0}/image.tar:model:1"])
def test_an_image_is_the_same_after_any_way(access: Access, store: BlobStore, tmp_path: Path, text: str) -> None:
    made = image(store)
    assert write_image(made, text.format(tmp_path), access) == made.digest
    found = read_image(text.format(tmp_path), access)
    assert (found.config_bytes, found.layers) == (made.config_bytes, made.layers)


def test_what_is_no_reference_is_refused(access: Access, store: BlobStore) -> None:
    with pytest.raises(InvalidReferenceError):
        read_image("model", access)
    with pytest.raises(InvalidReferenceError, match="cannot be given an id"):
        write_image(image(store), "docker-daemon:sha256:" + "0" * 64, access)


@pytest.mark.engine
@pytest.mark.parametrize("program", ["docker", "podman"])
def test_the_local_engine_takes_and_gives_back(
    access: Access, store: BlobStore, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = engine.find(program, os.environ)
    monkeypatch.setattr(engine, "find", lambda _, __: found)
    made = image(store)
    name = f"argosy-test/{program}:{os.getpid()}"
    try:
        assert write_image(made, f"docker-daemon:{name}", access) == made.digest
        back = read_image(f"docker-daemon:{name}", access)
        assert back.diff_ids == made.diff_ids
        assert back.runtime["Env"] == made.runtime["Env"]
    finally:
        found.remove_image(name)
    with pytest.raises(EngineError):
        read_image(f"docker-daemon:{name}", access)
