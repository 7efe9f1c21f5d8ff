"""What the containers of this benchmark run: images in Docker, and as OCI layouts."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.serving.environments import MissingError

ROOT: Final = Path(__file__).parent.parent.parent
EXAMPLE: Final = ROOT / "examples/breast-cancer"
QUICK: Final = Path(__file__).parent / "quick"
"""A project whose container starts as soon as one of Argosy's can, so that what is added to its start can be seen."""
ROWS: Final = (EXAMPLE / "data/cases-a.csv").read_bytes()
ROW: Final = ROWS[: ROWS.index(b"\n") + 1]
ACCOUNT: Final = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1"}
CONTAINER_KINDS: Final = ("sandbox", "docker")


@dataclass(frozen=True, slots=True)
class Subject:
    """An image.

    Attributes:
        name: In Docker.
        layout: Reference to it as an OCI layout.
        artifacts: Its `model.tar.gz`, where it has artifacts.
        environ: With what a command needs to reach Docker, and no AWS but the account above.
    """

    name: str
    layout: str
    artifacts: Path
    environ: dict[str, str]

    def reference(self, kind: str) -> str:
        """The image as `argosy simulate` is told it."""
        return self.layout if kind == "sandbox" else f"docker-daemon:{self.name}"


def argosy(*arguments: object) -> list[str]:
    """A command of Argosy's."""
    return [str(Path(sys.executable).parent / "argosy"), *map(str, arguments)]


def make(project: Path, folder: Path) -> Subject:
    """Build a project into a folder and load it into Docker.

    Raises:
        MissingError: There is no Docker, and none could be started.
    """
    environ = engine_environ()
    name, layout = f"argosy-bench/{project.name}:1", f"oci:{folder}/{project.name}:latest"
    build = argosy("build", project, "--output", layout, "--output", f"docker-daemon:{name}", "--no-sbom")
    subprocess.run(build, env=environ, stdout=subprocess.DEVNULL, check=True)
    artifacts = folder / f"{project.name}.tar.gz"
    if (project / "model").is_dir():
        pack = argosy("pack", project, "--output", artifacts)
        subprocess.run(pack, env=environ, stdout=subprocess.DEVNULL, check=True)
    return Subject(name, layout, artifacts, environ)


def engine_environ() -> dict[str, str]:
    """The environment of a command that needs Docker, which `scripts/engine` starts where none answers.

    Raises:
        MissingError: There is none.
    """
    brought = subprocess.run([ROOT / "scripts/engine", "up"], stdout=subprocess.PIPE, text=True)
    if brought.returncode != 0:
        raise MissingError("there is no Docker: see what scripts/engine said")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | ACCOUNT
    environ.pop("PYTHONDONTWRITEBYTECODE", None)  # a user's second start finds its modules compiled
    for word in brought.stdout.split():
        if word.startswith("DOCKER_HOST="):
            environ["DOCKER_HOST"] = word.partition("=")[2]
    return environ
