import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import NotAcceptableError, PredictError
from argosy.serving.model import streaming

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def events(stream: bytes) -> list[tuple[str, str]]:
    """Name and text of each server-sent event, as the HTML standard says (section 9.2.6)."""
    found = []
    for block in stream.decode().split("\n\n")[:-1]:
        fields = [line.partition(": ") for line in block.split("\n")]
        name = next((value for field, _, value in fields if field == "event"), "message")
        found.append((name, "\n".join(value for field, _, value in fields if field == "data")))
    return found


@given(st.lists(texts, max_size=4))
def test_no_text_breaks_out_of_its_event(parts: list[str]) -> None:
    framing = streaming.framing("text/event-stream", "")
    stream = b"".join(map(framing.write, parts)) + framing.write_error(PredictError("it broke"))
    *told, last = events(stream)
    assert told == [("message", part.replace("\r\n", "\n").replace("\r", "\n")) for part in parts]
    assert last[0] == "error"
    assert json.loads(last[1])["error"]["message"] == "it broke"


@given(st.lists(texts | st.integers(-5, 5) | st.dictionaries(texts, st.booleans(), max_size=2), max_size=4))
def test_each_line_is_one_part(parts: list[object]) -> None:
    framing = streaming.framing("application/x-ndjson", 1)
    lines = b"".join(map(framing.write, parts)).split(b"\n")
    assert lines.pop() == b""
    assert [json.loads(line) for line in lines] == parts
    assert json.loads(streaming.gathered(parts)) == parts


@pytest.mark.parametrize(
    ("accept", "first", "content_type"),
    [
        ("", "text", b"text/plain"),
        ("", b"octets", b"application/octet-stream"),
        ("", {"a": 1}, b"application/jsonlines"),
        ("text/*", {"a": 1}, b"text/event-stream"),
        ("text/*", "text", b"text/plain"),
        ("application/*", "text", b"application/jsonlines"),
        ("application/json", 1, b"application/json"),
        ("application/*;q=0.5, text/event-stream", b"octets", b"text/event-stream"),
    ],
)
def test_accept_and_the_first_part_choose_the_form(accept: str, first: object, content_type: bytes) -> None:
    assert streaming.framing(accept, first).content_type == content_type


@pytest.mark.parametrize(
    ("accept", "first"), [("application/json", b"octets"), ("text/plain", 1), ("image/png", "x"), ("*/*;q=0", "x")]
)
def test_a_part_without_a_form_is_refused(accept: str, first: object) -> None:
    with pytest.raises(NotAcceptableError):
        streaming.framing(accept, first)


@pytest.mark.parametrize("accept", [*streaming.MEDIA_TYPES, "", "*/*", "text/*"])
def test_an_answer_without_parts_has_any_form(accept: str) -> None:
    assert streaming.framing_of_none(accept).content_type
    assert streaming.allows(accept)


def test_a_part_of_another_kind_than_the_first_is_the_predictors_fault() -> None:
    with pytest.raises(PredictError):
        streaming.framing("text/plain", "text").write(1)
    with pytest.raises(PredictError):
        streaming.framing("application/jsonlines", 1).write(b"octets")
