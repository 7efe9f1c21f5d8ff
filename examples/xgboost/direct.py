"""XGBoost called directly: `python direct.py samples/rows.npy answers.npy`; rows are read from .npy, .json or .csv."""

import json
import sys
from pathlib import Path

import numpy as np
import xgboost


def main(source: Path, target: Path) -> None:
    booster = xgboost.Booster({"nthread": 1}, model_file=Path(__file__).parent / "model/wine.ubj")
    rows = xgboost.DMatrix(read(source), feature_names=booster.feature_names, nthread=1)
    np.save(target, booster.predict(rows, iteration_range=(0, booster.best_iteration + 1)))


def read(path: Path) -> np.ndarray:
    if path.suffix == ".npy":
        return np.load(path)
    if path.suffix == ".json":
        return np.array(json.loads(path.read_text()))
    return np.loadtxt(path, delimiter=",", ndmin=2)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
