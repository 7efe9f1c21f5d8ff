"""Checks of clean images, and what they wrongly found: a MUST that fails here is a false alarm."""

import contextlib
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from argosy.conformance.check import Status
from argosy.conformance.finding import Finding
from argosy.contract import Level
from tests.foreign.stock import Server

_WORK = "while True: pass"


def checked(servers: Sequence[Server], say: Callable[[str], None]) -> dict[str, dict[str, Any]]:
    """Check one server after the other.

    Args:
        servers: A server that is here several times is checked so often.
        say: Told of each check.

    Returns:
        Name of a server -> runs, seconds, and how often a clause failed or was not decided.
    """
    seconds: dict[str, list[float]] = {}
    wrong: dict[str, dict[str, Counter[str]]] = {}
    for server in servers:
        begun = time.perf_counter()
        findings = server.check().findings
        seconds.setdefault(server.name, []).append(time.perf_counter() - begun)
        counted = wrong.setdefault(server.name, {"must": Counter(), "should": Counter(), "undecided": Counter()})
        counted["must"].update(_ids(findings, Status.FAIL, Level.MUST))
        counted["should"].update(_ids(findings, Status.FAIL, Level.SHOULD))
        counted["undecided"].update(_ids(findings, Status.UNKNOWN, Level.MUST))
        told = [finding for finding in findings if finding.level is Level.MUST and finding.status is Status.FAIL]
        say(
            f"{server.name}: {seconds[server.name][-1]:.1f} s"
            + "".join(f"\n  {f.clause.id}: {f.verdict}" for f in told)
        )
    return {
        name: {
            "runs": len(times),
            "median_s": round(statistics.median(times), 1),
            "slowest_s": round(max(times), 1),
            **{kind: dict(sorted(counted.items())) for kind, counted in wrong[name].items()},
        }
        for name, times in seconds.items()
    }


@contextlib.contextmanager
def busy_processors(count: int) -> Iterator[None]:
    """Processes that want a processor each, all the time."""
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            process = stack.enter_context(subprocess.Popen([sys.executable, "-c", _WORK]))
            stack.callback(process.kill)
        yield


def _ids(findings: Sequence[Finding], status: Status, level: Level) -> list[str]:
    return [finding.clause.id for finding in findings if finding.status is status and finding.level is level]
