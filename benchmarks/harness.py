"""Runs one benchmark and writes its result with machine, versions, commit and date beside it.

A benchmark is a folder `benchmarks/NAME` whose `measure.py` has a function `measure() -> dict[str, object]`: what was
measured, numbers with their unit in the name. One that can measure a part of itself takes the rest of the command line
and what it measured last, `measure(arguments, last)`, and returns None when the result shall stay as it is. A function
`publish()` is called when the result is written.
"""

import importlib
import importlib.metadata
import inspect
import json
import os
import platform
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """The benchmarks that there are."""
    return sorted(path.parent.name for path in FOLDER.glob("*/measure.py"))


def surroundings() -> dict[str, object]:
    """What a number means nothing without."""
    processor = next(
        (line.partition(":")[2].strip() for line in _lines(Path("/proc/cpuinfo")) if line.startswith("model name")),
        platform.processor(),
    )
    libraries = ("uvicorn", "uvloop", "httptools", "orjson", "numpy", "scikit-learn")
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _git("rev-parse", "HEAD"),
        "changed": bool(_git("status", "--porcelain")),
        "machine": {
            "processor": processor,
            "processors": len(os.sched_getaffinity(0)),
            "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
            "system": platform.platform(),
            "load_before": os.getloadavg()[0],
        },
        "versions": {"python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in libraries},
    }


def main(arguments: list[str]) -> int:
    """Run the benchmark that the first argument names."""
    if not arguments or arguments[0] not in names():
        sys.stderr.write(f"usage: scripts/bench NAME, one of: {', '.join(names()) or 'none yet'}\n")
        return 2
    name, *rest = arguments
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended, too
    before = surroundings()
    benchmark = importlib.import_module(f"benchmarks.{name}.measure")
    path = FOLDER / "results" / f"{name}.json"
    last = json.loads(path.read_text())["measured"] if path.exists() else {}
    takes_arguments = bool(inspect.signature(benchmark.measure).parameters)
    measured: dict[str, object] | None = benchmark.measure(rest, last) if takes_arguments else benchmark.measure()
    if measured is None:
        return 0
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"benchmark": name, **before, "measured": measured}, indent=2) + "\n")
    sys.stderr.write(f"{path} written\n")
    if hasattr(benchmark, "publish"):
        benchmark.publish()
    else:
        print(json.dumps(measured, indent=2))
    return 0


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def _git(*arguments: str) -> str:
    return subprocess.run(["git", "-C", str(FOLDER), *arguments], capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
