"""LightGBM's saved boosters, from their text files."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from argosy.errors import LoadError
from argosy.flavors.loading import artifacts, chatter, file_format, options
from argosy.flavors.loading.framework import framework, installed_version
from argosy.flavors.loading.options import threads
from argosy.flavors.trees import lightgbm_text
from argosy.serving.inputs.signature import ColumnSpec, ModelSignature, TensorSpec
from argosy.serving.predictor import Predictor

with framework("lightgbm"):
    import lightgbm
    import numpy as np

METHODS: Final[Mapping[str, Mapping[str, bool]]] = {
    "predict": {},
    "raw_score": {"raw_score": True},
    "pred_leaf": {"pred_leaf": True},
    "pred_contrib": {"pred_contrib": True},
}
"""What may be asked for, and the argument of `Booster.predict` that asks for it."""
_WHAT: Final = "a LightGBM model (`booster.save_model`)"

Codes = Mapping[object, float]
"""A category -> the number that the trees know it by."""


class LightgbmModel(Predictor):
    """A LightGBM booster, from the text that `save_model` writes.

    It gets float64 rows; a model that was fitted on a data frame with categories gets its columns, each category as it
    was in the frame. One it has not learnt is a missing value, as LightGBM has it. It answers with `Booster.predict`,
    or with `raw_score`, `pred_leaf` or `pred_contrib`, where `[model.options] method` names one.

    Each model process loads the booster: LightGBM starts OpenMP's threads while it reads the trees, and a process
    forked after that waits for them for ever. A call uses the threads that are the process's share.
    """

    load_before_fork: ClassVar[bool] = False

    def load(self, model_dir: Path) -> None:
        """Load the only `*.txt`, or the file that the project names.

        Raises:
            LoadError: The file is not whole or no LightGBM model; or there is no such method; or the model has
                categories, and pandas is not here or the file does not say of which columns.
        """
        told = options.read()
        path = artifacts.find(model_dir, told, ("*.txt", "*.lgb", "*.lightgbm", "*.model"), _WHAT)
        method = told.method or "predict"
        if method not in METHODS:
            raise LoadError(
                f"a LightGBM model has no `{method}`",
                want=" or ".join(f"`{name}`" for name in METHODS),
                hint='under [model.options] in argosy.toml: method = "predict"',
            )
        file_format.require(path, _WHAT)
        lightgbm_text.require_whole(path)
        lightgbm.register_logger(logging.getLogger("lightgbm"), "debug", "debug")
        try:
            self._booster = lightgbm.Booster(model_file=path)
        except (lightgbm.basic.LightGBMError, ValueError) as error:
            raise LoadError("LightGBM does not take the file", got=chatter.one_line(error), where=path) from error
        self._how = {**METHODS[method], "num_threads": threads()}
        self._codes = _codes(path, self._booster)
        self._signature = _signature(self._booster, method, self._codes, told.row_wise is not False)

    def signature(self) -> ModelSignature:
        """What the booster takes and gives."""
        return self._signature

    def predict(self, inputs: Any) -> Any:  # Any: an array, or a data frame
        """Call the booster."""
        if self._codes:
            inputs = _as_array(inputs, self._codes)
        return self._booster.predict(inputs, **self._how)


def _codes(path: Path, booster: Any) -> dict[int, Codes]:
    """What the categories of a data frame became when the booster was fitted, by the columns' positions.

    Raises:
        LoadError: The file does not say whose they are, or pandas is not here.
    """
    categories: Sequence[Sequence[object]] = booster.pandas_categorical or ()
    if not categories:
        return {}
    positions = booster.params.get("categorical_feature") or ()
    if not isinstance(positions, list) or len(positions) != len(categories):
        raise LoadError(
            "the file does not say which columns its categories belong to",
            got=f"{len(categories)} columns of categories, {len(positions)} categorical features",
            where=path,
            hint="fit the model on a frame without ordered categories, and leave `categorical_feature` to LightGBM",
        )
    if installed_version("pandas") is None:
        raise LoadError(
            "the model has categories of a data frame, and pandas is not here",
            where=path,
            hint="pip install pandas, and add it to [image] dependencies in argosy.toml",
        )
    return {
        position: {category: float(code) for code, category in enumerate(known)}
        for position, known in zip(sorted(positions), categories, strict=True)
    }


def _signature(booster: Any, method: str, codes: Mapping[int, Codes], is_row_wise: bool) -> ModelSignature:
    names = tuple(booster.feature_name())
    outputs = (_output(booster, method, len(names)),)
    if not codes:
        tensors = (TensorSpec("features", "float64", (None, len(names))),)
        return ModelSignature(tensors, outputs, names, is_row_wise)
    dtypes = [_dtype(codes[position]) if position in codes else "float64" for position in range(len(names))]
    columns = tuple(ColumnSpec(name, dtype) for name, dtype in zip(names, dtypes, strict=True))
    example = {name: next(iter(codes.get(position, [0]))) for position, name in enumerate(names)}
    return ModelSignature(columns, outputs, row_wise=is_row_wise, example=[example])


def _output(booster: Any, method: str, features: int) -> TensorSpec:
    each = booster.num_model_per_iteration()
    if method == "pred_leaf":
        return TensorSpec(method, "int32", (None, booster.num_trees()))
    if method == "pred_contrib":
        return TensorSpec(method, "float64", (None, each * (features + 1)))
    return TensorSpec(method, "float64", (None,) if each == 1 else (None, each))


def _dtype(categories: Codes) -> str:
    """What a column of these categories is cast to; whole numbers to real ones, which can be missing."""
    kinds = {type(category) for category in categories}
    return "bool" if kinds == {bool} else "str" if str in kinds else "float64"


def _as_array(frame: Any, codes: Mapping[int, Codes]) -> Any:  # Any: pandas has no types here
    """A frame as the trees know it: numbers, and the code of each category."""
    rows = np.empty((len(frame), frame.shape[1]))
    for position, name in enumerate(frame.columns):
        known: Callable[..., float] | None = codes[position].get if position in codes else None
        cells = frame[name]
        rows[:, position] = cells.to_numpy() if known is None else [known(cell, np.nan) for cell in cells.tolist()]
    return rows
