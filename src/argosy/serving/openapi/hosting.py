"""The paths by which the platform loads and unloads models (`/models`) and adapters (`/adapters`)."""

from typing import Final, NamedTuple

from argosy import contract
from argosy.serving.inputs.definitions import Schema
from argosy.serving.openapi.elements import (
    JSON,
    PAGE_PARAMETERS,
    adapter_alias,
    answer,
    failures,
    header,
    in_path,
    page,
)

MODEL_NAME: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": 1024, "pattern": "^[^/]+$"}
_ADAPTER_NAME: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": 256, "pattern": "^[ -.0-~]+$"}
_LOCAL_PATH: Final[Schema] = {"type": "string", "pattern": "^/", "description": "absolute, and there"}
_MODEL: Final[Schema] = {
    "type": "object",
    "properties": {"modelName": {"type": "string"}, "modelUrl": {"type": "string"}},
    "required": ["modelName", "modelUrl"],
}
_MODEL_TO_LOAD: Final[Schema] = {
    "type": "object",
    "properties": {"model_name": MODEL_NAME, "url": _LOCAL_PATH},
    "required": ["model_name", "url"],
}
_OPTIONS: Final[Schema] = {
    "preload": {"type": "boolean", "description": "kept and listed; every adapter is loaded at once"},
    "pin": {"type": "boolean", "description": "kept and listed; every adapter stays"},
}
_ADAPTER: Final[Schema] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "src": {"type": "string"}, **_OPTIONS},
    "required": ["name", "src", "preload", "pin"],
}
_STATUS: Final[Schema] = {"type": "object", "properties": {"status": {"type": "string"}}, "required": ["status"]}
_TOO_LARGE: Final = {"413": "The body is larger than the server takes."}
_NO_MODEL: Final = {"404": "The model is not loaded."}
_NO_ADAPTER: Final = {"404": "The adapter is not loaded."}
_NOT_READY: Final = {"503": "The model is not loaded, or the server drains."}
_CHANGING: Final = {
    "500": "The predictor failed to load or unload it.",
    "503": "The model is not loaded, or a model process took too long.",
}
_NO_MEMORY: Final = {"507": "There is no memory for it, or as many are loaded as there may be."}


class Hosting(NamedTuple):
    """What a server hosts beside one model.

    Attributes:
        has_sessions: Whether clients may open stateful sessions.
        has_adapters: Whether the predictor takes adapters.
        is_multi_model: Whether SageMaker loads and unloads models; such a server takes no adapters.
    """

    has_sessions: bool = False
    has_adapters: bool = False
    is_multi_model: bool = False


def model_paths() -> Schema:
    """The multi-model API, but for the invocation.

    Source:
        https://docs.aws.amazon.com/sagemaker/latest/dg/mms-container-apis.html (read 2026-11-22).
    """
    load = {
        "operationId": "loadModel",
        "summary": "Load a model.",
        "parameters": [header(contract.HEADER_TARGET_MODEL, "What clients name it by, for /invocations.", 1024)],
        "requestBody": {"required": True, "content": {JSON: {"schema": _MODEL_TO_LOAD}}},
        "responses": {
            **answer("It is loaded.", _MODEL),
            **failures(
                {
                    "400": "The body is not as described, or there is no such folder.",
                    "409": "A model of this name is loaded already.",
                    **_TOO_LARGE,
                    "500": "It cannot be loaded.",
                    "503": "The server drains.",
                    "507": "There is no memory for it.",
                }
            ),
        },
    }
    listed = {
        "operationId": "listModels",
        "summary": "The models that are loaded.",
        "parameters": PAGE_PARAMETERS,
        "responses": {**answer("A page of them.", page("models", _MODEL)), **failures({"400": "No such page."})},
    }
    return {
        "/models": {"get": listed, "post": load},
        "/models/{model_name}": {
            "parameters": [in_path("model_name", MODEL_NAME)],
            "get": {
                "operationId": "describeModel",
                "summary": "One of the models.",
                "responses": {**answer("Its name and folder.", _MODEL), **failures(_NO_MODEL)},
            },
            "delete": {
                "operationId": "unloadModel",
                "summary": "Answer what the model has taken, then unload it.",
                "responses": {**answer("It is unloaded, its processes have ended.", _MODEL), **failures(_NO_MODEL)},
            },
        },
    }


def adapter_paths() -> Schema:
    """Adapters of inference components.

    Source:
        deepjavalibrary/djl-serving serving/docs/adapters_api.md (read 2026-11-22).
    """
    name = [in_path("name", _ADAPTER_NAME)]
    bad = {"400": "What is said of it is not as described, there is no such path, or the predictor refused it."}
    register = {
        **_told("registerAdapter", "Load an adapter in every model process.", ("name", "src")),
        "responses": {
            **answer("All model processes have loaded it.", _STATUS),
            **failures(
                {**bad, "409": "An adapter of this name is there already.", **_TOO_LARGE, **_CHANGING, **_NO_MEMORY}
            ),
        },
    }
    update = {
        **_told("updateAdapter", "Load an adapter again, from another path.", ("src",)),
        "responses": {
            **answer("It is unloaded and loaded again.", _STATUS),
            **failures({**bad, **_NO_ADAPTER, "409": "It is being changed.", **_TOO_LARGE, **_CHANGING, **_NO_MEMORY}),
        },
    }
    listed = {
        "operationId": "listAdapters",
        "summary": "The adapters that are loaded.",
        "parameters": PAGE_PARAMETERS,
        "responses": {
            **answer("A page of them.", page("adapters", _ADAPTER)),
            **failures({"400": "No such page.", **_NOT_READY}),
        },
    }
    describe = {
        "operationId": "describeAdapter",
        "summary": "One of the adapters.",
        "responses": {**answer("Its name and path.", _ADAPTER), **failures({**_NO_ADAPTER, **_NOT_READY})},
    }
    unregister = {
        "operationId": "unregisterAdapter",
        "summary": "Unload an adapter in every model process, after the last invocation of it.",
        "responses": {**answer("All have unloaded it.", _STATUS), **failures({**_NO_ADAPTER, **_CHANGING})},
    }
    return {
        "/adapters": {"get": listed, "post": register},
        "/adapters/{name}": {"parameters": name, "get": describe, "delete": unregister},
        "/adapters/{name}/update": {"parameters": name, "post": update},
    }


def _told(operation: str, summary: str, names: tuple[str, ...]) -> Schema:
    """An operation that is told of an adapter in its query or else in its body.

    Which of them the platform sends is not documented, so neither is required and the server says what is missing.
    """
    known: Schema = {"name": _ADAPTER_NAME, "src": _LOCAL_PATH, **_OPTIONS}
    fields = {name: schema for name, schema in known.items() if name in (*names, *_OPTIONS)}
    whole: Schema = {"type": "object", "properties": fields, "required": list(names) if "name" in names else []}
    query = [{"name": name, "in": "query", "required": False, "schema": schema} for name, schema in fields.items()]
    return {
        "operationId": operation,
        "summary": summary,
        "description": "What is told of the adapter comes in the query, or else in a JSON object.",
        "parameters": [*query, adapter_alias("Another name, by which invocations may ask for the adapter.")],
        "requestBody": {"required": False, "content": {JSON: {"schema": whole}}},
    }
