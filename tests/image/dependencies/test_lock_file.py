import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import ResolutionError
from argosy.image.dependencies.lock import Changes
from argosy.image.dependencies.lock_file import locked, packages_of, read_table, versions_of, write
from argosy.image.dependencies.resolver import Solution

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SHA = "0" * 64


@given(TEXT, TEXT, st.lists(TEXT, max_size=3))
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, name: str, url: str, servers: list[str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "pylock.argosy.toml"
    packages = [{"name": name, "wheels": [{"url": url, "size": 3, "hashes": {"sha256": SHA}}] * 2}]
    write(path, packages, {"server": servers})
    table = read_table(path)
    assert table == {
        "lock-version": "1.0",
        "created-by": "argosy",
        "packages": packages,
        "tool": {"argosy": {"server": servers}},
    }


def packaged(tmp_path: Path, **package: object) -> dict[str, object]:
    solution = Solution([{"name": "x", "version": "1", **package}], tmp_path / "uv", frozenset())
    (made,) = packages_of(solution, {}, tmp_path / "project")
    return made


def test_a_lock_has_no_logins_and_no_absolute_paths(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project/x-1-py3-none-any.whl").write_bytes(b"x")
    entry = {"hashes": {"sha256": SHA}}
    for package in (
        {"wheels": [{"url": f"{(tmp_path / 'project').as_uri()}/x-1-py3-none-any.whl", **entry}]},
        {"archive": {"path": "../project/x-1-py3-none-any.whl", **entry}},
        {
            "index": "https://me:secret@h/simple",
            "wheels": [{"url": "https://me:secret@h/x-1-py3-none-any.whl", **entry}],
        },
    ):
        made = packaged(tmp_path, **package)
        assert "secret" not in str(made)
        assert str(tmp_path) not in str(made)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("packages = 1", "packages without names"),
        ("packages = [{}]", "packages without names"),
        ("tool = 1", "no table"),
        ("[tool]\nargosy = 1", "no table"),
    ],
)
def test_what_is_no_lock_is_an_error_that_says_how_to_go_on(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "l.toml").write_text(text)
    with pytest.raises(ResolutionError, match=said) as raised:
        read_table(tmp_path / "l.toml")
    assert raised.value.hint == f"rm {tmp_path}/l.toml"


@pytest.mark.parametrize(
    "entry",
    [
        "",
        'wheels = [{ url = "https://h/x-1-py3-none-any.whl" }]',
        f'wheels = [{{ url = "ftp://h/x", hashes = {{ sha256 = "{SHA}" }} }}]',
        f'sdist = {{ hashes = {{ sha256 = "{SHA}" }} }}',
    ],
)
def test_a_file_that_cannot_be_had_and_checked_is_an_error(tmp_path: Path, entry: str) -> None:
    with pytest.raises(ResolutionError, match="`x`"):
        locked(tomllib.loads(f'[[packages]]\nname = "x"\n{entry}'), tmp_path / "l.toml", fresh=False)


def test_changes_are_by_distribution() -> None:
    before = versions_of({"packages": [{"name": "a", "version": "1"}, {"name": "b", "version": "1"}, {"name": "d"}]})
    now = versions_of({"packages": [{"name": "b", "version": "2"}, {"name": "c", "version": "1"}, {"name": "d"}]})
    assert Changes.between(before, now) == Changes({"c": "1"}, {"a": "1"}, {"b": ("1", "2")})
    assert Changes.between(versions_of(None), {}) == Changes({}, {}, {})
