from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import ImageError
from argosy.image.debian.lock import read_locked, write_locked
from argosy.image.debian.packages import Package

TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=126))
PACKAGES = st.lists(st.builds(Package, TEXTS, TEXTS, TEXTS, TEXTS, st.integers(0, 2**40)), max_size=3)
ONE = Package("a", "1", "https://here/a.deb", "sha256:0", 3)


@given(PACKAGES, PACKAGES)
def test_what_is_locked_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, one: list[Package], two: list[Package]
) -> None:
    path = tmp_path_factory.mktemp("lock") / "lock.toml"
    write_locked(path, "base", "x", one)
    write_locked(path, "system", "y", two)
    assert read_locked(path, "base", "x") == one
    assert read_locked(path, "system", "y") == two


def test_a_lock_made_from_something_else_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "lock.toml"
    assert read_locked(path, "base", "x") is None
    write_locked(path, "base", "x", [ONE])
    assert read_locked(path, "base", "other") is None
    assert read_locked(path, "system", "x") is None


@pytest.mark.parametrize("text", ["[", "base = 1", "[base]\ninputs = 'x'\npackages = [1]", "\udcff"])
def test_a_broken_lock_says_how_to_be_rid_of_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "lock.toml"
    path.write_text(text, errors="surrogateescape")
    with pytest.raises(ImageError, match="broken") as caught:
        read_locked(path, "base", "x")
    assert caught.value.hint == f"rm {path}"
