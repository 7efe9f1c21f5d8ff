"""Images unpacked and run in namespaces: a root filesystem made of this machine's own shell, no engine."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from argosy import contract
from argosy.errors import ContainerError
from argosy.simulator.containers import sandbox
from argosy.simulator.containers.container import Launch, stop
from argosy.simulator.containers.sandbox import SandboxContainer
from tests.processes import await_end, descendants
from tests.simulator.containers.conftest import RunScript, await_log

LOOK = r"""#!/bin/sh
echo "arguments: $0 $*"
echo "pid: $$"
echo "folder: $(pwd)"
echo "user: $(id -u)"
echo "model: $(cat /opt/ml/model/weights 2>&1)"
(echo new > /opt/ml/model/new) 2>/dev/null || echo "model is read-only"
(echo new > /new) 2>/dev/null && echo "root is writable" || echo "root is read-only"
(echo new > /tmp/new) 2>/dev/null && echo "tmp is writable"
(echo new > /dev/null) && echo "null works"
echo "shm: $(df -k /dev/shm | tail -n 1)"
echo "processes: $(ls /proc | grep -c '^[0-9]')"
echo "resolver: $(head -n 1 /etc/resolv.conf)"
env
trap 'echo told to end; exit 7' TERM
echo ready
while :; do sleep 0.05; done
"""
ESCAPE = r"""
opendir(my $outside, "/"); mkdir "/inner"; print "chroot: ", chroot("/inner"), "\n";
chdir($outside); chdir("..") for 1..64; chroot(".");
print "written\n" if open(my $file, ">", $ARGV[0]);
print "core pattern written\n" if open(my $pattern, ">", "/proc/sys/kernel/core_pattern");
open(my $status, "<", "/proc/self/status");
/^(Cap|NoNewPrivs)/ && print while <$status>;
print "ready\n";
"""
Start = Callable[..., SandboxContainer]
PROGRAMS = ("sh", "cat", "df", "env", "grep", "head", "id", "ls", "perl", "sleep", "tail")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some of this machine's programs with their libraries, and `serve`."""
    folder = tmp_path_factory.mktemp("image") / "with space, and:colon"
    files = set()
    for program in PROGRAMS:
        path = shutil.which(program)
        assert path is not None
        files.add(path)
        linked = subprocess.run(["ldd", path], check=True, capture_output=True, text=True).stdout
        files.update(re.findall(r"(/\S+) \(0x", linked))
    for file in files:
        target = folder / file.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    (folder / "bin").mkdir(exist_ok=True)
    if not (folder / "bin/sh").exists():
        shutil.copy(folder / str(shutil.which("sh")).lstrip("/"), folder / "bin/sh")
    (folder / "opt").mkdir()
    (folder / "tmp").mkdir()
    (folder / "opt/serve").write_text(LOOK)
    (folder / "opt/serve").chmod(0o755)
    (folder / "etc").mkdir(exist_ok=True)
    (folder / "etc/resolv.conf").symlink_to("/run/of/this/machine")
    (folder / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nsvc:x:1234:1234::/:/bin/sh\n")
    return folder


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    (tmp_path / "weights").write_text("42")
    return tmp_path


@pytest.fixture
def start(root: Path) -> Iterator[Start]:
    made: list[SandboxContainer] = []

    def started(launch: Launch | None = None, **config: Any) -> SandboxContainer:
        config = {"Env": ["PATH=/opt:/usr/bin:/bin"], **config}
        made.append(SandboxContainer(root, config, "image", launch or Launch()))
        made[-1].start()
        deadline = time.monotonic() + 20
        while "ready\n" not in made[-1].logs() and made[-1].exit_code() is None:
            assert time.monotonic() < deadline, made[-1].logs()
            time.sleep(0.01)
        return made[-1]

    yield started
    for container in made:
        container.remove()


def snapshot(folder: Path) -> list[tuple[str, int]]:
    return sorted((str(path.relative_to(folder)), path.lstat().st_mtime_ns) for path in folder.rglob("*"))


def test_an_unpacked_image_runs_as_a_container_does(start: Start, root: Path, model_dir: Path, rights: str) -> None:
    before = snapshot(root)
    container = start(Launch({"GIVEN": "1"}, model_dir), WorkingDir="/opt/program")
    seen = container.logs().splitlines()
    assert "arguments: /opt/serve " in seen
    assert "pid: 1" in seen
    assert "folder: /opt/program" in seen
    assert "user: 0" in seen
    assert "model: 42" in seen
    assert "model is read-only" in seen
    assert "root is writable" in seen
    assert "tmp is writable" in seen
    assert "null works" in seen
    assert "resolver: nameserver 127.0.0.53" in seen
    assert {"GIVEN=1", "HOME=/root", "PATH=/opt:/usr/bin:/bin"} <= set(seen)
    assert not [line for line in seen if line.startswith(("AWS_", "VIRTUAL_ENV"))]
    assert any(line.startswith("shm: ") and " 65536 " in line for line in seen)
    stopped = stop(container)
    assert (stopped.exit_code, stopped.killed) == (7, False)
    assert "told to end" in container.logs()
    container.remove()
    assert snapshot(root) == before
    assert sorted(path.name for path in model_dir.iterdir()) == ["weights"]


def test_a_container_sees_what_is_put_into_its_folder_of_models_later(
    start: Start, tmp_path: Path, rights: str
) -> None:
    models, channel = tmp_path / "models", tmp_path / "draft"
    models.mkdir()
    channel.mkdir()
    (channel / "weights").write_text("43")
    script = (
        "echo ready; until test -e /opt/ml/models/a/model/weights; do :; done; cat /opt/ml/models/a/model/weights;"
        f" cat {contract.CHANNELS_DIR}/draft/weights; echo > /opt/ml/models/b || echo refused; exit 5"
    )
    container = start(Launch(models_dir=models, channels={"draft": channel}), Entrypoint=["sh", "-c", script])
    (tmp_path / "aside" / "model").mkdir(parents=True)
    (tmp_path / "aside" / "model" / "weights").write_text("42\n")
    (tmp_path / "aside").rename(models / "a")
    assert container.wait(20) == 5
    assert "42\n43" in container.logs()
    assert "refused" in container.logs()
    assert container.models_path == "/opt/ml/models"


def test_an_image_cannot_leave_its_root(start: Start, tmp_path: Path, rights: str) -> None:
    container = start(Entrypoint=["perl", "-e", ESCAPE, str(tmp_path / "escaped")])
    assert container.wait(20) == 0
    seen = container.logs().split("\n")
    assert "chroot: 1" in seen, "the attempt itself must work for this test to mean anything"
    assert "written" not in seen
    assert "core pattern written" not in seen
    assert list(tmp_path.iterdir()) == []
    container.remove()


def test_an_image_s_program_has_fewer_capabilities_than_in_docker_and_gains_none(start: Start, rights: str) -> None:
    container = start(Entrypoint=["perl", "-e", ESCAPE, "/escaped"])
    container.wait(20)
    seen = dict(line.split(":\t", 1) for line in container.logs().splitlines() if ":\t" in line)
    docker = 0xA80425FB
    assert int(seen["CapEff"], 16) == int(seen["CapPrm"], 16) == int(seen["CapBnd"], 16)
    assert int(seen["CapEff"], 16) & ~docker == 0
    assert int(seen["CapInh"], 16) == int(seen["CapAmb"], 16) == 0
    assert seen["NoNewPrivs"] == "1"
    container.remove()


def test_a_read_only_root_has_a_writable_tmp(start: Start, model_dir: Path, rights: str) -> None:
    container = start(Launch(model_dir=model_dir, read_only=True))
    seen = container.logs().splitlines()
    assert "root is read-only" in seen
    assert "tmp is writable" in seen
    container.remove()


def test_its_memory_is_seen_without_its_supervisor_s(run_script: RunScript) -> None:
    container = run_script("import time; held = b'x' * (64 * 2**20); print('ready'); time.sleep(600)")
    await_log(container, "ready")
    taken = container.memory_bytes()
    container.remove()
    assert taken is not None
    assert 64 * 2**20 < taken < 90 * 2**20
    assert container.memory_bytes() is None


def test_kill_ends_every_process_of_the_container(start: Start, rights: str) -> None:
    container = start()
    container.kill()
    assert container.wait(20) == 137
    container.remove()


def test_remove_leaves_nothing(start: Start, rights: str) -> None:
    container = start()
    container.remove()
    container.remove()
    assert container.wait(0) is None


@pytest.mark.parametrize("user", ["", "svc"])
def test_nothing_outlives_the_process_that_started_it(root: Path, tmp_path: Path, user: str) -> None:
    script = (
        "import sys, time; from pathlib import Path\n"
        "from argosy.simulator.containers.container import Launch\n"
        "from argosy.simulator.containers.sandbox import SandboxContainer\n"
        "config = {'Env': ['PATH=/opt:/usr/bin:/bin'], 'User': sys.argv[2]}\n"
        "container = SandboxContainer(Path(sys.argv[1]), config, 'image', Launch()); container.start()\n"
        "while 'ready' not in container.logs(): time.sleep(0.01)\n"
        "print('ready', flush=True); time.sleep(600)\n"
    )
    command = [sys.executable, "-c", script, str(root), user]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        below = descendants(process.pid)
        process.kill()
    assert len(below) >= 3
    await_end(below)
    deadline = time.monotonic() + 20
    while list(tmp_path.iterdir()):
        assert time.monotonic() < deadline, list(tmp_path.iterdir())
        time.sleep(0.02)


def test_the_image_s_user_is_heeded(start: Start) -> None:
    for user, expected in (("svc", "1234"), ("4321", "4321")):
        container = start(User=user)
        assert f"user: {expected}" in container.logs()
        container.remove()


def test_another_user_than_the_image_s_is_heeded(root: Path) -> None:
    config = {"Env": ["PATH=/opt:/usr/bin:/bin"], "User": "svc"}
    container = SandboxContainer(root, config, "image", Launch(user=54321))
    container.start()
    try:
        seen = await_log(container, "ready")
        assert "user: 54321" in seen
        assert "HOME=/\n" in seen
    finally:
        container.remove()


def test_what_was_written_outside_tmp_is_told_while_it_runs(root: Path, tmp_path: Path) -> None:
    script = (
        'mkdir $_ for "/opt/kept", "/opt/ml", "/opt/__pycache__";'
        'for ("/opt/kept/a", "/tmp/b", "/opt/ml/c", "/opt/__pycache__/d") { open(my $file, ">", $_) or die }'
        'unlink "/etc/passwd"; print STDERR "ready\\n"; sleep 600'
    )
    config = {"Env": ["PATH=/usr/bin:/bin"], "Entrypoint": ["perl", "-e", script]}
    container = SandboxContainer(root, config, "image", Launch(model_dir=tmp_path))
    container.start()
    try:
        await_log(container, "ready")
        assert list(container.written()) == ["/etc/passwd", "/opt/kept/a", "/opt/ml/c"]
        container.kill()
        container.wait(20)
        assert container.written() == ()
        assert not container.can_restart
        with pytest.raises(ContainerError, match="not started again"):
            container.restart()
    finally:
        container.remove()
    assert (root / "etc/passwd").exists()


def test_the_processes_and_their_memory_are_told(run_script: RunScript) -> None:
    script = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    kept = b'x' * (64 * 2**20); print('ready'); time.sleep(600)\n"
        "time.sleep(600)\n"
    )
    container = run_script(script)
    await_log(container, "ready")
    (first, second) = container.processes()
    assert first[0].startswith("python")
    assert first[1] > 60 * 2**20 > second[1] > 0


def test_an_image_without_serve_says_so(start: Start) -> None:
    container = start(Env=["PATH=/bin"])
    assert container.wait(20) == 127
    assert '"serve": executable file not found' in container.logs()
    container.remove()


def test_an_entry_point_takes_serve_as_its_argument(start: Start) -> None:
    container = start(Entrypoint=["/opt/serve", "--flag"])
    assert "arguments: /opt/serve --flag serve" in container.logs()
    container.remove()


def test_a_machine_that_refuses_namespaces_is_told_so(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_unshare", lambda: ("false",))
    with pytest.raises(ContainerError, match="does not let an image run") as error:
        SandboxContainer(root, {}, "image", Launch())
    assert "--container docker" in str(error.value)
