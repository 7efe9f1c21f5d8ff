from typing import Any

import numpy as np
import pytest
from PIL import Image

from argosy.errors import DecodeError, NotAcceptableError
from argosy.media_type import MediaType
from argosy.serving.codecs.multipart import MultipartCodec
from argosy.serving.inputs.kind import InputKind
from tests.serving.codecs.bodies import FORM, content_type, find

FORM_TYPE = content_type("multipart/form-data")
codec = MultipartCodec()


def part(head: str, content: bytes = b"x") -> bytes:
    return b"--b0undary\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n"


def field(name: str, content: bytes = b"x", more: str = "") -> bytes:
    return part(f'Content-Disposition: form-data; name="{name}"{more}', content)


def decode(*parts: bytes, kind: InputKind = InputKind.DICT) -> Any:
    return codec.decode(b"".join(parts) + b"--b0undary--\r\n", kind, FORM_TYPE)


def test_each_part_is_decoded_by_its_own_type() -> None:
    png = bytes(find("image/png").encode(np.zeros((2, 3, 3), np.uint8)))
    body = (
        field("age", b"30"),
        field("scores", b"[1, 2]", "\r\nContent-Type: application/json"),
        field("file", b"\x00\x01", '; filename="a.bin"'),
        field("odd", b"\x00\x02", "\r\nContent-Type: audio/wav"),
        field("photo", png, '; filename="a.png"\r\nContent-Type: image/png'),
    )
    decoded = decode(*body)
    assert isinstance(decoded.pop("photo"), Image.Image)
    assert decoded == {"age": "30", "scores": [1, 2], "file": b"\x00\x01", "odd": b"\x00\x02"}


def test_a_name_that_comes_several_times_is_a_list() -> None:
    assert decode(field("a", b"1"), field("b", b"2"), field("a", b"3"), field("a", b"4")) == {
        "a": ["1", "3", "4"],
        "b": "2",
    }


@pytest.mark.parametrize(
    ("head", "name"),
    [
        ('Content-Disposition: form-data; name="a;b=\\"c"', 'a;b="c'),
        ('content-disposition: Form-Data; name="a%22b"', 'a"b'),
        ("Content-Disposition: form-data; name=plain", "plain"),
        ('Content-Disposition: form-data; name="über"', "über"),
        ('Content-Disposition: form-data; name=""', ""),
        ('Content-Disposition: form-data; filename="C:\\\\x.txt"; name="f"\r\nContent-Type: text/plain', "f"),
        ('X-More: yes\r\nContent-Disposition: form-data;name="a"', "a"),
    ],
)
def test_names_are_read_as_browsers_write_them(head: str, name: str) -> None:
    assert decode(part(head)) == {name: "x"}


def test_contents_may_hold_almost_anything() -> None:
    for content in (b"", b"\r\n", b"--b0undar", b"\r\n--b0undar y", b"a\r\n\r\nb", b"--"):
        assert decode(field("a", content)) == {"a": content.decode()}


def test_white_space_around_the_form_is_allowed() -> None:
    body = b"\r\n" + FORM.replace(b"--b0undary\r\n", b"--b0undary \t\r\n") + b"\r\n "
    decoded = codec.decode(memoryview(body), InputKind.ANY, FORM_TYPE)
    assert decoded == {"age": "30", "rows": [[1, 2], [3, 4]]}


def test_the_only_file_is_what_a_predictor_of_one_thing_gets() -> None:
    assert codec.decode(FORM, InputKind.BYTES, FORM_TYPE) == b"1,2\n3,4\n"
    rows = codec.decode(FORM, InputKind.ARRAY, FORM_TYPE)
    assert isinstance(rows, np.ndarray)
    assert rows.tolist() == [[1, 2], [3, 4]]
    png = bytes(find("image/png").encode(np.zeros((2, 3, 3), np.uint8)))
    for more in ('; filename="a"', '; filename="a"\r\nContent-Type: application/octet-stream'):
        assert isinstance(decode(field("a", png, more), kind=InputKind.IMAGE), Image.Image)
    with pytest.raises(DecodeError, match="several files"):
        decode(field("a"), field("b"), kind=InputKind.BYTES)
    with pytest.raises(DecodeError, match=r"part 1: .*media type"):
        decode(field("a"), kind=InputKind.ARRAY)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "begin with the boundary"),
        (b"preamble\r\n" + FORM, "begin with the boundary"),
        (FORM.replace(b"--b0undary--", b""), "final boundary"),
        (FORM.replace(b"\r\n--b0undary--", b""), "final boundary"),
        (FORM + field("b"), "follows the final boundary"),
        (b"--b0undary--\r\n", "no parts"),
        (b"--b0undaryX\r\n\r\nx\r\n--b0undary--", "end its line"),
        (b"--b0undary\r\nno head\r\n--b0undary--", "head of the part does not end"),
        (part("\r\n") + b"--b0undary--", "no header field"),
        (part("Content-Type: text/plain") + b"--b0undary--", "with a name"),
        (part('Content-Disposition: attachment; name="a"') + b"--b0undary--", "with a name"),
        (part('Content-Disposition: form-data; name="a') + b"--b0undary--", "with a name"),
        (field("a", more="\r\n folded") + b"--b0undary--", "no header field"),
        (field("a", more='\r\nContent-Disposition: form-data; name="b"') + b"--b0undary--", "one twice"),
        (field("a", more="\r\nContent-Type: nonsense") + b"--b0undary--", "Content-Type of the part"),
        (field("a", b"\xff") + b"--b0undary--", "part 1, byte 0: the body is not `utf-8`"),
        (field("a", b"{", "\r\nContent-Type: application/json") + b"--b0undary--", "part 1, line 1"),
        (field("a", b"x", "\r\nContent-Type: text/plain; charset=klingon") + b"--b0undary--", "unknown charset|part 1"),
        (field("a", FORM, "\r\nContent-Type: multipart/form-data; boundary=x") + b"--b0undary--", "part 1"),
        (field("a" * 9000) + b"--b0undary--", "8192"),
        (field("a") * 1001 + b"--b0undary--", "too many parts"),
    ],
)
def test_a_broken_form_is_refused_with_its_place(body: bytes, sentence: str) -> None:
    with pytest.raises(DecodeError, match=sentence):
        codec.decode(body, InputKind.DICT, FORM_TYPE)


@pytest.mark.parametrize("boundary", [None, "", "a" * 71, "ends ", "a\nb"])
def test_a_content_type_without_a_boundary_is_refused(boundary: str | None) -> None:
    parameters = () if boundary is None else (("boundary", boundary),)
    with pytest.raises(DecodeError, match="boundary"):
        codec.decode(FORM, InputKind.DICT, MediaType("multipart", "form-data", parameters))


def test_answers_are_no_forms() -> None:
    with pytest.raises(NotAcceptableError):
        codec.encode({})
