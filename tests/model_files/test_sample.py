"""Sample requests: recorded ones, zeros, or why there is none."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from argosy.model_files import detection
from argosy.model_files.sample import sample_of
from argosy.model_files.saved_model import ArrayInput, ColumnInput, SavedModel
from tests.model_files.saved_models import SAVED


def found(name: str) -> SavedModel:
    model = detection.find(SAVED, None, name)
    assert model is not None
    return model


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("logistic.onnx", [[0.0] * 4]),
        ("named.ubj", [[0.0] * 4]),
        ("categories.cbm", [[0.0] * 4 + [""]]),
        ("two.keras", {"a": [[0.0] * 4], "b": [[0]]}),
        ("tree.skops", [[0.0] * 3]),
    ],
)
def test_zeros_stand_in_where_nothing_was_recorded(name: str, body: object) -> None:
    sample = sample_of(found(name))
    assert sample.body is not None
    assert json.loads(sample.body) == body
    assert not sample.is_real


def test_what_was_recorded_is_taken_as_rows() -> None:
    sample = sample_of(found("mlflow"))
    assert sample.body is not None
    assert sample.is_real
    assert [list(row.values()) for row in json.loads(sample.body)] == [[5.1, 3.5, 1.4, 0.2], [4.9, 3.0, 1.4, 0.2]]


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ((), "does not say what the model takes"),
        ((ArrayInput("data", "", ()),), "does not say the shapes"),
        ((ArrayInput("image", "float32", (None, 3, 224, 224)),), "send npy instead"),
    ],
)
def test_without_one_the_reason_is_told(inputs: tuple[ArrayInput, ...], reason: str) -> None:
    sample = sample_of(SavedModel("onnx", Path("m.onnx"), "ONNX model", inputs=inputs))
    assert sample.body is None
    assert reason in sample.reason


def test_named_columns_of_a_data_frame_become_records(tmp_path: Path) -> None:
    model = replace(found("mlflow"), path=tmp_path, inputs=(ColumnInput("a", "int64"), ColumnInput("b", "bool")))
    sample = sample_of(model)
    assert sample.body is not None
    assert json.loads(sample.body) == [{"a": 0, "b": False}]
