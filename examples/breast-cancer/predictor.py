from pathlib import Path

import joblib
import numpy as np
from sklearn.pipeline import Pipeline

from argosy import DecodeError, Predictor


class BreastCancer(Predictor):
    def load(self, model_dir: Path) -> None:
        self.model: Pipeline = joblib.load(model_dir / "model.joblib")

    def predict(self, features: np.ndarray) -> np.ndarray:
        wanted = self.model.n_features_in_
        if features.ndim != 2 or features.shape[1] != wanted:
            raise DecodeError("wrong number of features", got=features.shape[1], want=wanted)
        return self.model.predict_proba(features)
