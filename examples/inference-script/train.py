"""Trains the model: `python train.py` makes model/model.joblib again."""

from pathlib import Path

import joblib
import numpy as np
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).parent


def main() -> None:
    features, cultivars = load_wine(return_X_y=True)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(features, cultivars)
    joblib.dump(model, HERE / "model/model.joblib", compress=9)
    correct = np.mean(model.predict(features) == cultivars)
    print(f"{len(features)} wines of {features.shape[1]} features, {correct:.1%} of them right")


if __name__ == "__main__":
    main()
