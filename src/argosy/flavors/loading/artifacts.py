"""The file of a saved model among the artifacts."""

from collections.abc import Sequence
from pathlib import Path

from argosy.errors import LoadError


def find(model_dir: Path, told: str | None, patterns: Sequence[str], what: str) -> Path:
    """The file or folder that the project names, or the only one that looks like a model of this framework.

    Args:
        model_dir: The folder of the artifacts.
        told: What `file` names, relative to it, or None.
        patterns: What such a model is called, as `*.onnx`; the first that anything matches decides.
        what: What is looked for, as `an ONNX model`.

    Raises:
        LoadError: It is not there, leads out of the artifacts, or there are several.
    """
    if told is not None:
        path = model_dir / told
        if not path.resolve().is_relative_to(model_dir.resolve()):
            raise LoadError("`file` leads out of the artifacts", got=f"`{told}`", where=model_dir)
        if not path.exists():
            raise LoadError(f"there is no `{told}` among the artifacts", want=what, where=model_dir)
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
