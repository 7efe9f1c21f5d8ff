import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import IO

import pytest

from argosy.errors import ArchiveError, ImageError
from argosy.image.dependencies.wheels import WheelFile
from argosy.image.layer import LayerCache, Member, from_bytes
from argosy.image.layers.making import Examination, LayerReport, Recipe, make_layers


class Kitchen:
    """A cache, and what was told."""

    def __init__(self, cache_dir: Path) -> None:
        self.cache = LayerCache(cache_dir)
        self.cache_dir = cache_dir
        self.fetched: list[WheelFile] = []
        self.reports: list[LayerReport] = []
        self.said: list[str] = []
        self.checked: list[tuple[str, str | None]] = []

    def make(self, *recipes: Recipe) -> list[str]:
        made = make_layers(
            recipes, self.cache, self.fetched.extend, Examination(self.check), self.reports.append, self.said.append
        )
        return [layer.name for layer in made]

    def check(self, name: str, key: str | None, members: Callable[[], Sequence[Member]]) -> None:
        is_known = (name, key) in self.checked and key is not None
        self.checked.append((name, key))
        if not is_known and any(member.path == "secret" for member in members()):
            raise ImageError("a secret")

    def files(self) -> list[Path]:
        return [path for path in self.cache_dir.rglob("*") if path.is_file()]


@pytest.fixture
def kitchen(tmp_path: Path) -> Kitchen:
    return Kitchen(tmp_path / "cache")


def recipe(name: str, members: Callable[[], Sequence[Member]] | None = None, key: str | None = "") -> Recipe:
    def made(opened: ExitStack, notes: list[str]) -> Sequence[Member]:
        notes.append(f"note of {name}")
        return [from_bytes(name, name.encode())] if members is None else members()

    wheel = WheelFile(name, "1", f"{name}-1-py3-none-any.whl", "https://x", "sha256:" + "0" * 64, None)
    return Recipe(name, name if key == "" else key, name, made, (wheel,))


def test_layers_are_told_in_their_order_whichever_is_made_first(kitchen: Kitchen) -> None:
    is_last_made = threading.Event()

    def first() -> Sequence[Member]:
        assert is_last_made.wait(30), "the others are made meanwhile"
        return [from_bytes("a", b"a")]

    def last() -> Sequence[Member]:
        is_last_made.set()
        return [from_bytes("b", b"b")]

    pool_of_one = kitchen.make(recipe("warm"))  # so that the two below are all that is missing
    assert pool_of_one == ["warm"]
    assert kitchen.make(recipe("warm"), recipe("a", first), recipe("b", last)) == ["warm", "a", "b"]
    assert [report.name for report in kitchen.reports] == ["warm", "warm", "a", "b"]
    assert [report.cached for report in kitchen.reports] == [False, True, False, False]


def test_notes_are_told_again_and_only_what_is_missing_is_fetched(kitchen: Kitchen) -> None:
    kitchen.make(recipe("a"))
    kitchen.make(recipe("a"), recipe("b"), recipe("c", key=None))
    kitchen.make(recipe("b"), recipe("c", key=None))
    assert kitchen.said == [f"note of {name}" for name in ("a", "a", "b", "c", "b", "c")]
    assert [wheel.distribution for wheel in kitchen.fetched] == ["a", "b", "c", "c"]


def test_what_is_refused_is_never_written_and_a_layer_of_the_cache_is_checked_again(kitchen: Kitchen) -> None:
    with pytest.raises(ImageError, match="a secret"):
        kitchen.make(recipe("a", lambda: [from_bytes("secret", b"x")]))
    assert kitchen.files() == []
    kitchen.make(recipe("a"))
    kitchen.make(recipe("a"))
    assert kitchen.checked == [("a", "a")] * 3


class Endless:
    """A file that never ends by itself, and says when it is read."""

    def __init__(self, is_read: threading.Event) -> None:
        self.is_read = is_read

    def read(self, size: int = -1) -> bytes:
        self.is_read.set()
        return bytes(max(size, 1))

    def __enter__(self) -> "Endless":
        return self

    def __exit__(self, *ended: object) -> None: ...


def test_a_failure_stops_the_others_and_nothing_half_made_stays(kitchen: Kitchen) -> None:
    is_read = threading.Event()

    def failing() -> Sequence[Member]:
        assert is_read.wait(30)
        raise ImageError("a wheel is broken")

    def endless() -> Sequence[Member]:
        opened: Callable[[], IO[bytes]] = lambda: Endless(is_read)  # type: ignore[assignment,return-value]  # noqa: E731
        return [Member("endless", 0o644, 1 << 50, opened)]

    with pytest.raises(ImageError, match="a wheel is broken"):
        kitchen.make(recipe("failing", failing), recipe("endless", endless))
    assert kitchen.files() == []
    assert kitchen.reports == []


def test_what_changed_while_it_was_read_is_an_error_and_not_remembered(kitchen: Kitchen) -> None:
    changed = replace(recipe("a"), is_unchanged=lambda: False)
    with pytest.raises(ArchiveError, match="layer `a` changed while they were read"):
        kitchen.make(changed)
    kitchen.make(recipe("a"))
    assert [report.cached for report in kitchen.reports] == [False]
