"""What a loaded model says of itself -> what its inputs are, and what its answers are."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from argosy.errors import LoadError
from argosy.serving.inputs import annotation
from argosy.serving.inputs.annotation import InputSpec
from argosy.serving.inputs.signature import ColumnSpec, ModelSignature, TensorSpec
from argosy.serving.predictor import Predictor
from argosy.serving.signatures import columns, tensors


class Description(NamedTuple):
    """What a predictor takes and gives.

    Attributes:
        spec: What it takes.
        output: JSON Schema of what it gives; {} when nobody knows.
        row_wise: As in `Predictor`.
        excused: Statuses that the example of `spec` may be answered with and the model be sound: none when the model
            recorded it; of one that is made up 400, for values that it does not take, and where a dimension is free
            500, too, since it may be too small.
    """

    spec: InputSpec
    output: Mapping[str, object]
    row_wise: bool | None
    excused: frozenset[int] = frozenset()


def describe(predictor: Predictor) -> Description:
    """What a loaded predictor takes and gives: by its `signature`, if it has one, else by annotations.

    Raises:
        LoadError: An annotation cannot be decoded to, or the signature is none.
    """
    ask = getattr(predictor, "signature", None)
    if ask is None:
        spec, output = annotation.read(predictor.predict), annotation.output_schema(predictor.predict)
        return Description(spec, output, predictor.row_wise)
    signature = ask()
    if not isinstance(signature, ModelSignature):
        raise LoadError("`signature` gives something else than a `ModelSignature`", got=type(signature).__name__)
    output = tensors.answers(signature.outputs) or annotation.output_schema(predictor.predict)
    row_wise = predictor.row_wise if signature.row_wise is None else signature.row_wise
    excused = frozenset[int]()
    if signature.example is None:
        excused = frozenset({400, 500} if tensors.is_free(signature) else {400})
    return Description(_spec(signature), output, row_wise, excused)


def _spec(signature: ModelSignature) -> InputSpec:
    inputs = signature.inputs
    if isinstance(inputs, tuple) and inputs and all(isinstance(given, TensorSpec) for given in inputs):
        return tensors.of_tensors(signature, [given for given in inputs if isinstance(given, TensorSpec)])
    if isinstance(inputs, tuple) and inputs and all(isinstance(given, ColumnSpec) for given in inputs):
        return columns.of_columns([given for given in inputs if isinstance(given, ColumnSpec)], signature.example)
    if isinstance(inputs, tuple):
        raise LoadError("`signature` has neither arrays nor columns", got=repr(inputs))
    return replace(annotation.of_annotation(inputs), example=signature.example)
