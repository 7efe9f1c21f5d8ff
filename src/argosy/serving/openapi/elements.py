"""The elements of the document that several operations have: errors, header fields, parameters, lists in pages."""

from collections.abc import Mapping
from typing import Final

from argosy import contract
from argosy.serving.inputs.definitions import Schema

JSON: Final = "application/json"
COMPONENTS: Final = "#/components/schemas/"
ERROR_NAME: Final = "Error"
ERROR: Final[Schema] = {
    "title": ERROR_NAME,
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
_RETRY_AFTER: Final[Schema] = {
    "Retry-After": {"description": "Seconds; where another attempt may help.", "schema": {"type": "integer"}}
}
_LONGEST_COUNT: Final = 9
"""Digits of `limit` and `next_page_token`."""
PAGE_PARAMETERS: Final[list[Schema]] = [
    {
        "name": "limit",
        "in": "query",
        "description": "The most items of one page; 100 without it.",
        "schema": {"type": "integer", "minimum": 0, "maximum": 10**_LONGEST_COUNT - 1},
    },
    {
        "name": "next_page_token",
        "in": "query",
        "description": "`nextPageToken` of the page before.",
        "schema": {"type": "string", "pattern": f"^[0-9]{{1,{_LONGEST_COUNT}}}$"},
    },
]


def answer(description: str, schema: Schema) -> Schema:
    """A 200 with JSON."""
    return {"200": {"description": description, "content": {JSON: {"schema": schema}}}}


def failures(texts: Mapping[str, str], headers: Mapping[str, object] | None = None) -> Schema:
    """The answers of errors.

    Args:
        texts: Status -> what it means here.
        headers: Header fields that each of them may have.
    """
    content = {JSON: {"schema": {"$ref": COMPONENTS + ERROR_NAME}}}
    found: Schema = {}
    for status, text in texts.items():
        fields = {**(headers or {}), **(_RETRY_AFTER if status == "503" else {})}
        found[status] = {"description": text, "content": content} | ({"headers": fields} if fields else {})
    return found


def header(name: str, description: str, longest: int | None = None, schema: Schema | None = None) -> Schema:
    """A header field of a request, which may be left out.

    Args:
        name: Its name.
        description: One sentence.
        longest: Characters that SageMaker lets through; the server takes what got through, and a schema says what the
            server takes.
        schema: What the server takes; None means anything.
    """
    limit = f" SageMaker lets {longest} characters of visible US-ASCII through." if longest else ""
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description + limit,
        "schema": schema or {"type": "string"},
    }


def adapter_alias(description: str) -> Schema:
    """The header field with another name of an adapter."""
    return header(contract.HEADER_ADAPTER_ALIAS, description)


def in_path(name: str, schema: Schema) -> Schema:
    """A part of the path."""
    return {"name": name, "in": "path", "required": True, "schema": schema}


def page(name: str, item: Schema) -> Schema:
    """The schema of one page of a list."""
    return {
        "type": "object",
        "properties": {
            name: {"type": "array", "items": item},
            "nextPageToken": {"type": "string", "description": "Only where there are more."},
        },
        "required": [name],
    }
