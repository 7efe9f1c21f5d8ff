"""XGBoost's saved models: gradient boosted trees, DART, and linear models."""

import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from argosy.errors import DecodeError, LoadError
from argosy.flavors.loading import artifacts, options
from argosy.flavors.loading.framework import framework, installed_version
from argosy.flavors.loading.options import threads
from argosy.flavors.trees import xgboost_file
from argosy.flavors.trees.release import require_not_newer
from argosy.serving.inputs.signature import ColumnSpec, ModelSignature, TensorSpec
from argosy.serving.predictor import Predictor

with framework("xgboost-cpu"):
    import xgboost

if TYPE_CHECKING:
    from pandas import DataFrame

Rows = NDArray[np.float32]
Answers = NDArray[Any]  # Any: float32, or int64 of classes
_PATTERNS: Final = ("*.ubj", "*.json", "*.model", "*.bin")
_MARGIN: Final = "output_margin"
_FLAGS: Final = (_MARGIN, "pred_leaf", "pred_contribs")
"""Methods that are arguments of `Booster.predict`."""
METHODS: Final = ("predict", "predict_proba", "class", *_FLAGS)
_BINARY: Final = "binary:logistic"
_PROBABILITIES: Final = (_BINARY, "multi:softprob")
"""Objectives whose prediction is the probability of each class."""


class _Kind(NamedTuple):
    """What a model is.

    Attributes:
        booster: `gbtree`, `dart` or `gblinear`.
        objective: As `binary:logistic`.
    """

    booster: str
    objective: str


class XgboostModel(Predictor):
    """A model as `Booster.save_model` or an estimator's `save_model` writes it: UBJSON or JSON.

    It takes float32 rows, in which NaN is a missing value, with the names of the features when the file has them. When
    the file has categories, which XGBoost keeps since 3.1, it takes a data frame. `predict` answers what
    `Booster.predict` gives, with the rounds that `XGBClassifier` and its like use: up to the best one, when training
    stopped early. `[model.options] method` chooses something else:

    - `predict_proba`: a column for each class, as `XGBClassifier.predict_proba`.
    - `class`: the number of the class, as `XGBClassifier.predict`.
    - `output_margin`: what the objective's last function is given.
    - `pred_leaf`: the leaf in each tree.
    - `pred_contribs`: how much each feature contributes, and the bias (SHAP values).

    A row's answer does not depend on the rows beside it, so invocations share a call. Trees are asked with
    `inplace_predict`, which gives the bits that `predict` gives and takes half the time; DART and linear models, of
    which that is not so, with `predict`.

    Where a process may use one thread, the model is loaded once and shared by all model processes. Where it may use
    more, each loads it: reading it starts OpenMP's threads then, and a fork, which has none of them, waits for them for
    ever at its first prediction (tried 2026-11-23 with 3.2.0: hangs with two, with one does not, also when the fork
    predicts with two). XGBoost's threads are the process's share.
    """

    load_before_fork: ClassVar[bool] = threads() == 1

    def load(self, model_dir: Path) -> None:
        """Load the only `*.ubj`, `*.json`, `*.model` or `*.bin` file, or the one that the project names.

        Raises:
            LoadError: There is none, or it is not one that this release of XGBoost reads; or the model has not what
                the method gives.
        """
        told = options.read()
        path = artifacts.find(model_dir, told, _PATTERNS, "an XGBoost model")
        saved = xgboost_file.require_release(path, xgboost_file.require_form(path))
        require_not_newer(saved, xgboost.__version__, "xgboost-cpu", path)
        booster = _loaded(path)
        types = booster.feature_types or []
        raw = bytes(booster.save_raw("json")) if "c" in types else b""
        self._categories = xgboost_file.categories(raw, saved, path)
        self._codes = tuple(_codes(listed) for listed in self._categories)
        self._count = booster.num_features()
        self._names = tuple(booster.feature_names or ())
        if self._codes and installed_version("pandas") is None:
            raise LoadError(
                "the model takes columns of a data frame, and pandas is not here",
                where=path,
                hint="pip install pandas, and add it to [image] dependencies in argosy.toml",
            )
        self._ask = _method(booster, told.method or METHODS[0], path)
        self._answer = _tried(self._ask, self._count, path)
        self._row_wise = True if told.row_wise is None else told.row_wise

    def signature(self) -> ModelSignature:
        """What the file says of its features, and what a first prediction gave."""
        outputs = (TensorSpec("predictions", self._answer.dtype.name, (None, *self._answer.shape[1:])),)
        if not self._codes:
            rows = TensorSpec("features", "float32", (None, self._count))
            return ModelSignature((rows,), outputs, self._names, self._row_wise)
        columns = [ColumnSpec(name, _dtype(listed)) for name, listed in zip(self._names, self._categories, strict=True)]
        row = {name: listed[0] if listed else 0 for name, listed in zip(self._names, self._categories, strict=True)}
        return ModelSignature(tuple(columns), outputs, row_wise=self._row_wise, example=[row])

    def predict(self, inputs: Any) -> Answers:  # Any: an array or a data frame, as the signature says
        """Ask the model.

        Raises:
            DecodeError: A value is infinite, or a category is none of the model's.
        """
        rows = self._coded(inputs) if self._codes else inputs
        if np.isinf(rows).any():
            raise DecodeError("the model does not take these values", got="infinity")
        return self._ask(rows)

    def _coded(self, frame: "DataFrame") -> Rows:
        """The columns as XGBoost keeps them: a category is its position among those that it was trained on."""
        rows = np.empty((len(frame), self._count), np.float32)
        for place, (name, codes) in enumerate(zip(self._names, self._codes, strict=True)):
            column = frame[name]
            if codes is None:
                rows[:, place] = column.to_numpy()
                continue
            try:
                rows[:, place] = [np.nan if cell is None or cell != cell else codes[cell] for cell in column.tolist()]
            except KeyError:
                where = f"column `{name}`"
                raise DecodeError("a category is none that the model was trained on", where=where) from None
        return rows


def _loaded(path: Path) -> Any:  # Any: a Booster
    """The model.

    Raises:
        LoadError: XGBoost does not read it.
    """
    xgboost.set_config(verbosity=0)
    warnings.filterwarnings("ignore", module=r"xgboost(\.|$)")
    booster = xgboost.Booster({"nthread": threads()})
    try:
        booster.load_model(bytearray(path.read_bytes()))  # its bytes say what it is, whatever its name says
    except (xgboost.core.XGBoostError, UnicodeDecodeError) as error:
        raise LoadError(
            "XGBoost does not read the model",
            got=_told(error),
            where=path,
            hint="copy it again from where it was saved; if that does not help, save it again with "
            f"xgboost {xgboost.__version__}",
        ) from error
    return booster


def _method(booster: Any, name: str, path: Path) -> Callable[[Rows], Answers]:
    """What answers rows.

    Raises:
        LoadError: There is no such method, or not for a model of this objective.
    """
    kind = _kind(booster)
    if name not in METHODS:
        known = ", ".join(f"`{each}`" for each in METHODS)
        raise LoadError("`method` names none of an XGBoost model's", got=f"`{name}`", want=known, where=path)
    if name in ("predict_proba", "class") and kind.objective not in _PROBABILITIES:
        raise LoadError(
            f"`{name}` is for a model that gives probabilities of classes",
            got=f"objective `{kind.objective}`",
            want=" or ".join(f"`{objective}`" for objective in _PROBABILITIES),
            where=path,
            hint='remove `method` from [model.options] in argosy.toml: "predict" is what the model gives',
        )
    ask = _asking(booster, kind, name)
    if name == "predict_proba" and kind.objective == _BINARY:
        return lambda rows: _both(ask(rows))
    if name == "class" and kind.objective == _BINARY:
        return lambda rows: (ask(rows) > 0.5).astype(np.int64)  # as XGBClassifier does
    if name == "class":
        return lambda rows: ask(rows).argmax(axis=1)
    return ask


def _asking(booster: Any, kind: _Kind, name: str) -> Callable[[Rows], Answers]:
    """The call of XGBoost's that gives what `Booster.predict` gives, and of those the fastest."""
    rounds = _rounds(booster, kind)
    flags = {name: True} if name in _FLAGS else {}
    if kind.booster == "gbtree" and (name == _MARGIN or not flags):
        given = "margin" if flags else "value"
        return lambda rows: booster.inplace_predict(
            rows, iteration_range=rounds, predict_type=given, validate_features=False
        )
    types = booster.feature_types if "c" in (booster.feature_types or ()) else None
    count = threads()

    def ask(rows: Rows) -> Answers:
        matrix = xgboost.DMatrix(rows, nthread=count, feature_types=types, enable_categorical=types is not None)
        answers: Answers = booster.predict(matrix, iteration_range=rounds, validate_features=False, **flags)
        return answers

    return ask


def _tried(ask: Callable[[Rows], Answers], count: int, path: Path) -> Answers:
    """The answer to a row of zeros.

    Raises:
        LoadError: This kind of model has not what is asked of it.
    """
    try:
        return ask(np.zeros((1, count), np.float32))
    except xgboost.core.XGBoostError as error:
        raise LoadError("the model does not answer", got=_told(error), where=path) from error


def _kind(booster: Any) -> _Kind:
    learner = json.loads(booster.save_config())["learner"]
    return _Kind(learner["gradient_booster"]["name"], learner["objective"]["name"])


def _rounds(booster: Any, kind: _Kind) -> tuple[int, int]:
    """Which rounds answer: up to the best one, as XGBoost's own estimators do; (0, 0) is all."""
    best = booster.attr("best_iteration")
    return (0, int(best) + 1) if best is not None and kind.booster != "gblinear" else (0, 0)


def _both(positive: Rows) -> Rows:
    """The probabilities of both classes, in the bits of `XGBClassifier.predict_proba`."""
    return np.stack((1.0 - positive, positive), axis=1)


def _codes(listed: tuple[str | int, ...] | None) -> Mapping[str | int, int] | None:
    return None if listed is None else {value: code for code, value in enumerate(listed)}


def _dtype(listed: tuple[str | int, ...] | None) -> str:
    """Of the column of a feature; categories that are numbers are real ones, so that they may be missing."""
    if listed is None:
        return "float32"
    return "str" if isinstance(listed[0], str) else "float64"


def _told(error: Exception) -> str:
    """What XGBoost says, without time, place in its sources, and stack."""
    first = str(error).partition("\nStack trace")[0].strip()
    return " ".join(first.partition("] ")[2].partition(": ")[2].split() or first.split())[:200]
