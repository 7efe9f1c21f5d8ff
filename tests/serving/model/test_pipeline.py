from typing import Any

import orjson
import pytest

from argosy import Predictor
from argosy.errors import LoadError
from argosy.serving.model.pipeline import Pipeline


class Untyped(Predictor):
    def predict(self, inputs):  # type: ignore[no-untyped-def] # what a user may write
        return {"got": type(inputs).__name__}


class Bytes(Predictor):
    def predict(self, inputs: bytes) -> bytes:
        return inputs[::-1]


class Fields(Predictor):
    def predict(self, inputs: dict[str, Any]) -> Any:
        return inputs["answer"]


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
    answer = Pipeline(Untyped(), None).answer(content_type, "application/json", "", body)
    assert orjson.loads(answer.body) == {"got": want}


def test_an_answer_that_the_questions_type_cannot_say_takes_the_next_type() -> None:
    answer = Pipeline(Untyped(), None).answer("text/csv", "", "", b"1,2\n")
    assert (answer.status, answer.content_type) == (200, b"application/json")


def test_an_answer_that_no_accepted_type_can_say_is_406() -> None:
    assert Pipeline(Untyped(), None).answer("text/csv", "text/csv", "", b"1,2\n").status == 406


def test_a_predictor_of_bytes_takes_and_gives_any_media_type() -> None:
    answer = Pipeline(Bytes(), None).answer("image/png", "", "", b"abc")
    assert (answer.status, answer.content_type, bytes(answer.body)) == (200, b"image/png", b"cba")


def test_declared_media_types_are_all_that_is_taken() -> None:
    pipeline = Pipeline(Bytes(), ("image/png",))
    assert pipeline.answer("image/png", "image/*", "", b"abc").status == 200
    refused = pipeline.answer("image/gif", "", "", b"abc")
    assert refused.status == 415
    assert b"image/png" in bytes(refused.body)


def test_a_declared_media_type_without_codec_cannot_be_loaded() -> None:
    with pytest.raises(LoadError, match="`image/png` cannot be decoded to `dict`"):
        Pipeline(Fields(), ("image/png",))
    with pytest.raises(LoadError, match="`text/csv` cannot be decoded to `dict`"):
        Pipeline(Fields(), ("application/json", "text/csv"))


def test_the_first_declared_media_type_stands_in_for_a_missing_one() -> None:
    answer = Pipeline(Untyped(), ("text/csv", "application/json")).answer("", "application/json", "", b"1,2\n")
    assert orjson.loads(answer.body) == {"got": "list"}


def test_the_predictors_error_names_its_class_and_nothing_else() -> None:
    answer = Pipeline(Fields(), None).answer("application/json", "", "abc", b"{}")
    error = orjson.loads(answer.body)["error"]
    assert answer.status == 500
    assert error == {"code": "predict", "message": "the predictor raised `KeyError`", "inference_id": "abc"}


def test_remembered_routes_are_bounded() -> None:
    pipeline = Pipeline(Untyped(), None)
    for number in range(2000):
        assert pipeline.answer(f"application/json; v={number}", "", "", b"1").status == 200
    assert len(pipeline._routes) <= 512
