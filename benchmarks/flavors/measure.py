"""For each flavor one row: the framework's own call, the served call, and the server with nothing to do."""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from argosy import project
from argosy.contract import Variable
from benchmarks.flavors import table
from benchmarks.serving import environments, generator, processes
from benchmarks.serving.generator import Load
from benchmarks.serving.launches import ONE_THREAD
from benchmarks.serving.processes import Launch, Running
from tests.flavors.environments import ROOT, environment, example
from tests.flavors.table import NAMES

OWN: Final = Path(__file__).parent / "own.py"
ECHO: Final = {Variable.PREDICTOR: "echo:Echo", Variable.PROGRAM_DIR: str(environments.HERE / "predictors")}
SECONDS: Final = 1.0
TYPE: Final = "application/json"


def measure(arguments: Sequence[str], last: dict[str, Any]) -> dict[str, object] | None:
    """Every flavor, or those that the command line names, whose figures then take the place of the last ones."""
    parser = argparse.ArgumentParser(prog="scripts/bench flavors", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="FLAVOR", help=", ".join(NAMES))
    parser.add_argument("--rounds", type=int, default=7, help="of each side, in turn; a figure is their median")
    told = parser.parse_args(arguments)
    rows = dict(last.get("rows", {})) if told.names else {}
    for name in told.names or NAMES:
        rows[name] = _row(name, told.rounds)
        environments.say(table.line(name, rows[name]))
    return {"rounds": told.rounds, "rows": dict(sorted(rows.items()))}


def publish() -> None:
    """Write the page."""
    table.write_page()


def one_row(body: Any) -> Any:
    """The first row of a body, in the form that it has: any JSON."""
    if isinstance(body, dict):
        return {name: value if name == "columns" else one_row(value) for name, value in body.items()}
    return body[:1]


def _row(name: str, rounds: int) -> dict[str, float]:
    """Medians of the rounds, and of what each round's two sides differ by."""
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as stack:
        body = Path(scratch) / "row.json"
        body.write_text(json.dumps(one_row(json.loads((example(name) / "samples/rows.json").read_text()))))
        own = stack.enter_context(_own(name, body))
        served = stack.enter_context(processes.running(_launch(name)))
        echo = stack.enter_context(processes.running(_launch(name, **ECHO)))
        sides: dict[str, list[float]] = {"own_ms": [], "served_ms": [], "echo_ms": []}
        for each in (served, echo):
            _load(each, body)  # does not count
        for _ in range(rounds):
            sides["own_ms"].append(own())
            sides["served_ms"].append(_load(served, body))
            sides["echo_ms"].append(_load(echo, body))
        beyond = [ours - theirs for ours, theirs in zip(sides["served_ms"], sides["own_ms"], strict=True)]
        medians = {side: round(statistics.median(times), 4) for side, times in sides.items()}
        return {**medians, "overhead_ms": round(statistics.median(beyond), 4), "body_bytes": body.stat().st_size}


@contextmanager
def _own(name: str, body: Path) -> "Iterator[Any]":
    """Asks a process of the framework alone for the median of a second's calls."""
    folder = project.load(example(name)).artifacts_dir
    command = ["taskset", "-c", str(processes.SERVER_CPU), environment(name), "-P", OWN, name, folder, body]
    environ = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **ONE_THREAD}
    with subprocess.Popen(
        list(map(str, command)),
        env=environ, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:  # fmt: skip
        processes.prefer(process.pid)
        assert process.stdin is not None and process.stdout is not None
        stdin, stdout = process.stdin, process.stdout
        if stdout.readline() != "ready\n":
            raise processes.NotStartedError(f"{name}: the framework alone ended")

        def ask() -> float:
            stdin.write(f"{SECONDS}\n")
            stdin.flush()
            return float(stdout.readline())

        try:
            yield ask
        finally:
            process.kill()


def _launch(name: str, **variables: str) -> Launch:
    """The server of an example as its image starts it, with one model process and one thread."""
    found, port = project.load(example(name)), processes.free_port()
    environ: dict[str, str] = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "src"),
        **ONE_THREAD,
        **found.server_environment(),
        **found.image.environment,
        Variable.MODEL_DIR: str(found.artifacts_dir),
        Variable.PROGRAM_DIR: str(found.root),
        Variable.HOST: "127.0.0.1",
        Variable.WORKERS: "1",
        "SAGEMAKER_BIND_TO_PORT": str(port),
        **variables,
    }
    return Launch([str(environment(name)), "-P", "-m", "argosy.serving", "serve"], environ, Path("/"), port)


def _load(running: Running, body: Path) -> float:
    """The median in milliseconds of a second's requests, one at a time on one connection.

    Raises:
        NotStartedError: One was not answered with 200.
    """
    measured = generator.run(running.port, Load("/invocations", 1, SECONDS, body=body, content_type=TYPE))
    if measured["good"] == 0 or measured.get("not_200") or measured.get("broken"):
        raise processes.NotStartedError(f"not every request was answered with 200: {measured}")
    return measured["p50_ms"]
