from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from argosy.errors import LoadError
from argosy.flavors.estimators.inputs import of, within
from argosy.serving.inputs.signature import ColumnSpec, ModelSignature, TensorSpec

ROWS = np.random.default_rng(0).random((40, 3))
TARGET = ROWS[:, 0] > 0.5
TABLE = pd.DataFrame(
    {
        "age": np.arange(40.0),
        "town": ["Ulm", "Bonn", "Kiel", None] * 10,
        "rooms": [1, 2, 3, 4] * 10,
        "new": [True, False] * 20,
        "kind": pd.Categorical(["flat", "house"] * 20),
    }
)
COLUMNS = {"age": "float64", "town": "str", "rooms": "int64", "new": "bool", "kind": "str"}
TEXTS = ["a good day", "a bad day"] * 20


def columns_of(signature: ModelSignature) -> dict[str, str]:
    assert isinstance(signature.inputs, tuple)
    return {column.name: column.dtype for column in signature.inputs}


def prepared(**more: Any) -> ColumnTransformer:
    texts = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    return make_column_transformer(
        (StandardScaler(), ["age"]),
        (texts, ["town"]),
        (OneHotEncoder(), ["rooms", "new"]),
        (OrdinalEncoder(), make_column_selector(dtype_include="category")),
        **more,
    )


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(),
        make_pipeline(StandardScaler(), RandomForestClassifier(3)),
        GridSearchCV(
            make_pipeline(StandardScaler(), DecisionTreeClassifier()), {"decisiontreeclassifier__max_depth": [1]}
        ),
        make_pipeline(FunctionTransformer(np.log1p), LogisticRegression()),
        make_pipeline(SimpleImputer(), LogisticRegression()),
        make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression()),
        make_pipeline(ColumnTransformer([("scaled", StandardScaler(), [0, 2])]), LogisticRegression()),
        HistGradientBoostingClassifier(max_iter=2),
    ],
)
def test_numbers_are_one_array(model: Any) -> None:
    assert of(model.fit(ROWS, TARGET), ()) == ModelSignature((TensorSpec("features", "float64", (None, 3)),))


def test_the_names_of_a_frame_of_numbers_are_those_of_the_features() -> None:
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(pd.DataFrame(ROWS, columns=list("abc")), TARGET)
    assert of(model, ()).features == ("a", "b", "c")


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(prepared(), LogisticRegression()),
        make_pipeline(make_union(prepared(), prepared()), LogisticRegression()),
        GridSearchCV(make_pipeline(prepared(), LogisticRegression()), {"logisticregression__C": [1.0]}, cv=2),
        CalibratedClassifierCV(make_pipeline(prepared(), LogisticRegression()), cv=2),
        VotingClassifier([("one", make_pipeline(prepared(), LogisticRegression()))]),
    ],
)
def test_columns_chosen_by_name_are_a_table(model: Any) -> None:
    signature = of(model.fit(TABLE, TARGET), ())
    assert columns_of(signature) == COLUMNS
    assert isinstance(signature.example, list)
    (row,) = signature.example
    assert row.pop("town") in TABLE["town"].to_list()
    assert row == {"age": 1, "rooms": 1, "new": False, "kind": "flat"}
    frame = pd.DataFrame([{**row, "age": 1.0, "town": "Ulm"}])
    assert len(model.predict(frame)) == 1


@pytest.mark.parametrize(
    "chosen", [["age", "rooms"], slice("age", "rooms"), slice(0, 3), [0, 2], [True, False, True, False, False], "rooms"]
)
def test_columns_are_found_however_they_are_chosen(chosen: object) -> None:
    step = OrdinalEncoder() if chosen != "rooms" else FunctionTransformer(lambda cells: cells.to_frame())
    model = ColumnTransformer([("chosen", step, chosen), ("town", OrdinalEncoder(), ["town"])]).fit(TABLE)
    found = columns_of(of(model, ()))
    assert found["town"] == "str"
    assert found["rooms"] == ("float64" if chosen == "rooms" else "int64")


def test_what_is_chosen_by_name_is_a_table_of_numbers_too() -> None:
    model = ColumnTransformer([("scaled", StandardScaler(), ["age"]), ("rest", "passthrough", ["rooms"])]).fit(TABLE)
    assert columns_of(of(model, ())) == {**COLUMNS, **dict.fromkeys(COLUMNS, "float64")}


def test_categories_of_a_frame_are_texts() -> None:
    frame = TABLE[["age", "kind"]]
    model = HistGradientBoostingClassifier(max_iter=2, categorical_features="from_dtype").fit(frame, TARGET)
    assert columns_of(of(model, ())) == {"age": "float64", "kind": "str"}
    assert list(model.predict(frame)) == list(model.predict(frame.astype({"kind": object})))


@pytest.mark.parametrize("null", [None, np.nan])
def test_what_is_missing_is_what_was_missing_in_training(null: float | None) -> None:
    cells = np.array([["a"], [null], ["b"]], dtype=object)
    for model in (OneHotEncoder(), make_pipeline(SimpleImputer(missing_values=null, strategy="most_frequent"))):
        inputs = of(model.fit(cells), ()).inputs
        assert isinstance(inputs, tuple) and isinstance(inputs[0], ColumnSpec)
        assert (inputs[0].missing is None) == (null is None)


def test_columns_without_names_get_some() -> None:
    model = OrdinalEncoder().fit(np.array([["a", 1], ["b", 2]], dtype=object))
    assert of(model, ()).inputs == (ColumnSpec("x0", "str"), ColumnSpec("x1", "int64"))


def test_texts_for_a_vectorizer() -> None:
    for model in (
        make_pipeline(TfidfVectorizer(), LogisticRegression()),
        make_pipeline(FeatureUnion([("words", TfidfVectorizer())]), LogisticRegression()),
    ):
        signature = of(model.fit(TEXTS, TARGET), ())
        assert signature.inputs == list[str]
        assert len(model.predict(signature.example)) == 1


def test_an_example_is_only_made_where_it_is_sure_to_be_taken() -> None:
    class Own(StandardScaler):  # type: ignore[misc]  # scikit-learn has no types
        pass

    for part in (FunctionTransformer(np.log), Own()):
        model = ColumnTransformer([("own", part, ["age"]), ("town", OrdinalEncoder(), ["town"])])
        assert of(model.fit(TABLE.assign(age=1.0)), ()).example is None


def test_the_project_has_the_last_word() -> None:
    told = TensorSpec("rows", "float32", (None, 3))
    assert of(LogisticRegression().fit(ROWS, TARGET), (told,)).inputs == (told,)
    model = prepared().fit(TABLE)
    assert columns_of(of(model, (TensorSpec("rooms", "float64", (None,)),))) == {**COLUMNS, "rooms": "float64"}
    with pytest.raises(LoadError, match="columns that the model has not"):
        of(model, (TensorSpec("doors", "int64", (None,)),))


def test_an_estimator_that_says_nothing_takes_any_array() -> None:
    assert of(object(), ()).inputs is np.ndarray


def test_all_parts_of_an_estimator_are_found() -> None:
    model = make_pipeline(prepared(), VotingClassifier([("forest", RandomForestClassifier(2, n_jobs=2))]))
    model.fit(TABLE, TARGET)
    forests = [part for part in within(model) if isinstance(part, RandomForestClassifier)]
    assert {id(model[-1].estimators_[0])} <= {id(forest) for forest in forests}
    assert len(forests) == 2  # the fitted one, and the one that it was cloned from
