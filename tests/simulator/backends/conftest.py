import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from argosy.contract import PlatformVariable, Variable
from argosy.simulator.containers.container import Container, Launch
from argosy.simulator.containers.process import Command, ProcessContainer, free_port
from argosy.simulator.hosting.definition import ContainerDefinition
from argosy.simulator.hosting.furnished import Surroundings
from argosy.simulator.storage.local_folder import LocalFolder
from tests.simulator.hosting.test_artifacts import archive
from tests.simulator.serving_thread import Served

HOSTED, STAND_IN, ARGOSY = "hosted_stand_in", "stand_in", "argosy"
FOLDER = Path(__file__).parent.parent
CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


@dataclass
class House:
    """Where backends of a test get their containers and artifacts.

    An image `stand_in` or `hosted_stand_in` is the process of that name, `argosy` is Argosy's own server.
    """

    root: Path
    opened: list[tuple[ProcessContainer, Launch]] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)
    own: dict[str, str] = field(default_factory=dict)

    @property
    def surroundings(self) -> Surroundings:
        return Surroundings(self.open, LocalFolder(self.root / "s3"), self.reports.append)

    def serves(self, predictor: str) -> None:
        """What Argosy's own server serves: `module:Class` in this house's folder."""
        self.own = {Variable.PREDICTOR: predictor, Variable.PROGRAM_DIR: str(self.root), Variable.HOST: "127.0.0.1"}

    def open(self, definition: ContainerDefinition, launch: Launch) -> Container:
        port = launch.port if PlatformVariable.BIND_TO_PORT in launch.environment else free_port()
        arguments: tuple[str, ...] = (sys.executable, str(FOLDER / f"{definition.image}.py"), str(port))
        environment = {**launch.environment, "PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"}
        if definition.image == ARGOSY:
            arguments = (sys.executable, "-m", "argosy.serving", "serve")
            environment |= {**self.own, PlatformVariable.BIND_TO_PORT: str(port)}
            if launch.model_dir is not None:
                environment[Variable.MODEL_DIR] = str(launch.model_dir)
        command = Command(definition.image, arguments, environment, self.root, port, models_path=str(launch.models_dir))
        self.opened.append((ProcessContainer(command), launch))
        return self.opened[-1][0]

    def put(self, uri: str, text: str, **files: str) -> None:
        """An archive with the file `text`, and others."""
        path = self.root / "s3" / uri.removeprefix("s3://")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(archive({"text": text.encode(), **{key: body.encode() for key, body in files.items()}}))

    def ask(self, path: str, number: int = 0) -> Any:
        """What a stand-in answers to a GET."""
        return httpx.get(f"{self.opened[number][0].url}{path}").json()

    def is_clean(self) -> bool:
        """Whether nothing is left of its containers and their artifacts."""
        return list((self.root / "work").iterdir()) == []


@contextmanager
def furnished(root: Path) -> Iterator[House]:
    made = House(root)
    (root / "work").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(root / "work"))
        try:
            yield made
        finally:
            for container, _launch in made.opened:
                container.remove()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with furnished(tmp_path) as made:
        yield made


def runtime_client(served: Served) -> Any:
    config = Config(retries={"max_attempts": 0}, read_timeout=70, max_pool_connections=20)
    return boto3.client(
        "sagemaker-runtime", endpoint_url=served.url, region_name="us-east-1", config=config, **CREDENTIALS
    )


def caught(client: Any, **arguments: Any) -> dict[str, Any]:
    """The error of an invocation."""
    with pytest.raises(ClientError) as error:
        client.invoke_endpoint(**{"EndpointName": "demo", "Body": b"x"} | arguments)
    response: dict[str, Any] = error.value.response
    return response
