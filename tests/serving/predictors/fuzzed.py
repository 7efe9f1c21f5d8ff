"""A predictor that never fails and never answers with what it was given: every 5xx is then the server's own."""

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from argosy import Predictor


class Fuzzed(Predictor):
    """Takes whatever the media type decodes to."""

    def predict(self, inputs: Any) -> list[float]:
        return [1.5]


class FuzzedArray(Predictor):
    """Takes an array, row by row."""

    def predict(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.ones(len(inputs))


class Fatal(Predictor):
    """Dies of one word."""

    def predict(self, inputs: Any) -> list[float]:
        if "die" in str(inputs):
            os._exit(1)
        return [1.5]
