"""What a program in a sandbox can do to the machine around it."""

import json
import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy.simulator.containers import sandbox
from tests.simulator.containers.conftest import RunScript

DEVICES = ("full", "null", "random", "tty", "urandom", "zero")
HIDDEN = ("/proc/keys", "/proc/timer_list")
SPOIL = """
import json, os, sys
for path in sys.argv[1:]:
    for spoil in (lambda: os.chmod(path, 0o601), lambda: os.chown(path, 4321, 4321)):
        try:
            spoil()
        except OSError:
            pass
found = {"zero": open("/dev/zero", "rb").read(4).hex(), "random": len(open("/dev/urandom", "rb").read(9))}
with open("/dev/null", "w") as null:
    found["null"] = null.write("text")
try:
    open("/dev/full", "wb", buffering=0).write(b"x")
except OSError as error:
    found["full"] = error.strerror
print(json.dumps(found))
"""


@pytest.fixture
def modes() -> Iterator[dict[Path, tuple[int, int, int]]]:
    """Mode and owner of this machine's device files, which are put back should they have changed."""
    files = [Path("/dev", name) for name in DEVICES]
    before = {file: owned(file) for file in files}
    yield before
    for file, (mode, user, group) in before.items():
        if owned(file) != (mode, user, group):
            file.chmod(mode & 0o7777)
            os.chown(file, user, group)


def owned(file: Path) -> tuple[int, int, int]:
    found = file.stat()
    return found.st_mode, found.st_uid, found.st_gid


def test_this_machine_s_device_files_cannot_be_changed(
    run_script: RunScript, modes: dict[Path, tuple[int, int, int]]
) -> None:
    container = run_script(SPOIL, *map(str, modes), *HIDDEN, is_watched=False)
    assert container.wait(20) == 0, container.logs()
    assert {file: owned(file) for file in modes} == modes
    works = {"zero": "00000000", "random": 9, "null": 4, "full": "No space left on device"}
    assert json.loads(container.logs()) == works


def test_nor_where_the_kernel_refuses_device_files(
    run_script: RunScript, modes: dict[Path, tuple[int, int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("setpriv", "--bounding-set=-mknod", "--inh-caps=-mknod", *sandbox._unshare())
    monkeypatch.setattr(sandbox, "_unshare", lambda: command)
    test_this_machine_s_device_files_cannot_be_changed(run_script, modes)


def test_nothing_of_a_simulator_with_many_open_files_is_open_in_the_container(run_script: RunScript) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    opened = [os.open("/dev/null", os.O_RDONLY)]
    try:
        while opened[-1] < 1100:
            opened.append(os.open("/dev/null", os.O_RDONLY))
        script = "import os; print(sorted(os.listdir('/proc/self/fd'), key=int))"
        container = run_script(script, is_watched=False)
        assert container.wait(20) == 0, container.logs()
    finally:
        for descriptor in opened:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert container.logs() == "['0', '1', '2', '3']\n", "the fourth is the listing's own"
