from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from argosy.flavors.estimators.outputs import as_arrays, of
from argosy.serving.inputs.signature import TensorSpec

ROWS = np.random.default_rng(0).random((30, 2))
SPECIES = np.array(["setosa", "virginica", "other"] * 10)


@pytest.mark.parametrize(
    ("model", "method", "dtype", "shape"),
    [
        (LogisticRegression().fit(ROWS, SPECIES), "predict", "str", (None,)),
        (LogisticRegression().fit(ROWS, SPECIES.astype(object)), "predict", "str", (None,)),
        (LogisticRegression().fit(ROWS, [0, 1, 2] * 10), "predict", "int64", (None,)),
        (LogisticRegression().fit(ROWS, [True, False, False] * 10), "predict", "bool", (None,)),
        (LogisticRegression().fit(ROWS, SPECIES), "predict_proba", "float64", (None, 3)),
        (make_pipeline(StandardScaler(), LinearRegression()).fit(ROWS, ROWS[:, 0]), "predict", "float64", (None,)),
        (DecisionTreeRegressor().fit(ROWS, ROWS[:, 0]), "predict", "float64", (None,)),
    ],
)
def test_what_is_said_is_what_is_given(model: Any, method: str, dtype: str, shape: tuple[int | None, ...]) -> None:
    assert of(model, method) == (TensorSpec(method, dtype, shape),)
    answer = as_arrays(getattr(model, method)(ROWS))
    assert answer.shape == (len(ROWS), *shape[1:])
    assert answer.dtype.kind == "U" if dtype == "str" else answer.dtype == np.dtype(dtype)


@pytest.mark.parametrize(
    ("model", "method"),
    [
        (object(), "predict"),
        (KMeans(2, n_init=1).fit(ROWS), "predict"),
        (StandardScaler().fit(ROWS), "transform"),
        (LogisticRegression().fit(ROWS, SPECIES), "decision_function"),
        (DecisionTreeRegressor().fit(ROWS, ROWS), "predict"),
        (DecisionTreeClassifier().fit(ROWS, np.stack([SPECIES, SPECIES], axis=1)), "predict_proba"),
    ],
)
def test_nothing_is_said_where_only_a_call_would_show_it(model: Any, method: str) -> None:
    assert of(model, method) == ()


def test_several_targets_are_several_arrays() -> None:
    model = DecisionTreeClassifier(max_depth=1).fit(ROWS, np.stack([SPECIES, SPECIES], axis=1))
    answer = as_arrays(model.predict_proba(ROWS))
    assert {name: array.shape for name, array in answer.items()} == {"output_1": (30, 3), "output_2": (30, 3)}


def test_what_has_no_form_on_the_wire_gets_one() -> None:
    np.testing.assert_array_equal(as_arrays(sparse.csr_matrix(np.eye(2))), np.eye(2))
    assert as_arrays(np.array(["a", "bcd"], dtype=object)).dtype == np.dtype("<U3")
    mixed = np.array(["a", 1], dtype=object)
    assert as_arrays(mixed) is mixed
    assert as_arrays("else") == "else"
