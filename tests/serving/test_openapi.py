import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jsonschema_rs
import numpy as np
import pytest
import schemathesis
from numpy.typing import NDArray
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.definitions import OPENAPI_31

from argosy.errors import ConflictError
from argosy.serving import answers, openapi
from argosy.serving.inputs.annotation import output_schema, read
from tests.serving.inputs.annotated import annotated
from tests.serving.inputs.classes import House, Later, Model, Point3, Struct, Tree, Whole

TYPES = (
    "application/json",
    "text/csv",
    "application/jsonlines",
    "application/x-npy",
    "application/x-parquet",
    "image/*",
    "text/libsvm",
    "multipart/form-data",
)
OAS = jsonschema_rs.validator_for(OPENAPI_31)


@dataclass
class Error:
    """A class of the user's own that is called as the server's error schema is."""

    reason: str


def written(annotation: Any, returns: Any = None, *, is_streaming: bool = False) -> Any:
    predict = annotated(annotation, returns)
    return json.loads(openapi.document("Houses", read(predict), output_schema(predict), TYPES, is_streaming))


@pytest.mark.parametrize("is_streaming", [False, True])
@pytest.mark.parametrize(
    ("annotation", "returns"),
    [
        (np.ndarray, np.ndarray),
        (NDArray[np.float32], list[float]),
        (dict[str, np.ndarray], dict[str, np.ndarray]),
        (bytes, bytes),
        (Any, None),
        (list[str], list[list[float]]),
        (House, House),
        (list[House], list[Error]),
        (Tree, Tree),
        (Point3, dict[str, float]),
        (list[Struct], list[Struct]),
        (Whole, Whole),
        (list[Model], list[Model]),
        (Later, Later),
        (Error, Iterator[str]),
    ],
    ids=str,
)
def test_the_document_is_openapi_and_every_reference_resolves(
    annotation: Any, returns: Any, is_streaming: bool
) -> None:
    document = written(annotation, returns, is_streaming=is_streaming)
    OAS.validate(document)
    found = schemathesis.openapi.from_dict(document).get_all_operations()
    operations = {operation.ok().label for operation in found if isinstance(operation, Ok)}
    assert operations == {
        "GET /ping",
        "POST /ping",
        "POST /invocations",
        "GET /execution-parameters",
        "GET /metrics",
        "GET /openapi.json",
    }
    assert "#/$defs/" not in json.dumps(document)
    assert "$defs" not in json.dumps(document)
    for schema in _schemas(document):
        jsonschema_rs.validator_for(schema | {"components": document["components"]})


def _schemas(document: Any) -> Iterator[Any]:
    invoke = document["paths"]["/invocations"]["post"]
    for content in (invoke["requestBody"], *invoke["responses"].values()):
        for media in content["content"].values():
            jsonschema_rs.meta.validate({"$schema": document["jsonSchemaDialect"]} | media["schema"])
            yield media["schema"]


def test_json_has_the_predictor_s_schema_and_the_others_say_what_they_are() -> None:
    invoke = written(list[House], list[float])["paths"]["/invocations"]["post"]
    content = {name: media["schema"] for name, media in invoke["requestBody"]["content"].items()}
    house = {"$ref": "#/components/schemas/House"}
    assert tuple(content) == TYPES
    houses = {"type": "array", "items": house}
    instances = content["application/json"]["anyOf"].pop()
    assert content["application/json"] == {"anyOf": [house, houses]}
    assert instances["properties"]["instances"] == houses
    assert content["multipart/form-data"] == house
    assert content["application/x-parquet"]["format"] == "binary"
    assert "order of their declaration" in content["text/csv"]["description"]
    assert all(content[name]["description"] for name in TYPES[1:-1])
    answer = {name: media["schema"] for name, media in invoke["responses"]["200"]["content"].items()}
    assert tuple(answer) == (*TYPES[:5], "text/libsvm")
    assert answer["application/json"]["anyOf"] == [{"type": "number"}, {"type": "array", "items": {"type": "number"}}]


@dataclass
class Upload:
    photo: bytes
    more: list[bytes]
    thumbnail: bytes | None = None
    caption: str = ""


def test_the_bytes_of_a_form_are_not_base64() -> None:
    for annotation in (Upload, list[Upload]):
        content = written(annotation)["paths"]["/invocations"]["post"]["requestBody"]["content"]
        form = content["multipart/form-data"]["schema"]["properties"]
        octets = {"type": "string", "contentMediaType": "application/octet-stream"}
        assert form["photo"] == form["more"]["items"] == form["thumbnail"]["anyOf"][0] == octets
        assert form["caption"]["type"] == "string"
    assert written(Upload)["components"]["schemas"]["Upload"]["properties"]["photo"]["contentEncoding"] == "base64"


def test_an_answer_that_may_be_an_image_is_described_as_one() -> None:
    predict = annotated(bytes, bytes)
    types = ("image/png", "image/*")
    document = json.loads(openapi.document("A", read(predict), output_schema(predict), types, False))
    answer = document["paths"]["/invocations"]["post"]["responses"]["200"]["content"]
    assert set(answer) == {"image/png", "application/json"}


def test_a_stream_is_described_as_one() -> None:
    invoke = written(bytes, Iterator[str], is_streaming=True)["paths"]["/invocations"]["post"]
    assert set(invoke["responses"]["200"]["content"]) == {"text/event-stream", "application/jsonlines", "text/plain"}


def test_errors_are_as_the_server_writes_them() -> None:
    document = written(Error)
    assert document["components"]["schemas"]["Error.2"]["required"] == ["reason"]
    responses = document["paths"]["/invocations"]["post"]["responses"]
    of_loading = {answers.STATUS[ConflictError]}
    assert set(responses) == {"200"} | {str(status) for status in {*answers.STATUS.values()} - of_loading}
    schema = responses["400"]["content"]["application/json"]["schema"] | {"components": document["components"]}
    for inference_id in ("", "abc"):
        jsonschema_rs.validate(schema, json.loads(answers.error_body("decode", "no", inference_id)))
    assert not jsonschema_rs.is_valid(schema, {})


def test_header_fields_are_optional() -> None:
    parameters = written(Any)["paths"]["/invocations"]["post"]["parameters"]
    assert {p["name"]: p["required"] for p in parameters} == {
        "X-Amzn-SageMaker-Custom-Attributes": False,
        "X-Amzn-SageMaker-Inference-Id": False,
    }
