"""Whatever the bytes are, a codec gives a value or a DecodeError with nothing of the body in it."""

import re
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from argosy.errors import DecodeError, UnsupportedMediaTypeError
from argosy.media_type import MediaType
from argosy.serving import codecs
from argosy.serving.inputs.kind import InputKind
from tests.serving.codecs.bodies import content_type, find, good

PAIRS = [(name, kind) for name in codecs.names() for kind in sorted(find(name).kinds)]
few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def attempt(name: str, body: bytes, kind: InputKind, given_type: MediaType) -> None:
    try:
        find(name).decode(body, kind, given_type)
    except (DecodeError, UnsupportedMediaTypeError) as error:
        assert len(str(error)) < 500


@st.composite
def damaged(draw: st.DrawFn, name: str) -> bytes:
    """A good body after one or a few accidents: cut, bytes changed, a piece moved, doubled or left out."""
    body = bytearray(draw(st.sampled_from(good(name))))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(body)))
        end = min(len(body), at + draw(st.integers(0, 12)))
        match draw(st.sampled_from(["cut", "change", "insert", "double", "drop", "fill"])):
            case "cut":
                del body[at:]
            case "change":
                body[at:end] = draw(st.binary(min_size=end - at, max_size=end - at))
            case "insert":
                body[at:at] = draw(st.binary(max_size=6) | st.sampled_from([b"[", b"]", b",", b'"', b"\n", b"1e999"]))
            case "double":
                body[at:at] = body[at:end]
            case "drop":
                del body[at:end]
            case "fill":
                body[at:end] = draw(st.sampled_from([b"\xff", b"\x7f", b"\0"])) * (end - at)
    return bytes(body)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "kind"), PAIRS)
@few
@given(choice=st.data())
def test_any_bytes_are_a_value_or_a_decode_error(name: str, kind: InputKind, choice: st.DataObject) -> None:
    attempt(name, choice.draw(st.binary(max_size=80) | damaged(name)), kind, content_type(name))


@pytest.mark.parametrize(("name", "kind"), PAIRS)
def test_nothing_and_every_beginning_of_a_good_body_is_a_value_or_a_decode_error(name: str, kind: InputKind) -> None:
    for body in good(name):
        for end in range(0, len(body), max(1, len(body) // 100)):
            attempt(name, body[:end], kind, content_type(name))


@pytest.mark.parametrize(("name", "kind"), PAIRS)
@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "latin-1", "nonsense", "hex", "idna", "unicode_escape"])
def test_any_charset_is_believed_or_refused(name: str, kind: InputKind, charset: str) -> None:
    known = content_type(name)
    asked = MediaType(known.type, known.subtype, (*known.parameters, ("charset", charset)))
    for body in (*good(name), b"\xff\xfe\x00", "é,ü\n".encode("latin-1")):
        attempt(name, body, kind, asked)


DEEP = [b"[" * 100_000, b"[" * 900 + b"1" + b"]" * 900, b'{"instances":' * 5000, b'{"a":' * 900 + b"1" + b"}" * 900]


@pytest.mark.parametrize("kind", sorted(find("application/json").kinds))
@pytest.mark.parametrize("body", DEEP, ids=["open", "closed", "instances", "objects"])
@pytest.mark.parametrize("name", ["application/json", "application/jsonlines"])
def test_deep_nesting_is_refused_like_any_other_mistake(name: str, body: bytes, kind: InputKind) -> None:
    if kind in find(name).kinds:
        attempt(name, body, kind, content_type(name))


HUGE = {
    "application/x-npy": [
        b"\x93NUMPY\x01\x00\x76\x00"
        + f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({n}), }}".encode().ljust(117)
        + b"\n"
        for n in ("99999999999,", "9999999999,9999999999", "10**9,")
    ],
    "text/libsvm": [b"1 999999999999:1\n", b"1 99999999999999999:1\n"],
    "application/json": [
        b'{"instances": [{"data": {"features": {"keys": [1], "shape": [99999999999], "values": [1]}}}]}',
        b'{"instances": [{"data": {"features": {"keys": [1], "shape": [99999999999999999999], "values": [1]}}}]}',
        b"[" + b"9" * 5000 + b"]",
        b"[[1e999]]",
    ],
    "text/csv": [b"9" * 5000 + b",1\n", b"1e999,1\n", b"1," + b'"' + b"x" * 200_000 + b'"\n'],
}


@pytest.mark.parametrize(("name", "body"), [(name, body) for name, bodies in HUGE.items() for body in bodies])
def test_a_small_body_never_takes_much_memory(name: str, body: bytes) -> None:
    for kind in sorted(find(name).kinds):
        attempt(name, body, kind, content_type(name))  # the first time imports
        tracemalloc.start()
        attempt(name, body, kind, content_type(name))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 20_000_000


@pytest.mark.parametrize("name", codecs.names())
def test_no_message_holds_a_value_of_the_body(name: str) -> None:
    for body in good(name):
        for spoiled in (body[:-2] + b"Smith", body.replace(b"3", b"Smith"), b"Smith" + body, body + b'\nSmith,"4711'):
            for kind in find(name).kinds:
                try:
                    find(name).decode(spoiled, kind, content_type(name))
                except DecodeError as error:
                    assert not re.search("Smith|4711|Ann|Bob", str(error))
