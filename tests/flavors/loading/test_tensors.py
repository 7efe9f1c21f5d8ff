from pathlib import Path

import pytest

from argosy.errors import LoadError
from argosy.flavors.loading import tensors
from argosy.serving.inputs.signature import TensorSpec

OWN = [TensorSpec("x", "float32", (1, 4)), TensorSpec("y", "int64", (None,))]
FILE = Path("model.onnx")


def test_the_project_gives_shapes_and_leaves_what_it_does_not_name() -> None:
    told = TensorSpec("x", "float32", (None, 4))
    assert tensors.completed(OWN, [], FILE) == tuple(OWN)
    assert tensors.completed(OWN, [told], FILE) == (told, OWN[1])


def test_another_dtype_and_an_unknown_name_are_refused() -> None:
    with pytest.raises(LoadError) as raised:
        tensors.completed(OWN, [TensorSpec("y", "int32", (None,))], FILE)
    assert (raised.value.got, raised.value.want) == ("`int64`", "`int32`")
    with pytest.raises(LoadError, match="`inputs` names what the model has not") as raised:
        tensors.completed(OWN, [TensorSpec("z", "int32", ())], FILE)
    assert (raised.value.got, raised.value.want) == ("`z`", "`x`, `y`")


def test_outputs_are_those_that_the_project_names_in_its_order_or_all() -> None:
    assert tensors.answered(["a", "b"], (), FILE) == ["a", "b"]
    assert tensors.answered(["a", "b"], ("b",), FILE) == ["b"]
    assert tensors.answered(["a", "b", "c"], ("c", "a"), FILE) == ["c", "a"]
    with pytest.raises(LoadError, match="`outputs` names what the model has not"):
        tensors.answered(["a"], ("b",), FILE)


def test_a_model_that_takes_nothing_is_refused() -> None:
    with pytest.raises(LoadError, match="the model has no inputs"):
        tensors.completed([], [], FILE)
