"""A file with a fitted estimator -> the estimator, or one line that says what is wrong with the file.

A skops file is read without running anything in it; a pickle runs what it names, so it is only read where the project's
owner has named the file.
"""

import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from argosy.errors import LoadError
from argosy.flavors.estimators import saved_version
from argosy.flavors.loading import artifacts, chatter, file_format
from argosy.flavors.loading.framework import framework
from argosy.flavors.loading.options import FlavorOptions

with framework("scikit-learn"):
    import joblib
    import sklearn
    from sklearn.base import BaseEstimator
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

_WHAT: Final = "a scikit-learn model"
PATTERNS: Final = ("*.skops",)
_PICKLES: Final = ("*.joblib", "*.pkl", "*.pickle")
_ZIP: Final = "a zip file, as Keras and PyTorch write"
_GZIP: Final = "a gzip file"
_OTHER_VERSION: Final = re.compile(r"Trying to unpickle estimator \S+ from version (\S+) when")
"""What `BaseEstimator.__setstate__` warns of, by a class of its own only since scikit-learn 1.3."""


def find(model_dir: Path, told: FlavorOptions) -> Path:
    """The file of the model: what the project names, else the only skops file.

    Raises:
        LoadError: There is none, there are several, or there is a pickle that nobody has named.
    """
    path = artifacts.located(model_dir, told, _WHAT)
    if path is not None and (told.file is not None or path.suffix == ".skops"):
        return path
    if not any(any(model_dir.glob(pattern)) for pattern in PATTERNS):
        pickles = sorted(path.name for pattern in _PICKLES for path in model_dir.glob(pattern))
        if pickles:
            raise LoadError(
                "loading a pickle runs code in it, and the project does not say that it may",
                got=", ".join(f"`{name}`" for name in pickles),
                want="a `*.skops` file, or the pickle named",
                where=model_dir,
                hint=f'if the file is your own, name it under [model] in argosy.toml: file = "{pickles[0]}"',
            )
    return artifacts.find(model_dir, FlavorOptions(), PATTERNS, _WHAT)


def load(path: Path, read: Callable[[Path], Any] = joblib.load) -> Any:  # Any: any estimator
    """The fitted estimator in a file.

    Args:
        path: The file.
        read: What reads its format.

    Raises:
        LoadError: It was saved by another minor version of scikit-learn, is damaged or something else, names classes
            that are not here, or holds no fitted estimator.
    """
    _require_format(path)
    _require_version(path, saved_version.recorded(path))
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = read(path)
    except LoadError:
        raise
    except (ImportError, AttributeError) as error:
        raise LoadError(
            "the file names a class that is not here",
            got=chatter.one_line(error),
            where=path,
            hint=_importable(error),
        ) from error
    except Exception as error:  # a damaged pickle raises anything
        what = "the file cannot be read: it is damaged, or something else than its name says"
        raise LoadError(what, got=chatter.one_line(error), where=path, hint="save the model again") from error
    told = [found[1] for each in caught if (found := _OTHER_VERSION.match(str(each.message)))]
    _require_version(path, frozenset(told))
    _require_fitted(path, model)
    return model


def require_method(path: Path, model: object, method: str, known: Sequence[str]) -> None:
    """Refuse a method that this model has not.

    Raises:
        LoadError: It has not, or no flavor calls such a method.
    """
    there = [name for name in known if hasattr(model, name)]
    if method not in there:
        raise LoadError(
            f"`{type(model).__name__}` has no `{method}` that can be served",
            want=" or ".join(f"`{name}`" for name in there) or None,
            where=path,
            hint=f'under [model.options] in argosy.toml: method = "{there[0]}"' if there else None,
        )


def _require_format(path: Path) -> None:
    """Refuse a file that its own first bytes show to be something else than its name says."""
    if path.suffix == ".skops":
        file_format.require(path, "a skops file", own=_ZIP)
    else:
        is_compressed = path.is_file() and file_format.found(path) == _GZIP
        file_format.require(path, "a pickle", own=_GZIP if is_compressed else "a pickle")


def _require_version(path: Path, versions: frozenset[str]) -> None:
    """Refuse what another minor version wrote: scikit-learn promises nothing of it, and may answer wrongly.

    Source: scikit-learn user guide, "Model persistence", "Security & maintainability limitations" (read 2026-11-23).
    """
    here = saved_version.release(sklearn.__version__)
    for version in sorted(versions):
        if saved_version.release(version) != here:
            raise LoadError(
                "the model was saved by another version of scikit-learn",
                got=f"a file of {version}, and {sklearn.__version__} installed",
                want=f"scikit-learn {saved_version.release(version)}",
                where=path,
                hint=f"pip install scikit-learn=={version}",
            )


def _importable(error: Exception) -> str:
    """What makes a class importable that a pickle names."""
    if isinstance(error, ImportError) and (error.name or "").startswith("numpy."):
        return "the file was written with another major version of numpy: pip install 'numpy>=2' or 'numpy<2'"
    if "__main__" in str(error):
        return "save the model from a script that imports the class from a module, and put the module into the project"
    return "add its package to [image] dependencies in argosy.toml, or its module to the project"


def _require_fitted(path: Path, model: object) -> None:
    if not hasattr(model, "predict") and not hasattr(model, "transform"):
        raise LoadError("the file holds no estimator", got=f"`{type(model).__name__}`", where=path)
    if not isinstance(model, BaseEstimator) or not hasattr(model, "fit"):
        return
    try:
        check_is_fitted(model)
    except NotFittedError as error:
        name = type(model).__name__
        raise LoadError("the estimator was saved before it was fitted", got=f"`{name}`", where=path) from error
