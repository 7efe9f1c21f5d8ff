"""`str` is the text of a form's part, `bytes` its bytes, in every kind of record and alone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypedDict

import msgspec
import pydantic
import pytest

from argosy.errors import DecodeError
from argosy.serving.inputs.annotation import read
from argosy.serving.inputs.kind import FieldKind, InputKind
from argosy.serving.model.negotiation import Negotiator
from tests.serving.inputs.annotated import annotated

PNG = b"\x89PNG\r\n\x1a\nnot much of one"


@dataclass
class Upload:
    caption: str
    photo: bytes
    width: float = 0.0
    more: list[bytes] | None = None


class UploadDict(TypedDict):
    caption: str
    photo: bytes


class UploadStruct(msgspec.Struct, rename={"photo": "Photo"}):
    caption: str
    photo: bytes


class UploadModel(pydantic.BaseModel):
    caption: str
    photo: bytes = pydantic.Field(validation_alias="Photo")


def part(name: str, content: bytes, head: str = "", file: str = "") -> bytes:
    disposition = f'Content-Disposition: form-data; name="{name}"{file}'
    return f"--b\r\n{disposition}\r\n{head}\r\n".encode() + content + b"\r\n"


def decode(annotation: Any, *parts: bytes) -> Any:
    route = Negotiator(read(annotated(annotation)), None, None).find("multipart/form-data; boundary=b", "")
    return route.decode(b"".join(parts) + b"--b--\r\n")[0]


FILE = '; filename="a"'
SENT = {
    "a field": ("", ""),
    "a file": ("", FILE),
    "octets": ("Content-Type: application/octet-stream\r\n", FILE),
    "text": ("Content-Type: text/plain\r\n", ""),
    "JSON": ("Content-Type: application/json\r\n", ""),
    "an image": ("Content-Type: image/png\r\n", FILE),
    "of an unknown type": ("Content-Type: audio/wav\r\n", FILE),
}


def fields(found: Any) -> tuple[str, bytes]:
    return (found["caption"], found["photo"]) if isinstance(found, dict) else (found.caption, found.photo)


@pytest.mark.parametrize("sent", SENT)
@pytest.mark.parametrize("owner", [Upload, UploadDict, UploadStruct, UploadModel])
def test_however_a_part_is_sent_its_field_is_what_the_record_says(owner: Any, sent: str) -> None:
    photo = "Photo" if owner in (UploadStruct, UploadModel) else "photo"
    found = decode(owner, part("caption", b'"YWI="', *SENT[sent]), part(photo, PNG, *SENT[sent]))
    assert fields(found) == ('"YWI="', PNG)
    (found,) = decode(list[owner], part("caption", b"YWI=", *SENT[sent]), part(photo, b"YWI=", *SENT[sent]))
    assert fields(found) == ("YWI=", b"YWI=")


@pytest.mark.parametrize("annotation", [str, list[str]])
@pytest.mark.parametrize("sent", SENT)
def test_text_alone_is_the_text_of_the_only_part(annotation: Any, sent: str) -> None:
    found = decode(annotation, part("a", b"caf\xc3\xa9", *SENT[sent]))
    assert found == ("café" if annotation is str else ["café"])


@pytest.mark.parametrize("annotation", [bytes, memoryview, list[bytes]])
@pytest.mark.parametrize("sent", SENT)
def test_bytes_alone_are_the_bytes_of_the_only_part(annotation: Any, sent: str) -> None:
    found = decode(annotation, part("a", PNG, *SENT[sent]))
    assert found == ([PNG] if annotation == list[bytes] else PNG)
    assert type(found) is (list if annotation == list[bytes] else annotation)


@pytest.mark.parametrize("annotation", [str, bytes, memoryview, list[str], list[bytes]])
def test_one_thing_is_the_only_file_and_never_one_of_several(annotation: Any) -> None:
    found = decode(annotation, part("a", b"field"), part("b", b"file", "", FILE))
    assert found in ("file", b"file", ["file"], [b"file"])
    with pytest.raises(DecodeError, match="several files"):
        decode(annotation, part("a", b"1"), part("b", b"2"))


LATIN = "Content-Type: text/plain; charset=iso-8859-1\r\n"


def test_text_is_of_the_charset_that_its_part_names() -> None:
    assert decode(str, part("a", b"caf\xe9", LATIN)) == "café"
    found = decode(Upload, part("caption", b"caf\xe9", LATIN), part("photo", b"caf\xe9", LATIN))
    assert found == Upload("café", b"caf\xe9")
    assert decode(dict[str, str], part("a", b"caf\xe9", LATIN)) == {"a": "café"}
    assert decode(dict[str, bytes], part("a", b"caf\xe9", LATIN)) == {"a": b"caf\xe9"}


@pytest.mark.parametrize("head", ["", "Content-Type: text/plain; charset=klingon\r\n"])
def test_what_is_no_text_is_refused_where_text_is_wanted(head: str) -> None:
    sentence = "part 2, byte 0: the body is not `utf-8`" if not head else "part 2: unknown charset"
    for annotation in (Upload, dict[str, str]):
        with pytest.raises(DecodeError, match=sentence):
            decode(annotation, part("photo", b"x"), part("caption", b"\xff", head))
    with pytest.raises(DecodeError, match=sentence.replace("part 2", "part 1")):
        decode(str, part("caption", b"\xff", head))


def test_a_field_that_is_a_list_is_one_even_when_its_name_comes_once() -> None:
    @dataclass
    class Tagged:
        tags: list[str]
        scores: list[float]
        files: list[bytes]

    once = part("tags", b"a"), part("scores", b"1"), part("files", b"\xff")
    assert decode(Tagged, *once) == Tagged(["a"], [1.0], [b"\xff"])
    assert decode(Tagged, *once, *once) == Tagged(["a", "a"], [1.0, 1.0], [b"\xff", b"\xff"])
    scores = part("scores", b"[1, 2]", "Content-Type: application/json\r\n")
    assert decode(Tagged, once[0], scores, once[2]).scores == [1.0, 2.0]


ANY, TEXT, OCTETS = FieldKind(), FieldKind(InputKind.TEXT), FieldKind(InputKind.BYTES)
WANTED: list[tuple[Any, FieldKind]] = [
    (str | None, TEXT),
    (bytes | None, OCTETS),
    (str | float, TEXT),
    (str | bytes, ANY),
    (str | list[float], ANY),
    (float, ANY),
    (Any, ANY),
    (Upload, ANY),
    (list[str], FieldKind(InputKind.TEXT, is_list=True)),
    (list[bytes] | None, FieldKind(InputKind.BYTES, is_list=True)),
    (list[Upload], FieldKind(is_list=True)),
]


@pytest.mark.parametrize(("annotation", "want"), WANTED, ids=str)
@pytest.mark.parametrize(
    "make",
    [
        lambda annotation: TypedDict("Drawn", {"a": annotation}),  # type: ignore[operator]  # drawn, not written
        lambda annotation: msgspec.defstruct("Drawn", [("a", annotation)]),
        lambda annotation: pydantic.create_model("Drawn", a=(annotation, ...)),
    ],
    ids=["TypedDict", "msgspec", "pydantic"],
)
def test_every_library_s_field_is_wanted_alike(make: Callable[[Any], Any], annotation: Any, want: FieldKind) -> None:
    form = read(annotated(make(annotation))).form
    assert callable(form)
    assert (form("a"), form("unknown")) == (want, ANY)


def test_records_that_disagree_about_a_field_get_what_it_decodes_to() -> None:
    @dataclass
    class Other:
        photo: str
        caption: str

    form = read(annotated(Upload | Other)).form
    assert callable(form)
    assert (form("caption"), form("photo")) == (TEXT, ANY)


@pytest.mark.parametrize("annotation", [float, list[float], list[Any], tuple[int, str]])
def test_what_is_no_record_has_no_fields(annotation: Any) -> None:
    assert read(annotated(annotation)).form is None
