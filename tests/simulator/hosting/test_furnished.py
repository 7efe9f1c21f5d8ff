import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from argosy.errors import StorageError, UsageError
from argosy.simulator.containers.container import Container, Launch
from argosy.simulator.hosting.definition import ArtifactSource, ContainerDefinition
from argosy.simulator.hosting.furnished import Part, Surroundings, furnish
from argosy.simulator.storage.local_folder import LocalFolder
from tests.simulator.conftest import MakeContainer
from tests.simulator.hosting.test_artifacts import archive

DEFINITION = ContainerDefinition(
    "image", environment={"OWN": "1", "BOTH": "own"}, artifacts=ArtifactSource("s3://bucket/m.tar.gz")
)


class Opener:
    """Opens one container, and keeps how it was asked to."""

    def __init__(self, container: Container) -> None:
        self.container = container
        self.launch = Launch()

    def __call__(self, definition: ContainerDefinition, launch: Launch) -> Container:
        self.launch = launch
        return self.container


def surroundings(tmp_path: Path, opener: Opener) -> Surroundings:
    (tmp_path / "s3/bucket").mkdir(parents=True)
    (tmp_path / "s3/bucket/m.tar.gz").write_bytes(archive({"weights": b"42"}))
    return Surroundings(opener, LocalFolder(tmp_path / "s3"), print)


def artifacts(tmp_path: Path) -> list[Path]:
    """What lies unpacked."""
    return list((tmp_path / "work").glob("argosy-artifacts-*"))


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "work"))


def test_a_container_gets_its_artifacts_and_variables_and_both_go_with_it(
    stand_in: MakeContainer, tmp_path: Path
) -> None:
    opener = Opener(stand_in())
    part = Part(variables=lambda: {"BOTH": "the platform's"}, takes_models=True)
    container = furnish(DEFINITION, surroundings(tmp_path, opener), part)
    launch = opener.launch
    assert launch.environment == {"OWN": "1", "BOTH": "the platform's"}
    assert launch.model_dir is not None
    assert (launch.model_dir / "weights").read_bytes() == b"42"
    assert launch.models_dir == container.models_dir
    assert list(container.models_dir.iterdir()) == []
    assert artifacts(tmp_path) == [container.models_dir.parent]
    container.start()
    assert container.exit_code() is None
    assert (container.name, container.url) == (opener.container.name, opener.container.url)
    assert container.models_path == opener.container.models_path
    container.kill()
    assert container.wait(20) == 137
    container.remove()
    container.remove()
    assert artifacts(tmp_path) == []


def test_what_was_fetched_goes_when_the_container_cannot_be_made(tmp_path: Path, stand_in: MakeContainer) -> None:
    around = surroundings(tmp_path, Opener(stand_in()))

    def fails(definition: ContainerDefinition, launch: Launch) -> Container:
        raise UsageError("no such image")

    with pytest.raises(UsageError):
        furnish(DEFINITION, Surroundings(fails, around.store, print), Part())
    missing = ContainerDefinition("image", artifacts=ArtifactSource("s3://bucket/none.tar.gz"))
    with pytest.raises(StorageError, match="container_3"):
        furnish(missing, around, Part(number=3))
    assert artifacts(tmp_path) == []


DRILL = """
import sys, time
from pathlib import Path
from argosy.simulator.containers.process import Command, ProcessContainer, free_port
from argosy.simulator.hosting.definition import ArtifactSource, ContainerDefinition
from argosy.simulator.hosting.furnished import Part, Surroundings, furnish
from argosy.simulator.storage.local_folder import LocalFolder

def open_container(definition, launch):
    assert (launch.model_dir / "weights").exists()
    return ProcessContainer(Command("c", ("sleep", "600"), {"PATH": "/bin:/usr/bin"}, Path("/"), free_port()))

definition = ContainerDefinition("image", artifacts=ArtifactSource("s3://bucket/m.tar.gz"))
around = Surroundings(open_container, LocalFolder(Path(sys.argv[1])), print)
furnish(definition, around, Part()).start()
print("runs", flush=True)
time.sleep(600)
"""


def test_a_simulator_killed_with_9_leaves_no_artifacts(tmp_path: Path, stand_in: MakeContainer) -> None:
    surroundings(tmp_path, Opener(stand_in()))  # puts the archive into the bucket
    command = [sys.executable, "-c", DRILL, str(tmp_path / "s3")]
    environment = {**os.environ, "TMPDIR": str(tmp_path / "work")}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "runs\n"
        assert len(artifacts(tmp_path)) == 1
        process.kill()
    deadline = time.monotonic() + 60
    while left := list((tmp_path / "work").iterdir()):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)
