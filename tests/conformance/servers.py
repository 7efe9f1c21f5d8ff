"""Runs the foreign servers of `tests/projects/servers` as containers, and judges them."""

import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from argosy.conformance.case import Case
from argosy.conformance.catalogue import ACTS, CHECKS
from argosy.conformance.check import Check, Status
from argosy.conformance.finding import Finding
from argosy.conformance.observing.act import Act, observe
from argosy.conformance.observing.bench import Bench
from argosy.conformance.probes import Request
from argosy.conformance.profile import Profile
from argosy.conformance.run import asked_by, judge
from argosy.conformance.scenes.at_rest import Still
from argosy.contract import Level
from argosy.simulator.containers.container import Container, Launch
from argosy.simulator.containers.process import Command, ProcessContainer
from tests.conformance.images import CLEAN_RUNTIME, make_image
from tests.ports import free_port

SERVERS: Final = Path(__file__).parents[1] / "projects" / "servers"


def launch_server(name: str) -> "Launcher":
    return Launcher(SERVERS / f"{name}.py")


class Launcher:
    """Makes containers of one script; they get `MODEL_DIR` and `PORT`, as a stranger's image would have them fixed."""

    def __init__(self, script: Path) -> None:
        self.script = script
        self.launches: list[Launch] = []
        self.usual_port = free_port()

    def __call__(self, launch: Launch) -> Container:
        self.launches.append(launch)
        # A file system of its own, which a second start finds as the first one has left it.
        own = Path(tempfile.mkdtemp(prefix="argosy-server-"))
        return ProcessContainer(self.command(launch, own), partial(shutil.rmtree, own, ignore_errors=True))

    def command(self, launch: Launch, own: Path | None = None) -> Command:
        """What is run; `own` is the folder that stands for its file system."""
        port = int(launch.environment.get("SAGEMAKER_BIND_TO_PORT", free_port()))
        environment = {"PORT": str(port), "PATH": "/usr/bin:/bin", "MODEL_DIR": str(launch.model_dir or "/nowhere")}
        environment |= launch.environment
        if "SAGEMAKER_BIND_TO_PORT" in launch.environment:
            environment["USUAL_PORT"] = str(self.usual_port)  # in an image it is 8080, and the same in all containers
        # What cannot be taken from a process of this machine is imitated by the server that would miss it.
        environment |= {"READ_ONLY_ROOT": "1"} if launch.read_only else {}
        environment |= {"OTHER_USER": "1"} if launch.user is not None else {}
        environment |= {"OWN_FILES": str(own or "/nowhere"), "PYTHONPATH": str(SERVERS)}
        models = str(launch.models_dir or "/nowhere")
        arguments = (sys.executable, str(self.script))
        return Command(self.script.stem, arguments, environment, self.script.parent, port, models)


@dataclass(frozen=True)
class Circumstances:
    """What a server is given beside its model.

    Attributes:
        samples: Requests that it is said to understand.
        labels: Of the image that it would come in.
        startup_s: How long it may take to get healthy.
        invocation_s: How long an invocation may take.
        profile: What is asked of it.
    """

    samples: tuple[Request, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    startup_s: float = 10.0
    invocation_s: float = 60.0
    profile: Profile = Profile.SAGEMAKER


USUAL: Final = Circumstances()


def observe_server(name: str, given: Circumstances = USUAL, model_dir: Path | None = None) -> Case:
    still = Still(make_image(runtime={**CLEAN_RUNTIME, "Labels": dict(given.labels)}), is_stored=True)
    return observe(
        Bench(
            launch_server(name),
            # These servers get what an isolated container would find: so that every clause is judged.
            is_offline=lambda container: True,
            is_confined=lambda container: True,
            is_read_only=True,
            model_dir=model_dir,
            has_artifacts=model_dir is not None,
            samples=given.samples,
            startup_s=given.startup_s,
            invocation_s=given.invocation_s,
            busy_s=0.3,
        ),
        ACTS,
        {check.scene for check in asked_by(given.profile)},
        Case.of(still),
    )


def judge_server(name: str, given: Circumstances = USUAL, model_dir: Path | None = None) -> Mapping[str, Finding]:
    case = observe_server(name, given, model_dir)
    return {finding.clause.id: finding for finding in judge(case, asked_by(given.profile), given.profile)}


def of_acts(findings: Mapping[str, Finding], *acts: Act) -> Mapping[str, Finding]:
    """The findings on what some acts give, and on nothing else."""
    scenes = {scene for act in acts for scene in act.scenes}
    return {check.clause.id: findings[check.clause.id] for check in CHECKS if _is_on(check, scenes, findings)}


def _is_on(check: Check[Any], scenes: set[type], findings: Mapping[str, Finding]) -> bool:
    return check.scene in scenes and check.clause.id in findings


def reasons(findings: Mapping[str, Finding]) -> str:
    """What failed and why, for the message of an assertion."""
    return "\n".join(
        f"{clause_id}: {finding.verdict}" for clause_id, finding in findings.items() if finding.status is Status.FAIL
    )


def failed_clauses(findings: Mapping[str, Finding], level: Level | None = None) -> set[str]:
    return {
        clause_id
        for clause_id, finding in findings.items()
        if finding.status is Status.FAIL and level in (None, finding.clause.level)
    }
