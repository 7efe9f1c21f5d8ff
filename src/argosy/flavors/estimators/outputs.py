"""A fitted estimator -> what its methods give, and how that becomes arrays that have a form on the wire."""

from typing import Any

from argosy.flavors.loading.framework import framework
from argosy.serving.inputs.signature import TensorSpec

with framework("scikit-learn"):
    import numpy as np
    from scipy import sparse
    from sklearn.base import BaseEstimator, is_classifier, is_regressor
    from sklearn.pipeline import Pipeline


def of(model: Any, method: str) -> tuple[TensorSpec, ...]:  # Any: any estimator
    """What a method gives, where the fitted estimator says it; nothing where only a call would show it.

    Args:
        model: The estimator.
        method: `predict`, `predict_proba`, `decision_function` or `transform`.
    """
    if not isinstance(model, BaseEstimator):
        return ()
    last = model.steps[-1][1] if isinstance(model, Pipeline) else model
    classes = getattr(model, "classes_", None)
    if is_classifier(model) and isinstance(classes, np.ndarray):
        if method == "predict":
            return (TensorSpec(method, _label(classes), (None,)),)
        if method == "predict_proba":
            return (TensorSpec(method, "float64", (None, len(classes))),)
    is_single = getattr(last, "n_outputs_", 0) == 1 or np.ndim(getattr(last, "coef_", 0)) == 1
    if is_regressor(model) and method == "predict" and is_single:
        return (TensorSpec(method, "float64", (None,)),)
    return ()


def as_arrays(answer: Any) -> Any:  # Any: what any method gives
    """An estimator's answer with each array as npy, JSON and CSV can write it.

    Labels that are objects become texts, a sparse matrix a dense one, and the list that an estimator with several
    targets gives, one array for each, a dict `output_1`, `output_2`, ...
    """
    if isinstance(answer, np.ndarray):
        return _texts(answer) if answer.dtype == object else answer
    if sparse.issparse(answer):
        return answer.toarray()
    if isinstance(answer, list) and answer and all(isinstance(each, np.ndarray) for each in answer):
        return {f"output_{number}": as_arrays(each) for number, each in enumerate(answer, start=1)}
    return answer


def _texts(labels: Any) -> Any:  # Any: arrays of objects
    return labels.astype(str) if all(isinstance(label, str) for label in labels.flat) else labels


def _label(classes: Any) -> str:
    if classes.dtype.kind in "OU":
        return "str" if all(isinstance(label, str) for label in classes) else "float64"
    return str(classes.dtype)
