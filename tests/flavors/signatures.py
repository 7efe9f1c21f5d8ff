"""What a flavor says of saved models, whole or broken, asked in the environment of its framework."""

import json
import sys
from pathlib import Path


def signatures(flavor: str, path: str, projects: dict[str, Path]) -> dict[str, dict[str, object]]:
    """The signature of each project's model as JSON, or `error` where it is refused; one process for all of them.

    Args:
        flavor: Whose environment it is.
        path: The flavor's class, as `argosy.flavors.onnx:OnnxModel`.
        projects: Folders by names of the caller's.
    """
    from tests.flavors.environments import ROOT, environment, run  # here: where this file is run there is no `tests`

    told = {name: _variables(folder) for name, folder in projects.items()}
    return dict(json.loads(run([environment(flavor), __file__, ROOT / "src", path, json.dumps(told)], cwd=ROOT)))


def _variables(folder: Path) -> list[str]:
    from argosy import project
    from argosy.contract import Variable

    found = project.load(folder)
    return [str(found.artifacts_dir), found.server_environment().get(Variable.FLAVOR_OPTIONS, "{}")]


def _tell(source: str, path: str, projects: str) -> None:
    import dataclasses
    import importlib
    import os

    sys.path.insert(0, source)
    module, _, name = path.partition(":")
    flavor = getattr(importlib.import_module(module), name)
    options = importlib.import_module("argosy.flavors.loading.options")
    errors = importlib.import_module("argosy.errors")
    found = {}
    for each, (folder, told) in json.loads(projects).items():
        os.environ["ARGOSY_FLAVOR_OPTIONS"] = told
        options.read.cache_clear()
        model = flavor()
        try:
            model.load(Path(folder))
            found[each] = dataclasses.asdict(model.signature())
        except errors.LoadError as error:
            found[each] = {"error": str(error)}
    print(json.dumps(found))


if __name__ == "__main__":
    _tell(*sys.argv[1:])
