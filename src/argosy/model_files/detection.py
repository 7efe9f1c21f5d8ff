"""Which saved model a file is, or a folder holds: by what is in it first, by names second."""

import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from argosy.errors import ProjectError
from argosy.model_files import boosting, huggingface, mlflow, mxnet, onnx, pickles, sklearn, tensorflow, torch
from argosy.model_files.contents import reading
from argosy.model_files.saved_model import SavedModel

FLAVOR_BY_SUFFIX: Final = {
    ".onnx": "onnx",
    ".skops": "sklearn",
    ".joblib": "sklearn",
    ".pkl": "sklearn",
    ".pickle": "sklearn",
    ".ubj": "xgboost",
    ".cbm": "catboost",
    ".pt2": "torch",
    ".safetensors": "torch",
    ".keras": "keras",
    ".tflite": "litert",
}
"""What a file has to be that is named so."""

_FOLDERS: Final[Sequence[Callable[[Path], SavedModel | None]]] = (
    mlflow.read_folder,
    tensorflow.read_folder,
    huggingface.read_folder,
)
_FILES: Final[Sequence[Callable[[Path], SavedModel | None]]] = (
    tensorflow.read_lite,
    boosting.read_catboost,
    boosting.read_lightgbm,
    boosting.read_xgboost,
    mxnet.read,
    tensorflow.read_keras,
    sklearn.read_skops,
    torch.read,
    torch.read_safetensors,
    sklearn.read_pickle,
    onnx.read,
)
_FOLDER_FILES: Final = (
    mlflow.FILE_NAME,
    tensorflow.GRAPH_FILE,
    huggingface.CONFIG,
    "model.safetensors",
    "pytorch_model.bin",
)
"""Files that stand for the folder that they lie in, where that is a model as a whole."""
_ONLY_BY_NAME: Final = {"Keras model": ".keras", "scikit-learn model in a skops file": ".skops"}
"""Formats whose loaders go by the name, and the name."""
_PICKLES: Final = (".joblib", ".pickle", ".pkl")
_MOST_FILES: Final = 2_000
_MOST_DEPTH: Final = 4
MOST_NAMED: Final = 5
"""So many of several models are told."""


def read_file(path: Path) -> SavedModel | None:
    """The saved model that a file is; None when it is none that is known.

    Raises:
        ProjectError: It is damaged, or not what its name says.
    """
    with reading(path, "file"):
        size = path.stat().st_size
        found = next((model for read in _FILES if (model := read(path)) is not None), None) if size else None
    if found is None and path.suffix in _PICKLES and pickles.content(path) is not None:
        return None  # anything may be in a pickle
    meant = FLAVOR_BY_SUFFIX.get(path.suffix)
    if meant is not None and (found is None or found.flavor != meant):
        raise ProjectError(
            "a saved model is not what its name says",
            got=found.format if found else f"{size:,} bytes of something else" if size else "an empty file",
            want=f"a file of the flavor {meant}",
            where=path,
            hint="save or copy it once more",
        )
    return found


def read_folder(folder: Path) -> SavedModel | None:
    """The saved model that a folder is as a whole; None when it is none, though models may lie in it.

    Links that lead out of it are not followed.

    Raises:
        ProjectError: It is one, and is damaged.
    """
    if any(not _is_inside(folder / name, folder.resolve()) for name in _FOLDER_FILES if (folder / name).is_symlink()):
        return None
    return next((model for read in _FOLDERS if (model := read(folder)) is not None), None)


def find(folder: Path, flavor: str | None = None, file: str | None = None) -> SavedModel | None:
    """The one saved model among a project's artifacts.

    A folder that is a model as a whole hides what lies in it. Links that lead out of the folder are not followed.

    Args:
        folder: The artifacts.
        flavor: The only one that counts, when it is known.
        file: The file or folder that is meant, relative to `folder`, when it is known.

    Returns:
        The model; None when none is known here.

    Raises:
        ProjectError: There are several, or one is damaged.
    """
    found = candidates(folder, flavor, file)
    if len(found) < 2:
        return found[0] if found else None
    lines = [f'file = "{model.path.relative_to(folder).as_posix()}"' for model in found[:MOST_NAMED]]
    raise ProjectError(
        "the artifacts hold several saved models",
        got=listed(found, folder),
        where=folder,
        hint="say which in [model] of argosy.toml, or remove the others:\n  " + "\n  ".join(lines),
    )


def candidates(folder: Path, flavor: str | None = None, file: str | None = None) -> list[SavedModel]:
    """All saved models among a project's artifacts, as for `find`.

    Raises:
        ProjectError: One is damaged, or has a name by which its framework does not load it.
    """
    return list(_models(folder / (file or ""), flavor))


def listed(models: Sequence[SavedModel], folder: Path) -> str:
    """Saved models in a folder, in words: the first few."""
    named = [f"{model.path.relative_to(folder)} ({model.format})" for model in models[:MOST_NAMED]]
    return "; ".join([*named, "..."] if len(models) > MOST_NAMED else named)


def _models(place: Path, flavor: str | None) -> Iterator[SavedModel]:
    """What is known at a place, or below it where the place itself is nothing."""
    whole = read_folder(place.parent) if place.is_file() and place.name in _FOLDER_FILES else None
    if whole is not None and flavor in (None, whole.flavor):
        yield whole
        return
    if place.is_file():
        model = read_file(place)
        if model is not None and flavor in (None, model.flavor):
            yield _named_rightly(model)
        return
    inside = place.resolve()
    seen = 0
    for name, folders, files in os.walk(place):
        here = Path(name)
        whole = read_folder(here)
        if whole is not None and flavor in (None, whole.flavor):
            folders.clear()
            yield whole
            continue
        deep = len(here.relative_to(place).parts) >= _MOST_DEPTH
        folders[:] = [] if deep else sorted(one for one in folders if one[0] != ".")
        for one in sorted(files):
            path = here / one
            seen += 1
            if one[0] == "." or seen > _MOST_FILES or not _is_inside(path, inside):
                continue
            if flavor is not None and FLAVOR_BY_SUFFIX.get(path.suffix, flavor) != flavor:
                continue
            model = read_file(path)
            if model is not None and flavor in (None, model.flavor):
                yield _named_rightly(model)


def _named_rightly(model: SavedModel) -> SavedModel:
    """Refuse a file that its own framework would not load by this name."""
    suffix = _ONLY_BY_NAME.get(model.format, model.path.suffix)
    if model.path.suffix == suffix:
        return model
    path, named = model.path, model.path.with_suffix(suffix)
    raise ProjectError(
        "a saved model is loaded only by its right name",
        got=f"{model.format} in `{path.name}`",
        want=f"`{named.name}`",
        where=path,
        hint=f"mv {shlex.quote(str(path))} {shlex.quote(str(named))}",
    )


def _is_inside(path: Path, folder: Path) -> bool:
    return path.is_file() and (not path.is_symlink() or path.resolve().is_relative_to(folder))
