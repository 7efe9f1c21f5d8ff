import jsonschema
import numpy as np
import pytest

from argosy.errors import LoadError
from argosy.serving.inputs.kind import InputKind
from argosy.serving.inputs.signature import ColumnSpec, ModelSignature, TensorSpec
from argosy.serving.predictor import Predictor
from argosy.serving.signatures.description import Description, describe


class Model(Predictor):
    row_wise = True

    def __init__(self, signature: object) -> None:
        self._signature = signature

    def signature(self) -> object:
        return self._signature

    def predict(self, inputs: object) -> object:
        return inputs


def described(inputs: object, **more: object) -> Description:
    return describe(Model(ModelSignature(inputs, **more)))  # type: ignore[arg-type]  # each test gives what fits


def test_a_predictor_without_a_signature_is_read_by_its_annotations() -> None:
    class Annotated(Predictor):
        def predict(self, inputs: np.ndarray) -> np.ndarray:
            return inputs

    found = describe(Annotated())
    assert found.spec.kind is InputKind.ARRAY
    assert found.output["type"] == "array"
    assert found.spec.example is None


def test_the_signature_has_the_last_word_on_rows() -> None:
    tensor = (TensorSpec("x", "float32", (None, 2)),)
    assert described(tensor).row_wise is True
    assert described(tensor, row_wise=False).row_wise is False


@pytest.mark.parametrize(
    ("inputs", "example", "excused"),
    [
        ((TensorSpec("x", "float32", (None, 2)),), [[0, 0]], {400}),
        ((TensorSpec("x", "float32", (None, None)),), [[0]], {400, 500}),
        ((TensorSpec("x", "float32", (2, 2)),), [[0, 0], [0, 0]], {400}),
        ((TensorSpec("a", "int64", (None,)), TensorSpec("b", "str", (None, 1))), {"a": [0], "b": [[""]]}, {400}),
        ((TensorSpec("a", "bool", (None, 1)),), {"a": [[False]]}, {400}),
        ((ColumnSpec("a", "float64"), ColumnSpec("b", "str")), [{"a": 0, "b": ""}], {400}),
    ],
)
def test_an_example_is_made_where_the_model_has_none(inputs: object, example: object, excused: set[int]) -> None:
    found = described(inputs)
    assert found.spec.example == example
    assert found.excused == excused
    jsonschema.validate(example, dict(found.spec.schema))


def test_the_model_s_own_example_has_to_be_taken() -> None:
    found = described((TensorSpec("x", "float32", (None, None)),), example=[[1, 2]])
    assert found.spec.example == [[1, 2]]
    assert found.excused == frozenset()


@pytest.mark.parametrize(
    "inputs",
    [
        (TensorSpec("x", "float32", (None,)), TensorSpec("s", "str", (None,))),
        (ColumnSpec("x", "float32"), ColumnSpec("s", "str")),
    ],
)
def test_rows_without_names_have_a_cell_for_each_input(inputs: tuple[object, ...]) -> None:
    schema = dict(described(inputs).spec.schema)
    jsonschema.validate([[1.5, "a"], [None, "b"]], schema)
    for body in ([[["nonsense"]]], [["a", 1.5]], [[1.5]], [[1.5, "a", "b"]]):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(body, schema)


def test_the_schema_tells_rows_from_what_is_none() -> None:
    schema = dict(described((TensorSpec("x", "float32", (None, 2)),), features=("a", "b")).spec.schema)
    taken: list[object] = [[[1, 2]], [1, 2], [{"a": 1, "b": 2}], {"instances": [[1, 2]]}]
    refused: list[object] = [[[1, 2, 3]], [["a", "b"]], [{"a": 1}], {}, "text"]
    for body in taken:
        jsonschema.validate(body, schema)
    for body in refused:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(body, schema)


def test_answers_are_described_where_outputs_are_known() -> None:
    tensor = (TensorSpec("x", "float32", (None, 2)),)
    one = described(tensor, outputs=(TensorSpec("y", "float32", (None, 3)),)).output
    jsonschema.validate([[1.0, 2.0, None]], dict(one))
    two = described(tensor, outputs=(TensorSpec("y", "int64", (None,)), TensorSpec("z", "str", (None,)))).output
    jsonschema.validate({"y": [1], "z": ["a"]}, dict(two))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"y": [1]}, dict(two))
    assert described(tensor).output == {}


def test_an_annotation_may_stand_in_for_arrays() -> None:
    found = described(list[str], example=["text"])
    assert found.spec.is_list
    assert found.spec.example == ["text"]


@pytest.mark.parametrize("signature", [None, {"inputs": []}, ModelSignature(()), ModelSignature((1, 2))])
def test_a_signature_that_is_none_is_told(signature: object) -> None:
    with pytest.raises(LoadError):
        describe(Model(signature))
