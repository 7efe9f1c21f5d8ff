"""schemathesis reads `/openapi.json` of a running server and holds the server to it, with right and wrong requests."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.schemas import BaseSchema

from tests.serving.server_process import ServerProcess, running

Operation = APIOperation[Any, Any, Any, Any]
Request = Case[Any]
EXAMPLES = 25
RIGHT, WRONG = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
INVOCATIONS = ("post", "/invocations")
EVERYWHERE = [
    ("get", "/ping"),
    ("post", "/ping"),
    INVOCATIONS,
    ("get", "/execution-parameters"),
    ("get", "/metrics"),
    ("get", "/openapi.json"),
]
REGISTER, UPDATE = ("post", "/adapters"), ("post", "/adapters/{name}/update")
ADAPTERS = [("get", "/adapters"), REGISTER, ("get", "/adapters/{name}"), ("delete", "/adapters/{name}"), UPDATE]
LOAD, INVOKE = ("post", "/models"), ("post", "/models/{model_name}/invoke")
UNLOAD = ("delete", "/models/{model_name}")
MODELS = [("get", "/models"), LOAD, ("get", "/models/{model_name}"), UNLOAD, INVOKE]
SERVERS: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "Passengers": ({}, []),
    "Rows": ({}, []),
    "Anything": ({}, []),
    "Hosts": ({"ARGOSY_SESSION_TTL_S": "60"}, ADAPTERS),
    "OfMany": ({"ARGOSY_SESSION_TTL_S": "60", "SAGEMAKER_MULTI_MODEL": "true"}, MODELS),
}
"""Predictor -> what its server is told, and what is served there beside what is served everywhere."""
OPERATIONS = [(name, operation) for name, (_, more) in SERVERS.items() for operation in [*EVERYWHERE, *more]]
WITH_BODIES = [(name, which) for name, which in OPERATIONS if which in (INVOCATIONS, REGISTER, UPDATE, LOAD, INVOKE)]
load_all_checks()
TAKES_WHAT_IT_SAYS = ["positive_data_acceptance"]
REFUSES_WHAT_IT_SAYS = ["negative_data_rejection"]
WORDS = [*TAKES_WHAT_IT_SAYS, *REFUSES_WHAT_IT_SAYS]
"""Left out where a schema cannot say it all: that rows are equally long, or what text is CSV."""


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], ServerProcess]]:
    """The server of a predictor, started when it is first asked for."""
    with ExitStack() as stack:
        found: dict[str, ServerProcess] = {}

        def server(name: str) -> ServerProcess:
            if name not in found:
                folder = tmp_path_factory.mktemp(name)
                started = stack.enter_context(running(f"surface:{name}", folder / "log", **SERVERS[name][0]))
                found[name] = started
            return found[name]

        yield server


@pytest.fixture(scope="module")
def passengers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with running("surface:Passengers", tmp_path_factory.mktemp("surface") / "log") as server:
        yield server


def surface(server: ServerProcess) -> BaseSchema:
    schema: BaseSchema = schemathesis.openapi.from_url(f"http://127.0.0.1:{server.port}/openapi.json")
    schema.validate()
    return schema


@pytest.mark.parametrize("name", SERVERS)
def test_every_operation_of_the_document_is_tried_here(servers: Callable[[str], ServerProcess], name: str) -> None:
    paths = json.loads(servers(name).request("GET", "/openapi.json").body)["paths"]
    found = [(method, path) for path, methods in paths.items() for method in methods if method != "parameters"]
    assert sorted(found) == sorted(operation for server, operation in OPERATIONS if server == name)


@pytest.mark.parametrize(
    ("name", "operation", "mode"),
    [*((*each, RIGHT) for each in OPERATIONS), *((*each, WRONG) for each in WITH_BODIES)],
    ids=str,
)
def test_every_answer_is_as_the_document_says(
    servers: Callable[[str], ServerProcess], name: str, operation: tuple[str, str], mode: GenerationMode
) -> None:
    """Status, Content-Type, header fields and body; no 5xx, no process that ended, nothing in the log."""
    server = servers(name)
    method, path = operation
    hold_to(surface(server)[path][method], mode, without=WORDS)
    assert "model-process-ended" not in server.log
    assert "Traceback" not in server.log


@pytest.mark.parametrize("operation", [("get", "/models/{model_name}"), INVOKE, INVOCATIONS, UNLOAD], ids=str)
def test_what_is_said_of_a_model_holds_for_one_that_is_there(
    servers: Callable[[str], ServerProcess], tmp_path: Path, operation: tuple[str, str]
) -> None:
    """The names that schemathesis makes up are seldom that of a model."""
    server, name = servers("OfMany"), tmp_path.name
    method, path = operation
    told = json.dumps({"model_name": name, "url": str(tmp_path)}).encode()
    assert server.request("POST", "/models", told).status == 200
    if operation == INVOCATIONS:
        fixed = {"headers": {"X-Amzn-SageMaker-Target-Model": name}}
    else:
        fixed = {"path_parameters": {"model_name": name}}
    hold_to(surface(server)[path][method], RIGHT, without=WORDS, fixed=fixed)
    assert server.request("GET", f"/models/{name}").status == (404 if operation == UNLOAD else 200)
    assert "model-process-ended" not in server.log
    assert "Traceback" not in server.log


@pytest.mark.parametrize("operation", [("get", "/adapters/{name}"), UPDATE, ("delete", "/adapters/{name}")], ids=str)
def test_what_is_said_of_an_adapter_holds_for_one_that_is_there(
    servers: Callable[[str], ServerProcess], tmp_path: Path, operation: tuple[str, str]
) -> None:
    """As above."""
    server, name = servers("Hosts"), tmp_path.name
    method, path = operation
    assert server.request("POST", f"/adapters?name={name}&src={tmp_path}").status == 200
    hold_to(surface(server)[path][method], RIGHT, without=WORDS, fixed={"path_parameters": {"name": name}})
    assert server.request("GET", f"/adapters/{name}").status == (404 if method == "delete" else 200)
    assert "Traceback" not in server.log


def test_every_json_body_that_fits_the_records_schema_is_taken(passengers: ServerProcess) -> None:
    operation = surface(passengers)["/invocations"]["post"]
    hold_to(operation, RIGHT, without=REFUSES_WHAT_IT_SAYS, is_json=True)


def test_no_json_body_is_taken_that_does_not_fit_the_records_schema(passengers: ServerProcess) -> None:
    operation = surface(passengers)["/invocations"]["post"]
    hold_to(operation, WRONG, without=TAKES_WHAT_IT_SAYS, is_json=True)


def hold_to(
    operation: Operation,
    mode: GenerationMode,
    *,
    without: list[str],
    is_json: bool = False,
    fixed: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """The same requests each time: what fails here fails again."""
    excluded = [check for check in CHECKS.get_by_names(without) if not isinstance(check, type)]
    assert len(excluded) == len(without)
    requests = operation.as_strategy(mode, **fixed)
    if is_json:  # nothing but the body is then right or wrong
        whole = operation.as_strategy(mode, headers={})
        requests = whole.filter(lambda case: case.media_type == "application/json")

    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(requests)
    def hold(case: Request) -> None:
        case.call_and_validate(excluded_checks=excluded, timeout=10)

    hold()
