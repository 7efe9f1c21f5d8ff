"""Projects of the small saved models in `models/`, whole or damaged."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

MODELS = Path(__file__).parent / "models"

Damage = Callable[[bytes], bytes]


def project(folder: Path, flavor: str, *files: str, damage: Damage | None = None, **options: object) -> Path:
    """A project of the first of these files of `models/FLAVOR`, the others beside it; gives `folder`."""
    artifacts = folder / "model"
    artifacts.mkdir(parents=True)
    for name in files:
        shutil.copyfile(MODELS / flavor / name, artifacts / name)
    if damage is not None:
        (artifacts / files[0]).write_bytes(damage((artifacts / files[0]).read_bytes()))
    told = "".join(f"{name} = {_toml(value)}\n" for name, value in options.items())
    model = f'[model]\nflavor = "{flavor}"\nartifacts = "model/"\nfile = "{files[0]}"\n'
    (folder / "argosy.toml").write_text(f"{model}[model.options]\n{told}")
    return folder


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_toml(each)}" for name, each in value.items()) + " }"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value)
