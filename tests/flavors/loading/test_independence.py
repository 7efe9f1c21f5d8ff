from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from argosy.flavors.loading.independence import may_join
from argosy.serving.inputs.signature import TensorSpec

ROWS = (TensorSpec("x", "float32", (None, 3)),)
TOKENS = (TensorSpec("ids", "int64", (None, None)), TensorSpec("mask", "bool", (None, None)))
TEXTS = (TensorSpec("text", "str", (None,)),)

Predict = Callable[[Any], object]


def through(x: np.ndarray) -> np.ndarray:
    return np.cumsum(x, axis=0)


def pooled(given: Mapping[str, np.ndarray]) -> np.ndarray:
    return np.asarray((given["ids"] * given["mask"]).sum(1))


def refused(x: np.ndarray) -> np.ndarray:
    raise ValueError("these are no pixels")


@pytest.mark.parametrize(
    ("inputs", "predict"),
    [
        (ROWS, lambda x: x @ np.ones((3, 2), np.float32)),
        (ROWS, lambda x: {"score": x.sum(1), "label": x.argmax(1)}),
        (ROWS, lambda x: x.mean(1).astype(str)),
        (ROWS, lambda x: x * np.float32(np.nan)),
        (ROWS, lambda x: x[:, :0]),
        (TOKENS, pooled),
        (TEXTS, lambda given: np.array([len(text) for text in given["text"]])),
        (ROWS, refused),
    ],
)
def test_rows_that_are_what_they_are_alone_may_be_joined(inputs: tuple[TensorSpec, ...], predict: Predict) -> None:
    assert may_join(None, True, predict, inputs)
    assert may_join(None, None, predict, inputs)


@pytest.mark.parametrize(
    "predict",
    [
        lambda x: x - x.mean(0),
        lambda x: (x - x.mean(0)) / (x.std(0) + 1e-5),
        lambda x: 1e-6 * x / x.sum(),
        lambda x: x[::-1],
        lambda x: {"x": x, "largest": np.full(len(x), x.max())},
        lambda x: x.sum(0, keepdims=True),
        through,
    ],
)
def test_rows_that_depend_on_each_other_are_not_joined(predict: Predict) -> None:
    assert not may_join(None, True, predict, ROWS)


def test_rounding_is_no_dependence() -> None:
    assert may_join(None, True, lambda x: x * np.float32(1 + 1e-6 * len(x)), ROWS)
    assert may_join(None, True, lambda x: np.round(x * 100 + 0.01 * len(x)).astype(np.uint8), ROWS)


def test_the_owner_has_the_last_word_and_is_asked_first() -> None:
    def unasked(x: object) -> object:
        raise AssertionError

    assert may_join(True, False, unasked, ROWS)
    assert not may_join(False, True, unasked, ROWS)
    assert not may_join(None, False, unasked, ROWS)
