"""The file of a saved model among the artifacts."""

from collections.abc import Sequence
from pathlib import Path

from argosy.errors import LoadError
from argosy.flavors.loading.options import FlavorOptions


def find(model_dir: Path, told: FlavorOptions, patterns: Sequence[str], what: str) -> Path:
    """The file or folder that the project names, or where one was found, or the only one that is called like a model.

    Args:
        model_dir: The folder of the artifacts.
        told: What the project says of it.
        patterns: What such a model is called, as `*.onnx`; the first that anything matches decides.
        what: What is looked for, as `an ONNX model`.

    Raises:
        LoadError: It is not there, leads out of the artifacts, or there are several.
    """
    path = located(model_dir, told, what)
    if path is not None:
        return path
    for pattern in patterns:
        found = sorted(path for path in model_dir.glob(pattern) if not path.name.startswith("."))
        if len(found) == 1:
            return found[0]
        if found:
            names = [path.relative_to(model_dir).as_posix() for path in found]
            raise LoadError(
                f"there is more than one of {what} among the artifacts",
                got=", ".join(f"`{name}`" for name in names),
                where=model_dir,
                hint=f'name one under [model] in argosy.toml: file = "{names[0]}"',
            )
    raise LoadError(
        f"there is not {what} among the artifacts",
        want=" or ".join(f"`{pattern}`" for pattern in patterns),
        where=model_dir,
        hint='name the file under [model] in argosy.toml: file = "..."',
    )


def located(model_dir: Path, told: FlavorOptions, what: str) -> Path | None:
    """The file or folder that the project names, or where one was found when it was built; None without these.

    What was found may since have gone, where the artifacts of another day are served; what is named may not.

    Args:
        model_dir: The folder of the artifacts.
        told: What the project says of it.
        what: What is looked for, as `an ONNX model`.

    Raises:
        LoadError: What is named is not there, or leads out of the artifacts.
    """
    name = told.found if told.file is None else told.file
    if name is None:
        return None
    path = model_dir / name
    if not path.resolve().is_relative_to(model_dir.resolve()):
        raise LoadError("`file` leads out of the artifacts", got=f"`{name}`", where=model_dir)
    if path.exists():
        return path
    if told.file is None:
        return None
    raise LoadError(f"there is no `{name}` among the artifacts", want=what, where=model_dir)
