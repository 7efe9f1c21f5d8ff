import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from argosy.serving.front import seam


def test_the_pinned_uvicorn_has_the_names_that_the_short_path_leans_on() -> None:
    assert seam.fits()


def test_a_uvicorn_without_one_of_them_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(HttpToolsProtocol, "_start_asgi_task")
    assert not seam.fits()
