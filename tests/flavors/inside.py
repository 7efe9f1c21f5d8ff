"""Code that is run in the environment of a flavor, in one process, where a server for each case would take too long."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from argosy import project
from argosy.contract import Variable
from tests.flavors.environments import ROOT, environment

_OPENING = """
import dataclasses, importlib, json, os, pathlib, sys
told = json.load(sys.stdin)

def answer(it):
    print("answer:", json.dumps(it))

def attempts(predictor, cases):
    from argosy.errors import LoadError
    from argosy.flavors.loading import options
    module, _, name = predictor.partition(":")
    flavor, found = getattr(importlib.import_module(module), name), []
    for folder, said in cases:
        os.environ["ARGOSY_FLAVOR_OPTIONS"] = json.dumps(said)
        options.read.cache_clear()
        try:
            model = flavor()
            model.load(pathlib.Path(folder))
            found.append(dataclasses.asdict(model.signature()))
        except LoadError as error:
            found.append({"error": str(error)})
    return found
"""
_ATTEMPTS = "answer(attempts(**told))"


def inside(name: str, code: str, **told: Any) -> Any:
    """What code says by `answer(...)` with what it was `told`, both as JSON.

    Args:
        name: The flavor whose environment runs it.
        code: Python; `told`, `answer` and some modules are there. `attempts(predictor, cases)` loads one case after
            the other, folder and options, and gives the signature of each, or `error`.
    """
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    argv = [str(environment(name)), "-W", "ignore", "-c", _OPENING + code]
    done = subprocess.run(argv, input=json.dumps(told), env=environ, capture_output=True, text=True, timeout=240)
    said = [line for line in done.stdout.splitlines() if line.startswith("answer: ")]
    assert done.returncode == 0 and said, done.stdout + done.stderr
    return json.loads(said[-1].removeprefix("answer: "))


def signatures(name: str, predictor: str, projects: Mapping[str, Path]) -> dict[str, dict[str, Any]]:
    """The signature of each project's model as JSON, or `error` where the flavor refuses to load it.

    Args:
        name: The flavor whose environment is used.
        predictor: Its path, as `argosy.flavors.onnx:OnnxModel`.
        projects: Folders by names of the caller's.
    """
    loaded = [project.load(folder) for folder in projects.values()]
    options = [json.loads(each.server_environment().get(Variable.FLAVOR_OPTIONS, "{}")) for each in loaded]
    cases = [(str(each.artifacts_dir), said) for each, said in zip(loaded, options, strict=True)]
    return dict(zip(projects, inside(name, _ATTEMPTS, predictor=predictor, cases=cases), strict=True))


def load_errors(name: str, predictor: str, cases: list[tuple[str, dict[str, object]]]) -> list[str]:
    """What a flavor says of each folder and options that it is asked to load; empty where it loads.

    Args:
        name: The flavor whose environment is used.
        predictor: Its path, as `argosy.flavors.onnx:OnnxModel`.
        cases: Folders of artifacts, each with what `ARGOSY_FLAVOR_OPTIONS` says.
    """
    found = inside(name, _ATTEMPTS, predictor=predictor, cases=cases)
    return [f"LoadError: {each['error']}" if "error" in each else "" for each in found]
