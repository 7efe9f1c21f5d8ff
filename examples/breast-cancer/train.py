"""Trains the model and writes the data: `python train.py` makes model/ and data/ again."""

from pathlib import Path

import joblib
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).parent
# As a seller's data lies about: several objects, one of them below a prefix, of unequal length.
OBJECTS = {"cases-a.csv": slice(0, 200), "cases-b.csv": slice(200, 201), "later/cases-c.csv": slice(201, 569)}


def main() -> None:
    features, benign = load_breast_cancer(return_X_y=True)
    # Trees and no product of matrices: what is said of a case is then the same, bit for bit, whatever else is in its
    # mini-batch and wherever the numbers lie in memory.
    model = make_pipeline(StandardScaler(), GradientBoostingClassifier(n_estimators=30, max_depth=2, random_state=0))
    model.fit(features, benign)
    (HERE / "model").mkdir(exist_ok=True)
    joblib.dump(model, HERE / "model/model.joblib", compress=9)
    for name, rows in OBJECTS.items():
        path = HERE / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(",".join(map(repr, row)) + "\n" for row in features[rows].tolist()))
    correct = np.mean(model.predict(features) == benign)
    print(f"{len(features)} cases of {features.shape[1]} features, {correct:.1%} of them right")


if __name__ == "__main__":
    main()
