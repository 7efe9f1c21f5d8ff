"""A real server process for tests, and a plain HTTP client for it."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.ports import free_port
from tests.processes import children

PREDICTORS = Path(__file__).parent / "predictors"


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self.body)["error"]
        return found


class ServerProcess:
    """A server that serves `predictors:PREDICTOR`, or `MODULE:CLASS`; `under` is a command that becomes it by exec."""

    def __init__(
        self,
        predictor: str,
        port: int,
        environ: Mapping[str, str],
        log: Path,
        under: Sequence[str] = (),
        python: str | Path = sys.executable,
    ) -> None:
        self.port = port
        self.log_file = log
        variables = {
            "PATH": os.environ["PATH"],
            "ARGOSY_PREDICTOR": predictor if ":" in predictor else f"predictors:{predictor}",
            "ARGOSY_PROGRAM_DIR": str(PREDICTORS),
            "ARGOSY_HOST": "127.0.0.1",
            "ARGOSY_WORKERS": "1",
            "SAGEMAKER_BIND_TO_PORT": str(port),
            **environ,
        }
        argv = [*under, str(python), "-P", "-m", "argosy.serving", "serve"]
        with log.open("wb") as output:
            self.popen = subprocess.Popen(argv, env=variables, stdout=output, stderr=output)

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def request(
        self, method: str, path: str, body: bytes | Iterator[bytes] | None = None, timeout: float = 30, **headers: str
    ) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            is_chunked = named.get("Transfer-Encoding") == "chunked"
            connection.request(method, path, body, named, encode_chunked=is_chunked)
            response = connection.getresponse()
            return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def invoke(self, body: object, timeout: float = 30, **headers: str) -> Reply:
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.request("POST", "/invocations", text, timeout, **{"Content_Type": "application/json", **headers})

    def ping(self) -> int:
        return self.request("GET", "/ping", timeout=2).status

    def wait_ready(self, timeout: float = 60) -> None:
        wait_until(lambda: self.is_ready(), timeout, lambda: self.log)

    def wait_loaded(self, count: int, timeout: float = 60) -> None:
        """Wait until so many model processes have loaded the model and have nothing to do."""
        line = f'argosy_model_processes{{state="idle"}} {count}\n'.encode()
        wait_until(lambda: line in self.request("GET", "/metrics").body, timeout, lambda: self.log)

    def is_ready(self) -> bool:
        if self.popen.poll() is not None:
            raise AssertionError(f"the server ended with {self.popen.returncode}: {self.log}")
        try:
            return self.ping() == 200
        except OSError:
            return False

    def terminate(self) -> None:
        self.popen.send_signal(signal.SIGTERM)

    def model_pids(self) -> list[int]:
        """The model processes: children of the template, which is the server's child."""
        return [pid for template in children(self.popen.pid) for pid in children(template)]


def wait_until(holds: Any, timeout: float, explain: Any = lambda: "") -> None:
    deadline = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < deadline, f"not within {timeout} s: {explain()}"
        time.sleep(0.02)


@contextmanager
def running(
    predictor: str, log: Path, *, wait: bool = True, under: Sequence[str] = (), **environ: str
) -> Iterator[ServerProcess]:
    server = ServerProcess(predictor, free_port(), environ, log, under)
    try:
        if wait:
            server.wait_ready()
        yield server
    finally:
        if server.popen.poll() is None:
            server.popen.kill()
        server.popen.wait(30)
