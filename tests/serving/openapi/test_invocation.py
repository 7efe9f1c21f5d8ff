import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import jsonschema_rs
import numpy as np
import pytest
import schemathesis
from numpy.typing import NDArray
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.definitions import OPENAPI_31

from argosy.errors import ConflictError
from argosy.serving import answers
from argosy.serving.inputs.annotation import output_schema, read
from argosy.serving.openapi.document import of_no_model
from argosy.serving.openapi.hosting import Hosting
from argosy.serving.openapi.invocation import Signature, document
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


INVOCATION_FIELDS = {"X-Amzn-SageMaker-Custom-Attributes", "X-Amzn-SageMaker-Inference-Id"}
ONE_MODEL = Hosting()
SESSION, CLOSED = "X-Amzn-SageMaker-Session-Id", "X-Amzn-SageMaker-Closed-Session-Id"


def written(annotation: Any, returns: Any = None, *, is_streaming: bool = False, hosting: Hosting = ONE_MODEL) -> Any:
    predict = annotated(annotation, returns)
    signature = Signature(read(predict), output_schema(predict), TYPES, is_streaming)
    return json.loads(document("Houses", signature, hosting))


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


def test_an_example_is_shown_where_somebody_might_read_it() -> None:
    for length, is_shown in ((3, True), (100_000, False)):
        spec = replace(read(annotated(NDArray[np.float64])), example=[[0] * length])
        told = json.loads(document("Model", Signature(spec, {}, ["application/json"])))
        body = told["paths"]["/invocations"]["post"]["requestBody"]["content"]["application/json"]
        assert ("example" in body) is is_shown


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
    found = json.loads(document("A", Signature(read(predict), output_schema(predict), types)))
    answer = found["paths"]["/invocations"]["post"]["responses"]["200"]["content"]
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


def operations(document: Any) -> dict[str, Any]:
    """`METHOD /path` -> the operation, those that every server has left out."""
    OAS.validate(document)
    everywhere = {"/ping", "/execution-parameters", "/metrics", "/openapi.json"}
    paths = {path: methods for path, methods in document["paths"].items() if path not in everywhere}
    found = {f"{m.upper()} {path}": told for path, methods in paths.items() for m, told in methods.items()}
    return {name: told for name, told in found.items() if not name.startswith("PARAMETERS")}


def names(operation: Any) -> set[str]:
    assert all(not p["required"] for p in operation["parameters"])
    return {p["name"] for p in operation["parameters"]}


def answered(operation: Any, status: str) -> set[str]:
    """The header fields of an answer."""
    return set(operation["responses"][status].get("headers", {}))


def test_only_what_is_served_is_described() -> None:
    found = operations(written(Any))
    assert set(found) == {"POST /invocations"}
    invoke = found["POST /invocations"]
    assert names(invoke) == INVOCATION_FIELDS
    attributes = "X-Amzn-SageMaker-Custom-Attributes"
    assert answered(invoke, "200") == {attributes, "X-Amzn-Inference-Metering"}
    assert answered(invoke, "400") == {attributes}
    assert answered(invoke, "503") == {attributes, "Retry-After"}


@pytest.mark.parametrize("is_streaming", [False, True])
def test_a_session_is_a_header_field_and_a_body_of_its_own(is_streaming: bool) -> None:
    hosting = Hosting(has_sessions=True)
    invoke = operations(written(House, is_streaming=is_streaming, hosting=hosting))["POST /invocations"]
    assert names(invoke) == {*INVOCATION_FIELDS, SESSION}
    assert answered(invoke, "200") >= {SESSION, CLOSED, "X-Amzn-SageMaker-New-Session-Id"}
    schemas = [invoke[part]["content"]["application/json"]["schema"] for part in ("requestBody",)]
    schemas.append(invoke["responses"]["200"]["content"]["application/json"]["schema"])
    for schema, body in zip(schemas, ({"requestType": "CLOSE"}, {"closedSessionId": "a"}), strict=True):
        choices = schema.get("anyOf", [schema])
        assert jsonschema_rs.is_valid(choices[-1], body)
    (session,) = [p["schema"] for p in invoke["parameters"] if p["name"] == SESSION]
    for text, is_known in (("NEW_SESSION", True), ("a-1", True), ("-a", False), ("", False), ("a" * 257, False)):
        assert jsonschema_rs.is_valid(session, text) is is_known


def test_adapters_have_their_paths_and_header_fields() -> None:
    found = operations(written(Any, hosting=Hosting(has_adapters=True)))
    statuses = {name: set(told["responses"]) for name, told in found.items() if "adapters" in name}
    failing = {"500", "503"}
    assert statuses == {
        "GET /adapters": {"200", "400", "503"},
        "POST /adapters": {"200", "400", "409", "413", "507", *failing},
        "GET /adapters/{name}": {"200", "404", "503"},
        "DELETE /adapters/{name}": {"200", "404", *failing},
        "POST /adapters/{name}/update": {"200", "400", "404", "409", "413", "507", *failing},
    }
    adapter = {"X-Amzn-SageMaker-Adapter-Identifier", "X-Amzn-SageMaker-Adapter-Alias"}
    assert names(found["POST /invocations"]) == INVOCATION_FIELDS | adapter


@pytest.mark.parametrize("is_loaded", [False, True])
def test_a_multi_model_endpoint_has_the_model_api_with_and_without_a_model(is_loaded: bool) -> None:
    hosting = Hosting(has_adapters=is_loaded, is_multi_model=True)
    document = written(House, hosting=hosting) if is_loaded else json.loads(of_no_model(hosting))
    found = operations(document)
    statuses = {name: set(told["responses"]) for name, told in found.items()}
    invoking = {"200"} | {str(status) for status in {*answers.STATUS.values()} - {409}}
    assert statuses == {
        "GET /models": {"200", "400"},
        "POST /models": {"200", "400", "409", "413", "500", "503", "507"},
        "GET /models/{model_name}": {"200", "404"},
        "DELETE /models/{model_name}": {"200", "404"},
        "POST /models/{model_name}/invoke": invoking,
        "POST /invocations": invoking,
    }
    assert names(found["POST /models/{model_name}/invoke"]) == INVOCATION_FIELDS
    assert names(found["POST /invocations"]) == INVOCATION_FIELDS
    (target,) = document["paths"]["/invocations"]["parameters"]
    assert (target["name"], target["required"]) == ("X-Amzn-SageMaker-Target-Model", False)
    taken = found["POST /models/{model_name}/invoke"]["requestBody"]["content"]
    assert set(taken) == ({*TYPES} if is_loaded else {"*/*"})
