"""Ctrl-C, and Ctrl-C again, in commands whose containers ignore SIGTERM and would take 30 seconds to end."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.processes import await_end, descendants
from tests.simulator.control.conftest import Simulated, until
from tests.simulator.control.test_restart import stand_ins
from tests.simulator.control.test_transform_jobs import create

# The command with stand-ins for what images mean.
ARGOSY = """
import sys
from pathlib import Path
from argosy.cli import main
from argosy.cli.simulation.up import Images
from tests.simulator.control.world import open_stand_in

folder = Path(sys.argv.pop())
Images.open = lambda images, definition, launch: open_stand_in(definition, launch, folder)
main.main()
"""
SOON_S = 20.0  # less than the 30 s that containers get


@contextmanager
def up(folder: Path) -> Iterator[tuple[Simulated, "subprocess.Popen[str]"]]:
    (folder / "s3").mkdir()
    arguments = ("simulate", "up", "--state", folder / "state", "--s3", folder / "s3", folder)
    command = [sys.executable, "-c", ARGOSY, *map(str, arguments)]
    environment = {**os.environ, "TMPDIR": str(folder)}
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    )
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip().rpartition("=")[2]
        yield Simulated(folder, url), process
    finally:
        process.kill()
        process.communicate()


def told_twice(process: "subprocess.Popen[str]") -> None:
    """Ctrl-C, and again when the first was heard; the command and all below it end soon."""
    assert process.stderr is not None
    children = descendants(process.pid)
    assert children
    process.send_signal(signal.SIGINT)
    while "when told again" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=SOON_S)
    assert process.returncode == 0
    await_end(children)


def test_an_old_fleet_that_is_ending_is_killed(tmp_path: Path) -> None:
    with up(tmp_path) as (simulated, process):
        simulated.model(mode="deaf")
        simulated.config()
        simulated.model("next", mode="deaf", headers='{"X-Amzn-SageMaker-Custom-Attributes": "next"}')
        simulated.config("next", "next")
        simulated.endpoint()
        simulated.in_service()
        simulated.sagemaker.update_endpoint(EndpointName="iris", EndpointConfigName="next")
        invoke = simulated.runtime.invoke_endpoint
        until(lambda: invoke(EndpointName="iris", Body=b"1").get("CustomAttributes") == "next")
        assert stand_ins(tmp_path) == 2
        told_twice(process)


def test_it_ends_when_told_though_nobody_reads_what_it_says(tmp_path: Path) -> None:
    with up(tmp_path) as (simulated, process):
        simulated.model()
        simulated.config()
        simulated.endpoint()
        simulated.in_service()
        assert process.stderr is not None
        process.stderr.close()
        with pytest.raises(simulated.runtime.exceptions.ClientError):
            simulated.runtime.invoke_endpoint(EndpointName="none", Body=b"1")  # which is reported
        process.send_signal(signal.SIGINT)
        process.wait(SOON_S)
        assert process.returncode == 0


def test_the_container_of_a_transform_job_is_killed(tmp_path: Path) -> None:
    with up(tmp_path) as (simulated, process):
        simulated.model(mode="deaf")
        simulated.bucket("in", {"rows/a.csv": b"SLOW\n"})
        create(simulated)
        until(lambda: stand_ins(tmp_path) == 1)
        told_twice(process)
