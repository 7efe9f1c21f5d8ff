"""What the simulator costs, and how it stands beside the local mode of AWS's SDK.

`scripts/bench simulator` measures everything; parts can be named: `scripts/bench simulator start local_mode`.
"""

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from benchmarks.harness import surroundings
from benchmarks.simulator import calls, local_mode, start, table, transform
from benchmarks.simulator.subject import EXAMPLE, QUICK, Subject, make

PARTS: Final[dict[str, Callable[[], object]]] = {
    "calls": calls.measure,
    "transform": transform.measure,
    "start": lambda: _of(QUICK, start.measure),
    "local_mode": lambda: _of(EXAMPLE, local_mode.measure),
}


def measure(arguments: Sequence[str], last: dict[str, object]) -> dict[str, object] | None:
    """The parts that are named, or all; those that are not stay as they were."""
    unknown = [name for name in arguments if name not in PARTS]
    if unknown:
        sys.stderr.write(f"usage: scripts/bench simulator [PART...], parts: {', '.join(PARTS)}\n")
        return None
    measured = last | {name: PARTS[name]() for name in arguments or PARTS}
    around = surroundings()
    commits = last.get("commits", {})
    assert isinstance(commits, dict)
    commit = f"{str(around['commit'])[:12]}{' and what was changed since' if around['changed'] else ''}"
    return measured | {"commits": commits | dict.fromkeys(arguments or PARTS, commit)}


def publish() -> None:
    """Put the tables into the page."""
    table.publish()


def _of(project: Path, part: Callable[[Subject], object]) -> object:
    """A part that needs an image of a project."""
    with tempfile.TemporaryDirectory() as folder:
        return part(make(project, Path(folder)))
