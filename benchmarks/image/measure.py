"""`argosy build` of the breast-cancer example, beside `docker build` of the Dockerfile that it ejects.

Cold means an empty cache of ours, and `--no-cache` for Docker; both download from the same package index. The Docker
figures are left out, by name, where no engine answers.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

EXAMPLE = Path(__file__).parent.parent.parent / "examples/breast-cancer"
ARGOSY = [sys.executable, "-m", "argosy"]
WARM_ROUNDS = 5


def measure() -> dict[str, object]:
    """Seconds of whole processes."""
    with tempfile.TemporaryDirectory(prefix="argosy-benchmark-") as scratch:
        project = Path(scratch) / "project"
        shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns("build"))
        build = [*ARGOSY, "build", str(project)]
        environ = {**os.environ, "ARGOSY_CACHE_DIR": f"{scratch}/cache"}
        measured: dict[str, object] = {"argosy cold_s": _seconds(build, environ)}
        measured["argosy nothing changed_s"] = _median(build, environ)
        predictor = project / "predictor.py"
        source = predictor.read_text()
        times = []
        for number in range(WARM_ROUNDS):
            predictor.write_text(f"{source}\n# change {number}\n")
            times.append(_seconds(build, environ))
        measured["argosy predictor changed_s"] = round(statistics.median(times), 2)
        measured.update(_docker(project, predictor, environ))
        return measured


def _docker(project: Path, predictor: Path, environ: dict[str, str]) -> dict[str, object]:
    if subprocess.run(["docker", "version"], capture_output=True, check=False).returncode != 0:
        return {"docker": "no engine answers: not measured"}
    eject = [*ARGOSY, "build", str(project), "--eject"]
    _seconds(eject, environ)
    build = ["docker", "build", "--quiet", "--tag", "argosy-benchmark", str(project / "build/docker")]
    found: dict[str, object] = {"docker cold_s": _seconds([*build, "--no-cache"], environ)}
    found["docker nothing changed_s"] = _median(build, environ)
    predictor.write_text(predictor.read_text() + "\n# one more change\n")
    _seconds(eject, environ)
    found["docker predictor changed_s"] = _seconds(build, environ)
    return found


def _median(argv: Sequence[str], environ: dict[str, str]) -> float:
    return round(statistics.median(_seconds(argv, environ) for _ in range(WARM_ROUNDS)), 2)


def _seconds(argv: Sequence[str], environ: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(argv, env=environ, check=True, capture_output=True)
    return round(time.perf_counter() - started, 2)
