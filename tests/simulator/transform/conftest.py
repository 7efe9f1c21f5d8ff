"""A bench for transform jobs: a folder `in`, a folder `out`, and jobs from one to the other through stand-ins."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from argosy.simulator.containers.process import ProcessContainer
from argosy.simulator.storage.local_folder import LocalFolder
from argosy.simulator.transform import instance
from argosy.simulator.transform.definition import Assumptions, TransformJobDefinition
from argosy.simulator.transform.job import Surroundings, TransformJob
from argosy.simulator.transform.journal import Journal
from argosy.simulator.transform.progress import Listener, Outcome, Progress
from tests.simulator.conftest import MakeContainer


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instance, "_RETRY_DELAY_S", 0.001)


def definition(**fields: Any) -> TransformJobDefinition:
    """A job from `s3://in/` to `s3://out/`; fields of the API by their own names, wherever they belong."""
    source: dict[str, Any] = {
        "S3DataType": fields.pop("S3DataType", "S3Prefix"),
        "S3Uri": fields.pop("S3Uri", "s3://in/"),
    }
    given: dict[str, Any] = {"DataSource": {"S3DataSource": source}}
    output: dict[str, Any] = {"S3OutputPath": fields.pop("S3OutputPath", "s3://out/")}
    request: dict[str, Any] = {"TransformJobName": "job", "ModelName": "model", "TransformInput": given,
                               "TransformOutput": output}  # fmt: skip
    places = {
        "ContentType": given,
        "CompressionType": given,
        "SplitType": given,
        "Accept": output,
        "AssembleWith": output,
    }
    for name, value in fields.items():
        if name in ("InputFilter", "OutputFilter", "JoinSource"):
            request.setdefault("DataProcessing", {})[name] = value
        elif name.startswith("Invocations"):
            request.setdefault("ModelClientConfig", {})[name] = value
        elif name == "InstanceCount":
            request["TransformResources"] = {"InstanceType": "ml.m5.large", "InstanceCount": value}
        else:
            places.get(name, request)[name] = value
    return TransformJobDefinition.from_request(request)


class Kept(ProcessContainer):
    """Remembers the requests that the stand-in had seen when it was stopped."""

    requests: list[dict[str, Any]]

    def terminate(self) -> None:
        self.requests = httpx.get(f"{self.url}/requests").json()
        super().terminate()


@dataclass
class Heard:
    log: list[str] = field(default_factory=list)
    report: list[str] = field(default_factory=list)
    on_progress: Callable[[Progress], None] = lambda progress: None

    @property
    def listener(self) -> Listener:
        return Listener(self.log.append, self.report.append, self.on_progress)

    @property
    def lines(self) -> list[str]:
        """The data log without times and without the lines of the parameters."""
        lines = [line.partition("[sagemaker logs]: ")[2] for line in self.log]
        return [line for line in lines if not line.startswith("MaxConcurrentTransforms=")]


@dataclass
class Ran:
    outcome: Outcome
    heard: Heard
    containers: list[Kept]

    @property
    def container(self) -> Kept:
        return self.containers[0]

    @property
    def invocations(self) -> list[dict[str, Any]]:
        return [one for kept in self.containers for one in kept.requests if one["path"] == "/invocations"]


class Bench:
    """A folder `in`, a folder `out`, and jobs from one to the other."""

    def __init__(self, folder: Path, stand_in: MakeContainer) -> None:
        self.folder, self.source, self.output = folder, folder / "in", folder / "out"
        self.source.mkdir()
        self.store = LocalFolder(folder)
        self._stand_in = stand_in
        self.environment: Mapping[str, str] = {}

    def put(self, key: str, content: bytes) -> None:
        path = self.source / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def job(
        self, heard: Heard, job: TransformJobDefinition, containers: list[Kept], pipeline: int = 1,
        assumptions: Assumptions | None = None, journal: Journal | None = None, **settings: str,
    ) -> TransformJob:  # fmt: skip
        def open_instance(environment: Mapping[str, str]) -> Sequence[Kept]:
            self.environment = environment
            for _ in range(pipeline):
                container = self._stand_in(**settings)
                container.__class__ = Kept
                assert isinstance(container, Kept)
                container.requests = []
                containers.append(container)
            return containers[-pipeline:]

        around = Surroundings(
            self.store, open_instance, heard.listener, assumptions or Assumptions(), self.folder, journal
        )
        return TransformJob(job, around)

    def run(self, job: TransformJobDefinition | None = None, **settings: Any) -> Ran:
        heard, containers = Heard(), list[Kept]()
        outcome = asyncio.run(self.job(heard, job or definition(), containers, **settings).run())
        return Ran(outcome, heard, containers)

    def results(self) -> dict[str, bytes]:
        found = {p.relative_to(self.output).as_posix(): p.read_bytes() for p in self.output.rglob("*") if p.is_file()}
        return dict(sorted(found.items()))


@pytest.fixture
def bench(tmp_path: Path, stand_in: MakeContainer) -> Bench:
    return Bench(tmp_path, stand_in)
