"""The server's surface as an OpenAPI 3.1 document, which it answers at `/openapi.json`.

Source:
    OpenAPI Specification 3.1.1, https://spec.openapis.org/oas/v3.1.1.html (read 2026-11-22).
"""

from collections.abc import Mapping, Sequence
from typing import Final

import orjson

from argosy import contract
from argosy.serving import codecs
from argosy.serving.inputs.annotation import InputSpec
from argosy.serving.inputs.definitions import PREFIX, Definitions, Schema, with_references
from argosy.serving.inputs.kind import InputKind

JSON: Final = "application/json"
_COMPONENTS: Final = "#/components/schemas/"
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_STREAMED: Final[Mapping[str, str]] = {
    "text/event-stream": "server-sent events, one part an event",
    "application/jsonlines": "one part a line, as JSON",
    "text/plain": "the parts one after the other",
}
_TEXTS: Final[Mapping[str, str]] = {
    "text/csv": "rows of comma-separated cells (RFC 4180)",
    "application/jsonlines": "one JSON value a line",
    "application/x-ndjson": "one JSON value a line",
    "text/libsvm": "one row a line: a label, then `index:value` pairs",
    "text/plain": "text",
}
_OCTETS: Final[Mapping[str, str]] = {
    "application/x-npy": "one array, as `numpy.save` writes it, without pickles",
    "application/x-npz": "named arrays, as `numpy.savez` writes them, without pickles",
    "application/x-recordio-protobuf": "records of SageMaker's RecordIO protobuf format",
    "application/x-parquet": "a Parquet file",
    "application/vnd.apache.arrow.stream": "an Arrow IPC stream",
    "application/octet-stream": "bytes",
}
_HEADER_ROW: Final = "; `header=present` in the Content-Type announces a header row"
_BY_POSITION: Final = ", without which the cells are the fields in the order of their declaration"
_FORM: Final = "multipart/form-data"

_ERROR: Final[Schema] = {
    "title": "Error",
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "code": {"type": "string", "description": "stable, kebab-case"},
                "message": {"type": "string", "description": "names rows and fields, never a value of the body"},
                "inference_id": {"type": "string", "description": "the request's, if it had one"},
            },
            "required": ["code", "message"],
        }
    },
    "required": ["error"],
}
_FAILURES: Final[Mapping[str, str]] = {
    "400": "The body is not what its Content-Type or the predictor's annotation says.",
    "404": "The adapter is not loaded.",
    "406": "Accept allows nothing that the server can answer with.",
    "413": "The body is larger than the server takes.",
    "415": "The Content-Type or Content-Encoding is not supported.",
    "500": "The predictor failed.",
    "503": "Loading, draining, full, or the predictor took too long.",
    "507": "The predictor ran out of memory.",
}
_EXECUTION_PARAMETERS: Final[Schema] = {
    "type": "object",
    "properties": {
        "MaxConcurrentTransforms": {"type": "integer", "minimum": 1},
        "BatchStrategy": {"enum": ["MULTI_RECORD", "SINGLE_RECORD"]},
        "MaxPayloadInMB": {"type": "integer", "minimum": 0},
    },
    "required": ["MaxConcurrentTransforms", "BatchStrategy", "MaxPayloadInMB"],
}


def document(
    title: str,
    spec: InputSpec,
    output: Mapping[str, object],
    content_types: Sequence[str],
    is_streaming: bool,
) -> bytes:
    """The document, as JSON.

    Args:
        title: The predictor's name.
        spec: What it takes.
        output: JSON Schema of what it returns, or of one part of its stream.
        content_types: Media types that are taken; those that can be are answered with, too. May hold ranges.
        is_streaming: Whether the predictor yields its answer part by part.
    """
    definitions = Definitions()
    error = {JSON: {"schema": _adopted(definitions, {"$ref": PREFIX + "Error", "$defs": {"Error": _ERROR}})}}
    request = _adopted(definitions, spec.schema)
    answer = _adopted(definitions, output)
    invoke = {
        "operationId": "invoke",
        "summary": "Predict.",
        "parameters": [
            _header(contract.HEADER_INFERENCE_ID, "Repeated in the log and in the body of an error.", 64),
            _header(contract.HEADER_CUSTOM_ATTRIBUTES, "For the predictor, which may answer with its own.", 1024),
        ],
        "requestBody": {
            "required": True,
            "content": {name: _taken(name, request, spec, definitions) for name in content_types},
        },
        "responses": {
            "200": {"description": "The prediction.", "content": _answers(answer, spec, content_types, is_streaming)},
            **{status: {"description": text, "content": error} for status, text in _FAILURES.items()},
        },
    }
    whole = {
        "openapi": "3.1.0",
        "jsonSchemaDialect": _DIALECT,
        "info": {"title": title, "version": "1"},
        "paths": {
            "/ping": {method: _ping(method) for method in ("get", "post")},
            "/invocations": {"post": invoke},
            "/execution-parameters": {"get": _read("What a transform job may ask for.", JSON, _EXECUTION_PARAMETERS)},
            "/metrics": {"get": _read("Prometheus metrics.", "text/plain", {"type": "string"})},
            "/openapi.json": {"get": _read("This document.", JSON, {"type": "object"})},
        },
    }
    components: dict[str, object] = {"schemas": {name: _pointed(part) for name, part in definitions.schemas.items()}}
    return orjson.dumps(_pointed(whole) | {"components": components})


def _adopted(definitions: Definitions, schema: Mapping[str, object]) -> Schema:
    """A schema without its `$defs`, which are kept among all."""
    parts = schema.get("$defs", {})
    rest = {key: value for key, value in schema.items() if key != "$defs"}
    return definitions.adopt(rest, parts if isinstance(parts, dict) else {})


def _pointed(schema: Mapping[str, object]) -> Schema:
    """The same with its references as OpenAPI has them."""
    return with_references(schema, lambda target: target.replace(PREFIX, _COMPONENTS, 1))


def _taken(name: str, schema: Schema, spec: InputSpec, definitions: Definitions) -> Schema:
    """The media type object of one Content-Type."""
    is_record = spec.kind is InputKind.RECORDS
    if name == _FORM:
        members = schema.get("anyOf")
        one = members[0] if spec.is_list and isinstance(members, list) else schema
        return {
            "schema": _of_form(one, definitions) if is_record or spec.kind is InputKind.DICT else {"type": "object"}
        }
    if name == "text/csv":
        text = _TEXTS[name] + _HEADER_ROW + (_BY_POSITION if is_record else "")
        return {"schema": {"type": "string", "description": text}}
    return _media(name, schema)


def _of_form(schema: Schema, definitions: Definitions) -> Schema:
    """The schema of a record as a form says it: bytes are a part's own, not base64 text."""
    target = schema.get("$ref")
    whole = definitions.schemas.get(target.removeprefix(PREFIX), schema) if isinstance(target, str) else schema
    properties, more = whole.get("properties"), whole.get("additionalProperties")
    raw = dict(whole)
    if isinstance(properties, dict):
        raw["properties"] = {name: _raw(part) for name, part in properties.items()}
    if isinstance(more, dict):
        raw["additionalProperties"] = _raw(more)
    return schema if raw == whole else raw


def _raw(part: Schema) -> Schema:
    if part.get("contentEncoding") == "base64":
        return {"type": "string", "contentMediaType": "application/octet-stream"}
    raw = dict(part)
    if isinstance(members := part.get("anyOf"), list):
        raw["anyOf"] = [_raw(member) for member in members]
    if isinstance(items := part.get("items"), dict):
        raw["items"] = _raw(items)
    return raw


def _media(name: str, schema: Schema) -> Schema:
    """The media type object of a body that says the schema's values in its own way."""
    if name == JSON or name.endswith("+json"):
        return {"schema": schema}
    if name in _TEXTS or name.startswith("text/"):
        return {"schema": {"type": "string", "description": _TEXTS.get(name, "text")}}
    description = "an image" if name.startswith("image/") else _OCTETS.get(name, "bytes")
    return {"schema": {"type": "string", "format": "binary", "description": description}}


def _answers(answer: Schema, spec: InputSpec, content_types: Sequence[str], is_streaming: bool) -> Schema:
    """The media types of a prediction; JSON is always one of them."""
    if is_streaming:
        return {name: {"schema": {"type": "string", "description": text}} for name, text in _STREAMED.items()}
    if spec.is_list and answer.get("type") == "array":
        answer = {"anyOf": [answer.get("items", {}), answer]}
    able = [name for name in content_types if name in codecs.writable()]
    names = dict.fromkeys([*able, JSON])
    return {name: _media(name, answer) for name in names if not (answer and name.startswith("image/"))}


def _ping(method: str) -> Schema:
    return {
        "operationId": f"{method}Ping",
        "summary": "Whether a model process can serve.",
        "responses": {"200": {"description": "It can."}, "503": {"description": "Not yet, or not any more."}},
    }


def _read(summary: str, name: str, schema: Schema) -> Schema:
    return {
        "summary": summary,
        "responses": {"200": {"description": summary, "content": {name: {"schema": schema}}}},
    }


def _header(name: str, description: str, length: int) -> Schema:
    return {
        "name": name,
        "in": "header",
        "required": False,
        # SageMaker holds clients to this; the server takes what got through, and a schema says what the server takes.
        "description": f"{description} SageMaker lets {length} characters of visible US-ASCII through.",
        "schema": {"type": "string"},
    }
