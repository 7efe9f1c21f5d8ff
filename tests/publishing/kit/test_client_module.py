"""The client of a kit: held to mypy and ruff, and used against a model that runs."""

import contextlib
import importlib.util
import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from argosy.publishing.kit.client_module import client_module
from argosy.testing.local import LocalEndpoint, sagemaker_endpoint
from tests.publishing.kit.kits import kit, openapi, whole_kits

PREDICTOR = """
from argosy import DecodeError, Predictor

class Boxes(Predictor):
    def predict(self, images: list) -> list:
        if images == ["bad"]:
            raise DecodeError("no image")
        return [{"x": 1.5, "class": "car"} for _ in images]
"""
STREAMING = """
from collections.abc import Callable, Iterator
from argosy import DecodeError, Predictor

class Boxes(Predictor):
    def predict(self, text: str) -> Iterator[str]:
        if text == "bad":
            raise DecodeError("no text")
        for word in text.split():
            if word == "halfway":
                raise RuntimeError("lost the thread")
            yield word
"""
USE = """
from typed import VehicleDetector, VehicleDetectorError

model = VehicleDetector("e")
boxes = model.invoke({"pixels": [[1, None]], "options": {"threshold": 0.5}})
width: float = boxes[0]["x"]
kind = boxes[0].get("kind")
try:
    model.invoke([{"pixels": []}])
except VehicleDetectorError as error:
    status: int = error.status
"""
MISUSE = """
from typed import VehicleDetector

model = VehicleDetector("e")
model.invoke({"pixel": [[1]]})
model.invoke({"pixels": "red"})
model.invoke_bytes(b"", "text/csv")
"""


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clients")
    for name, one in whole_kits().items():
        (folder / f"{name.replace(' ', '_')}.py").write_text(client_module(one))
    return folder


def judged(*command: object, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *map(str, command)], cwd=folder, capture_output=True, text=True, timeout=120
    )


def deep_array(depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        found = {"type": "array", "items": found}
    return found


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": {}}, "description": "fill @@THIS@@ and @@CLASS@@"},
        {"enum": ["@@THIS@@"]},
        {"type": "object", "properties": {"@@THIS@@": {"type": "string"}}},
        {"type": "object", "properties": ["a"]},
        {"type": "object", "properties": {"a": {}}, "required": [{}]},
        {"type": "object", "properties": {"a": {}}, "required": 3},
        {"$ref": "#/components/schemas/True"},
        {"$ref": "#/components/schemas/List"},
        deep_array(400),
    ],
)
def test_no_strangers_schema_keeps_buyers_from_a_client(schema: dict[str, Any]) -> None:
    document = openapi(schema, {}, {"True": True, "List": {"type": "object", "properties": ["a"]}})
    written = client_module(kit(schema=document))
    exec(compile(written, "client.py", "exec"), {"__name__": "client"})


def test_media_types_with_quotes_are_sent_as_they_are() -> None:
    quoted = 'application/json; profile="a\\"b"'
    one = replace(kit(schema=openapi({}, {})), content_types=(quoted,), response_types=(quoted,))
    namespace: dict[str, Any] = {"__name__": "client"}
    exec(compile(client_module(one), "client.py", "exec"), namespace)
    asked: list[dict[str, Any]] = []

    class Runtime:
        def invoke_endpoint(self, **request: Any) -> dict[str, Any]:
            asked.append(request)
            return {"Body": io.BytesIO(b"1")}

    model = namespace[one.class_name].__new__(namespace[one.class_name])
    model._endpoint_name, model._runtime = "e", Runtime()
    assert model.invoke(1) == 1
    assert [(one["ContentType"], one["Accept"]) for one in asked] == [(quoted, quoted)]


def test_every_client_is_typed_strictly_and_so_is_its_use(clients: Path) -> None:
    (clients / "use.py").write_text(USE.lstrip())
    done = judged("mypy", "--strict", "--config-file=", "--cache-dir", clients / "cache", ".", folder=clients)
    assert done.returncode == 0, done.stdout
    (clients / "misuse.py").write_text(MISUSE)
    done = judged("mypy", "--strict", "--config-file=", "--cache-dir", clients / "cache", "misuse.py", folder=clients)
    (clients / "misuse.py").unlink()
    assert done.stdout.count("error:") >= 3, done.stdout


def test_every_client_is_clean_and_formatted_as_ruff_has_it(clients: Path) -> None:
    done = judged(
        "ruff",
        "check",
        "--isolated",
        "--select",
        "A,B,C4,E,F,I,N,PIE,RET,RUF,SIM,UP,W",
        "--no-cache",
        *sorted(clients.glob("*.py")),
        folder=clients,
    )
    assert done.returncode == 0, done.stdout
    done = judged("ruff", "format", "--isolated", "--diff", "--no-cache", *sorted(clients.glob("*.py")), folder=clients)
    assert done.returncode == 0, done.stdout


def test_only_a_model_that_streams_has_a_client_that_does() -> None:
    streaming = {name for name, one in whole_kits().items() if "def stream(" in client_module(one)}
    assert streaming == {"streamed", "streamed bytes"}


def served(folder: Path, predictor: str, client: str) -> Iterator[tuple[Any, LocalEndpoint]]:
    """A client's module, and an endpoint for it."""
    (folder / "predictor.py").write_text(predictor)
    (folder / "argosy.toml").write_text('[model]\npredictor = "predictor:Boxes"\n[serving]\nworkers = 1\n')
    path = folder / "client.py"
    path.write_text(client)
    spec = importlib.util.spec_from_file_location(f"kit_client_{folder.name}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with sagemaker_endpoint(folder) as endpoint:
        yield module, endpoint


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, LocalEndpoint]]:
    yield from served(tmp_path_factory.mktemp("boxes"), PREDICTOR, client_module(kit()))


@pytest.fixture(scope="module")
def streaming(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, LocalEndpoint]]:
    yield from served(tmp_path_factory.mktemp("parts"), STREAMING, client_module(whole_kits()["streamed bytes"]))


@pytest.fixture
def session() -> Iterator[Callable[[str], boto3.Session]]:
    """Makes a buyer's session, told of an endpoint as its environment would tell it; its clients are closed again."""
    with contextlib.ExitStack() as made:

        def open_session(url: str) -> boto3.Session:
            found = boto3.Session(aws_access_key_id="any", aws_secret_access_key="any", region_name="eu-west-1")
            client = found.client
            found.client = lambda *args, **kwargs: made.enter_context(
                contextlib.closing(client(*args, endpoint_url=url, **kwargs))
            )
            return found

        yield open_session


def test_the_client_invokes_and_tells_the_models_errors(
    model: tuple[Any, LocalEndpoint], session: Callable[[str], boto3.Session]
) -> None:
    module, endpoint = model
    client = module.VehicleDetector(endpoint.name, session=session(endpoint.url))
    assert client.invoke([[1]]) == [{"x": 1.5, "class": "car"}]
    assert client.invoke_bytes(b"[[1]]") == b'[{"x":1.5,"class":"car"}]'
    with pytest.raises(module.VehicleDetectorError, match="the model answered 400") as raised:
        client.invoke(["bad"])
    assert raised.value.status == 400
    assert "no image" in raised.value.message
    assert raised.value.log.startswith("arn:aws:logs:eu-west-1:")


def test_the_clients_own_errors_are_the_services(
    model: tuple[Any, LocalEndpoint], session: Callable[[str], boto3.Session]
) -> None:
    module, endpoint = model
    client = module.VehicleDetector("somebody-elses", session=session(endpoint.url))
    with pytest.raises(Exception, match=r"Endpoint somebody-elses of account .* not found"):
        client.invoke([[1]])
    config = client._runtime.meta.config
    assert (config.read_timeout, config.retries["total_max_attempts"]) == (70, 1)


def test_the_client_streams_and_tells_when_a_stream_fails(
    streaming: tuple[Any, LocalEndpoint], session: Callable[[str], boto3.Session]
) -> None:
    module, endpoint = streaming
    client = module.VehicleDetector(endpoint.name, session=session(endpoint.url))
    assert b"".join(client.stream(b"one two three")) == b"onetwothree"
    with pytest.raises(module.VehicleDetectorError, match="no text") as raised:
        list(client.stream(b"bad"))
    assert raised.value.status == 400
    with pytest.raises(module.VehicleDetectorError) as raised:
        list(client.stream(b"one halfway two"))
    assert raised.value.status == 0
    assert client._streams.meta.config.read_timeout == 490
