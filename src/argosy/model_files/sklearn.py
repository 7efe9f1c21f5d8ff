"""scikit-learn: skops archives, and pickles (joblib's too), which are never unpickled here.

Source: skops 0.16, skops/io/_persist.py; scikit-learn 1.9, `BaseEstimator.__getstate__` in sklearn/base.py (read
2026-11-23).
"""

import re
from pathlib import Path
from typing import Final

from argosy.model_files import pickles
from argosy.model_files.contents import member, members, reading
from argosy.model_files.saved_model import ColumnInput, SavedModel

_SAVED_WITH: Final = re.compile(
    rb"_sklearn_version(?:\x94|q.|r.{4})?(?:\x95.{8})?(?:\x8c(.)|X(.{4}))(\d+\.\d+[0-9A-Za-z.+-]*)", re.DOTALL
)
"""The version in an estimator's state: its key, perhaps memoized, perhaps a new frame, and a short or long text."""
_FEATURES: Final = re.compile(rb"n_features_in_(?:\x94|q.|r.{4})?(?:\x95.{8})?(?:K(.)|M(..)|J(.{4}))", re.DOTALL)
_SKOPS_VERSION: Final = re.compile(rb'"_skops_version": *"([0-9][0-9A-Za-z.+-]*)"')
_SKOPS_SKLEARN: Final = re.compile(rb'"_sklearn_version": *\{[^{}]*?"content": *"\\"([0-9][0-9A-Za-z.+-]*)\\""')
_SKOPS_FEATURES: Final = re.compile(rb'"n_features_in_": *\{[^{}]*?"content": *"(\d{1,6})"')
_MOST_COLUMNS: Final = 100_000
_PACKAGES: Final = {"sklearn", "xgboost", "lightgbm", "catboost", "imblearn"}
"""Whose estimators are pickled with scikit-learn's interface."""
_OF_FRAMES: Final = (b"ColumnTransformer", b"OneHotEncoder", b"OrdinalEncoder", b"TargetEncoder")
"""What is fitted on the columns of a data frame."""
_UNTRUSTED: Final = {
    b'"TreePredictor"': "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    b'"Tree"': "sklearn.tree._tree.Tree",
}
"""Types that skops does not make by itself, since a crafted tree can crash the process."""


def read_skops(path: Path) -> SavedModel | None:
    """A skops archive; None when the file is something else.

    Raises:
        ProjectError: It is one, and is damaged.
    """
    if "schema.json" not in members(path):
        return None
    with reading(path, "skops file"):
        schema = member(path, "schema.json")
        skops = _SKOPS_VERSION.search(schema)
        if skops is None:
            return None
        sklearn = _SKOPS_SKLEARN.search(schema)
        versions = {"skops": skops.group(1).decode()}
        if sklearn:
            versions["scikit-learn"] = sklearn.group(1).decode()
        features = _SKOPS_FEATURES.search(schema)
        return SavedModel(
            "sklearn",
            path,
            "scikit-learn model in a skops file",
            versions,
            _columns(int(features.group(1)) if features else 0),
            requirements=_frames(schema),
            trusted=tuple(name for sign, name in _UNTRUSTED.items() if sign in schema),
        )


def read_pickle(path: Path) -> SavedModel | None:
    """A pickle of an estimator with scikit-learn's interface; None when the file is something else.

    Raises:
        ProjectError: It is damaged, or a pickle of something else in a file that is named as a pickle.
    """
    with reading(path, "pickle"):
        pickled = pickles.content(path)
        if pickled is None:
            return None
        modules = frozenset(pickles.modules(pickled))
        known = modules & _PACKAGES
        if not known:
            return None
        version, features = _version(pickled), _FEATURES.search(pickled)
        whose = "scikit-learn" if "sklearn" in known else " and ".join(sorted(known))
        return SavedModel(
            "sklearn",
            path,
            f"{whose} model in a pickle",
            {"scikit-learn": version} if version else {},
            _columns(int.from_bytes(next(filter(None, features.groups()), b""), "little") if features else 0),
            requirements=_frames(pickled),
            modules=modules,
            is_pickle=True,
        )


def _version(pickled: bytes) -> str:
    """The version that scikit-learn writes into the state of each estimator; the outermost one's comes last."""
    found = ""
    for match in _SAVED_WITH.finditer(pickled):
        size = match.group(1)[0] if match.group(1) else int.from_bytes(match.group(2), "little")
        found = match.group(3).decode()[:size]
    return found


def _columns(count: int) -> tuple[ColumnInput, ...]:
    return (ColumnInput(""),) * min(count, _MOST_COLUMNS)


def _frames(content: bytes) -> tuple[str, ...]:
    return ("pandas",) if any(name in content for name in _OF_FRAMES) else ()
