import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from argosy import engine as engines
from argosy.engine import REMOVED, Engine
from argosy.errors import ContainerError, EngineError
from argosy.simulator.containers import engine_container
from argosy.simulator.containers.container import Container, Launch, ending, stop
from argosy.simulator.containers.engine_container import EngineContainer
from argosy.simulator.containers.leftovers import LABEL
from tests.simulator import stand_in_image
from tests.simulator.stand_in_image import FOUNDATION, IMAGE

pytestmark = pytest.mark.engine

CONNECT = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=2)
except OSError as error:
    print(type(error).__name__)
else:
    print("connected")
"""
MakeImageContainer = Callable[..., EngineContainer]


@pytest.fixture(scope="module")
def stand_in_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A docker archive of an image whose `serve` is the stand-in."""
    return stand_in_image.build(tmp_path_factory.mktemp("image"))


@pytest.fixture(params=["docker", "podman"], scope="module")
def engine(request: pytest.FixtureRequest, stand_in_archive: Path) -> Engine:
    found = engines.find(request.param, os.environ)
    found.load(stand_in_archive)
    return found


@pytest.fixture
def make(engine: Engine) -> Iterator[MakeImageContainer]:
    made: list[EngineContainer] = []

    def container(image: str = IMAGE, **launch: object) -> EngineContainer:
        made.append(EngineContainer(engine, image, image, Launch(**launch)))  # type: ignore[arg-type]  # Launch's own
        return made[-1]

    yield container
    for one in made:
        one.remove()


def execute(engine: Engine, container: EngineContainer, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [engine.program, "exec", container.container, "python3", "-c", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def await_ping(container: Container) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            assert httpx.get(f"{container.url}/ping", timeout=2).status_code == 200
        except httpx.TransportError:
            assert time.monotonic() < deadline, container.logs()
            time.sleep(0.05)
        else:
            return


def test_fault_4_an_image_without_model_data_is_served_and_stopped(make: MakeImageContainer) -> None:
    container = make()
    container.start()
    await_ping(container)
    assert httpx.post(f"{container.url}/invocations", content=b"a\x00b").content == b"a\x00b"
    assert container.exit_code() is None
    # It is this machine's, since the tests that have an engine are root and the engine is here.
    assert b"stand_in" in Path(f"/proc/{container.first_process}/cmdline").read_bytes()
    stopped = stop(container)
    assert (stopped.exit_code, stopped.killed) == (0, False)
    assert container.first_process == 0
    assert "stand-in starts" in container.logs()


@pytest.mark.parametrize("user", [0, 1000])
def test_the_memory_of_its_processes_is_seen(
    make: MakeImageContainer, user: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    container = make(is_watched=False)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert container.memory_bytes() is None
    container.start()
    await_ping(container)
    taken = container.memory_bytes()
    container.remove()
    assert taken is not None
    assert 2**20 < taken < 2**28
    assert container.memory_bytes() is None


def test_fault_6_a_deaf_container_is_killed(make: MakeImageContainer) -> None:
    container = make(environment={"STAND_IN_MODE": "deaf"})
    container.start()
    await_ping(container)
    stopped = stop(container, grace_s=1)
    assert (stopped.exit_code, stopped.killed) == (137, True)


def test_fault_6_there_is_no_way_out_of_the_container(make: MakeImageContainer, engine: Engine) -> None:
    container = make()
    container.start()
    await_ping(container)

    def connect(host: str, port: int) -> str:
        return execute(engine, container, CONNECT, host, str(port)).stdout.strip()

    for host, port in (("pypi.org", 443), ("1.1.1.1", 80), ("169.254.169.254", 80), ("169.254.170.2", 80)):
        assert connect(host, port) in ("gaierror", "TimeoutError", "OSError"), (host, port)
    assert connect("127.0.0.1", 8080) == "connected"


def test_fault_6_the_container_has_the_platform_s_surroundings(
    make: MakeImageContainer, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "geheim")
    (tmp_path / "weights").write_text("1")
    container = make(model_dir=tmp_path, environment={"GIVEN": "yes"})
    container.start()
    script = (
        "import os\n"
        "print(os.environ['GIVEN'], 'AWS_SECRET_ACCESS_KEY' in os.environ, open('/opt/ml/model/weights').read(),"
        " os.statvfs('/dev/shm').f_blocks * os.statvfs('/dev/shm').f_frsize)\n"
        "open('/writable', 'w').close()\n"
        "try: open('/opt/ml/model/new', 'w')\n"
        "except OSError as error: print(error.strerror)\n"
    )
    told = execute(engine, container, script).stdout
    assert told == f"yes False 1 {64 * 2**20}\nRead-only file system\n"


def test_a_container_of_many_models_sees_those_that_come_later_at_the_port_that_it_was_given(
    make: MakeImageContainer, engine: Engine, tmp_path: Path
) -> None:
    container = make(models_dir=tmp_path, environment={"SAGEMAKER_BIND_TO_PORT": "8123"})
    container.start()
    await_ping(container)
    (tmp_path / "a" / "model").mkdir(parents=True)
    (tmp_path / "a" / "model" / "weights").write_text("1")
    told = execute(engine, container, f"print(open('{container.models_path}/a/model/weights').read())").stdout
    assert told == "1\n"


def test_a_read_only_root_has_a_writable_tmp(make: MakeImageContainer, engine: Engine) -> None:
    container = make(read_only=True)
    container.start()
    await_ping(container)
    assert execute(engine, container, "open('/tmp/x', 'w')").returncode == 0
    assert execute(engine, container, "open('/x', 'w')").returncode == 1


def test_what_was_written_outlives_a_restart_and_is_told(make: MakeImageContainer, engine: Engine) -> None:
    container = make(user=54321, environment={"PYTHONDONTWRITEBYTECODE": "1"})
    assert container.can_restart
    container.start()
    await_ping(container)
    assert execute(engine, container, "import os; print(os.getuid(), os.getgid())").stdout == "54321 54321\n"
    written = "open('/var/tmp/kept', 'w'); open('/tmp/scratch', 'w')"
    assert execute(engine, container, written).returncode == 0
    assert list(container.written()) == ["/var/tmp/kept"]
    assert stop(container).exit_code == 0
    container.restart()
    await_ping(container)
    assert execute(engine, container, "import os; print(os.path.exists('/var/tmp/kept'))").stdout == "True\n"
    assert all(name and size > 0 for name, size in container.processes())


def test_remove_leaves_no_container_and_no_network(make: MakeImageContainer, engine: Engine) -> None:
    container = make()
    container.start()
    container.remove()
    container.remove()
    for kind in (["container", "ls", "--all"], ["network", "ls"]):
        listed = subprocess.run(
            [engine.program, *kind, "--quiet", "--filter", f"label={LABEL}={container.container}"],
            check=True,
            capture_output=True,
        )
        assert listed.stdout == b""
    assert "stand-in starts" in container.logs() or container.logs() == ""


def test_a_container_that_is_removed_under_our_feet_has_ended(make: MakeImageContainer, engine: Engine) -> None:
    container = make()
    container.start()
    subprocess.run([engine.program, "rm", "--force", container.container], check=True, capture_output=True)
    assert container.exit_code() == REMOVED
    assert container.logs() == ""
    container.remove()


def test_an_image_without_serve_is_named(make: MakeImageContainer) -> None:
    container = make(FOUNDATION)
    with pytest.raises(
        ContainerError, match=r"python:3\.11-slim: the image cannot be started with the argument `serve`"
    ):
        container.start()


def test_an_image_that_is_not_there_is_an_error_of_the_engine(make: MakeImageContainer) -> None:
    with pytest.raises(EngineError):
        make("argosy-test/nothing:here").start()


def test_a_container_that_ends_at_once_is_seen(make: MakeImageContainer) -> None:
    container = make(environment={"STAND_IN_MODE": "crash"})
    container.start()
    assert container.wait(20) == 3
    assert "no such file: model.joblib" in container.logs()


def test_fault_6_what_the_container_tries_to_reach_is_told(make: MakeImageContainer, engine: Engine) -> None:
    container = make()
    container.start()
    await_ping(container)
    script = "import socket\ntry: socket.getaddrinfo('weights.example', 443)\nexcept OSError: print('no address')"
    assert execute(engine, container, script).stdout == "no address\n"
    shell = ["getent", "hosts", "telemetry.example"]
    subprocess.run([engine.program, "exec", container.container, *shell], check=False, capture_output=True)
    expected = {("weights.example", "python3", "<string>:2"), ("telemetry.example", "getent", "")}
    deadline = time.monotonic() + 20
    while (told := {(found.host, found.process, found.line) for found in container.attempts()}) != expected:
        assert time.monotonic() < deadline, told
        time.sleep(0.05)


def test_a_container_that_takes_too_much_memory_is_told_of(make: MakeImageContainer, engine: Engine) -> None:
    container = make(memory_bytes=60 * 2**20, cpus=0.5)
    container.start()
    await_ping(container)
    host = engine.inspect_container(container.container)["HostConfig"]
    assert (host["Memory"], host["NanoCpus"]) == (60 * 2**20, 500_000_000)
    assert ending(container, 3) == "exit code 3"
    with suppress(httpx.TransportError):
        httpx.post(f"{container.url}/invocations", content=bytes(40 * 2**20) + b"DOUBLE", timeout=30)
    assert container.wait(30) == 137
    assert "out of memory" in ending(container, 137)
    container.remove()
    assert "out of memory" in ending(container, 137)


def test_containers_of_one_model_share_a_network(make: MakeImageContainer, engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "draft").write_text("7")
    first = make(environment={"SAGEMAKER_BIND_TO_PORT": "4001"}, hostname="first")
    first.start()
    second = make(
        environment={"SAGEMAKER_BIND_TO_PORT": "4002"},
        shares_network_with=first,
        channels={"draft": tmp_path},
    )
    second.start()
    await_ping(first)
    await_ping(second)
    assert execute(engine, first, CONNECT, "127.0.0.1", "4002").stdout == "connected\n"
    script = "print(open('/opt/ml/additional-model-data-sources/draft/draft').read())"
    assert execute(engine, second, script).stdout == "7\n"
    second.remove()
    first.remove()


def test_more_processors_than_there_are_limit_nothing(make: MakeImageContainer) -> None:
    container = make(cpus=1000)
    container.start()
    await_ping(container)
    assert container.lends_network


def test_of_what_a_container_writes_its_engine_keeps_no_more_than_the_end(
    engine: Engine, make: MakeImageContainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_DOCKER_LOG", "_PODMAN_LOG"):
        flags = [re.sub(r"max-size=\d+", f"max-size={2**18}", flag) for flag in getattr(engine_container, name)]
        monkeypatch.setattr(engine_container, name, flags)
    container = make()
    container.start()
    await_ping(container)
    script = "log = open('/proc/1/fd/1', 'w'); log.write(('x' * 1023 + '\\n') * 2048 + 'the last line\\n')"
    assert execute(engine, container, script).returncode == 0
    deadline = time.monotonic() + 30
    while not container.logs(14).endswith("the last line\n"):
        assert time.monotonic() < deadline, container.logs(1000)
    assert len(container.logs()) < 2**20
