"""What `[model]` of argosy.toml has to say: the one thing that is served, told or found out from its files."""

import math
from pathlib import Path

import msgspec

from argosy.errors import ProjectError
from argosy.model_files import detection
from argosy.model_files.saved_model import SavedModel
from argosy.project_file import FILE_NAME, FLAVORS, FlavorOptions, Model


def detected(root: Path, model: Model) -> tuple[Model, SavedModel | None]:
    """The table with the flavor that its artifacts show, where it says nothing of what serves them.

    Args:
        root: The project's folder.
        model: The table.

    Returns:
        The table, and the saved model; the table as it is and None where the flavor is said, or none is needed.

    Raises:
        ProjectError: The artifacts hold no saved model that is known, several, or a damaged one; or a pickle that the
            table does not name.
    """
    said = (model.predictor, model.inference, model.flavor)
    if model.artifacts is None or any(one is not None for one in said):
        return model, None
    require_file(root, model)
    folder, where = root / model.artifacts, root / FILE_NAME
    if not folder.is_dir() or not folder.resolve().is_relative_to(root):
        return model, None  # told as of any project
    found = detection.find(folder, None, model.file)
    if found is None:
        raise ProjectError(
            "`model` says nothing of what serves the artifacts, and no saved model is known among them",
            got=f"`{model.artifacts}`",
            want=f"a predictor, an inference script, or a model of {', '.join(FLAVORS)}",
            where=where,
            hint='say what saved it: flavor = "onnx"',
        )
    inside = found.path.relative_to(folder).as_posix()
    if found.is_pickle and model.file is None:
        named = found.named.relative_to(folder).as_posix()
        raise ProjectError(
            "the saved model holds a pickle, and loading one may run any code",
            got=f"`{inside}` ({found.format})",
            where=where,
            hint=f'if you trust whoever made it, say so in [model]: file = "{named}"',
        )
    return msgspec.structs.replace(model, flavor=found.flavor), found


def require_one(root: Path, model: Model) -> None:
    """One thing is served, and what is said of a flavor has one.

    Raises:
        ProjectError: It is not so.
    """
    where = root / FILE_NAME
    named = {"predictor": model.predictor, "inference": model.inference, "flavor": model.flavor}
    said = [name for name, value in named.items() if value is not None]
    if len(said) != 1:
        raise ProjectError(
            "`model` has to name one of `predictor`, `inference` and `flavor`",
            got=" and ".join(f"`{name}`" for name in said) or "none",
            where=where,
            hint=None if said else 'or name a folder that holds a saved model: artifacts = "model/"',
        )
    if model.flavor is not None and model.artifacts is None:
        raise ProjectError("`model.flavor` needs the files of the model", want='artifacts = "model/"', where=where)
    if model.flavor is None and (model.file is not None or model.options != FlavorOptions()):
        raise ProjectError(
            f"`model.{'options' if model.file is None else 'file'}` is for a flavor",
            got=f"`{said[0]}` without one",
            where=where,
        )
    _require_json(model.options.arguments, "model.options.arguments", where)


def require_file(root: Path, model: Model) -> None:
    """The file that is named lies in the artifacts.

    Raises:
        ProjectError: It does not.
    """
    if model.file is None or model.artifacts is None:
        return
    artifacts, where = root / model.artifacts, root / FILE_NAME
    path = artifacts / model.file
    if not path.resolve().is_relative_to(artifacts.resolve()):
        raise ProjectError("`model.file` leads out of the artifacts", got=f"`{model.file}`", where=where)
    if not path.exists():
        raise ProjectError(
            "`model.file` names nothing in the artifacts",
            got=f"`{model.file}`",
            want=f"a path relative to `{model.artifacts}`",
            where=where,
        )


def _require_json(value: object, field: str, where: Path) -> None:
    """Refuse what TOML can hold and JSON cannot: dates, times, infinity, and what is no number."""
    if isinstance(value, dict):
        for name, one in value.items():
            _require_json(one, f"{field}.{name}", where)
    elif isinstance(value, list):
        for one in value:
            _require_json(one, field, where)
    elif not isinstance(value, str | int | float) or not (isinstance(value, str) or math.isfinite(value)):
        want = "text, a finite number, true or false"
        raise ProjectError(f"`{field}` cannot be told to the server", got=f"{value}", want=want, where=where)
