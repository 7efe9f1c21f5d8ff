from pathlib import Path

import joblib
import numpy as np
import sklearn.ensemble  # here, so that it is imported once and not by each model process

from argosy import DecodeError, Predictor


class BreastCancer(Predictor):
    def load(self, model_dir: Path) -> None:
        self.model: sklearn.pipeline.Pipeline = joblib.load(model_dir / "model.joblib")

    def predict(self, features: np.ndarray) -> np.ndarray:
        if features.shape[1:] != (30,):
            raise DecodeError("a case has 30 features", got=f"shape {features.shape}")
        return self.model.predict_proba(features)
