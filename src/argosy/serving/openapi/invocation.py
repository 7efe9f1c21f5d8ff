"""What a predictor takes and gives, by its annotations and media types -> the document."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import orjson

from argosy.serving import codecs
from argosy.serving.inputs.annotation import InputSpec
from argosy.serving.inputs.definitions import PREFIX, Definitions, Schema, with_references
from argosy.serving.inputs.kind import InputKind
from argosy.serving.openapi.document import invocation, whole
from argosy.serving.openapi.elements import COMPONENTS, ERROR, ERROR_NAME, JSON
from argosy.serving.openapi.hosting import Hosting

_ONE_MODEL: Final = Hosting()
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
_LARGEST_EXAMPLE_BYTES: Final = 16 * 1024
"""Of an example that somebody might read; that of a model of images is megabytes."""


class Signature(NamedTuple):
    """What a predictor takes and gives.

    Attributes:
        spec: What it takes.
        output: JSON Schema of what it returns, or of one part of its stream.
        content_types: Media types that are taken; those that can be are answered with, too. May hold ranges.
        is_streaming: Whether it yields its answer part by part.
    """

    spec: InputSpec
    output: Mapping[str, object]
    content_types: Sequence[str]
    is_streaming: bool = False


def document(title: str, signature: Signature, hosting: Hosting = _ONE_MODEL) -> bytes:
    """The document, as JSON.

    Args:
        title: The predictor's name.
        signature: What it takes and gives.
        hosting: What is hosted beside one model.
    """
    definitions = Definitions()
    _adopted(definitions, {"$ref": PREFIX + ERROR_NAME, "$defs": {ERROR_NAME: ERROR}})  # first: the name is its own
    request = _adopted(definitions, signature.spec.schema)
    prediction = _adopted(definitions, signature.output)
    taken: Schema = {name: _taken(name, request, signature.spec, definitions) for name in signature.content_types}
    invoke = _pointed(invocation(taken, _answers(prediction, signature), hosting))
    parts = {name: _pointed(part) for name, part in definitions.schemas.items()}
    return orjson.dumps(whole(title, invoke, parts, hosting))


def _adopted(definitions: Definitions, schema: Mapping[str, object]) -> Schema:
    """A schema without its `$defs`, which are kept among all."""
    parts = schema.get("$defs", {})
    rest = {key: value for key, value in schema.items() if key != "$defs"}
    return definitions.adopt(rest, parts if isinstance(parts, dict) else {})


def _pointed(schema: Mapping[str, object]) -> Schema:
    """The same with its references as OpenAPI has them."""
    return with_references(schema, lambda target: target.replace(PREFIX, COMPONENTS, 1))


def _taken(name: str, schema: Schema, spec: InputSpec, definitions: Definitions) -> Schema:
    """The media type object of one Content-Type."""
    is_record = spec.kind is InputKind.RECORDS
    if name == _FORM:
        members = schema.get("anyOf")
        one = members[0] if spec.is_list and isinstance(members, list) else schema
        has_fields = is_record or spec.kind is InputKind.DICT
        return {"schema": _of_form(one, definitions) if has_fields else {"type": "object"}}
    if name == "text/csv":
        text = _TEXTS[name] + _HEADER_ROW + (_BY_POSITION if is_record else "")
        return {"schema": {"type": "string", "description": text}}
    if name == JSON and spec.example is not None and len(orjson.dumps(spec.example)) <= _LARGEST_EXAMPLE_BYTES:
        return {"schema": schema, "example": spec.example}
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


def _answers(answer: Schema, signature: Signature) -> Schema:
    """The media types of a prediction; JSON is always one of them."""
    if signature.is_streaming:
        return {name: {"schema": {"type": "string", "description": text}} for name, text in _STREAMED.items()}
    if signature.spec.is_list and answer.get("type") == "array":
        answer = {"anyOf": [answer.get("items", {}), answer]}
    able = [name for name in signature.content_types if name in codecs.writable()]
    names = dict.fromkeys([*able, JSON])
    return {name: _media(name, answer) for name in names if not (answer and name.startswith("image/"))}
