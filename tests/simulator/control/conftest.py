import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from argosy.simulator.health import Report
from argosy.simulator.runtime.service import bind
from argosy.simulator.simulation import Simulation, World
from tests.beside import beside
from tests.simulator.control.world import world

CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
ROLE = "arn:aws:iam::123456789012:role/SageMaker"
SESSION = boto3.Session()  # it keeps what it read of botocore's models
DEADLINE_S = 60.0
QUICK = {"Delay": 0.05, "MaxAttempts": 400}


def client(
    url: str, service: str = "sagemaker", region: str = "eu-west-1"
) -> Any:  # Any: boto3's clients have no types
    # The service judges: botocore's own validation would keep wrong requests from it.
    config = Config(parameter_validation=False, retries={"total_max_attempts": 1}, read_timeout=60)
    return SESSION.client(service, endpoint_url=url, region_name=region, config=config, **CREDENTIALS)


@dataclass
class Simulated:
    folder: Path
    url: str
    reports: list[str] = field(default_factory=list)
    streams_port: int = 0

    @cached_property
    def sagemaker(self) -> Any:
        return client(self.url)

    @cached_property
    def runtime(self) -> Any:
        return client(self.url, "sagemaker-runtime")

    def bucket(self, name: str, files: dict[str, bytes]) -> None:
        for key, content in files.items():
            path = self.folder / "s3" / name / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def model(self, name: str = "iris", **settings: str) -> None:
        environment = {f"STAND_IN_{key.upper()}": value for key, value in settings.items()}
        container = {"Image": "stand-in", "Environment": environment}
        self.sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)

    def config(self, name: str = "iris", model: str = "iris", **more: Any) -> None:
        variant = {
            "VariantName": "AllTraffic",
            "ModelName": model,
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
        }
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant], **more)

    def endpoint(self, name: str = "iris", config: str = "iris") -> None:
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)

    def in_service(self, name: str = "iris") -> Any:
        self.sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig=QUICK)
        return self.sagemaker.describe_endpoint(EndpointName=name)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline, "it did not come so"
        time.sleep(0.02)


@pytest.fixture
def simulated(tmp_path: Path) -> Iterator[Simulated]:
    """A simulation of the test's own."""
    with simulation(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    """A simulation with the model `iris`, for a module's tests that change nothing."""
    with simulation(tmp_path_factory.mktemp("refusing")) as made:
        made.model()
        yield made


@contextmanager
def simulation(folder: Path, around: Callable[[Path, Report], World] = world, **changed: Any) -> Iterator[Simulated]:
    """A simulation on a thread, so that blocking clients can call it; keywords are fields of its world."""
    listener = bind(0)
    made = Simulated(folder, f"http://127.0.0.1:{listener.getsockname()[1]}")

    async def serve(stopping: asyncio.Event, on_open: Callable[[], None]) -> None:
        served = Simulation(replace(around(folder, made.reports.append), **changed))

        def on_served() -> None:
            made.streams_port = int(served.streams_url.rpartition(":")[2])
            on_open()

        await served.serve(listener, stopping, on_served)

    with listener, beside(serve):
        yield made
