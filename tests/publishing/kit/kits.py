"""Kits of clean sellers."""

from collections.abc import Mapping
from typing import Any

import msgspec

from argosy.marketplace.table import Marketplace
from argosy.publishing.kit.contents import Case, Kit, Observed
from tests.marketplace.offers import CLEAN

ARN = "arn:aws:sagemaker:eu-west-1:865070037744:model-package/vehicle-detector-1-0-0"
CASE = Case("one.json", "application/json", "application/json", b'{"image": [1]}', b'{"boxes": []}')
Schema = Mapping[str, Any]

BOX: Schema = {
    "title": "Box",
    "type": "object",
    "description": 'One vehicle; "box" for short',
    "properties": {
        "x": {"type": "number"},
        "kind": {"enum": ["car", "bus", None]},
        "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Box"}},
        "class": {"type": "string"},
    },
    "required": ["x", "class"],
}
IMAGE: Schema = {
    "type": "object",
    "properties": {
        "pixels": {"type": "array", "items": {"type": "array", "items": {"type": ["integer", "null"]}}},
        "camera": {"type": "object", "additionalProperties": {"type": "string"}},
        "options": {"type": "object", "properties": {"threshold": {"type": "number"}}},
    },
    "required": ["pixels"],
}


def openapi(
    taken: Schema, given: Schema, components: Schema | None = None, content: str = "application/json"
) -> Schema:
    """The document of a model that takes and gives these."""
    invoke = {
        "requestBody": {"content": {"application/json": {"schema": taken}}},
        "responses": {"200": {"content": {content: {"schema": given}}}},
    }
    return {
        "openapi": "3.1.0",
        "paths": {"/invocations": {"post": invoke}},
        "components": {"schemas": components or {}},
    }


TYPED = openapi(
    {
        "anyOf": [
            {"$ref": "#/components/schemas/Image"},
            {"type": "array", "items": {"$ref": "#/components/schemas/Image"}},
        ]
    },
    {"type": "array", "items": {"$ref": "#/components/schemas/Box"}},
    {"Box": BOX, "Image": IMAGE},
)
STREAMED = openapi({"type": "string"}, {"type": "string"}, content="text/event-stream")


def kit(
    table: Mapping[str, Any] = CLEAN,
    content_types: tuple[str, ...] = ("application/json",),
    response_types: tuple[str, ...] = ("application/json",),
    **observed: Any,
) -> Kit:
    """A kit of a table, with what its model answered."""
    seen = Observed(**{"realtime": (CASE,), "batch": (CASE,), "schema": TYPED, **observed})
    return Kit(msgspec.convert(table, Marketplace), content_types, response_types, seen, {"eu-west-1": ARN})


def whole_kits() -> dict[str, Kit]:
    """Kits of each kind by name."""
    hostile = {**CLEAN, "listing": {**CLEAN["listing"], "title": 'A "quoted" \\ @@CLASS@@ """title"""\nof two lines'}}
    return {
        "typed": kit(),
        "streamed": kit(
            content_types=("application/json",),
            response_types=("text/event-stream",),
            schema=STREAMED,
            is_streaming=True,
        ),
        "streamed bytes": kit(
            content_types=("text/plain",), response_types=("text/plain",), schema=None, is_streaming=True
        ),
        "bytes": kit(content_types=("image/png", "application/x-npy"), response_types=("text/csv",), schema=None),
        "json without a schema": kit(schema=None),
        "json to csv": kit(response_types=("text/csv",)),
        "hostile": kit(hostile),
        "many types": kit(content_types=tuple(f"application/x-type-{number}" for number in range(12)), schema=None),
        "no batch": kit(batch=()),
        "shadowing": kit(
            {**CLEAN, "name": "exception"},
            schema=openapi(
                {"$ref": "#/components/schemas/Exception"},
                {"$ref": "#/components/schemas/Output"},
                {"Exception": BOX, "Output": IMAGE, "Box": BOX},
            ),
        ),
    }
