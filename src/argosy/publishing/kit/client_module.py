"""The client that buyers get: one file with types made of the model's schema, which needs boto3 alone."""

import re
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from argosy import media_type
from argosy.publishing.kit.contents import Kit
from argosy.publishing.kit.json_types import ANYTHING, Types, alias
from argosy.publishing.kit.template import filled, in_code

_TEMPLATE: Final = Path(__file__).with_name("client.template")
_JSON: Final = "application/json"
_WIDTH: Final = 88
_ANY_VALUE: Final = """\
Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | float | bool | None"
\"\"\"Any value of JSON.\"\"\""""

_INVOKE: Final = '''\
    def invoke(
        self,
        value: Input,
        *,
        custom_attributes: str | None = None,
        inference_id: str | None = None,
    ) -> Output:
        """Invoke the model with a value, and wait for its whole answer.

        Args:
            value: What the model is to answer, sent as JSON.
            custom_attributes: At most 1024 characters for the model, of visible ASCII.
            inference_id: What the endpoint's logs call the invocation.

        Raises:
            @@CLASS@@Error: The model did not answer with success.
        """
        @@BEGIN@@self.invoke_bytes(
            json.dumps(value).encode(),
            "@@JSON@@",
            "@@ANSWER@@",
            custom_attributes=custom_attributes,
            inference_id=inference_id,
        )
@@RETURN@@'''
_RETURN_JSON: Final = "        output: Output = json.loads(content)\n        return output\n"
_IGNORED: Final = "  # type: ignore[import-untyped, unused-ignore]"
_EXCEPTIONS: Final = f"from botocore.exceptions import ClientError{_IGNORED}"
_STREAM_EXCEPTIONS: Final = f"""\
from botocore.exceptions import ({_IGNORED}
    ClientError,
    EventStreamError,
)"""
_STREAM_TIMEOUT: Final = '''\
STREAM_TIMEOUT_S = 490
"""The same for a stream, which may take 8 minutes."""
'''
_IMPORTED: Final = {
    "collections.abc": ("Iterator", "Mapping", "Sequence"),
    "contextlib": ("closing",),
    "typing": ("Any", "Literal", "TypeAlias", "TypedDict"),
}
_STREAM_CLIENT: Final = """\
        stream_config = Config(
            read_timeout=STREAM_TIMEOUT_S, retries={"total_max_attempts": 1}
        )
        self._streams = (session or boto3.Session()).client(
            "sagemaker-runtime", region_name=region_name, config=stream_config
        )
"""
_STREAM: Final = '''\
    def stream(
        self,
        @@STREAM_VALUE@@
        accept: Accept = "@@ACCEPT@@",
        *,
        custom_attributes: str | None = None,
    ) -> Iterator[bytes]:
        """Invoke the model, and give its answer part by part as it comes.

        Where parts begin means nothing: SageMaker may cut them anew.

        Args:
@@STREAM_ARGUMENT@@
            accept: What the answer is to be.
            custom_attributes: At most 1024 characters for the model, of visible ASCII.

        Raises:
            @@CLASS@@Error: The model did not succeed, or stopped halfway.
        """
        request = self._request(@@STREAM_BODY@@, accept)
        if custom_attributes is not None:
            request["CustomAttributes"] = custom_attributes
        try:
            answer = self._streams.invoke_endpoint_with_response_stream(**request)
            # Closed even where nobody reads to the end.
            with closing(answer["Body"]) as events:
                for event in events:
                    if "PayloadPart" in event:
                        yield event["PayloadPart"]["Bytes"]
        except EventStreamError as error:  # a ClientError, too
            raise @@CLASS@@Error(0, str(error)) from error
        except ClientError as error:
            raise _told(error) from error

'''


def client_module(kit: Kit) -> str:
    """The source of the client, in the form that ruff and black give it."""
    operation = _operation(kit.observed.schema)
    types = Types(_components(kit.observed.schema), frozenset({kit.class_name, f"{kit.class_name}Error"}))
    taken, given = _content(operation.get("requestBody")), _content(_success(operation))
    json_in = _json_of(kit.content_types) if _JSON in taken or not taken else None
    json_out = _json_of(kit.response_types) if _JSON in given or not given else None
    takes_json, gives_json = json_in is not None, json_out is not None
    value = types.expression(_schema(taken, _JSON), "Input") if takes_json else "bytes"
    answer = types.expression(_schema(given, _JSON), "Output") if gives_json else "bytes"
    accept = kit.response_types[0] if kit.response_types else "*/*"
    begin, end = ("content = ", _RETURN_JSON) if gives_json else ("return ", "")
    invoke = _INVOKE.replace("@@BEGIN@@", begin).replace("@@RETURN@@", end) + "\n"
    methods = (invoke if takes_json else "") + (_STREAM if kit.observed.is_streaming else "")
    is_json = "value: Input," if takes_json else "body: bytes,"
    content_type = kit.content_types[0] if kit.content_types else _JSON
    values = {
        "METHODS": methods.rstrip("\n") + "\n" if methods else "",
        "STREAM_CLIENT": _STREAM_CLIENT if kit.observed.is_streaming else "",
        "STREAM_VALUE": is_json,
        "STREAM_ARGUMENT": f"            {'value: Sent as JSON.' if takes_json else 'body: Sent as it is.'}",
        "STREAM_BODY": 'json.dumps(value).encode(), "@@JSON@@"' if takes_json else f'body, "{in_code(content_type)}"',
        "EXCEPTIONS": _STREAM_EXCEPTIONS if kit.observed.is_streaming else _EXCEPTIONS,
        "STREAM_TIMEOUT": _STREAM_TIMEOUT if kit.observed.is_streaming else "",
        # What fills a place is looked through for places, too: a stranger's schema has none.
        "TYPES": _types(kit, types, value if takes_json else None, answer if takes_json else None).replace(
            "@@", "@\\x40"
        ),
        "CLASS": kit.class_name,
        "ABOUT": _wrapped(
            f"A client of {_text(kit.title)} on Amazon SageMaker: this file and boto3 are all it needs.", ""
        ),
        "ABOUT_ENDPOINT": _wrapped(f"An endpoint that runs {_text(kit.title)}.", "    "),
        "VERSION": _text(kit.table.version),
        "ENDPOINT": kit.name,
        "EXAMPLE": "answer = model.invoke(...)"
        if takes_json
        else f'answer = model.invoke_bytes(body, "{in_code(content_type)}")',
        "CONTENT_TYPE": in_code(content_type),
        "ACCEPT": in_code(accept),
        "JSON": in_code(json_in or ""),
        "ANSWER": in_code(json_out or accept),
    }
    template = _TEMPLATE.read_text(encoding="utf-8")
    body = filled(template, {**values, "IMPORTS": ""})
    return _spaced(filled(template, {**values, "IMPORTS": _imports(body)}))


def _operation(schema: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The invocation in an OpenAPI document; empty where there is none."""
    found: Any = schema or {}
    for name in ("paths", "/invocations", "post"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _components(schema: Mapping[str, Any] | None) -> Mapping[str, Any]:
    found: Any = (schema or {}).get("components")
    schemas = found.get("schemas") if isinstance(found, Mapping) else None
    return schemas if isinstance(schemas, Mapping) else {}


def _success(operation: Mapping[str, Any]) -> object:
    responses = operation.get("responses")
    return responses.get("200") if isinstance(responses, Mapping) else None


def _content(body: object) -> Mapping[str, Any]:
    """Media type -> its object, of a body in the document."""
    found = body.get("content") if isinstance(body, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _schema(content: Mapping[str, Any], name: str) -> object:
    found = content.get(name)
    return found.get("schema") if isinstance(found, Mapping) else None


def _json_of(names: Sequence[str]) -> str | None:
    """The first media type of some that is JSON, as it is written there."""
    parsed = ((name, media_type.parse(name)) for name in names)
    return next((name for name, found in parsed if found is not None and found.essence == _JSON), None)


def _imports(body: str) -> str:
    """The imports of the standard library that the rest of the file uses: others would be lint."""
    lines = ["import json"] if "json." in body else []
    for source, known in _IMPORTED.items():
        used = [name for name in known if re.search(rf"\b{name}\b", body)]
        lines += [f"from {source} import {', '.join(used)}"] if used else []
    return "\n".join(lines)


def _types(kit: Kit, types: Types, value: str | None, answer: str | None) -> str:
    """The definitions of all types, each before the first class that is made of it."""
    pieces = list(types.definitions.values())
    if value is not None:
        pieces += [
            _named_alias("Input", value, "What the model takes."),
            _named_alias("Output", answer or "bytes", "What it gives."),
        ]
    pieces.append(_choice("ContentType", kit.content_types or (_JSON,)))
    pieces.append(_choice("Accept", kit.response_types or ("*/*",)))
    if any(ANYTHING in piece for piece in pieces):
        pieces.insert(0, _ANY_VALUE)
    return "\n\n\n".join(pieces) + "\n\n"


def _named_alias(name: str, expression: str, sentence: str) -> str:
    return f'{alias(name, expression)}\n"""{sentence}"""'


def _choice(name: str, values: Sequence[str]) -> str:
    listed = [f'"{in_code(value)}"' for value in dict.fromkeys(values)]
    line = f"{name} = Literal[{', '.join(listed)}]"
    return line if len(line) <= _WIDTH else f"{name} = Literal[\n" + "".join(f"    {one},\n" for one in listed) + "]"


def _text(text: str) -> str:
    """A text that may stand in a string or a docstring of the file, and has no place to fill."""
    return text.replace("\\", "\\\\").replace('"', "'").replace("@@", "@ @")


def _wrapped(text: str, indent: str) -> str:
    """A text in lines, the first of which has the quotes of a docstring in front."""
    return "\n".join(textwrap.wrap(text, _WIDTH, initial_indent=f"{indent}   ", subsequent_indent=indent)).lstrip()


def _spaced(text: str) -> str:
    """The text with two blank lines around what is defined at the left, and one elsewhere."""
    text = re.sub(r"\n{3,}", "\n\n", text)
    text = re.sub(r"\n\n(class |def )", r"\n\n\n\1", text)
    return re.sub(r"(\n [^\n]*\n)\n(?=[^\s])", r"\1\n\n", text)
