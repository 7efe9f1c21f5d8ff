"""The five clean servers as images, each unpacked once, and how `argosy check` examines one in a sandbox."""

import tempfile
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Final

from argosy import model_archive, project
from argosy.cli import build, environment
from argosy.conformance.catalogue import ACTS, CHECKS
from argosy.conformance.finding import Finding, Report
from argosy.conformance.observing.act import observe
from argosy.conformance.observing.at_rest import observe_at_rest
from argosy.conformance.observing.bench import Bench
from argosy.conformance.probes import Request, invocation
from argosy.conformance.profile import Profile
from argosy.conformance.run import Subject, asked_by, examine, judge
from argosy.errors import ArchiveError
from argosy.image import filesystem
from argosy.image.image import Image
from argosy.simulator.containers.container import Container, Launch
from argosy.simulator.containers.instance_types import InstanceType
from argosy.simulator.containers.sandbox import SandboxContainer
from tests.foreign.assembly import Assembler

ROOT: Final = Path(__file__).parents[2]
PROJECTS: Final = ROOT / "tests/projects"
EXAMPLE: Final = ROOT / "examples/breast-cancer"
BY_HAND: Final = ROOT / "examples/flask-by-hand"
OURS: Final = "argosy"
STRANGERS: Final = ("c", "fastapi", "nginx-flask", "node")
NAMES: Final = (*STRANGERS, OURS)
_BUSY_S: Final = 0.3
"""Fewer invocations than usual, and as many health checks as there are at least: others want the processors, too."""


@dataclass(frozen=True)
class Server:
    """An image with all that it is examined with.

    Attributes:
        name: As the report calls it.
        image: At rest.
        root: Its files, unpacked.
        model_data: Its model.tar.gz; None when the image brings its artifacts.
        samples: What it understands, where generic requests do not tell.
        startup_s: How long it is waited for.
        instance_type: What a further container is given; None tries none.
    """

    name: str
    image: Image
    root: Path
    model_data: Path | None
    samples: tuple[Request, ...] = ()
    startup_s: float = 60.0
    instance_type: InstanceType | None = None

    def check(self) -> Report:
        """What `argosy check --container sandbox` does."""
        return examine(Subject(self.name, self.image, model_data=self.model_data), self._bench())

    def judge(self, clause: str) -> tuple[Finding, ...]:
        """What is found where the acts are the first one and the one that shows what a clause is judged on."""
        scene = next(check.scene for check in CHECKS if check.clause.id == clause)
        acts = [ACTS[0], *(act for act in ACTS[1:] if scene in act.scenes)]
        checks = asked_by(Profile.SAGEMAKER)
        case = observe_at_rest(self.image, model_data=self.model_data)
        with tempfile.TemporaryDirectory(prefix="argosy-model-") as folder:
            mounted = Path(folder) / "model"
            mounted.mkdir()
            try:
                if self.model_data is not None:
                    model_archive.unpack(self.model_data, mounted)
            except ArchiveError:
                return judge(case, checks)
            bench = replace(self._bench(), model_dir=mounted, has_artifacts=True)
            return judge(observe(bench, acts, {check.scene for check in checks}, case), checks)

    def look(self) -> tuple[Finding, ...]:
        """What is found without a container."""
        return judge(observe_at_rest(self.image), asked_by(Profile.SAGEMAKER))

    def _bench(self) -> Bench:
        return Bench(
            self._launch,
            is_read_only=True,
            samples=self.samples,
            startup_s=self.startup_s,
            busy_s=_BUSY_S,
            instance_type=self.instance_type,
        )

    def _launch(self, launch: Launch) -> Container:
        return SandboxContainer(self.root, self.image.runtime, self.name, launch)


class Stock:
    """Makes the clean servers side by side, each when it is first asked for.

    Args:
        folder: Takes what is unpacked and packed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pool = ThreadPoolExecutor(2)
        self._assembler = self._pool.submit(Assembler)
        self._made: dict[str, Future[Server]] = {}

    def __enter__(self) -> "Stock":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def order(self, *names: str) -> None:
        """Begin to make servers."""
        self._assembler.result()  # in a worker it would be waited for by another worker
        for name in names:
            if name not in self._made:
                self._made[name] = self._pool.submit(self._make, name)

    def get(self, name: str) -> Server:
        """A clean server."""
        self.order(name)
        return self._made[name].result()

    def _make(self, name: str) -> Server:
        make: Callable[[str], tuple[Image, Path | None, tuple[Request, ...]]]
        make = _ours if name == OURS else self._stranger
        image, model_data, samples = make(name)
        root = self.folder / "roots" / name
        root.parent.mkdir(exist_ok=True, parents=True)
        filesystem.unpack(image, root)
        return Server(name, image, root, model_data, samples)

    def _stranger(self, name: str) -> tuple[Image, Path, tuple[Request, ...]]:
        archive = self.folder / f"{name}-model.tar.gz"
        model_archive.pack(PROJECTS / name / "model", archive)
        return self._assembler.result().image(PROJECTS / name), archive, ()


def _ours(_: str) -> tuple[Image, None, tuple[Request, ...]]:
    image = build.build_project(project.load(EXAMPLE), "debian", environment.read())
    row = (EXAMPLE / "data/cases-b.csv").read_bytes().splitlines()[0] + b"\n"
    return image, None, (invocation("text/csv", row, "sample"),)
