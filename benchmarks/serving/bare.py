"""The models without a server, as contestants: the batched call, and the pace of the streaming predictor."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.serving import bodies, environments, generator, launches, processes
from benchmarks.serving.generator import Load, Measured
from benchmarks.serving.processes import Running
from benchmarks.serving.rows import BARE_WIDE, FLOOR, OWN_PACE, Row

BATCH = 32
"""Rows of a bare call, as the goals were set; `bare_wide` takes as many as there are connections."""


@dataclass(frozen=True, slots=True)
class Bare:
    """A process with the model (`bare_call.py`), and the C floor beside it."""

    process: "subprocess.Popen[str]"
    floor: Running
    is_wide: bool

    def measure(self, row: Row) -> Measured:
        """What the call gives behind a server that costs what the kernel costs: both, one after the other."""
        form = "csv" if row.body.startswith("iris") else "instances"
        body = bodies.path(row.body, form)
        batch = row.connections if self.is_wide else BATCH
        bare = self.ask(f"batch {batch} {row.seconds} {bodies.content_type(form)} {body}")
        floor = generator.run(self.floor.port, Load("/", row.connections, row.seconds, body=body))["requests_per_s"]
        return {"requests_per_s": round(1 / (1 / bare + 1 / floor), 1), "bare_per_s": round(bare, 1)}

    def ask(self, command: str) -> float:
        """What the process answers to one command: a number a second."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())


class OwnPace(Bare):
    """The streaming predictor alone."""

    def measure(self, row: Row) -> Measured:
        """Streams a second when an event loop does nothing but run that many generators."""
        paced = round(self.ask(f"pace {row.connections} {row.seconds}"), 2)
        return {"paced_per_s": paced, "requests_per_s": paced}


@contextmanager
def opened_bare(name: str, work: str) -> Iterator[Bare]:
    """Both, on the servers' processor."""
    environ = {"PATH": os.environ["PATH"], "WORK": work, "MODELS": str(bodies.folder()), **launches.ONE_THREAD}
    argv = ["taskset", "-c", str(processes.SERVER_CPU), str(environments.python(environments.OURS))]
    argv += ["-m", "benchmarks.serving.bare_call"]
    with processes.running(launches.yardstick(FLOOR, environments.CACHE)) as floor:
        process = subprocess.Popen(
            argv,
            env=environ,
            cwd=environments.CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        processes.prefer(process.pid)
        try:
            yield (OwnPace if name == OWN_PACE else Bare)(process, floor, name == BARE_WIDE)
        finally:
            process.kill()
            process.wait()
