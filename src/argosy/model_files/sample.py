"""A request that a saved model can answer, as far as its files say what it takes."""

import math
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from argosy.model_files.contents import head, reading
from argosy.model_files.saved_model import ArrayInput, ColumnInput, SavedModel

_MOST_NUMBERS: Final = 10_000
_MOST_BYTES: Final = 2**20
_RECORDED: Final = "serving_input_example.json"
_TEXT_TASKS: Final = ("text-classification", "token-classification", "feature-extraction", "text-generation")


@dataclass(frozen=True, slots=True)
class Sample:
    """A JSON request.

    Attributes:
        body: The request; None where none can be made.
        is_real: Whether it was recorded with the model, and not made of zeros.
        reason: Why there is none, or where its values are from.
    """

    body: bytes | None
    is_real: bool
    reason: str


def sample_of(model: SavedModel) -> Sample:
    """The request that was recorded with a model, else one of zeros, else why there is none."""
    recorded = model.path / _RECORDED
    if model.flavor == "mlflow" and recorded.is_file() and recorded.stat().st_size <= _MOST_BYTES:
        with reading(recorded, "example"):
            rows = _rows(msgspec.json.decode(head(recorded, _MOST_BYTES)))
        return Sample(_json(rows), True, f"it is the model's own {_RECORDED}")
    if model.flavor == "huggingface" and (model.task is None or model.task in _TEXT_TASKS):
        return Sample(_json(["A sentence."]), False, "its text is made up")
    if not model.inputs:
        return Sample(None, False, f"the file does not say what the model takes ({model.format})")
    if any(not isinstance(one, ColumnInput) and not one.shape for one in model.inputs):
        return Sample(None, False, "the file does not say the shapes of all that the model takes")
    arrays = [one for one in model.inputs if isinstance(one, ArrayInput)]
    if sum(math.prod(length or 1 for length in one.shape) for one in arrays) > _MOST_NUMBERS:
        return Sample(None, False, f"a row has more than {_MOST_NUMBERS:,} numbers: send npy instead of JSON")
    return Sample(_json(_zeros(model)), False, "its values are zeros")


def _rows(example: Any) -> Any:
    """An example as MLflow's server takes it, as rows.

    Source: mlflow.org, "Inference Server Specification" (read 2026-11-23).
    """
    if isinstance(example, dict) and "dataframe_split" in example:
        split = example["dataframe_split"]
        return [dict(zip(split["columns"], row, strict=True)) for row in split["data"]]
    if isinstance(example, dict) and "dataframe_records" in example:
        return example["dataframe_records"]
    return example


def _zeros(model: SavedModel) -> Any:
    columns = [one for one in model.inputs if isinstance(one, ColumnInput)]
    if columns and model.flavor == "mlflow":
        return [{one.name: _zero(one.dtype) for one in columns}]
    if columns:
        return [[_zero(one.dtype) for one in columns]]
    arrays = {one.name: _filled(one.shape, _zero(one.dtype)) for one in model.inputs if isinstance(one, ArrayInput)}
    return next(iter(arrays.values())) if len(arrays) == 1 else arrays


def _filled(shape: tuple[int | None, ...], value: object) -> Any:
    for length in reversed(shape):
        value = [value] * (length or 1)
    return value


def _zero(dtype: str) -> object:
    if dtype == "str":
        return ""
    return False if dtype == "bool" else 0.0 if dtype.startswith("float") or not dtype else 0


def _json(value: object) -> bytes:
    return msgspec.json.encode(value) + b"\n"
