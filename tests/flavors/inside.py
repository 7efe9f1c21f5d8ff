"""Code that is run in the environment of a flavor, in one process, where a server for each case would take too long."""

import json
import os
import subprocess
from typing import Any

from tests.flavors.environments import ROOT, environment

_ATTEMPTS = """
import importlib, os, pathlib
from argosy.errors import ArgosyError
from argosy.flavors.loading import options
module, _, name = told["predictor"].partition(":")
found = []
for folder, said in told["cases"]:
    os.environ["ARGOSY_FLAVOR_OPTIONS"] = json.dumps(said)
    options.read.cache_clear()
    try:
        getattr(importlib.import_module(module), name)().load(pathlib.Path(folder))
        found.append("")
    except ArgosyError as error:
        found.append(f"{type(error).__name__}: {error}")
answer(found)
"""


def inside(name: str, code: str, **told: Any) -> Any:
    """What code says by `answer(...)` with what it was `told`, both as JSON.

    Args:
        name: The flavor whose environment runs it.
        code: Python; `json`, `told` and `answer` are there.
    """
    opening = "import json, sys; told = json.load(sys.stdin)\ndef answer(it): print('answer:', json.dumps(it))\n"
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    argv = [str(environment(name)), "-W", "ignore", "-c", opening + code]
    done = subprocess.run(argv, input=json.dumps(told), env=environ, capture_output=True, text=True, timeout=120)
    said = [line for line in done.stdout.splitlines() if line.startswith("answer: ")]
    assert done.returncode == 0 and said, done.stdout + done.stderr
    return json.loads(said[-1].removeprefix("answer: "))


def load_errors(name: str, predictor: str, cases: list[tuple[str, dict[str, object]]]) -> list[str]:
    """What a flavor says of each folder and options that it is asked to load; empty where it loads.

    Args:
        name: The flavor whose environment is used.
        predictor: Its path, as `argosy.flavors.onnx:OnnxModel`.
        cases: Folders of artifacts, each with what `ARGOSY_FLAVOR_OPTIONS` says.
    """
    found: list[str] = inside(name, _ATTEMPTS, predictor=predictor, cases=cases)
    return found
