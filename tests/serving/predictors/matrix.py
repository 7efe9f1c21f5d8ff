"""One predictor for each annotation of the matrix of media types; none of them looks at what it is given."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image
from scipy.sparse import csr_matrix

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


class TakesSparse(Predictor):
    def predict(self, inputs: csr_matrix) -> list[float]:
        assert isinstance(inputs, csr_matrix)
        return [1.5]


class TakesTable(Predictor):
    def predict(self, inputs: pa.Table) -> list[float]:
        assert isinstance(inputs, pa.Table)
        return [1.5]


class TakesLists(Predictor):
    def predict(self, inputs: list[list[float]]) -> list[float]:
        assert isinstance(inputs[0][0], float)
        return [1.5]


class TakesDict(Predictor):
    def predict(self, inputs: dict[str, Any]) -> list[float]:
        assert isinstance(inputs, dict)
        return [1.5]


@dataclass
class Row:
    a: float
    b: float
    c: float


class TakesRecord(Predictor):
    def predict(self, inputs: Row) -> list[float]:
        assert isinstance(inputs, Row)
        return [1.5]


class TakesRecords(Predictor):
    def predict(self, inputs: list[Row]) -> list[float]:
        assert isinstance(inputs[0], Row)
        return [1.5]
