import doctest
import importlib.util
from collections.abc import Iterator

import pytest

from argosy.errors import LoadError
from argosy.media_type import MediaType
from argosy.serving import codecs
from argosy.serving.codecs import Codec
from argosy.serving.inputs.kind import InputKind
from tests.serving.codecs.bodies import find


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    codecs._registered.clear()
    codecs.find.cache_clear()


class Shouted(Codec):
    media_type = "text/x-shouted"

    def decode(self, body: bytes | memoryview, kind: InputKind, content_type: MediaType) -> object:
        return bytes(body).decode().lower()

    def encode(self, prediction: object) -> bytes | memoryview:
        return str(prediction).upper().encode()


def test_a_codec_of_ones_own_is_one_small_class() -> None:
    codecs.register(Shouted())
    assert find("text/x-shouted").encode("yes") == b"YES"
    assert codecs.names()[0] == codecs.writable()[0] == "text/x-shouted"
    assert "text/x-shouted" in codecs.readable(InputKind.ANY)
    assert "text/x-shouted" not in codecs.readable(InputKind.FRAME)


def test_a_codec_of_ones_own_takes_the_place_of_a_built_in_one() -> None:
    assert find("text/csv").media_type == "text/csv"

    class Semicolons(Shouted):
        media_type = "text/csv"

    codecs.register(Semicolons())
    assert isinstance(find("text/csv"), Semicolons)
    assert codecs.names().count("text/csv") == 1


def test_a_family_covers_what_has_no_codec_of_its_own() -> None:
    assert find("image/webp").media_type == "image/*"
    assert find("image/jpeg").media_type == "image/jpeg"
    assert codecs.find("audio/wav") is None
    assert codecs.covers(("image/*",), "image/webp")
    assert not codecs.covers(("image/png",), "image/webp")
    assert "image/*" not in codecs.writable()


@pytest.mark.parametrize("name", ["text", "*/*", "text/csv; a=b", ""])
def test_what_is_no_media_type_is_refused(name: str) -> None:
    codec = Shouted()
    codec.media_type = name
    with pytest.raises(LoadError, match="media type"):
        codecs.register(codec)


def test_what_is_no_codec_is_refused_with_what_it_lacks() -> None:
    class Half:
        media_type = "text/x-half"

    with pytest.raises(LoadError, match="`kinds`, `cells_are_text`, `decode`, `encode`") as refused:
        codecs.register(Half())  # type: ignore[arg-type] # that is the mistake
    assert "inherit" in (refused.value.hint or "")


def test_the_example_in_the_docstring_runs() -> None:
    assert doctest.testmod(codecs).failed == 0


def test_every_codec_says_what_it_is() -> None:
    for name in codecs.names():
        codec = find(name)
        assert codec.kinds
        assert isinstance(codec.cells_are_text, bool)
        assert all(name in codecs.readable(kind) for kind in codec.kinds)
    assert codecs.readable(InputKind.BYTES) == codecs.names()


def test_a_codec_appears_with_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    known = importlib.util.find_spec
    absent = ("numpy", "pyarrow", "PIL")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in absent else known(name))
    spec = known("argosy.serving.codecs")
    assert spec is not None
    assert spec.loader is not None
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    assert set(fresh.CODECS) == {
        "application/json",
        "text/csv",
        "application/jsonlines",
        "application/x-ndjson",
        "text/plain",
        "application/octet-stream",
        "multipart/form-data",
    }
