"""What a flavor says of models that it cannot load, in one process of its environment: a server for each takes long."""

import json
from collections.abc import Mapping
from pathlib import Path

from tests.flavors.environments import ROOT, environment, run

_PROGRAM = """
import importlib, json, os, sys
from pathlib import Path

source, module, name, cases = sys.argv[1:]
sys.path.insert(0, source)
os.environ["OMP_NUM_THREADS"] = "1"
from argosy.errors import LoadError
from argosy.flavors.loading import options

said = []
for folder, told in json.loads(cases):
    os.environ["ARGOSY_FLAVOR_OPTIONS"] = json.dumps(told)
    options.read.cache_clear()
    try:
        getattr(importlib.import_module(module), name)().load(Path(folder))
        said.append("")
    except LoadError as error:
        said.append(str(error))
print(json.dumps(said))
"""


def refusals(name: str, predictor: str, cases: Mapping[Path, Mapping[str, object]]) -> list[str]:
    """Load each model, and collect what is said of it; empty for one that is loaded.

    Args:
        name: The flavor; its environment is used.
        predictor: `module:Class`.
        cases: Options of the flavor by the folder of the artifacts.
    """
    module, _, found = predictor.partition(":")
    asked = json.dumps([[str(folder), dict(told)] for folder, told in cases.items()])
    output = run([environment(name), "-c", _PROGRAM, ROOT / "src", module, found, asked], cwd=ROOT)
    said: list[str] = json.loads(output.splitlines()[-1])
    return said
