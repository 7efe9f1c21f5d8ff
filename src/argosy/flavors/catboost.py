"""CatBoost's saved models: trees over numbers, categories and texts."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from argosy.errors import DecodeError, LoadError
from argosy.flavors.loading import artifacts, options
from argosy.flavors.loading.framework import framework
from argosy.flavors.loading.options import threads
from argosy.flavors.trees import catboost_file
from argosy.flavors.trees.release import require_not_newer
from argosy.serving.inputs.signature import ModelSignature, TensorSpec
from argosy.serving.predictor import Predictor

with framework("catboost"):
    import catboost

Answers = NDArray[Any]  # Any: real numbers, or what the classes are
_PATTERNS: Final = ("*.cbm", "*.json")
_PROBABILITIES: Final = {"predict_proba": "Probability", "predict_log_proba": "LogProbability"}
METHODS: Final = ("predict", *_PROBABILITIES, "raw")
_RAW: Final = "RawFormulaVal"
_BY_LOSS: Final = {"Poisson": "Exponent", "Tweedie": "Exponent", "RMSEWithUncertainty": "RMSEWithUncertainty"}
"""What `CatBoostRegressor.predict` gives for a loss, where that is not the raw value (`core.py` of 1.2.10)."""


class CatboostModel(Predictor):
    """A model as CatBoost's `save_model` writes it: `.cbm`, or JSON.

    Without categories and texts it takes float32 rows, else an array for each feature by its name: float64 for numbers,
    text for categories and texts; arrays and no data frame, since making one takes longer than the prediction. NaN is a
    missing number; CatBoost has no missing category. One that was a whole number in training is its digits as text.
    `predict` answers what `CatBoostClassifier.predict` or `CatBoostRegressor.predict` gives: classes, or values.
    `[model.options] method` chooses something else:

    - `predict_proba`: a column for each class; `predict_log_proba`: its logarithm.
    - `raw`: the sum of the trees.

    A row's answer does not depend on the rows beside it, so invocations share a call.

    The model is loaded once and shared by all model processes: reading it starts no thread, and CatBoost's own threads
    begin with a prediction that may have several; forks of a process that has loaded and predicted with one thread
    predict with one and with several (tried 2026-11-23 with 1.2.10). Its threads are the process's share.
    """

    load_before_fork: ClassVar[bool] = True

    def load(self, model_dir: Path) -> None:
        """Load the only `*.cbm` or `*.json` file, or the one that the project names.

        Raises:
            LoadError: There is none, or it is not one that this release of CatBoost reads; or it takes embeddings; or
                the model has not what the method gives.
        """
        told = options.read()
        path = artifacts.find(model_dir, told, _PATTERNS, "a CatBoost model")
        form = catboost_file.require_form(path)
        if (saved := catboost_file.release(path)) is not None:
            require_not_newer(saved, catboost.__version__, "catboost", path)
        self._model = _loaded(path, form)
        self._names = [str(name) for name in self._model.feature_names_]
        self._texts = _texts(self._model, path)
        self._type = _prediction_type(self._model, told.method or METHODS[0], path)
        self._label = _label(self._model) if self._type == "Class" else None
        self._threads = 1  # a prediction with more would start threads, which no fork has
        self._answer = self.predict(self._row_of_nothing())
        self._threads = threads()
        self._row_wise = True if told.row_wise is None else told.row_wise

    def signature(self) -> ModelSignature:
        """What the file says of its features, and what a first prediction gave."""
        kind = self._answer.dtype
        name = "str" if kind.kind == "U" else kind.name
        outputs = (TensorSpec("predictions", name, (None, *self._answer.shape[1:])),)
        if self._texts:
            inputs = [
                TensorSpec(title, "str" if place in self._texts else "float64", (None,))
                for place, title in enumerate(self._names)
            ]
            return ModelSignature(tuple(inputs), outputs, row_wise=self._row_wise)
        rows = TensorSpec("features", "float32", (None, len(self._names)))
        is_named = self._names != [str(place) for place in range(len(self._names))]  # positions are no names
        return ModelSignature((rows,), outputs, tuple(self._names) if is_named else (), self._row_wise)

    def predict(self, inputs: Any) -> Answers:  # Any: an array, or arrays by name, as the signature says
        """Ask the model.

        Raises:
            DecodeError: The arrays differ in length.
        """
        rows = self._rows(inputs) if self._texts else inputs
        found = self._model.predict(rows, prediction_type=self._type, thread_count=self._threads)
        answers: Answers = np.asarray(found, self._label)
        return answers

    def _rows(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.object_]:
        """All features side by side, as CatBoost takes numbers and texts together."""
        lengths = {len(inputs[name]) for name in self._names}
        if len(lengths) > 1:
            raise DecodeError("the features differ in rows", got=" and ".join(map(str, sorted(lengths))))
        rows = np.empty((lengths.pop(), len(self._names)), object)
        for place, name in enumerate(self._names):
            rows[:, place] = inputs[name]
        return rows

    def _row_of_nothing(self) -> Any:  # Any: as `predict` takes it
        if not self._texts:
            return np.zeros((1, len(self._names)), np.float32)
        return {
            name: np.array([""], object) if place in self._texts else np.zeros(1)
            for place, name in enumerate(self._names)
        }


def _loaded(path: Path, form: str) -> Any:  # Any: a CatBoost
    """The model.

    Raises:
        LoadError: CatBoost does not read it.
    """
    try:
        return catboost.CatBoost().load_model(str(path), format=form)
    except catboost.CatBoostError as error:
        raise LoadError(
            "CatBoost does not read the model",
            got=_told(error),
            where=path,
            hint="copy it again from where it was saved; if that does not help, save it again with "
            f"catboost {catboost.__version__}",
        ) from error


def _texts(model: Any, path: Path) -> frozenset[int]:
    """Positions of the features that are categories or texts.

    Raises:
        LoadError: There are embeddings, which no cell of a table holds.
    """
    if model.get_embedding_feature_indices():
        raise LoadError(
            "the model takes embeddings, and this flavor has none",
            where=path,
            hint='write a predictor of your own, and name it in argosy.toml: predictor = "module:Class"',
        )
    return frozenset((*model.get_cat_feature_indices(), *model.get_text_feature_indices()))


def _prediction_type(model: Any, method: str, path: Path) -> str:
    """What CatBoost calls the method's answer.

    Raises:
        LoadError: There is no such method, or not for a model without classes.
    """
    if method not in METHODS:
        known = ", ".join(f"`{each}`" for each in METHODS)
        raise LoadError("`method` names none of a CatBoost model's", got=f"`{method}`", want=known, where=path)
    has_classes = len(model.classes_) > 0
    if method in _PROBABILITIES and not has_classes:
        raise LoadError(
            f"`{method}` is for a model of classes",
            got="a model without",
            where=path,
            hint='remove `method` from [model.options] in argosy.toml: "predict" is what the model gives',
        )
    if method == "predict":
        return "Class" if has_classes else _BY_LOSS.get(_loss(model), _RAW)
    return _PROBABILITIES.get(method, _RAW)


def _loss(model: Any) -> str:
    """The loss that the model was trained for, as `RMSE`; empty when the file does not say."""
    metadata = dict(model.get_metadata().items())
    told = json.loads(metadata.get("params", "{}"))
    return str(told.get("loss_function", {}).get("type", ""))


def _label(model: Any) -> "np.dtype[Any] | None":  # Any: a width of text
    """The dtype of classes that are texts, which CatBoost gives as objects; None for numbers."""
    classes = np.asarray(model.classes_)
    return classes.astype(str).dtype if classes.dtype.kind == "O" and len(classes) else None


def _told(error: Exception) -> str:
    """What CatBoost says, without the place in its sources."""
    first = str(error).strip().partition("\n")[0]
    return re.sub(r"^\S+\.(cpp|h):\d+: ", "", first)[:200]
