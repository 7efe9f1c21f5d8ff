"""Many bodies parsed as one text give exactly what they give one by one, or nothing at all."""

import io
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.errors import DecodeError
from argosy.media_type import MediaType, parse
from argosy.serving import codecs
from argosy.serving.codecs import RowsCodec, csv, json, numbers
from argosy.serving.inputs.kind import InputKind
from tests.serving.codecs.bodies import find

JSON, CSV, NPY = "application/json", "text/csv", "application/x-npy"


@pytest.fixture(params=["simdjson", "orjson"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(numbers, "HAS_SIMDJSON", request.param == "simdjson")
    monkeypatch.setattr(json, "HAS_SIMDJSON", request.param == "simdjson")
    yield request.param


def both(name: str, bodies: list[bytes], given_type: str | None = None) -> bool:
    """Whether the bodies were read at once; then each must be what `decode` makes of it."""
    codec = find(name)
    assert isinstance(codec, RowsCodec)
    content_type = parse(given_type or name)
    assert content_type is not None
    together = codec.decode_rows(bodies, content_type)
    if together is None:
        return False
    rows, counts = together
    assert len(counts) == len(bodies)
    assert rows.shape[0] == sum(counts)
    start = 0
    for body, count in zip(bodies, counts, strict=True):
        alone = codec.decode(body, InputKind.ARRAY, content_type)
        assert isinstance(alone, np.ndarray)
        assert (alone.dtype, alone.flags.writeable) == (rows.dtype, rows.flags.writeable)
        np.testing.assert_array_equal(rows[start : start + count], alone, strict=True)
        start += count
    return True


numbers_as_text = (
    st.integers().map(str)
    | st.integers(-(2**70), 2**70).map(str)
    | st.floats().map(repr)
    | st.floats(allow_nan=False, allow_infinity=False).map(repr)
    | st.sampled_from(["-0", "0", "1e3", "1E+3", "9007199254740993", "18446744073709551615", "18446744073709551616"])
)
SPELLINGS = """+1|01|1.|.5|| |null|true|false|nan|NaN|inf|'1'|{}|[]|[1]|1 2|-|1e999|1],[2|]|[|1]],[[2|1;2|;|<|{|}|1e|--1
٣|1_0|[[1]]|[1,2]|[[1,2],[3]]|<[1]}|1,2|"1"|{"instances":[[1]]}|{"instances":[{"features":[1]}]}|\r|1\r2|\0|\ufeff"""
odd = st.sampled_from([*SPELLINGS.replace("\n", "|").split("|"), "\n", "1\n2", '"a\n"'])


@st.composite
def tables(draw: st.DrawFn, opening: str, between: str, closing: str, row: tuple[str, str], width: int) -> str:
    cell = st.one_of(numbers_as_text, numbers_as_text, numbers_as_text, odd) if draw(st.booleans()) else numbers_as_text
    rows = []
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        columns = draw(st.sampled_from([width, width, width, width, width + 1]))
        cells = [draw(cell) for _ in range(columns)]
        blank = draw(st.sampled_from(["", "", "", " ", "\t"]))
        rows.append(row[0] + f",{blank}".join(cells) + row[1])
    return opening + between.join(rows) + closing


def json_bodies(width: int) -> st.SearchStrategy[str]:
    return st.one_of(
        tables("[", ",", "]", ("[", "]"), width),
        tables("", ",", "", ("[", "]"), width),
        tables("[ ", " ,\n", " ]\n", (" [", "] "), width),
        tables('{"instances":[', ",", "]}", ("[", "]"), width),
        tables('{"instances": [', ", ", "]}", ('{"features": [', "]}"), width),
        tables('{"instances":[', ",", "]}", ('{"features":[', "]}"), width),
        odd,
    )


def csv_bodies(width: int) -> st.SearchStrategy[str]:
    return st.one_of(
        tables("", "\n", "\n", ("", ""), width),
        tables("", "\n", "", ("", ""), width),
        tables("", "\r\n", "\r\n", ("", ""), width),
        tables("\n", "\n\n", "\n\n", ("", ""), width),
        odd,
    )


def lists_of(bodies: Any) -> st.SearchStrategy[list[str]]:
    """Lists of bodies of one width, of one spelling as often as not."""
    return st.integers(1, 4).flatmap(
        lambda width: (
            st.lists(bodies(width), min_size=1, max_size=5)
            | st.lists(
                tables("[", ",", "]", ("[", "]"), width)
                if bodies is json_bodies
                else tables("", "\n", "\n", ("", ""), width),
                min_size=1,
                max_size=5,
            )
        )
    )


def spliced(bodies: list[str], at: int) -> list[str]:
    """The same text cut into bodies elsewhere, so that a body ends where its neighbour must go on."""
    whole = "\0".join(bodies)
    cut = at % max(1, len(whole))
    return (whole[:cut] + whole[cut + 1 :] + "\0" + whole[cut : cut + 1]).split("\0")


@pytest.mark.usefixtures("parser")
@settings(max_examples=150, deadline=None)
@given(bodies=lists_of(json_bodies), at=st.none() | st.integers(0, 200))
def test_json_bodies_are_read_at_once_as_one_by_one(bodies: list[str], at: int | None) -> None:
    both(JSON, [b.encode() for b in (bodies if at is None else spliced(bodies, at))])


@pytest.mark.usefixtures("parser")
@settings(max_examples=150, deadline=None)
@given(bodies=lists_of(csv_bodies), at=st.none() | st.integers(0, 200))
def test_csv_bodies_are_read_at_once_as_one_by_one(bodies: list[str], at: int | None) -> None:
    both(CSV, [b.encode() for b in (bodies if at is None else spliced(bodies, at))])


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(
    ("name", "bodies"),
    [
        (JSON, [b"[[1,2]]"]),
        (JSON, [b"[[1,2]]", b"[[3.5,-4e2]]"]),
        (JSON, [b"[[1,2]]", b" [ [3 , 4],\n[5,6] ]\n"]),
        (JSON, [b"[1]", b"[22]", b"[9007199254740993]"]),
        (JSON, [b'{"instances":[[1,2]]}', b'{"instances":[[3,4]]}']),
        (
            JSON,
            [b'{"instances": [{"features": [1, 2]}]}', b'{"instances": [{"features": [3, 4]}, {"features": [5, 6]}]}'],
        ),
        (CSV, [b"1,2\n", b"3,4\n"]),
        (CSV, [b"1,2", b"3,4\n5,6\n", b"7,8\r\n"]),
        (CSV, [b"1\n2\n", b"3"]),
    ],
)
def test_plain_bodies_are_read_at_once(name: str, bodies: list[bytes]) -> None:
    assert both(name, bodies)
    assert both(name, [memoryview(body) for body in bodies])  # type: ignore[misc] # what the arena hands over


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(
    ("name", "bodies"),
    [
        (JSON, [b"[[1],[2]", b"[3]]"]),
        (JSON, [b"[[1]],[[2]]", b"[[3]]"]),
        (JSON, [b"1],[2", b"[[3,4]]"]),
        (JSON, [b"[[1,2]]", b"[[3]]"]),
        (JSON, [b"[[1,2]]", b"[[3,null]]"]),
        (JSON, [b"[[1,2]]", b"[[3,true]]"]),
        (JSON, [b'[[1,"2"]]']),
        (JSON, [b"[[[1,2]]]"]),
        (JSON, [b"[[]]", b"[[]]"]),
        (JSON, [b"1[]", b"[1]"]),
        (JSON, [b"<[1]}"]),
        (JSON, [b'{"instances":[{[1,2]}]}']),
        (JSON, [b'{"instances":[[1]]}{"instances":[[2]]}', b""]),
        (JSON, [b'{"instances":{"instances":[[1]]}', b"[[2]]}"]),
        (JSON, [b'{"instances":[1,{"features":[2]}]}']),
        (JSON, [b"[[1;2]]"]),
        (CSV, [b"1,2;3,4"]),
        (CSV, [b"1,2\n3\n"]),
        (CSV, [b"1,2\n", b"3\n4,5,6\n"]),
        (CSV, [b"1,,2\n"]),
        (CSV, [b"1\r2\n"]),
        (CSV, [b"", b"1"]),
        (CSV, [b"nan,1\n"]),
    ],
)
def test_bodies_that_are_odd_alone_are_not_read_at_once(name: str, bodies: list[bytes]) -> None:
    assert not both(name, bodies)


def test_a_header_or_another_charset_is_not_read_at_once() -> None:
    assert both(CSV, [b"1,2\n", b"3,4\n"], "text/csv; label_size=0; charset=utf-8")
    assert not both(CSV, [b"1,2\n", b"3,4\n"], "text/csv; header=present")
    assert not both(CSV, ["1,2\n".encode("utf-16")], "text/csv; charset=utf-16")
    assert not both(JSON, ["[1,2]".encode("utf-16")], "application/json; charset=utf-16")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 3), st.sampled_from([1, 2, 2, 2]), st.sampled_from(["<f8", "<f8", "<f4", ">f8", "|u1"])
        ),
        min_size=1,
        max_size=6,
    ),
    st.booleans(),
)
def test_npy_bodies_are_read_at_once_as_one_by_one(shapes: list[tuple[int, int, str]], has_tail: bool) -> None:
    arrays = [np.arange(rows * width).reshape(rows, width).astype(dtype) for rows, width, dtype in shapes]
    bodies = []
    for array in arrays:
        file = io.BytesIO()
        np.save(file, array)
        bodies.append(file.getvalue() + b"tail" * has_tail)
    kinds = {(width, dtype) for _, width, dtype in shapes}
    assert both(NPY, bodies) == (len(kinds) == 1)


def test_npy_bodies_that_are_cut_short_are_not_read_at_once() -> None:
    file = io.BytesIO()
    np.save(file, np.ones((1, 4)))
    assert not both(NPY, [file.getvalue(), file.getvalue()[:-1]])
    assert not both(NPY, [file.getvalue()[:-1]] * 2)


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize("ragged", ["1,2,3\n4,5\n6,7,8,9\n", "1,2\n3,4\n5\n", "[[1,2,3],[4,5],[6]]"])
def test_large_ragged_bodies_are_refused(ragged: str) -> None:
    name = JSON if ragged[0] == "[" else CSV
    body = ragged if name == CSV else ragged.replace("]]", "]" + ",[1,2]" * 200 + "]")
    with pytest.raises(DecodeError, match="another length"):
        find(name).decode((body * 200 if name == CSV else body).encode(), InputKind.ARRAY, MediaType("x", "y"))


def test_a_large_body_gives_the_same_numbers_with_and_without_the_fast_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    table = np.random.default_rng(1).normal(size=(500, 7))
    for name, kind in ((JSON, MediaType("application", "json")), (CSV, MediaType("text", "csv"))):
        body = bytes(find(name).encode(table))
        fast = find(name).decode(body, InputKind.ARRAY, kind)
        with monkeypatch.context() as patch:
            patch.setattr(numbers, "HAS_SIMDJSON", False)
            patch.setattr(json, "HAS_SIMDJSON", False)
            slow = find(name).decode(body, InputKind.ARRAY, kind)
        for found in (fast, slow):
            assert isinstance(found, np.ndarray)
            assert found.flags.writeable
            np.testing.assert_array_equal(found, table)


def test_the_parser_of_a_very_large_body_is_not_kept() -> None:
    body = b"[" + b"[1,2]," * 300_000 + b"[1,2]]"
    array = find(JSON).decode(body, InputKind.ARRAY, MediaType("application", "json"))
    assert isinstance(array, np.ndarray)
    assert array.shape == (300_001, 2)
    assert sys.getsizeof(body) > 1 << 20


def test_who_reads_rows_at_once() -> None:
    assert {name for name in codecs.names() if isinstance(find(name), RowsCodec)} == {JSON, CSV, NPY}
    assert csv.read_rows([b"1"]) is not None
