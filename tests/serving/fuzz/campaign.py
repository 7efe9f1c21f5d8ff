"""One server, many inputs: faults, what it logged that it should not have, and how its memory grew."""

import itertools
import re
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.serving.fuzz.grammar import generate
from tests.serving.fuzz.hammer import Fault, Hammer
from tests.serving.server_process import ServerProcess, running
from tests.serving.watch import heap_bytes, open_files

PREDICTORS: Final = ("fuzzed:Fuzzed", "fuzzed:FuzzedArray")
GROWTH_BYTES: Final = 6 * 2**20
"""Of one process, after the first quarter has filled its caches."""
_MOST_FAULTS: Final = 20
_ROUNDS: Final = 50
_RESCUED: Final = re.compile(
    r'^[\w.]+(Error|Exception|Interrupt)\b|"traceback":|"event":"[a-z-]+-(failed|ended|raised)"'
)
_HUNG_UP: Final = "RuntimeError: unable to perform operation on <TCPTransport closed=True"
"""uvicorn closes a connection for bytes that are no HTTP, and so from under the answer that is due before them."""
_CAUSE: Final = "During handling of the above exception"
"""Stands below what was handled: the exception that counts follows."""


@dataclass(frozen=True)
class Report:
    """What came of it.

    Attributes:
        inputs: How many were sent.
        faults: What was answered wrongly, made small; the first twenty.
        log_lines: Tracebacks and failures in the server's log: it had to be rescued from something.
        growth: Name of a process -> bytes that it grew by.
        leaked: File descriptors that the front kept.
    """

    inputs: int
    faults: list[Fault]
    log_lines: list[str]
    growth: dict[str, int]
    leaked: int

    @property
    def is_clean(self) -> bool:
        return not (self.faults or self.log_lines or self.leaked > 0 or max(self.growth.values()) > GROWTH_BYTES)

    @property
    def summary(self) -> str:
        grown = ", ".join(f"{name} {size / 2**20:+.1f} MB" for name, size in self.growth.items())
        return f"{self.inputs} inputs, {len(self.faults)} faults, {grown}, {self.leaked} descriptors leaked"


def campaign(predictor: str, short_path: str, inputs: int, seed: int, log: Path) -> Report:
    """Send that many inputs to a fresh server."""
    with (
        running(predictor, log, ARGOSY_SHORT_PATH=short_path, ARGOSY_MAX_BODY_MB="1") as server,
        closing(Hammer(server)) as hammer,
    ):
        source = generate(seed)
        quarter = inputs // 4
        faults = list(itertools.islice(hammer.run(source() for _ in range(quarter)), _MOST_FAULTS))
        before, files = memory(server), settled_files(server, 0)
        rest = hammer.run(source() for _ in range(inputs - quarter))
        faults += itertools.islice(rest, _MOST_FAULTS - len(faults))
        server.wait_ready()
        after = memory(server)
        leaked = settled_files(server, files) - files
        log_lines = rescued(log.read_text(errors="replace"))  # now: the server is about to be killed
    growth = {name: after[name] - before[name] for name in before}
    return Report(inputs, faults, log_lines, growth, leaked)


def settled_files(server: ServerProcess, wanted: int) -> int:
    """The front's open files once it has noticed that the last clients left: after so many more rounds of its loop."""
    for _ in range(_ROUNDS):
        server.ping()
        if (files := open_files(server.popen.pid)) <= wanted:
            return files
    return files


def memory(server: ServerProcess) -> dict[str, int]:
    """The heaps of the front and of the model process, in bytes."""
    (model,) = server.model_pids()
    return {"front": heap_bytes(server.popen.pid), "model process": heap_bytes(model)}


def rescued(log: str) -> list[str]:
    """The lines of a log that tell of an exception that nobody had foreseen, or of a process that ended."""
    lines = log.splitlines()
    found = [
        line
        for line, following in zip(lines, [*lines[2:], "", ""], strict=True)
        if _RESCUED.search(line) and not line.startswith(_HUNG_UP) and not following.startswith(_CAUSE)
    ]
    return [line[:2000] for line in found][:_MOST_FAULTS]
