"""Whatever is in a frame, each invocation gets exactly the answer that it would have got alone."""

import gzip
import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from argosy import DecodeError, Predictor
from argosy.serving.context import Reply, Session, current_invocation, meter
from argosy.serving.frames import Timings
from argosy.serving.model.joining import Joiner
from argosy.serving.model.pipeline import Answer, Later, Pipeline
from argosy.serving.settings import Batching


class Call(NamedTuple):
    """One invocation as it comes over the wire."""

    fields: bytes
    body: bytes


Floats = NDArray[np.float64]
RAISES, MISCOUNTS, REFUSES = 13.0, 17.0, 19.0
"""A row that begins with one of these brings the predictor to raise, to lose a row, to refuse."""


def judged(first: Iterable[float], answers: Any) -> Any:
    """The answers, unless one of the rows is poisoned."""
    cells = [float(cell) for cell in first]
    if RAISES in cells:
        raise RuntimeError("poisoned")
    if REFUSES in cells:
        raise DecodeError("`a` is 19")
    return answers[:-1] if MISCOUNTS in cells else answers


class Recording(Predictor):
    """Remembers how many rows it was given at a time."""

    def __init__(self) -> None:
        self.sizes: list[int] = []


class TakesArray(Recording):
    def predict(self, inputs: np.ndarray) -> Any:
        self.sizes.append(len(inputs))
        return judged(inputs[:, 0], inputs.sum(axis=1))


class TakesFloats(Recording):
    """Changes what it is given, in place."""

    def predict(self, inputs: Floats) -> Any:
        self.sizes.append(len(inputs))
        first = inputs[:, 0].copy()
        inputs *= 2
        return judged(first, inputs)


class TakesFrame(Recording):
    def predict(self, inputs: pd.DataFrame) -> Any:
        self.sizes.append(len(inputs))
        out = inputs.set_axis([f"{name}" for name in inputs.columns], axis=1)
        out["dtypes"] = ",".join(f"{name!r}:{kind}" for name, kind in zip(inputs.columns, inputs.dtypes, strict=True))
        return judged(inputs.iloc[:, 0], out)


class TakesTable(Recording):
    def predict(self, inputs: pa.Table) -> Any:
        self.sizes.append(inputs.num_rows)
        return judged(inputs.column(0).to_pylist(), inputs.select([0]))


class TakesArrays(Recording):
    def predict(self, inputs: dict[str, np.ndarray]) -> Any:
        first = next(iter(inputs.values()))
        self.sizes.append(len(first))
        return judged(first.reshape(len(first), -1)[:, 0], {"sums": first.reshape(len(first), -1).sum(axis=1)})


class TakesSparse(Recording):
    def predict(self, inputs: scipy.sparse.csr_matrix) -> Any:
        self.sizes.append(inputs.shape[0])
        return judged(inputs[:, [0]].toarray()[:, 0], np.asarray(inputs.sum(axis=1))[:, 0])


@dataclass
class Row:
    a: float
    b: float = 0.5


class TakesRecords(Recording):
    def predict(self, inputs: list[Row]) -> Any:
        self.sizes.append(len(inputs))
        return judged([row.a for row in inputs], [{"sum": row.a + row.b} for row in inputs])


class TakesLists(Recording):
    def predict(self, inputs: list[list[float]]) -> Any:
        self.sizes.append(len(inputs))
        return judged([row[0] for row in inputs], [sum(row) for row in inputs])


class TakesPairs(Recording):
    def predict(self, inputs: list[tuple[int, str]]) -> Any:
        self.sizes.append(len(inputs))
        return [text * number for number, text in inputs]


class TakesMixed(Recording):
    """Makes one array of what it is given: its dtype is that of all cells."""

    def predict(self, inputs: list[list[float | str | None]]) -> Any:
        self.sizes.append(len(inputs))
        return [str(row.dtype) for row in np.array(inputs)]


class TakesNumbers(Recording):
    row_wise: ClassVar[bool | None] = True

    def predict(self, inputs: list[float]) -> Any:
        self.sizes.append(len(inputs))
        return judged(inputs, [2 * number for number in inputs])


class TakesSeries(Recording):
    """The same annotation for the numbers of one thing: as many answers, none of them for one number alone."""

    def predict(self, inputs: list[int]) -> Any:
        self.sizes.append(len(inputs))
        return [number / sum(inputs) for number in inputs]


def npy(rows: Any, dtype: str = "f8") -> bytes:
    out = io.BytesIO()
    np.save(out, np.array(rows, dtype))
    return out.getvalue()


def npz(**arrays: Any) -> bytes:
    out = io.BytesIO()
    np.savez(out, allow_pickle=False, **{name: np.array(value, np.float64) for name, value in arrays.items()})
    return out.getvalue()


def parquet(frame: pd.DataFrame) -> bytes:
    out = io.BytesIO()
    pyarrow.parquet.write_table(pa.Table.from_pandas(frame, preserve_index=False), out)
    return out.getvalue()


def arrow(frame: pd.DataFrame) -> bytes:
    out = io.BytesIO()
    table = pa.Table.from_pandas(frame, preserve_index=False)
    with pyarrow.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


def call(content_type: str, body: bytes, accept: str = "", *more: str) -> Call:
    return Call("\n".join((content_type, accept, *more)).encode("latin-1"), body)


def csv(rows: Sequence[Sequence[float]]) -> bytes:
    return "".join(",".join(map(repr, row)) + "\n" for row in rows).encode()


numbers = st.sampled_from([1.0, 2.5, -3.0, 4.0, RAISES, MISCOUNTS, REFUSES])
tables = st.integers(1, 3).flatmap(
    lambda width: st.lists(st.lists(numbers, min_size=width, max_size=width), min_size=1, max_size=3)
)
accepts = st.sampled_from(["", "application/json", "text/csv", "application/x-npy", "image/png", "text/event-stream"])
mores = st.sampled_from([(), (), ("Icall-7",), ("Zgzip",), ("Ctrace=1", "Icall-8"), ("Ss1",), ("Abert",), ("Egzip",)])
JUNK = [
    call("application/json", b"[[1, 2"),
    call("application/json", b"[]"),
    call("text/csv", b"1,x\n"),
    call("text/csv", b""),
    call("application/x-npy", b"\x93NUMPY"),
    call("text/xml", b"<a/>"),
    call("nonsense", b"1"),
    call("application/json", b"[[1.0]]", "image/png"),
    call("application/json", b"[[1.0]]", "", "Ebr"),
]


def like_table(rows: list[list[float]], accept: str, more: tuple[str, ...]) -> st.SearchStrategy[Call]:
    frame = pd.DataFrame(rows, columns=[f"c{n}" for n in range(len(rows[0]))])
    labelled = frame.assign(kind=pd.Categorical([f"k{int(rows[0][0])}"] * len(rows)))
    bodies = [
        ("application/json", json.dumps(rows).encode()),
        ("application/json", json.dumps({"instances": rows}).encode()),
        ("application/json", json.dumps([{str(n): cell for n, cell in enumerate(row)} for row in rows]).encode()),
        ("application/json; charset=utf-8", json.dumps(rows[0]).encode()),
        ("text/csv", csv(rows)),
        ("text/csv; header=present", b",".join(b"%d" % n for n in range(len(rows[0]))) + b"\n" + csv(rows)),
        ("application/jsonlines", b"".join(json.dumps(row).encode() + b"\n" for row in rows)),
        ("application/x-npy", npy(rows)),
        ("application/x-npy", npy(rows, "i4")),
        ("application/x-npy", npy(rows, ">f4")),
        ("application/x-npz", npz(a=rows)),
        ("application/x-parquet", parquet(frame)),
        ("application/x-parquet", parquet(labelled)),
        ("application/vnd.apache.arrow.stream", arrow(frame)),
    ]
    return st.sampled_from(bodies).map(lambda found: packed(*found, accept, more))


def packed(content_type: str, body: bytes, accept: str, more: tuple[str, ...]) -> Call:
    return call(content_type, gzip.compress(body, mtime=0) if "Egzip" in more else body, accept, *more)


def like_arrays(rows: list[list[float]], accept: str, more: tuple[str, ...]) -> st.SearchStrategy[Call]:
    one = [row[0] for row in rows]
    bodies = [
        ("application/x-npz", npz(a=rows)),
        ("application/x-npz", npz(a=one, b=rows)),
        ("application/x-npz", npz(a=rows, b=[1.0])),
        ("application/json", json.dumps({"a": one}).encode()),
        ("application/json", json.dumps({"b": rows, "a": one}).encode()),
    ]
    return st.sampled_from(bodies).map(lambda found: packed(*found, accept, more))


def like_records(rows: list[list[float]], accept: str, more: tuple[str, ...]) -> st.SearchStrategy[Call]:
    records: list[dict[str, object]] = [{"a": row[0]} for row in rows]
    wrong: list[dict[str, object]] = [*records, {"a": "x"}]
    bodies = [
        ("application/json", json.dumps(records).encode()),
        ("application/json", json.dumps(records[0]).encode()),
        ("application/json", json.dumps(wrong).encode()),
        ("application/json", json.dumps({"instances": records}).encode()),
        ("application/jsonlines", b"".join(json.dumps(record).encode() + b"\n" for record in records)),
        ("text/csv; header=present", b"a\n" + csv([row[:1] for row in rows])),
        ("text/csv", csv([row[:2] for row in rows])),
    ]
    return st.sampled_from(bodies).map(lambda found: packed(*found, accept, more))


def like_lists(rows: list[list[float]], accept: str, more: tuple[str, ...]) -> st.SearchStrategy[Call]:
    bodies = [
        ("application/json", json.dumps(rows).encode()),
        ("application/json", json.dumps([*rows, [1.0, 2.0, 3.0, 4.0]]).encode()),
        ("application/json", json.dumps({"instances": rows}).encode()),
        ("application/json", json.dumps({"instances": [{"features": row} for row in rows]}).encode()),
        ("application/json", json.dumps([*rows, ["x"]]).encode()),
        ("application/jsonlines", b"".join(json.dumps(row).encode() + b"\n" for row in rows)),
        ("text/csv", csv(rows)),
        ("application/x-npy", npy(rows)),
    ]
    return st.sampled_from(bodies).map(lambda found: packed(*found, accept, more))


def like_numbers(rows: list[list[float]], accept: str, more: tuple[str, ...]) -> st.SearchStrategy[Call]:
    bodies = [
        ("application/json", json.dumps(rows[0]).encode()),
        ("application/json", json.dumps({"instances": rows[0]}).encode()),
        ("application/json", json.dumps([*rows[0], "x"]).encode()),
        ("application/jsonlines", b"".join(json.dumps(cell).encode() + b"\n" for cell in rows[0])),
        ("text/csv", csv([rows[0]])),
    ]
    return st.sampled_from(bodies).map(lambda found: packed(*found, accept, more))


Like = Callable[[list[list[float]], str, tuple[str, ...]], st.SearchStrategy[Call]]
KINDS: list[tuple[type[Recording], Like]] = [
    (TakesArray, like_table),
    (TakesFloats, like_table),
    (TakesFrame, like_table),
    (TakesTable, like_table),
    (TakesSparse, like_table),
    (TakesArrays, like_arrays),
    (TakesRecords, like_records),
    (TakesLists, like_lists),
    (TakesNumbers, like_numbers),
    (TakesSeries, like_numbers),
]


def frames(like: Like) -> st.SearchStrategy[list[Call]]:
    one = st.tuples(tables, accepts, mores).flatmap(lambda found: like(*found))
    # Some several times over: only like ones are joined.
    repeated = st.tuples(one, st.integers(1, 4)).map(lambda found: [found[0]] * found[1])
    return st.lists(repeated | st.sampled_from(JUNK).map(lambda junk: [junk]), min_size=1, max_size=5).flatmap(
        lambda parts: st.permutations([one for part in parts for one in part])
    )


def alone(predictor: type[Predictor], calls: Iterable[Call]) -> list[tuple[int, bytes, bytes]]:
    return [told(Pipeline(predictor(), None).answer(*one)) for one in calls]


def together(joiner: Joiner, calls: Sequence[Call]) -> Sequence[Answer | Later]:
    return joiner.answer_all([one.fields for one in calls], [one.body for one in calls])


def told(found: Answer | Later) -> tuple[int, bytes, bytes]:
    assert isinstance(found, Answer)
    body = bytes(found.body)
    if found.status == 200 and b"arrow" in found.head:  # the same table has several forms, as its columns lie in memory
        plain = gzip.decompress(body) if b"gzip" in found.head else body
        table = pa.ipc.open_stream(plain).read_all()
        body = f"{table.schema.to_string()} {table.to_pydict()}".encode()
    return found.status, found.head, body


def proven(predictor: Predictor, one: Call, max_rows: int = 64) -> Joiner:
    """A joiner that has seen that the predictor is row-wise."""
    joiner = Joiner(Pipeline(predictor, None), Batching(max_rows))
    assert told(together(joiner, [one])[0])[0] == 200
    return joiner


FIRST = {
    TakesArrays: call("application/x-npz", npz(a=[[1.0]])),
    TakesRecords: call("application/json", b'{"a": 1.0}'),
    TakesNumbers: call("application/json", b"[1.0]"),
    TakesSeries: call("application/json", b"[1]"),
}


@pytest.mark.parametrize(("predictor", "like"), KINDS, ids=[kind.__name__ for kind, _ in KINDS])
def test_any_mix_is_answered_as_if_each_were_alone(predictor: type[Recording], like: Like) -> None:
    @settings(max_examples=40, deadline=None)
    @given(st.lists(frames(like), min_size=1, max_size=2), st.integers(1, 8))
    def holds(given: list[list[Call]], max_rows: int) -> None:
        kind = predictor()
        joiner = proven(kind, FIRST.get(predictor, call("application/json", b"[[1.0]]")), max_rows)
        for calls in given:
            assert [told(found) for found in together(joiner, calls)] == alone(predictor, calls)

    holds()


JOINED = [
    (TakesArray, call("application/json", b"[[1.0, 2.0]]")),
    (TakesArray, call("text/csv", b"1,2\n")),
    (TakesArray, call("application/x-npy", npy([[1.0, 2.0]]))),
    (TakesArray, call("application/json", b"[[1.0, 2.0]]", "", "Icall-7")),
    (TakesFrame, call("text/csv; header=present", b"a,b\n1,2\n")),
    (TakesTable, call("text/csv; header=present", b"a,b\n1,2\n")),
    (TakesSparse, call("application/json", b"[[1.0, 2.0]]")),
    (TakesArrays, call("application/x-npz", npz(a=[[1.0, 2.0]]))),
    (TakesRecords, call("application/json", b'{"a": 1.0}')),
    (TakesRecords, call("application/json", b'[{"a": 1.0}]', "text/csv", "Zgzip")),
    (TakesLists, call("application/json", b"[[1, 2.0]]")),
    (TakesLists, call("text/csv", b"1,2\n")),
    (TakesPairs, call("application/json", b'{"instances": [[2, "a"]]}')),
    (TakesNumbers, call("application/json", b"[1.0]")),
]


@pytest.mark.parametrize(("predictor", "one"), JOINED, ids=lambda value: getattr(value, "__name__", ""))
def test_what_is_alike_is_predicted_in_one_call(predictor: type[Recording], one: Call) -> None:
    kind = predictor()
    joiner = proven(kind, one._replace(fields=one.fields.replace(b"text/csv\nZ", b"\nZ")))
    assert len({told(found) for found in together(joiner, [one] * 5)}) == 1
    assert kind.sizes == [1, 5]


def test_other_dtypes_widths_and_media_types_are_never_joined() -> None:
    kind = TakesArray()
    joiner = proven(kind, call("application/json", b"[[1.0]]"))
    together(
        joiner,
        [
            call("application/x-npy", npy([[1, 2]], "i4")),
            call("application/x-npy", npy([[1, 2]], "f8")),
            call("application/x-npy", npy([[1, 2, 3]], "f8")),
            call("application/x-npy", npy([[[1, 2]]], "f8")),
            call("text/csv", b"1,2\n"),
        ],
    )
    assert kind.sizes == [1, 2, 1, 1, 1]  # the two tables of float64 with two columns, whatever they came as


def lists(*bodies: object) -> list[Call]:
    return [call("application/json", json.dumps(body).encode()) for body in bodies]


def test_lists_of_other_widths_and_of_other_types_of_cells_are_never_joined() -> None:
    kind = TakesMixed()
    joiner = proven(kind, lists([[1.0]])[0])
    calls = lists([[1.0, 2.0]], [[1.0, "a"]], [["a", 1.0]], [[1.0]], [[3.0, 4.0]], [[1.0], [2.0, 3.0]], [[None, 2.0]])
    assert [told(found) for found in together(joiner, calls)] == alone(TakesMixed, calls)
    assert kind.sizes[:2] == [1, 2]
    assert max(kind.sizes) == 2  # the two of two numbers, and the ragged one alone, which fails alone


def test_a_flat_list_is_joined_only_where_the_predictor_says_that_its_numbers_are_rows() -> None:
    calls = lists([1, 2], [3, 4, 5], [6])
    for predictor, sizes in ((TakesNumbers, [1, 6]), (TakesSeries, [1, 2, 3, 1])):
        kind = predictor()
        joiner = proven(kind, lists([1])[0])
        assert [told(found) for found in together(joiner, calls)] == alone(predictor, calls)
        assert kind.sizes == sizes


def test_the_limit_is_in_rows() -> None:
    kind = TakesArray()
    joiner = proven(kind, call("application/json", b"[[1.0]]"), 6)
    sizes = [1, 2, 4, 9, 3, 3, 5, 2]
    calls = [call("application/json", json.dumps([[1.0]] * size).encode()) for size in sizes]
    assert [told(found) for found in together(joiner, calls)] == alone(TakesArray, calls)
    assert max(size for size in kind.sizes if size != 9) <= 6
    assert sum(kind.sizes[1:]) == sum(sizes)
    assert len(kind.sizes) < 1 + len(sizes)


class TakesBodies(Recording):
    def predict(self, inputs: list[bytes]) -> list[int]:
        self.sizes.append(len(inputs))
        return [len(body) for body in inputs]


def test_bodies_are_joined_where_predict_takes_a_list_of_them() -> None:
    kind = TakesBodies()
    joiner = Joiner(Pipeline(kind, None), Batching())
    calls = [call("text/plain", b"x" * size, "application/json") for size in (1, 2, 3)]
    assert told(together(joiner, calls[:1])[0])[2] == b"1"
    assert [told(found)[2] for found in together(joiner, calls)] == [b"1", b"2", b"3"]
    assert kind.sizes == [1, 3]


class TakesPixels(Recording):
    """As many rows out as the picture is high."""

    def predict(self, inputs: np.ndarray) -> Any:
        self.sizes.append(len(inputs))
        return inputs.sum(axis=(1, 2))


class TakesPictures(Recording):
    def predict(self, inputs: list[Image.Image]) -> Any:
        self.sizes.append(len(inputs))
        return [f"{image.format} {image.width}" for image in inputs]


def picture(name: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (5, 4)).save(out, name)
    return out.getvalue()


FORM = b'--b\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n' + picture("PNG") + b"\r\n--b--\r\n"


def test_the_lines_of_a_picture_are_no_rows_but_pictures_in_a_list_are() -> None:
    png = [
        call(content_type, body, "application/json")
        for content_type, body in (
            ("image/png", picture("PNG")),
            ("application/x-image", picture("PNG")),
            ("multipart/form-data; boundary=b", FORM),
        )
        for _ in range(2)
    ]
    pixels = TakesPixels()
    joiner = proven(pixels, png[0])
    assert [told(found) for found in together(joiner, png)] == alone(TakesPixels, png)
    assert set(pixels.sizes) == {4}
    pictures = TakesPictures()
    joiner = proven(pictures, png[0])
    calls = [*png, call("image/jpeg", picture("JPEG"), "application/json")]
    assert [told(found) for found in together(joiner, calls)] == alone(TakesPictures, calls)
    assert pictures.sizes == [1, 7]


class Best(Recording):
    """The twelve best rows, whatever it is given: row-wise as long as it is given no more."""

    def predict(self, inputs: Floats) -> Any:
        self.sizes.append(len(inputs))
        return np.sort(inputs[:, 0])[:12]


def test_what_one_group_shows_holds_for_the_next_of_the_same_frame() -> None:
    kind = Best()
    rows = [[float(number)] for number in range(6, 0, -1)]
    joiner = proven(kind, call("application/json", b"[[1.0]]"), 18)
    calls = [call("application/json", json.dumps(rows).encode())] * 5
    assert [told(found) for found in together(joiner, calls)] == alone(Best, calls)
    assert kind.sizes == [1, 18, 6, 6, 6, 6, 6]


def test_large_invocations_are_joined_by_a_few_unless_the_project_says_otherwise() -> None:
    sizes = {}
    large = call("application/json", json.dumps([[1.0]] * 100).encode())
    for limit in (None, 150):
        kind = TakesArray()
        joiner = Joiner(Pipeline(kind, None), Batching(limit))
        for calls in ([large], [large] * 9):
            together(joiner, calls)
        sizes[limit] = kind.sizes
    assert sizes == {None: [100, 400, 400, 100], 150: [100] * 10}


def test_one_bad_row_costs_only_its_own_invocation() -> None:
    kind = TakesArray()
    joiner = proven(kind, call("application/json", b"[[1.0]]"))
    bodies = [[[1.0]], [[RAISES]], [[2.0]], [[REFUSES]], [[4.0]]]
    found = together(joiner, [call("application/json", json.dumps(body).encode()) for body in bodies])
    assert [told(one)[0] for one in found] == [200, 500, 200, 400, 200]
    assert [told(one)[2] for one in found[::2]] == [b"[1.0]", b"[2.0]", b"[4.0]"]
    assert joiner.joins  # that a predictor raises says nothing about its rows


class Constant(Recording):
    """Three numbers, whatever it is given."""

    def predict(self, inputs: Floats) -> Any:
        self.sizes.append(len(inputs))
        return inputs[0, 0] * np.ones(3)


class Middle(Recording):
    """Does one thing in the middle of the rows that belongs to an invocation."""

    row_wise: ClassVar[bool | None] = False

    def predict(self, inputs: Floats) -> Any:
        self.sizes.append(len(inputs))
        return inputs - inputs.mean()


class Replies(Recording):
    def predict(self, inputs: Floats) -> Any:
        self.sizes.append(len(inputs))
        return Reply(b"%d" % inputs[0, 0], "text/x-whole")


class Asks(Recording):
    def predict(self, inputs: Floats) -> Any:
        self.sizes.append(len(inputs))
        try:
            attributes = current_invocation().custom_attributes
        except Exception:  # as a careful user writes it
            attributes = "swallowed"
        return [f"{attributes} {row[0]:g}" for row in inputs]


class MetersScalar(Recording):
    def predict(self, inputs: Floats) -> Any:
        self.sizes.append(len(inputs))
        meter(float(inputs.sum()))
        return inputs[:, 0]


def numbered(count: int, *more: str) -> list[Call]:
    return [call("application/json", b"[[%d.0]]" % n, "", *(line.format(n) for line in more)) for n in range(count)]


@pytest.mark.parametrize("count", [2, 3, 4, 7])
@pytest.mark.parametrize("predictor", [Constant, Middle, Replies, Asks, MetersScalar])
@pytest.mark.parametrize("more", [(), ("Ctrace={}",)], ids=["plain", "with a field"])
def test_what_is_not_row_wise_is_answered_alone_and_never_joined_again(
    predictor: type[Recording], count: int, more: tuple[str, ...]
) -> None:
    kind = predictor()
    joiner = Joiner(Pipeline(kind, None), Batching())
    for calls in (numbered(count, *more), numbered(count, *more), numbered(9, *more)):
        assert [told(found) for found in together(joiner, calls)] == alone(predictor, calls)
    assert not joiner.joins
    together(joiner, numbered(5))
    assert kind.sizes[-14:] == [1] * 14


class MetersRows(Recording):
    def predict(self, inputs: Floats) -> Any:
        self.sizes.append(len(inputs))
        meter(inputs[:, 0].tolist())
        return inputs[:, 0]


@pytest.mark.parametrize("more", [(), ("Icall-{}",)], ids=["plain", "with a field"])
def test_units_by_row_keep_the_rows_together(more: tuple[str, ...]) -> None:
    kind = MetersRows()
    joiner = proven(kind, call("application/json", b"[[1.0]]"))
    calls = numbered(6, *more)
    found = [told(one) for one in together(joiner, calls)]
    assert found == alone(MetersRows, calls)
    assert b'"ConsumedUnits":5' in found[5][1]
    assert kind.sizes == [1, 6]


class EncodesByContext(Recording):
    def predict(self, inputs: Floats) -> Any:
        self.sizes.append(len(inputs))
        return inputs[:, 0]

    def encode(self, prediction: Any, accept: str) -> Any:
        if RAISES in prediction:
            raise RuntimeError("poisoned")
        current_invocation().reply_custom_attributes(f"{current_invocation().inference_id}!")
        return f"{prediction[0]:g}"


@pytest.mark.parametrize("more", [(), ("Icall-{}",)], ids=["plain", "with a field"])
def test_an_encode_of_ones_own_may_ask_about_its_invocation(more: tuple[str, ...]) -> None:
    kind = EncodesByContext()
    joiner = proven(kind, call("application/json", b"[[1.0]]"))
    calls = [*numbered(4, *more), call("application/json", b"[[13.0]]", "", *(line.format(13) for line in more))]
    found = [told(one) for one in together(joiner, calls)]
    assert found == alone(EncodesByContext, calls)
    assert [one[0] for one in found] == [200] * 4 + [500]
    assert kind.sizes == [1, 5]


class Counts(Recording):
    def predict(self, inputs: Floats) -> Any:
        self.sizes.append(len(inputs))
        session = current_invocation().session
        assert isinstance(session, Session)
        session.state["seen"] = session.state.get("seen", 0) + 1
        return [session.state["seen"]] * len(inputs)


def test_invocations_of_a_session_are_never_joined() -> None:
    kind = Counts()
    joiner = Joiner(Pipeline(kind, None), Batching())
    found = [one for _ in range(2) for one in together(joiner, numbered(2, "Sone") + numbered(1, "Stwo"))]
    assert [told(one)[2] for one in found] == [b"[1]", b"[2]", b"[1]", b"[3]", b"[4]", b"[2]"]
    assert set(kind.sizes) == {1}
    assert joiner.joins


def test_invocations_for_other_adapters_are_not_joined() -> None:
    kind = TakesArray()
    joiner = proven(kind, call("application/json", b"[[1.0]]"))
    together(joiner, [*numbered(2, "Aone"), *numbered(3, "Atwo"), *numbered(4)])
    assert sorted(kind.sizes[1:]) == [2, 3, 4]


def test_a_limit_of_one_joins_nothing() -> None:
    kind = TakesArray()
    joiner = Joiner(Pipeline(kind, None), Batching(1))
    together(joiner, numbered(5))
    assert kind.sizes == [1] * 5
    assert not joiner.joins


def test_rows_and_times_of_a_frame_are_told_once() -> None:
    pipeline = Pipeline(TakesArray(), None)
    joiner = Joiner(pipeline, Batching())
    together(joiner, numbered(1))
    assert pipeline.take_timings().rows == 1
    together(joiner, numbered(5))
    found = pipeline.take_timings()
    assert found.rows == 5
    assert min(found.decode, found.predict, found.encode) > 0
    assert pipeline.take_timings() == Timings(0, 0.0, 0.0, 0.0)
