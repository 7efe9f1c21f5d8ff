import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from argosy.serving.front import seam


def test_the_pinned_uvicorn_has_the_names_that_the_short_path_leans_on() -> None:
    assert seam.fits()


def test_a_uvicorn_without_one_of_them_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(HttpToolsProtocol, "_start_asgi_task")
    assert not seam.fits()


def test_a_uvicorn_that_keeps_its_state_elsewhere_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HttpToolsProtocol, "on_message_complete", lambda self: None)  # it alone names `more_body`
    assert not seam.fits()
