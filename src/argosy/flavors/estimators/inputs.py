"""A fitted estimator -> what its `predict` has to be given.

An estimator that was fitted on numbers takes one array. One that chooses columns by their names, or has columns of
texts, takes a table; which column is of what kind is what the transformer says that reads it.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from argosy.errors import LoadError
from argosy.flavors.loading.framework import framework
from argosy.serving.inputs.signature import ColumnSpec, ModelSignature, TensorSpec

with framework("scikit-learn"):
    import numpy as np
    from sklearn.base import BaseEstimator
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import FeatureUnion, Pipeline
    from sklearn.preprocessing import FunctionTransformer, PowerTransformer

_INNER: Final = (
    *("best_estimator_", "regressor_", "estimator_", "estimators_"),
    *("calibrated_classifiers_", "_preprocessor"),
)
"""Where an estimator keeps another that is given the same rows: searches, targets, thresholds, votes, calibrations, and
what HistGradientBoosting puts before its trees."""
_PARTIAL: Final = (FunctionTransformer, PowerTransformer)
"""What refuses some numbers, so that nobody can say of a made-up row that the model takes it."""


def of(model: Any, told: Sequence[TensorSpec]) -> ModelSignature:  # Any: any estimator
    """What a fitted estimator takes; the outputs are left open.

    Args:
        model: The estimator.
        told: What the project says of its inputs: one array, or dtypes of columns by their names.

    Raises:
        LoadError: The project names columns that the model has not.
    """
    if len(told) == 1 and len(told[0].shape) > 1:
        return ModelSignature(tuple(told), features=_names(model))
    if any(_is_vectorizer(first) for first in _firsts(model)):
        return ModelSignature(list[str], example=["a text"])
    count = getattr(model, "n_features_in_", None)
    if count is None:
        return ModelSignature(np.ndarray)
    names = _names(model)
    columns = {position: column for first in _firsts(model) for position, column in _columns(first, names, count)}
    learnt = [columns.get(position, []) for position in range(count)]
    dtypes = [_dtype(values) for values in learnt]
    if "str" not in dtypes and not any(map(_chooses_by_name, _firsts(model))) and not told:
        return ModelSignature((TensorSpec("features", "float64", (None, count)),), features=names)
    titles = names or tuple(f"x{position}" for position in range(count))
    specs = [
        ColumnSpec(title, dtype, missing=_missing(values))
        for title, dtype, values in zip(titles, dtypes, learnt, strict=True)
    ]
    example = _example(model, titles, learnt)
    return ModelSignature(_overruled(specs, told), example=None if told else example)


def within(model: object) -> Iterator[BaseEstimator]:
    """An estimator and all that it is made of."""
    seen: set[int] = set()
    waiting: list[object] = [model]
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, BaseEstimator):
            yield each
            waiting += vars(each).values()
        elif isinstance(each, list | tuple):
            waiting += each
        elif isinstance(each, dict):
            waiting += each.values()


def _names(model: object) -> tuple[str, ...]:
    return tuple(str(name) for name in getattr(model, "feature_names_in_", ()))


def _firsts(model: Any) -> Iterator[Any]:
    """The estimators that are given the rows as they come."""
    if isinstance(model, Pipeline):
        steps = [step for _, step in model.steps if step is not None and step != "passthrough"]
        yield from _firsts(steps[0]) if steps else ()
        return
    if isinstance(model, FeatureUnion):
        for _, transformer in model.transformer_list:
            yield from _firsts(transformer)
        return
    yield model
    if isinstance(model, ColumnTransformer):
        return
    for name in _INNER:
        inner = getattr(model, name, None)
        inner = inner[0] if isinstance(inner, list) and inner else inner
        inner = inner if isinstance(inner, BaseEstimator) else getattr(inner, "estimator", None)
        if isinstance(inner, BaseEstimator):
            yield from _firsts(inner)


def _is_vectorizer(estimator: object) -> bool:
    return hasattr(estimator, "build_analyzer")


def _chooses_by_name(estimator: object) -> bool:
    chosen = [columns for _, _, columns in _branches(estimator)]
    return any(isinstance(each, str) for columns in chosen for each in _listed(columns))


def _branches(estimator: object) -> Sequence[tuple[str, Any, Any]]:
    """Name, transformer and columns of each branch of a fitted ColumnTransformer."""
    return getattr(estimator, "transformers_", ()) if isinstance(estimator, ColumnTransformer) else ()


def _columns(estimator: Any, names: Sequence[str], count: int) -> Iterator[tuple[int, Sequence[object]]]:
    """What an estimator has learnt of columns: position, and values that it knows.

    Of an encoder the categories, of an imputer what it fills in; nothing of the others, which take numbers.
    """
    for _, transformer, chosen in _branches(estimator):
        positions = _positions(chosen, names, count)
        for first in _firsts(transformer):
            for position, values in _columns(first, (), len(positions)):
                if position < len(positions):
                    yield positions[position], values
    if _is_vectorizer(estimator):
        yield 0, ["a text"]
    for position, values in enumerate(getattr(estimator, "categories_", ())):
        yield position, np.asarray(values).tolist()
    for position, value in enumerate(getattr(estimator, "statistics_", ())):
        is_of_none = getattr(estimator, "missing_values", math.nan) is None
        yield position, [value.item() if isinstance(value, np.generic) else value, *([None] if is_of_none else [])]


def _positions(chosen: Any, names: Sequence[str], count: int) -> list[int]:
    """Columns as ColumnTransformer names them: a name or position, several, a slice, or a mask."""
    if isinstance(chosen, slice):
        start, stop = (names.index(end) if isinstance(end, str) else end for end in (chosen.start, chosen.stop))
        stop = stop + 1 if isinstance(chosen.stop, str) else stop
        return list(range(count)[start : stop : chosen.step])
    listed = _listed(chosen)
    if listed and isinstance(listed[0], bool | np.bool_):
        return [position for position, is_chosen in enumerate(listed) if is_chosen]
    return [names.index(each) if isinstance(each, str) else range(count)[each] for each in listed]


def _listed(chosen: Any) -> list[Any]:
    if isinstance(chosen, slice):
        return [end for end in (chosen.start, chosen.stop) if end is not None]
    return [chosen] if np.isscalar(chosen) else list(chosen)


def _dtype(learnt: Sequence[object]) -> str:
    """numpy's name of the dtype that a column is cast to: of numbers that nobody says more of, `float64`."""
    kinds = {type(value) for value in learnt if not _is_missing(value)}
    if not kinds or kinds <= {int, float, bool}:
        return {frozenset({bool}): "bool", frozenset({int}): "int64"}.get(frozenset(kinds), "float64")
    return "str"


def _missing(learnt: Sequence[object]) -> float | None:
    """What a missing cell was in the frame that the estimator was fitted on: None where it has learnt that alone."""
    missing = [value for value in learnt if _is_missing(value)]
    return None if missing and all(value is None for value in missing) else math.nan


def _is_missing(value: object) -> bool:
    return value is None or value != value


def _overruled(specs: Sequence[ColumnSpec], told: Sequence[TensorSpec]) -> tuple[ColumnSpec, ...]:
    overruled = {tensor.name: tensor.dtype for tensor in told}
    unknown = sorted(overruled.keys() - {spec.name for spec in specs})
    if unknown:
        raise LoadError(
            "`inputs` names columns that the model has not",
            got=", ".join(f"`{name}`" for name in unknown),
            want=", ".join(f"`{spec.name}`" for spec in specs),
        )
    return tuple(replace(spec, dtype=overruled.get(spec.name, spec.dtype)) for spec in specs)


def _example(model: object, titles: Sequence[str], learnt: Sequence[Sequence[object]]) -> object | None:
    """A row of values that the model knows, and of ones; None where only its own parts know what they take."""
    parts = list(within(model))
    if any(isinstance(part, _PARTIAL) or not type(part).__module__.startswith("sklearn.") for part in parts):
        return None
    known = [[value for value in values if not _is_missing(value)] for values in learnt]
    return [{title: values[0] if values else 1 for title, values in zip(titles, known, strict=True)}]
