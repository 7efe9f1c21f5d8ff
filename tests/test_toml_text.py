import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import ProjectError
from argosy.toml_text import line_of, with_listed

NAMES = st.lists(st.from_regex(r"[a-z0-9][a-z0-9+.-]{1,8}", fullmatch=True))
TEXTS = [
    "",
    "[model]\npredictor = 'a:B'  # why",
    "[image]\n",
    "[image]\nbase = 'debian'\n[serving]\nworkers = 2\n",
    "[image]\nsystem_packages = ['a']\npython = '3.11'\n",
    "[image]\nsystem_packages = [ # some\n  'a]b',\n  \"c\",  # ] not the end\n]\npython = '3.11'\n",
    "[other]\nsystem_packages = ['a']\n[image]\n[image.environment]\nA = 'b'\n",
]


@given(st.sampled_from(TEXTS), NAMES)
def test_a_list_is_set_and_the_rest_stays(text: str, names: list[str]) -> None:
    before = tomllib.loads(text)
    after = tomllib.loads(with_listed(text, "image", "system_packages", names))
    assert after == {**before, "image": {**before.get("image", {}), "system_packages": names}}


def test_comments_stay() -> None:
    assert with_listed("# one\n[image]  # two\n", "image", "a", ["b"]) == '# one\n[image]  # two\na = ["b"]\n'


@pytest.mark.parametrize("text", ["image = {}\n", "image.base = 'a'\n", "[image]\na = [\n"])
def test_what_cannot_be_edited_is_an_error(text: str) -> None:
    with pytest.raises(ProjectError):
        with_listed(text, "image", "a", [])


def test_the_line_of_a_field() -> None:
    text = "[model]\nname = 1\n\n[image]\nname = 2\n"
    assert line_of(["image", "name"], text) == 5
    assert line_of(["image", "other"], text) is None


def test_the_line_of_an_entry_of_an_array_of_tables() -> None:
    text = "[[check.waivers]]\nclause = 'a'\n\n[[check.waivers]]\nclause = 'b'\n[image]\ninclude = [1]\n"
    assert line_of(["check", "waivers[1]"], text) == 4
    assert line_of(["check", "waivers[0]", "clause"], text) == 2
    assert line_of(["check", "waivers[1]", "clause"], text) == 5
    assert line_of(["check", "waivers[2]", "clause"], text) is None
    assert line_of(["image", "include[0]"], text) == 7
