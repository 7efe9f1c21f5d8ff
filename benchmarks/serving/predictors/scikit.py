"""scikit-learn's models, imported with the module, so that it is done once for all model processes."""

from pathlib import Path

import joblib
import numpy as np
import sklearn.ensemble
import sklearn.linear_model

from argosy import Predictor


class Logistic(Predictor):
    """A logistic regression on iris: 4 features."""

    file = "logistic.joblib"

    def load(self, model_dir: Path) -> None:
        """Unpickle the model."""
        self.model: sklearn.linear_model.LogisticRegression = joblib.load(model_dir / self.file)

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """One class for each row."""
        predicted: np.ndarray = self.model.predict(rows)
        return predicted


class Forest(Logistic):
    """A random forest of 100 trees on iris."""

    file = "forest.joblib"
    model: sklearn.ensemble.RandomForestClassifier
