"""Everybody who can be measured on a row: our server, the peers, the C floor, nginx, and the bare call."""

import http.client
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from benchmarks.serving import bodies, generator, launches, processes
from benchmarks.serving.bare import opened_bare
from benchmarks.serving.generator import Load, Measured
from benchmarks.serving.processes import Running
from benchmarks.serving.rows import BARE, BARE_WIDE, FLOOR, NGINX, OWN_PACE, PLAIN_ASGI, Row

OURS: Final = "argosy"
_OUR_FORMS: Final = {"echo": "bytes", "iris": "csv", "mlp": "instances", "slow": "instances", "stream": "instances"}


class Contestant(Protocol):
    """Somebody who is ready to be measured."""

    def measure(self, row: Row) -> Measured:
        """One round of a row."""


class WrongAnswerError(Exception):
    """A server does something else than it should; nothing of it is measured."""


@dataclass(frozen=True, slots=True)
class Served:
    """A running server.

    Attributes:
        running: Its processes.
        ping: Path of its health check.
        path: Path of its invocations.
        forms: Kind of body -> the form that it takes.
    """

    running: Running
    ping: str
    path: str
    forms: Mapping[str, str]

    def load(self, row: Row) -> Load:
        """What is sent to it for a row."""
        if not row.body:
            return Load(self.ping, row.connections, row.seconds)
        form = self.forms[row.body.partition("_")[0]]
        sent = bodies.path(row.body, form)
        length = sent.stat().st_size if form == "bytes" else None
        content_type = bodies.content_type(form)
        return Load(self.path, row.connections, row.seconds, body=sent, content_type=content_type, answer_bytes=length)

    def check(self, row: Row) -> None:
        """Ask once.

        Raises:
            WrongAnswerError: The answer is not the right one.
        """
        load = self.load(row)
        if load.body is None:
            return
        sent = load.body.read_bytes()
        connection = http.client.HTTPConnection("127.0.0.1", self.running.port, timeout=60)
        connection.request("POST", load.path, sent, {"Content-Type": load.content_type})
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        fault = f"status {response.status}: {answer[:300]!r}" if response.status != 200 else None
        fault = fault or bodies.fault(row.work, row.body, sent, answer)
        if fault:
            raise WrongAnswerError(f"`{load.path}` on port {self.running.port}: {fault}")

    def measure(self, row: Row) -> Measured:
        """One load, and the processor time that it took."""
        load = self.load(row)
        before = self.running.cpu_s()
        measured = generator.run(self.running.port, load)
        spent = self.running.cpu_s() - before
        answered = measured["requests_per_s"] * (load.seconds + load.warm_up_s)
        measured["cpu_us_per_request"] = round(spent * 1e6 / answered, 2) if answered else 0.0
        measured["paced_per_s"] = round(row.connections * 1000 / measured["mean_ms"], 2) if measured["mean_ms"] else 0.0
        return measured


@contextmanager
def opened(name: str, work: str) -> Iterator[Contestant]:
    """Somebody, ready; ended afterwards.

    Raises:
        NotStartedError: The server did not come up.
        MissingError: Something is not installed on this machine.
    """
    with tempfile.TemporaryDirectory(prefix="argosy-bench-") as scratch:
        Path(scratch).chmod(0o755)  # nginx's worker is another user than its master
        if name in (BARE, BARE_WIDE, OWN_PACE):
            with opened_bare(name, work) as bare:
                yield bare
        elif name in (OURS, PLAIN_ASGI):
            with processes.running(launches.our_launch(work, short_path=name == OURS)) as running:
                yield Served(running, "/ping", "/invocations", _OUR_FORMS)
        elif name in (FLOOR, NGINX):
            with processes.running(launches.yardstick(name, Path(scratch))) as running:
                yield Served(running, "/ping", "/invocations", _OUR_FORMS)
        else:
            peer = launches.peers()[name]
            with processes.running(launches.peer_launch(peer, work, Path(scratch))) as running:
                path = peer.paths.get(work, peer.path)
                yield Served(running, peer.ready, path, peer.bodies)
