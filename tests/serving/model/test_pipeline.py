import gzip
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import pyarrow
import pyarrow.ipc
import pytest
from numpy.typing import NDArray

from argosy import Predictor
from argosy.errors import DecodeError, LoadError
from argosy.serving.context import Reply, current_invocation, meter
from argosy.serving.model.pipeline import Answer, Pipeline


def answered(pipeline: Pipeline, content_type: str, accept: str, body: bytes, *more: str) -> Answer:
    found = pipeline.answer("\n".join((content_type, accept, *more)).encode("latin-1"), body)
    assert isinstance(found, Answer)
    return found


def error(found: Answer) -> dict[str, str]:
    told: dict[str, str] = orjson.loads(found.body)["error"]
    return told


class Untyped(Predictor):
    def predict(self, inputs):  # type: ignore[no-untyped-def] # what a user may write
        return {"got": [type(inputs).__name__]}


class Bytes(Predictor):
    def predict(self, inputs: bytes) -> bytes:
        return inputs[::-1]


class Fields(Predictor):
    def predict(self, inputs: dict[str, Any]) -> Any:
        return inputs["answer"]


class Given(Predictor):
    """Gives back what the test put there."""

    what: Any = None

    def predict(self, inputs: Any) -> Any:
        return self.what


def giving(what: Any) -> Pipeline:
    predictor = Given()
    predictor.what = what
    return Pipeline(predictor, None)


@pytest.mark.parametrize(
    ("content_type", "body", "want"),
    [
        ("application/json", b"[1]", "list"),
        ("application/json", b"{}", "dict"),
        ("text/csv", b"1,2\n", "list"),
        ("text/plain", b"hello", "str"),
        ("application/octet-stream", b"\x00", "bytes"),
    ],
)
def test_without_annotation_the_media_type_decides(content_type: str, body: bytes, want: str) -> None:
    assert orjson.loads(answered(Pipeline(Untyped(), None), content_type, "application/json", body).body) == {
        "got": [want]
    }


@dataclass
class Loan:
    amount: float
    years: int = 1


class Rated(Predictor):
    def predict(self, inputs: list[Loan]) -> list[Loan]:
        return [Loan(2 * loan.amount, loan.years) for loan in inputs]


ONE, TWO = b'{"amount": 1}', b'[{"amount": 1}, {"amount": 2, "years": 3}]'


@pytest.mark.parametrize(
    ("content_type", "body", "accept", "head", "want"),
    [
        ("application/json", TWO, "text/csv", b"text/csv", b"2.0,1\n4.0,3\n"),
        ("application/json", ONE, "text/csv", b"text/csv", b"2.0,1\n"),
        ("application/json", TWO, "image/png, text/csv;q=0.5", b"text/csv", b"2.0,1\n4.0,3\n"),
        ("application/json", ONE, "application/jsonlines", b"application/jsonlines", b'{"amount":2.0,"years":1}\n'),
        ("application/json", ONE, "", b"application/json", b'{"amount":2.0,"years":1}'),
        ("text/csv", b"1,2\n", "", b"text/csv", b"2.0,2\n"),
        ("text/csv; header=present", b"amount\n1\n", "*/*", b"text/csv", b"2.0,1\n"),
    ],
)
def test_records_are_answered_as_accept_says(
    content_type: str, body: bytes, accept: str, head: bytes, want: bytes
) -> None:
    found = answered(Pipeline(Rated(), None), content_type, accept, body)
    assert (found.status, found.head, bytes(found.body)) == (200, head, want)


@pytest.mark.parametrize(("body", "rows"), [(ONE, 1), (TWO, 2)])
def test_records_are_answered_as_columns_with_names(body: bytes, rows: int) -> None:
    accept = "application/vnd.apache.arrow.stream"
    found = answered(Pipeline(Rated(), None), "application/json", accept, body)
    assert (found.status, found.head) == (200, accept.encode())
    table = pyarrow.ipc.open_stream(bytes(found.body)).read_all()
    assert table.to_pydict() == {"amount": [2.0, 4.0][:rows], "years": [1, 3][:rows]}


def test_an_answer_that_the_questions_type_cannot_say_takes_the_next_type() -> None:
    found = answered(Pipeline(Untyped(), None), "text/csv", "", b"1,2\n")
    assert (found.status, found.head) == (200, b"application/json")


@pytest.mark.parametrize("accept", ["text/csv", "text/event-stream", "image/png", "nonsense/x"])
def test_an_answer_that_no_accepted_type_can_say_is_406(accept: str) -> None:
    assert answered(Pipeline(Untyped(), None), "text/csv", accept, b"1,2\n").status == 406


def test_a_predictor_of_bytes_takes_and_gives_any_media_type() -> None:
    found = answered(Pipeline(Bytes(), None), "image/png", "", b"abc")
    assert (found.status, found.head, bytes(found.body)) == (200, b"image/png", b"cba")


def test_declared_media_types_are_all_that_is_taken() -> None:
    pipeline = Pipeline(Bytes(), ("image/png",))
    assert answered(pipeline, "image/png", "image/*", b"abc").status == 200
    refused = answered(pipeline, "image/gif", "", b"abc")
    assert refused.status == 415
    assert b"image/png" in bytes(refused.body)


def test_a_declared_media_type_without_codec_cannot_be_loaded() -> None:
    with pytest.raises(LoadError, match="`image/png` cannot be decoded to `dict`"):
        Pipeline(Fields(), ("image/png",))
    with pytest.raises(LoadError, match="`text/csv` cannot be decoded to `dict`"):
        Pipeline(Fields(), ("application/json", "text/csv"))


def test_the_first_declared_media_type_stands_in_for_a_missing_one() -> None:
    pipeline = Pipeline(Untyped(), ("text/csv", "application/json"))
    assert orjson.loads(answered(pipeline, "", "application/json", b"1,2\n").body) == {"got": ["list"]}


def test_the_predictors_error_names_its_class_and_nothing_else() -> None:
    found = answered(Pipeline(Fields(), None), "application/json", "", b"{}", "Iabc")
    assert found.status == 500
    assert error(found) == {"code": "predict", "message": "the predictor raised `KeyError`", "inference_id": "abc"}


def test_remembered_routes_are_bounded() -> None:
    pipeline = Pipeline(Untyped(), None)
    for number in range(2000):
        assert answered(pipeline, f"application/json; v={number}", "", b"1").status == 200
    assert len(pipeline.negotiator._routes) <= 512


def test_a_reply_is_sent_as_it_is() -> None:
    found = answered(giving(Reply(b"\x00", "audio/wav")), "application/json", "image/png, */*", b"1")
    assert (found.status, found.head, bytes(found.body)) == (200, b"audio/wav", b"\x00")


@pytest.mark.parametrize(
    "reply",
    [
        Reply("text"),  # type: ignore[arg-type] # what a user may write
        Reply(None),  # type: ignore[arg-type] # what a user may write
        Reply(b"x", None),  # type: ignore[arg-type] # what a user may write
        Reply(b"x", "text/plain\r\nX-Evil: 1"),
        Reply(b"x", "text/é"),
        Reply(b"x", "a/" + "b" * 70_000),
        object(),
        {"a": object()},
        float,
    ],
)
def test_a_broken_reply_is_the_predictors_500_and_nothing_more(reply: object) -> None:
    found = answered(giving(reply), "application/json", "", b"1", "Iabc")
    assert (found.status, found.head) == (500, b"application/json")
    assert error(found)["inference_id"] == "abc"


@pytest.mark.parametrize("body", [bytearray(b"abc"), memoryview(b"abc"), memoryview(b"-a-b-c")[1::2]])
def test_a_reply_may_be_anything_like_bytes(body: Any) -> None:
    assert bytes(answered(giving(Reply(body)), "application/json", "", b"1").body) == b"abc"


class Own(Predictor):
    """Media types of its own."""

    def decode(self, body: bytes, content_type: str) -> Any:
        if not body:
            raise DecodeError("the body is empty")
        if body == b"bug":
            raise ZeroDivisionError
        return body.decode(), content_type, current_invocation().custom_attributes

    def predict(self, inputs: Any) -> Any:
        return inputs

    def encode(self, prediction: Any, accept: str) -> Any:
        text, content_type, attributes = prediction
        match text:
            case "reply":
                return Reply(b"whole", "x/whole")
            case "bytes":
                return b"raw"
            case "raise":
                raise ZeroDivisionError
            case "exit":
                raise SystemExit(4)
            case "none":
                return None
        return f"{text}|{content_type}|{attributes}|{accept}"


def test_own_decode_and_encode_are_told_the_header_fields() -> None:
    found = answered(Pipeline(Own(), ("x/mine",)), "x/mine; v=1", "x/mine;q=0.5", b"hi", "Ctrace=1")
    assert (found.status, found.head, bytes(found.body)) == (200, b"x/mine", b"hi|x/mine; v=1|trace=1|x/mine;q=0.5")


@pytest.mark.parametrize(
    ("text", "status", "head", "body"),
    [
        (b"reply", 200, b"x/whole", b"whole"),
        (b"bytes", 200, b"x/mine", b"raw"),
        (b"raise", 500, b"application/json", b"ZeroDivisionError"),
        (b"exit", 500, b"application/json", b"SystemExit"),
        (b"bug", 500, b"application/json", b"ZeroDivisionError"),
        (b"", 400, b"application/json", b"the body is empty"),
        (b"none", 200, b"application/json", b"null"),
    ],
)
def test_what_own_methods_may_give(text: bytes, status: int, head: bytes, body: bytes) -> None:
    found = answered(Pipeline(Own(), ("x/mine",)), "x/mine", "", text)
    assert (found.status, found.head) == (status, head)
    assert body in bytes(found.body)


def test_own_encode_may_know_a_type_that_no_codec_knows() -> None:
    found = answered(Pipeline(Own(), None), "application/json", "x/whole", b"reply")
    assert (found.status, found.head, bytes(found.body)) == (200, b"x/whole", b"whole")
    assert answered(Pipeline(Own(), None), "application/json", "x/whole", b"bytes").status == 406


def test_own_encode_that_knows_no_type_that_accept_allows_is_406() -> None:
    assert answered(Pipeline(Own(), ("x/mine",)), "x/mine", "text/event-stream", b"bytes").status == 406


class Meters(Predictor):
    def predict(self, inputs: NDArray[np.float64]) -> Any:
        current_invocation().reply_custom_attributes("seen")
        meter(inputs.sum(axis=1).tolist())
        if inputs[0, 0] == 13:
            raise DecodeError("unlucky")
        return inputs


def test_units_are_told_with_2xx_and_no_other_status() -> None:
    pipeline = Pipeline(Meters(), None)
    good = answered(pipeline, "application/json", "", b"[[1, 2], [3, 4]]")
    assert b'X-Amzn-Inference-Metering: {"Dimension":"inference.count","ConsumedUnits":10}' in good.head
    bad = answered(pipeline, "application/json", "", b"[[13, 1]]")
    assert (bad.status, b"Metering" in bad.head) == (400, False)


def test_gzip_in_and_out() -> None:
    body = b"x" * 5000
    pipeline = Pipeline(Bytes(), None)
    found = answered(pipeline, "text/plain", "", gzip.compress(body), "Egzip", "Zgzip, br")
    assert found.head == b"text/plain\r\ncontent-encoding: gzip\r\nvary: accept-encoding"
    assert gzip.decompress(bytes(found.body)) == body
    assert answered(pipeline, "text/plain", "", b"short", "Zgzip").head == b"text/plain"
    assert answered(pipeline, "text/plain", "", body, "Zidentity").head == b"text/plain"
    assert answered(Pipeline(Bytes(), None, 4999), "text/plain", "", gzip.compress(body), "Egzip").status == 413


def test_sessions_keep_their_state() -> None:
    class Remembers(Predictor):
        def predict(self, inputs: Any) -> Any:
            session = current_invocation().session
            if session is None:
                return None
            session.state["all"] = [*session.state.get("all", []), inputs]
            return session.state["all"]

    pipeline = Pipeline(Remembers(), None)
    told = [
        bytes(answered(pipeline, "application/json", "", body, *more).body)
        for body, more in [(b"1", ("Sa",)), (b"2", ("Sb",)), (b"3", ("Sa",)), (b"4", ())]
    ]
    assert told == [b"[1]", b"[2]", b"[1,3]", b"null"]


@pytest.mark.parametrize("body", [b"7", b'"x"'])
def test_one_item_in_is_one_item_out_and_bytes_stay_bytes(body: bytes) -> None:
    class Items(Predictor):
        def predict(self, inputs: list[int | str]) -> Any:
            return b"\x05" if inputs == ["x"] else [item * 2 for item in inputs if isinstance(item, int)]

    found = answered(Pipeline(Items(), None), "application/json", "", body)
    assert bytes(found.body) == (b"14" if body == b"7" else b"\x05")
