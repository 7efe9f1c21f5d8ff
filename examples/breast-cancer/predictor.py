from pathlib import Path

import joblib
import numpy as np

from argosy import Predictor


class BreastCancer(Predictor):
    def load(self, model_dir: Path) -> None:
        self.model = joblib.load(model_dir / "model.joblib")

    def predict(self, features: np.ndarray) -> np.ndarray:
        return self.model.predict_proba(features)
