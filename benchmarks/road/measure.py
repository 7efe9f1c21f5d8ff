"""`scripts/demo`, the whole road with one real model, when everything it downloads is there."""

import statistics
import subprocess
import time
from pathlib import Path

DEMO = Path(__file__).parent.parent.parent / "scripts/demo"
ROUNDS = 3


def measure() -> dict[str, object]:
    """Seconds of whole runs after one that is not counted."""
    _seconds()
    times = [_seconds() for _ in range(ROUNDS)]
    return {"again_s": round(statistics.median(times), 1), "slowest_s": round(max(times), 1)}


def _seconds() -> float:
    started = time.perf_counter()
    subprocess.run([str(DEMO)], check=True, capture_output=True)
    return time.perf_counter() - started
