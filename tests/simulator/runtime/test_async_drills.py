"""Asynchronous invocations while the simulator is killed, and with bodies that no memory should hold."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from argosy.simulator.containers.process import free_port
from tests.simulator.conftest import MakeContainer

ROOT = Path(__file__).parents[3]
MIB = 2**20


class Simulator:
    """`async_server.py`, which may be killed and started again at the same port.

    Args:
        container_url: Of the container that runs already.
        folder: Its buckets, its spool, what it tells topics, and its log.
        under: A command that becomes another one, for surroundings of its own.
    """

    def __init__(self, container_url: str, folder: Path, under: Sequence[str] = ()) -> None:
        self.folder = folder
        self._port = free_port()
        self._command = [
            *under,
            sys.executable,
            "-m",
            "tests.simulator.runtime.async_server",
            str(self._port),
            container_url,
            str(folder),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, cwd=ROOT, stderr=log)
        until(self._answers, self.log)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        assert self._process.wait(20) == -signal.SIGKILL

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            assert self._process.wait(20) == 0

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def invoke(self, **arguments: Any) -> str:
        client = boto3.client(
            "sagemaker-runtime",
            endpoint_url=f"http://127.0.0.1:{self._port}",
            region_name="us-east-1",
            config=Config(retries={"max_attempts": 0}),
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        location: str = client.invoke_endpoint_async(EndpointName="demo", **arguments)["OutputLocation"]
        return location

    def path(self, location: str) -> Path:
        return self.seen("buckets") / location.removeprefix("s3://")

    def seen(self, name: str) -> Path:
        """A folder as the process sees it: with what is mounted there."""
        return Path(f"/proc/{self.pid}/root{self.folder / name}")

    def kept(self) -> list[Path]:
        return [path for path in self.seen("spool").rglob("*") if path.is_file()]

    def _answers(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self._port}/").status_code == 404
        except httpx.TransportError:
            return False


def until(condition: Callable[[], bool], otherwise: Callable[[], str], timeout_s: float = 40) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, otherwise()
        time.sleep(0.005)


@contextmanager
def simulated(container_url: str, folder: Path, under: Sequence[str] = ()) -> Iterator[Simulator]:
    simulator = Simulator(container_url, folder, under)
    simulator.start()
    try:
        yield simulator
    finally:
        simulator.stop()


@pytest.mark.slow
def test_killed_in_the_midst_nothing_that_was_accepted_is_lost_and_nothing_appears_twice(
    running: MakeContainer, tmp_path: Path
) -> None:
    with simulated(running(slow_s="0.15").url, tmp_path) as simulator:
        bodies = {simulator.invoke(Body=body): body for body in (f"SLOW {n}".encode() for n in range(7))}
        seen: dict[str, os.stat_result] = {}

        def visible() -> set[str]:
            """What is visible; what was before has not changed since."""
            for location in bodies:
                path = simulator.path(location)
                if path.exists():
                    found = path.stat()
                    first = seen.setdefault(location, found)
                    assert (found.st_ino, found.st_mtime_ns) == (first.st_ino, first.st_mtime_ns), location
                    assert path.read_bytes() == bodies[location]
            return set(seen)

        def shows(count: int) -> bool:
            return len(visible()) >= count

        for count in (1, 4):
            until(partial(shows, count), simulator.log)
            simulator.kill()
            simulator.start()
        until(lambda: shows(len(bodies)) and not simulator.kept(), simulator.log)
        results = list(simulator.path("s3://results").rglob("*.out"))
        assert sorted(results) == sorted(map(simulator.path, bodies))
        envelopes = [json.loads(line) for line in (tmp_path / "told").read_text().splitlines()]
        by_id = {envelope["MessageId"]: json.loads(envelope["Message"]) for envelope in envelopes}
        told = [message["responseParameters"]["outputLocation"] for message in by_id.values()]
        assert sorted(told) == sorted(bodies), "each is told once, whatever was delivered again"


@pytest.mark.slow
def test_a_large_object_passes_through_flat_memory(running: MakeContainer, tmp_path: Path) -> None:
    source = tmp_path / "buckets/inputs/large"
    source.parent.mkdir(parents=True)
    piece = os.urandom(MIB)
    with source.open("wb") as file:
        for _ in range(40):
            file.write(piece)
    with simulated(running().url, tmp_path) as simulator:
        small = simulator.path(simulator.invoke(Body=b"warm up"))
        until(small.exists, simulator.log)
        before = peak_kib(simulator)
        large = simulator.path(simulator.invoke(InputLocation="s3://inputs/large"))
        until(large.exists, simulator.log)
        assert large.stat().st_size == source.stat().st_size
        assert peak_kib(simulator) - before < 20 * 1024


def peak_kib(simulator: Simulator) -> int:
    lines = Path(f"/proc/{simulator.pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


def small_disk(folder: Path) -> list[str]:
    """Becomes a command for which a folder is a disk of 256 KiB."""
    folder.mkdir()
    script = 'mount -t tmpfs -o size=256k small "$0" && exec "$@"'
    return ["unshare", "--map-root-user", "--mount", "sh", "-c", script, str(folder)]


def fill(path: Path) -> None:
    """Leave not one byte on the disk of a file that is made."""
    with pytest.raises(OSError, match="No space left"), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def test_what_was_answered_while_the_spool_was_full_ends_when_it_has_room(
    running: MakeContainer, tmp_path: Path
) -> None:
    container = running(slow_s="3")
    with simulated(container.url, tmp_path, small_disk(tmp_path / "spool")) as simulator:
        result = simulator.path(simulator.invoke(Body=b"SLOW result"))
        failure = simulator.invoke(Body=b"SLOW STATUS-500")
        filler = simulator.seen("spool") / "filler"
        fill(filler)
        until(lambda: simulator.log().count("cannot end yet") == 2, simulator.log)
        with pytest.raises(ClientError, match="ServiceUnavailable"):
            simulator.invoke(Body=bytes(10_000))
        assert not result.exists()
        assert not (tmp_path / "told").exists(), "nobody is told of what is not kept"
        assert " failed: " not in simulator.log()
        assert {path.suffix for path in simulator.kept()} == {".invocation", ""}
        filler.unlink()
        until(lambda: not simulator.kept(), simulator.log)
        assert result.read_bytes() == b"SLOW result"
        assert not simulator.path(failure).exists()
        (stored,) = simulator.path("s3://results/failed").iterdir()
        assert stored.read_bytes() == b"SLOW STATUS-500"
        assert len((tmp_path / "told").read_text().splitlines()) == 2
        assert simulator.log().count(" failed: ") == 1
    asked = [request for request in httpx.get(f"{container.url}/requests").json() if request["method"] == "POST"]
    assert len(asked) == 2, "each was asked once"


def test_a_result_that_the_disk_has_no_room_for_is_a_failure(running: MakeContainer, tmp_path: Path) -> None:
    source = b"x" * 100_000
    with simulated(running().url, tmp_path, small_disk(tmp_path / "buckets")) as simulator:
        for key in ("inputs/first", "inputs/second"):
            path = simulator.path(f"s3://{key}")
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(source)
        location = simulator.invoke(InputLocation="s3://inputs/first")
        until((tmp_path / "told").exists, simulator.log)
        until(lambda: not simulator.kept(), simulator.log)
        assert not simulator.path(location).exists()
        (failure,) = simulator.path("s3://results/failed").iterdir()
        assert "No space left on device" in failure.read_text()
        message = json.loads(json.loads((tmp_path / "told").read_text())["Message"])
        assert message["invocationStatus"] == "Failed"
        assert "No space left on device" in message["failureReason"]
        simulator.path("s3://inputs/second").unlink()
        again = simulator.path(simulator.invoke(InputLocation="s3://inputs/first"))
        until(again.exists, simulator.log)
        assert again.read_bytes() == source
    assert simulator.log().count(" failed: ") == 1
    assert "never retrieved" not in simulator.log()
