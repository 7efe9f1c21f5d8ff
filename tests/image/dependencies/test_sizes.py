"""Sizes asked of a server on loopback, when the index tells none."""

from pathlib import Path
from typing import Any

import pytest

from argosy.image.dependencies.inputs import LOCK_NAME
from argosy.image.dependencies.lock import lock
from argosy.image.dependencies.lock_file import LockedPackage, packages_of, read_table
from argosy.image.dependencies.resolver import Solution
from argosy.image.dependencies.sizes import add_sizes
from argosy.image.download import origin
from tests.image.conftest import Shop
from tests.image.web import Answer, Request, ignore, serving

WHEEL = "x-1-py3-none-any.whl"


def sized(url: str, *names: str, login: tuple[str, str] | None = None) -> list[dict[str, Any]]:
    """The wheels of one package after the server was asked."""
    wheels: list[dict[str, Any]] = [{"name": name, "url": f"{url}/{name}", "hashes": {}} for name in names or (WHEEL,)]
    add_sizes([{"name": "x", "wheels": wheels}], "3.11", {} if login is None else {origin(url): login})
    return wheels


def of_mine(shop: Shop) -> LockedPackage:
    found = lock(shop.project("mine\n"), "3.11", shop.environ, ignore)
    (mine,) = found.dependencies
    return mine


def test_the_lock_has_sizes_that_the_index_did_not_tell_and_nobody_is_asked_again(shop: Shop) -> None:
    shop.index.add("mine", "1.0")
    content = shop.index.files["mine"]["mine-1.0-py3-none-any.whl"]
    assert [wheel.size for wheel in of_mine(shop).wheels] == [len(content)]
    table = read_table(shop.root / LOCK_NAME)
    assert table is not None
    assert [list(wheel) for one in table["packages"] if one["name"] == "mine" for wheel in one["wheels"]] == [
        ["name", "url", "size", "hashes"]
    ]
    asked = len(shop.index.requests)
    assert [wheel.size for wheel in of_mine(shop).wheels] == [len(content)]
    assert len(shop.index.requests) == asked


def test_a_file_of_this_machine_has_its_size(tmp_path: Path) -> None:
    (tmp_path / WHEEL).write_bytes(b"four")
    wheel = {"url": (tmp_path / WHEEL).as_uri(), "hashes": {"sha256": "0" * 64}}
    solution = Solution([{"name": "x", "version": "1", "wheels": [wheel]}], tmp_path, frozenset())
    (made,) = packages_of(solution, {}, tmp_path)
    assert made["wheels"][0]["size"] == 4


def test_only_the_wheel_that_enters_the_image_is_asked_for() -> None:
    asked: list[tuple[str, str]] = []

    def answer(request: Request) -> Answer:
        asked.append((request.method, request.path))
        return Answer(200, b"12345")

    fits = "x-1-cp311-cp311-manylinux_2_17_x86_64.whl"
    with serving(answer) as url:
        wheels = sized(url, WHEEL, fits, "x-1-cp311-cp311-win_amd64.whl")
    assert [wheel.get("size") for wheel in wheels] == [None, 5, None]
    assert asked == [("HEAD", f"/{fits}")]


def test_the_login_of_an_index_is_sent_to_it() -> None:
    def answer(request: Request) -> Answer:
        is_known = request.headers.get("Authorization") == "Basic bWU6c2VjcmV0"
        return Answer(200, b"12345") if is_known else Answer(401)

    with serving(answer) as url:
        assert sized(url, login=("me", "secret"))[0]["size"] == 5
        assert "size" not in sized(url)[0]


def test_where_only_get_is_allowed_its_header_tells() -> None:
    with serving(lambda request: Answer(403) if request.method == "HEAD" else Answer(200, b"12345")) as url:
        assert sized(url)[0]["size"] == 5


@pytest.mark.parametrize(
    "answer",
    [
        Answer(404, b"nothing"),
        Answer(200, b""),
        Answer(200, b"12345", {"Content-Encoding": "gzip"}),
        Answer(302, b"", {"Location": "gopher://elsewhere/"}),
    ],
)
def test_a_server_that_does_not_tell_leaves_the_size_open(answer: Answer) -> None:
    with serving(lambda _: answer) as url:
        assert sized(url) == [{"name": WHEEL, "url": f"{url}/{WHEEL}", "hashes": {}}]
