import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy import engine as engines
from argosy.engine import REMOVED, Engine, RunOptions
from argosy.errors import EngineError, ImageError

FOUNDATION = "python:3.11-slim"
SLEEPER = ("python3", "-c", "import signal, sys; signal.signal(15, lambda *_: sys.exit(3)); signal.pause()")


@pytest.fixture(params=["docker", "podman"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    found = engines.find(request.param, os.environ)
    if not found.has_image(FOUNDATION):
        archive = tmp_path / "foundation.tar"
        engines.find("docker", os.environ).save(FOUNDATION, archive)
        found.load(archive)
    return found


@pytest.fixture
def name(engine: Engine) -> Iterator[str]:
    unique = f"argosy-test-{uuid.uuid4().hex[:12]}"
    yield unique
    engine.remove_container(unique)
    engine.remove_network(unique)


@pytest.mark.engine
def test_saves_and_loads_an_image(engine: Engine, tmp_path: Path) -> None:
    archive = tmp_path / "image.tar"
    engine.save(FOUNDATION, archive)
    assert [path.name for path in tmp_path.iterdir() if "foundation" not in path.name] == ["image.tar"]
    assert FOUNDATION in engine.load(archive)


@pytest.mark.engine
def test_a_save_that_fails_leaves_no_file(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="save"):
        engine.save("argosy-test/nothing:here", tmp_path / "image.tar")
    assert not (tmp_path / "image.tar").exists()


@pytest.mark.engine
def test_tells_which_images_are_there(engine: Engine) -> None:
    assert engine.has_image(FOUNDATION)
    assert not engine.has_image("argosy-test/nothing:here")


@pytest.mark.engine
def test_a_container_lives_and_dies(engine: Engine, name: str) -> None:
    options = RunOptions(name=name, labels={"argosy.test": "1"}, environment={"GREETING": "a b=c\nd"}, network="none")
    container = engine.run(FOUNDATION, SLEEPER, options)
    assert engine.exit_code(container) is None
    assert engine.wait(container, timeout_s=0.5) is None
    assert "GREETING=a b=c\nd" in engine.inspect_container(container)["Config"]["Env"]
    engine.kill(container, "TERM")
    assert engine.wait(container, timeout_s=20) == 3
    assert engine.exit_code(container) == 3
    engine.kill(container, "KILL")
    engine.remove_container(container)
    engine.remove_container(container)
    engine.kill(container, "KILL")


@pytest.mark.engine
def test_a_container_that_somebody_else_removed_has_ended(engine: Engine, name: str) -> None:
    engine.run(FOUNDATION, SLEEPER, RunOptions(name=name, network="none"))
    subprocess.run([engine.program, "rm", "--force", name], check=True, capture_output=True)
    assert engine.exit_code(name) == REMOVED
    assert engine.logs(name) == ""


def test_an_engine_that_stopped_answering_is_no_end_of_a_container(tmp_path: Path) -> None:
    (tmp_path / "docker").write_text("#!/bin/sh\necho 'dial unix /x: connect: no such file or directory' >&2; exit 1\n")
    (tmp_path / "docker").chmod(0o755)
    with pytest.raises(EngineError):
        Engine("docker", {"PATH": str(tmp_path)}).exit_code("x")


@pytest.mark.engine
def test_logs_hold_both_streams(engine: Engine, name: str) -> None:
    script = "import sys; print('out', flush=True); print('err', file=sys.stderr)"
    engine.run(FOUNDATION, ("python3", "-c", script), RunOptions(name=name, network="none"))
    engine.wait(name, timeout_s=20)
    assert sorted(engine.logs(name).split()) == ["err", "out"]


@pytest.mark.engine
def test_an_image_that_is_not_there_is_not_pulled(engine: Engine, name: str) -> None:
    with pytest.raises(EngineError, match="run"):
        engine.run("argosy-test/nothing:here", ("serve",), RunOptions(name=name))


@pytest.mark.engine
def test_a_network_can_be_removed_twice(engine: Engine, name: str) -> None:
    engine.create_network(name, {"argosy.test": "1"}, ())
    engine.remove_network(name)
    engine.remove_network(name)


def test_an_engine_that_is_not_installed_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="`podman` is not installed") as caught:
        engines.find("podman", {"PATH": str(tmp_path)})
    assert "process" in str(caught.value)


def test_when_no_engine_answers_every_reason_is_told(tmp_path: Path) -> None:
    for program in ("docker", "podman"):
        (tmp_path / program).write_text("#!/bin/sh\necho nobody home >&2\nexit 1\n")
        (tmp_path / program).chmod(0o755)
    with pytest.raises(EngineError) as caught:
        engines.find(None, {"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert str(caught.value).count("nobody home") == 2


def test_docker_is_preferred_and_podman_stands_in(tmp_path: Path) -> None:
    for program, code in (("docker", 1), ("podman", 0)):
        (tmp_path / program).write_text(f"#!/bin/sh\necho 1.0\nexit {code}\n")
        (tmp_path / program).chmod(0o755)
    assert engines.find(None, {"PATH": str(tmp_path)}).program == "podman"
    (tmp_path / "docker").write_text("#!/bin/sh\necho 1.0\n")
    assert engines.find(None, {"PATH": str(tmp_path)}).program == "docker"


def test_an_error_does_not_show_the_environment_of_the_container(tmp_path: Path) -> None:
    (tmp_path / "docker").write_text("#!/bin/sh\nexit 125\n")
    (tmp_path / "docker").chmod(0o755)
    with pytest.raises(EngineError) as caught:
        Engine("docker", {"PATH": str(tmp_path)}).run(
            "image", (), RunOptions(name="x", environment={"TOKEN": "geheim"})
        )
    assert "geheim" not in str(caught.value)


def fake(folder: Path, program: str, script: str) -> Engine:
    """An engine's command that does what a script says."""
    (folder / program).write_text(f"#!/bin/sh\n{script}\n")
    (folder / program).chmod(0o755)
    return Engine(program, {"PATH": f"{folder}:/usr/bin:/bin"})


OLD = 'case "$1" in version) echo 20.10.24;; buildx) exit 1;; *) echo "$DOCKER_BUILDKIT $*";; esac'
NEW = 'case "$1" in version) echo 28.2.2;; buildx) exit 0;; *) echo "$DOCKER_BUILDKIT $*";; esac'
BARE = 'case "$1" in version) echo 28.2.2;; buildx) exit 1;; *) echo "$DOCKER_BUILDKIT $*";; esac'


@pytest.mark.parametrize(
    ("program", "script", "can_mount", "flags"),
    [
        ("docker", OLD, True, "1 build {} --progress=plain"),
        ("docker", NEW, True, "1 build {} --provenance=false --load --progress=plain"),
        ("docker", BARE, False, "0 build {} --force-rm"),
        ("podman", 'echo "1 $*"', True, "1 build {} --format=docker --identity-label=false"),
    ],
)
def test_every_engine_is_told_what_it_knows(
    tmp_path: Path, program: str, script: str, can_mount: bool, flags: str
) -> None:
    found = fake(tmp_path, program, script)
    said: list[str] = []
    found.build(tmp_path, "made:1", {"netrc": tmp_path / "logins"}, said.append)
    told = flags.format("--platform=linux/amd64 --tag=made:1")
    assert said == [f"{told} --secret=id=netrc,src={tmp_path}/logins {tmp_path}"]
    assert found.mounts_while_building() == can_mount


def test_whoever_switched_buildkit_off_gets_the_old_builder(tmp_path: Path) -> None:
    found = fake(tmp_path, "docker", NEW)
    found = Engine("docker", {**found.environ, "DOCKER_BUILDKIT": "0"})
    said: list[str] = []
    found.build(tmp_path, "made:1", {}, said.append)
    assert said[0].startswith("0 build ")
    assert not found.mounts_while_building()


def test_a_build_that_fails_says_its_last_lines(tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(ImageError, match="failed with exit code 7") as caught:
        fake(tmp_path, "podman", "seq 1 30; echo no space >&2; exit 7").build(tmp_path, "made:1", {}, said.append)
    assert said == [*map(str, range(1, 31)), "no space"]
    assert str(caught.value.got).splitlines() == [*map(str, range(20, 31)), "no space"]


def test_an_interrupted_build_ends_with_all_that_it_started(tmp_path: Path) -> None:
    """The build's command starts another one, which holds a lock as long as it lives."""

    def interrupt(line: str) -> None:
        assert line == "started"
        raise KeyboardInterrupt

    lock = tmp_path / "lock"
    script = f"flock {lock} -c 'echo started; sleep 600' & wait"
    with pytest.raises(KeyboardInterrupt):
        fake(tmp_path, "podman", script).build(tmp_path, "made:1", {}, interrupt)
    subprocess.run(["flock", "--wait", "20", lock, "true"], check=True)


DOCKERFILE = "FROM python:3.11-slim\nRUN python3 -c 'print(6 * 7)'\nCMD [\"python3\"]\n"


@pytest.mark.engine
def test_an_engine_builds_and_forgets(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "context").mkdir()
    (tmp_path / "context/Dockerfile").write_text(DOCKERFILE)
    tag, said = f"argosy-test/built:{uuid.uuid4().hex}", list[str]()
    engine.build(tmp_path / "context", tag, {}, said.append)
    assert engine.has_image(tag)
    engine.remove_image(tag)
    assert not engine.has_image(tag)


@pytest.mark.engine
def test_a_step_that_fails_fails_the_build(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python:3.11-slim\nRUN echo it is broken && exit 7\n")
    with pytest.raises(ImageError, match="it is broken"):
        engine.build(tmp_path, f"argosy-test/broken:{uuid.uuid4().hex}", {}, lambda _: None)
