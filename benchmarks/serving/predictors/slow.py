"""A model that gains from batches: most of a call is reading its weights from memory."""

from pathlib import Path

import numpy as np

from argosy import Predictor

SIZE = 7168


class Slow(Predictor):
    """The `slow` model of `work.py`."""

    def load(self, model_dir: Path) -> None:
        """205 MB of weights."""
        self.weights = np.random.default_rng(0).standard_normal((SIZE, SIZE), dtype=np.float32) / np.float32(70)

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """One value for each row."""
        count = len(rows)
        wide = np.ones((max(2, count), SIZE), np.float32)
        wide[:count] *= rows[:, :1]
        predicted: np.ndarray = (wide @ self.weights)[:count, 0]
        return predicted


class Big(Predictor):
    """2 GB of weights, loaded once before the model processes are forked."""

    load_before_fork = True

    def load(self, model_dir: Path) -> None:
        """Touch every page."""
        self.weights = np.ones(2 * 2**27, np.float64)

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """Read some of it from end to end."""
        answer: np.ndarray = rows[:, :1] + self.weights[::4096].sum()
        return answer
