"""Projects and foreign images that are described, and what a description of one is without a run."""

import os
import sys
from pathlib import Path

from argosy import project
from argosy.marketplace.listing import Input, Output, OutputParameter, Parameter, Sample, Usage
from argosy.project import Project
from argosy.publishing.description.description import Description, Limits
from argosy.publishing.description.measurement import Measured
from argosy.simulator.containers.container import Container
from argosy.simulator.containers.process import Command, ProcessContainer, free_port

STAND_IN = Path(__file__).parents[2] / "simulator/stand_in.py"
LIMITS = Limits("ml.m5.large", 2, 8 * 2**30, 4, 16 * 2**30, "docker")
MEASURED = Measured(
    count=1200, p50_ms=1.234, p99_ms=12.5, rate=812.4, best_clients=4, best_rate=1503.6, request_bytes=31,
    response_bytes=49,
)  # fmt: skip
DIGEST = "sha256:" + "d" * 64

PREDICTOR = """
from dataclasses import dataclass

from argosy import Predictor


@dataclass
class Flower:
    sepal: float
    colour: str = "red"


@dataclass
class Kind:
    name: str
    probability: float


class Iris(Predictor):
    def load(self, model_dir):
        pass

    def predict(self, flowers: list[Flower]) -> list[Kind]:
        return [Kind("setosa" if flower.sepal < 5 else "virginica", 0.75) for flower in flowers]
"""
TABLE = """
[model]
predictor = "predictor:Iris"
[serving]
content_types = ["application/json", "text/csv"]
workers = 1
[image]
base = "debian"
[marketplace]
name = "iris"
content_types = ["application/json"]
[marketplace.instances]
realtime = ["ml.m5.large"]
batch = ["ml.m5.large"]
[marketplace.validation]
samples = "samples"
[marketplace.account]
bucket = "releases"
[marketplace.usage.input]
limitations = "At most a thousand flowers."
"""
SAMPLE = '[{"sepal": 1.5}, {"sepal": 6.0}]'


def flowers(root: Path) -> Project:
    """A small project with one sample."""
    (root / "samples").mkdir(parents=True)
    (root / "samples/one.json").write_text(SAMPLE)
    (root / "predictor.py").write_text(PREDICTOR)
    (root / "argosy.toml").write_text(TABLE)
    return project.load(root)


def foreign(folder: Path, **environ: str) -> Container:
    """A server that nobody made with Argosy: it answers with what it is asked, and describes nothing."""
    port = free_port()
    variables = {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", **environ}
    return ProcessContainer(Command("stand-in", (sys.executable, str(STAND_IN), str(port)), variables, folder, port))


def description(**fields: object) -> Description:
    """What was found out of an image."""
    usage = Usage(
        instructions="Call invoke_endpoint.",
        input=Input(
            description="JSON.",
            realtime_sample=Sample(text="1"),
            parameters=(Parameter("sepal", "Number.", "at least 0", True), Parameter("colour", "String.", "", False)),
        ),
        output=Output(description="JSON.", parameters=(OutputParameter("name", "String.", "", True),)),
    )
    found = Description("oci:flowers", DIGEST, "2026-11-23T08:00:00+00:00", "Iris", "2 ms", usage, MEASURED, LIMITS)
    return Description(**{**{name: getattr(found, name) for name in found.__struct_fields__}, **fields})
