"""Content-Type and Accept, as RFC 9110 8.3 and 12.5.1 say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy import media_type
from argosy.media_type import MediaType

token = st.text("abcdefghijklmnopqrstuvwxyz0123456789!#$&-^_.+", min_size=1, max_size=8)
quoted = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8)


@pytest.mark.parametrize(
    ("text", "essence", "parameters"),
    [
        ("text/csv", "text/csv", ()),
        ("Text/CSV", "text/csv", ()),
        ("  text/csv\t", "text/csv", ()),
        ("text/csv; charset=utf-8", "text/csv", (("charset", "utf-8"),)),
        ("text/csv;Charset=UTF-8 ; header=absent", "text/csv", (("charset", "UTF-8"), ("header", "absent"))),
        ('multipart/x; boundary="a;,\\"b"', "multipart/x", (("boundary", 'a;,"b'),)),
        ("text/csv;", "text/csv", ()),
        ("text/csv; ;a=b", "text/csv", (("a", "b"),)),
        ("application/vnd.x+json;version=1", "application/vnd.x+json", (("version", "1"),)),
        ("*/*", "*/*", ()),
    ],
)
def test_a_content_type_is_parsed(text: str, essence: str, parameters: tuple[tuple[str, str], ...]) -> None:
    parsed = media_type.parse(text)
    assert parsed is not None
    assert (parsed.essence, parsed.parameters) == (essence, parameters)


@pytest.mark.parametrize(
    "text", ["", "csv", "text/", "/csv", "text/csv json", "text/csv; =x", "text /csv", "text/csv,a/b"]
)
def test_what_is_no_media_type_is_none(text: str) -> None:
    assert media_type.parse(text) is None


def test_parameter_finds_the_first_of_a_name() -> None:
    parsed = media_type.parse("text/csv; a=1; a=2")
    assert parsed is not None
    assert (parsed.parameter("a"), parsed.parameter("b")) == ("1", None)


@given(token, token, st.lists(st.tuples(token.filter(lambda name: name != "q"), token), max_size=3))
def test_text_of_a_media_type_parses_to_itself(type_: str, subtype: str, parameters: list[tuple[str, str]]) -> None:
    made = MediaType(type_, subtype, tuple(parameters))
    assert media_type.parse(str(made)) == made


@given(quoted)
def test_a_quoted_value_comes_back_whole(value: str) -> None:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    parsed = media_type.parse(f'a/b; c="{escaped}"')
    assert parsed is not None
    assert parsed.parameter("c") == value


OFFERED = ("application/json", "text/csv")


@pytest.mark.parametrize(
    ("accept", "ranked"),
    [
        (None, OFFERED),
        ("", OFFERED),
        ("*/*", OFFERED),
        ("text/csv", ("text/csv",)),
        ("TEXT/CSV", ("text/csv",)),
        ("text/*", ("text/csv",)),
        ("text/csv, application/json", OFFERED),
        ("text/csv, application/json;q=0.5", ("text/csv", "application/json")),
        ("*/*;q=0.1, text/csv", ("text/csv", "application/json")),
        ("*/*, application/json;q=0", ("text/csv",)),
        ("image/png", ()),
        ("application/json;q=0", ()),
        ("application/json;q=rubbish, text/csv;q=0.1", ("text/csv",)),
        ("rubbish, text/csv", ("text/csv",)),
        ("rubbish", ()),
        ("text/csv;;q=1", ("text/csv",)),
    ],
)
def test_accept_ranks_what_is_offered(accept: str | None, ranked: tuple[str, ...]) -> None:
    assert media_type.rank(accept, OFFERED) == ranked


@pytest.mark.parametrize("accept", [None, "*/*"])
def test_nothing_is_accepted_of_nothing(accept: str | None) -> None:
    assert media_type.rank(accept, ()) == ()


@given(st.text(max_size=60))
def test_no_accept_header_raises_or_invents_a_type(accept: str) -> None:
    assert set(media_type.rank(accept, OFFERED)) <= set(OFFERED)


@given(st.text(max_size=60))
def test_no_content_type_raises(text: str) -> None:
    parsed = media_type.parse(text)
    assert parsed is None or parsed.type
