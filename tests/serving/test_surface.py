"""schemathesis reads `/openapi.json` of a running server and holds the server to it, with right and wrong requests."""

import json
from collections.abc import Iterator
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
OPERATIONS = [
    ("get", "/ping"),
    ("post", "/ping"),
    INVOCATIONS,
    ("get", "/execution-parameters"),
    ("get", "/metrics"),
    ("get", "/openapi.json"),
]
load_all_checks()
TAKES_WHAT_IT_SAYS = ["positive_data_acceptance"]
REFUSES_WHAT_IT_SAYS = ["negative_data_rejection"]
WORDS = [*TAKES_WHAT_IT_SAYS, *REFUSES_WHAT_IT_SAYS]
"""Left out where a schema cannot say it all: that rows are equally long, or what text is CSV."""


@pytest.fixture(scope="module", params=["Passengers", "Rows", "Anything"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with running(f"surface:{request.param}", tmp_path_factory.mktemp("surface") / "log") as server:
        yield server


@pytest.fixture(scope="module")
def passengers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with running("surface:Passengers", tmp_path_factory.mktemp("surface") / "log") as server:
        yield server


def surface(server: ServerProcess) -> BaseSchema:
    schema: BaseSchema = schemathesis.openapi.from_url(f"http://127.0.0.1:{server.port}/openapi.json")
    schema.validate()
    return schema


def test_every_operation_of_the_document_is_tried_here(server: ServerProcess) -> None:
    paths = json.loads(server.request("GET", "/openapi.json").body)["paths"]
    assert [(method, path) for path, methods in paths.items() for method in methods] == OPERATIONS


@pytest.mark.parametrize(
    ("operation", "mode"), [*((operation, RIGHT) for operation in OPERATIONS), (INVOCATIONS, WRONG)], ids=str
)
def test_every_answer_is_as_the_document_says(
    server: ServerProcess, operation: tuple[str, str], mode: GenerationMode
) -> None:
    """Status, Content-Type, header fields and body; no 5xx, no process that ended, nothing in the log."""
    method, path = operation
    before = server.model_pids()
    hold_to(surface(server)[path][method], mode, without=WORDS)
    assert server.model_pids() == before
    assert "Traceback" not in server.log


def test_every_json_body_that_fits_the_records_schema_is_taken(passengers: ServerProcess) -> None:
    operation = surface(passengers)["/invocations"]["post"]
    hold_to(operation, RIGHT, without=REFUSES_WHAT_IT_SAYS, is_json=True)


def test_no_json_body_is_taken_that_does_not_fit_the_records_schema(passengers: ServerProcess) -> None:
    operation = surface(passengers)["/invocations"]["post"]
    hold_to(operation, WRONG, without=TAKES_WHAT_IT_SAYS, is_json=True)


def hold_to(operation: Operation, mode: GenerationMode, *, without: list[str], is_json: bool = False) -> None:
    """The same requests each time: what fails here fails again."""
    excluded = [check for check in CHECKS.get_by_names(without) if not isinstance(check, type)]
    assert len(excluded) == len(without)
    requests = operation.as_strategy(mode)
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
