"""One predictor for each annotation of the matrix of media types; none of them looks at what it is given."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from argosy import Predictor


class Untyped(Predictor):
    def predict(self, inputs: Any) -> list[float]:
        return [1.5]


class TakesArray(Predictor):
    def predict(self, inputs: NDArray[np.float64]) -> list[float]:
        assert isinstance(inputs, np.ndarray)
        return [1.5]


class TakesArrays(Predictor):
    def predict(self, inputs: dict[str, NDArray[np.float64]]) -> list[float]:
        assert isinstance(inputs["features"], np.ndarray)
        return [1.5]


class TakesFrame(Predictor):
    def predict(self, inputs: pd.DataFrame) -> list[float]:
        assert isinstance(inputs, pd.DataFrame)
        return [1.5]


class TakesImage(Predictor):
    def predict(self, inputs: Image.Image) -> list[float]:
        assert isinstance(inputs, Image.Image)
        return [1.5]


class TakesText(Predictor):
    def predict(self, inputs: str) -> list[float]:
        assert isinstance(inputs, str)
        return [1.5]


class TakesBytes(Predictor):
    def predict(self, inputs: bytes) -> list[float]:
        assert isinstance(inputs, bytes)
        return [1.5]


@dataclass
class Person:
    name: str
    age: int


class TakesRecord(Predictor):
    def predict(self, inputs: Person) -> list[float]:
        assert isinstance(inputs, Person)
        return [1.5]
