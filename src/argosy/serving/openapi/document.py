"""The whole document: the invocation, whatever it takes and gives, and all that stands beside it.

The front imports this where no model is loaded: it knows nothing of codecs or annotations.
"""

from collections.abc import Mapping
from typing import Final

import orjson

from argosy import contract
from argosy.serving.inputs.definitions import Schema
from argosy.serving.openapi.elements import ERROR, ERROR_NAME, JSON, adapter_alias, answer, failures, header, in_path
from argosy.serving.openapi.hosting import MODEL_NAME, Hosting, adapter_paths, model_paths

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_ANY: Final[Schema] = {"*/*": {"schema": {}}}
_SESSION_ID: Final = "^[A-Za-z0-9](-*[A-Za-z0-9])*$"
"""API_runtime_InvokeEndpoint, SessionId (read 2026-11-22)."""
SESSION_REQUEST: Final[Schema] = {
    "title": "SessionRequest",
    "type": "object",
    "properties": {"requestType": {"enum": [contract.NEW_SESSION, contract.CLOSE_SESSION]}},
    "required": ["requestType"],
}
"""A body that opens or closes a session and is not for the predictor."""
SESSION_ANSWER: Final[Schema] = {
    "title": "SessionAnswer",
    "type": "object",
    "properties": {"sessionId": {"type": "string"}, "closedSessionId": {"type": "string"}},
}
_ATTRIBUTES: Final[Schema] = {
    contract.HEADER_CUSTOM_ATTRIBUTES: {"description": "What the predictor says.", "schema": {"type": "string"}}
}
_METERING: Final[Schema] = {
    contract.HEADER_METERING: {
        "description": 'What the predictor has metered: `{"Dimension": "inference.count", "ConsumedUnits": 3}`.',
        "schema": {"type": "string"},
    }
}
_SESSION_FIELDS: Final[Schema] = {
    contract.HEADER_SESSION_ID: {
        "description": "A new session: id; Expires=YYYY-MM-DDTHH:MM:SSZ.",
        "schema": {"type": "string"},
    },
    contract.HEADER_NEW_SESSION_ID: {
        "description": "The same, under the name that clients of SageMaker get it by.",
        "schema": {"type": "string"},
    },
    contract.HEADER_CLOSED_SESSION_ID: {"description": "The session that was closed.", "schema": {"type": "string"}},
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


def of_no_model(hosting: Hosting) -> bytes:
    """The document, as JSON, of a multi-model endpoint while nobody knows what its models take."""
    return orjson.dumps(whole("Multi-model endpoint", invocation(_ANY, _ANY, hosting), {ERROR_NAME: ERROR}, hosting))


def whole(title: str, invoke: Schema, schemas: Mapping[str, Schema], hosting: Hosting) -> Schema:
    """The document.

    Args:
        title: The predictor's name.
        invoke: What `invocation` gives.
        schemas: The components, `Error` among them.
        hosting: What is hosted beside one model.
    """
    by_path: Schema = {"operationId": "invoke", **invoke}
    by_name: Schema = {"operationId": "invokeModel", **invoke}
    paths: Schema = {
        "/ping": {method: _ping(method) for method in ("get", "post")},
        "/invocations": {"post": by_path},
        "/execution-parameters": {"get": _read("What a transform job may ask for.", JSON, _EXECUTION_PARAMETERS)},
        "/metrics": {"get": _read("Prometheus metrics.", "text/plain", {"type": "string"})},
        "/openapi.json": {"get": _read("This document.", JSON, {"type": "object"})},
    }
    if hosting.is_multi_model:
        target = header(contract.HEADER_TARGET_MODEL, "The model: its name, or what it was loaded for.", 1024)
        # Parameters of a path are those of all its operations.
        paths["/invocations"] = {"parameters": [target], "post": by_path}
        name = in_path("model_name", MODEL_NAME)
        paths |= model_paths()
        paths["/models/{model_name}/invoke"] = {"parameters": [name], "post": by_name}
    elif hosting.has_adapters:
        paths |= adapter_paths()
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": _DIALECT,
        "info": {"title": title, "version": "1"},
        "paths": paths,
        "components": {"schemas": dict(schemas)},
    }


def invocation(taken: Schema, given: Schema, hosting: Hosting) -> Schema:
    """The operation that invokes a model, but for its id.

    Args:
        taken: Media type -> its object, of the body.
        given: The same of the prediction.
        hosting: What is hosted beside one model.
    """
    failed = dict(_FAILURES)
    parameters = [
        header(contract.HEADER_INFERENCE_ID, "Repeated in the log and in the body of an error.", 64),
        header(contract.HEADER_CUSTOM_ATTRIBUTES, "For the predictor, which may answer with its own.", 1024),
    ]
    fields = {**_ATTRIBUTES, **_METERING}
    if hosting.is_multi_model:
        failed["404"] = "The model is not loaded."
    elif hosting.has_adapters:
        parameters.append(header(contract.HEADER_ADAPTER, "The adapter to predict with."))
        parameters.append(adapter_alias("The same by its alias, where no identifier is given."))
    if hosting.has_sessions:
        failed["400"] += " Or there is no such session."
        parameters.append(_session())
        fields |= _SESSION_FIELDS
        taken, given = _with_session(taken, SESSION_REQUEST), _with_session(given, SESSION_ANSWER)
    return {
        "summary": "Predict.",
        "parameters": parameters,
        "requestBody": {"required": True, "content": taken},
        "responses": {
            "200": {"description": "The prediction.", "headers": fields, "content": given},
            **failures(failed, _ATTRIBUTES),
        },
    }


def _session() -> Schema:
    known = [{"const": contract.NEW_SESSION}, {"type": "string", "pattern": _SESSION_ID, "maxLength": 256}]
    text = f"The stateful session of this invocation; `{contract.NEW_SESSION}` begins one."
    return header(contract.HEADER_SESSION_ID, text, schema={"anyOf": known})


def _with_session(content: Schema, other: Schema) -> Schema:
    """The same content, where a body in JSON may also be about the session itself."""
    found = content.get(JSON)
    schema = {"anyOf": [found["schema"], other]} if isinstance(found, dict) else other
    return {**content, JSON: {"schema": schema}}


def _ping(method: str) -> Schema:
    return {
        "operationId": f"{method}Ping",
        "summary": "Whether a model process can serve.",
        "responses": {"200": {"description": "It can."}, "503": {"description": "Not yet, or not any more."}},
    }


def _read(summary: str, name: str, schema: Schema) -> Schema:
    if name == JSON:
        return {"summary": summary, "responses": answer(summary, schema)}
    content = {name: {"schema": schema}}
    return {"summary": summary, "responses": {"200": {"description": summary, "content": content}}}
