from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from argosy.errors import LoadError
from argosy.serving.inputs.annotation import read
from argosy.serving.inputs.kind import InputKind
from argosy.serving.predictor import Predictor


def annotated(annotation: Any) -> Any:
    def predict(inputs: Any) -> None: ...

    predict.__annotations__["inputs"] = annotation
    return predict


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (np.ndarray, InputKind.ARRAY),
        (NDArray[np.float64], InputKind.ARRAY),
        ("np.ndarray", InputKind.ARRAY),
        (list, InputKind.LIST),
        (list[dict[str, int]], InputKind.RECORDS),
        (dict[str, Any], InputKind.DICT),
        (str, InputKind.TEXT),
        (bytes, InputKind.BYTES),
        (Any, InputKind.ANY),
        (object, InputKind.ANY),
    ],
)
def test_the_annotation_names_the_kind(annotation: Any, kind: InputKind) -> None:
    assert read(annotated(annotation)).kind is kind


@pytest.mark.parametrize("annotation", [set, complex, "Missing", list | set])
def test_other_annotations_are_refused(annotation: Any) -> None:
    with pytest.raises(LoadError, match="annotation"):
        read(annotated(annotation))


def test_predict_takes_one_argument() -> None:
    def two(inputs: Any, context: Any) -> None: ...

    def none() -> None: ...

    def optional(inputs: bytes, context: Any = None) -> None: ...

    with pytest.raises(LoadError, match="wrong arguments"):
        read(two)
    with pytest.raises(LoadError, match="wrong arguments"):
        read(none)
    assert read(optional).kind is InputKind.BYTES


def test_a_predictor_without_predict_cannot_be_made() -> None:
    class Half(Predictor): ...

    with pytest.raises(TypeError):
        Half()  # type: ignore[abstract] # that is the point
