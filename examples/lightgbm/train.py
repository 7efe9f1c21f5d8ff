"""Trains the model and writes the samples: `python train.py` makes model/ and samples/ again.

The patients are scikit-learn's: `pip install scikit-learn==1.9.1` beside requirements.txt.
"""

import json
from pathlib import Path

import lightgbm
import numpy as np
from sklearn.datasets import load_diabetes

HERE = Path(__file__).parent
PARAMETERS = {
    "objective": "regression",
    "num_leaves": 8,
    "learning_rate": 0.05,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "seed": 0,
    "verbose": -1,
}


def main() -> None:
    patients = load_diabetes(scaled=False)
    rows, progression = patients.data, patients.target
    table = lightgbm.Dataset(rows, progression, feature_name=patients.feature_names)
    model = lightgbm.train(PARAMETERS, table, num_boost_round=60)
    (HERE / "model").mkdir(exist_ok=True)
    model.save_model(HERE / "model/diabetes.txt")
    write_samples(rows[::70])
    write_csv(HERE / "samples/job.csv", rows)
    off = np.abs(model.predict(rows) - progression).mean()
    print(f"{len(rows)} patients of {rows.shape[1]} features, {off:.1f} off on average")


def write_samples(rows: np.ndarray) -> None:
    """The same few rows in three forms."""
    (HERE / "samples").mkdir(exist_ok=True)
    np.save(HERE / "samples/rows.npy", rows)
    write_csv(HERE / "samples/rows.csv", rows)
    (HERE / "samples/rows.json").write_text(json.dumps({"instances": rows.tolist()}) + "\n")


def write_csv(path: Path, rows: np.ndarray) -> None:
    """Rows without a header, every number with all its digits."""
    path.write_text("".join(",".join(map(repr, row)) + "\n" for row in rows.tolist()))


if __name__ == "__main__":
    main()
