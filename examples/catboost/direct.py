"""CatBoost called directly: `python direct.py samples/rows.json answers.npy`; rows are read from .json or .csv."""

import sys
from pathlib import Path

import numpy as np
import pandas
from catboost import CatBoostClassifier


def main(source: Path, target: Path) -> None:
    model = CatBoostClassifier().load_model(Path(__file__).parent / "model/penguins.cbm")
    np.save(target, model.predict_proba(read(source, model.feature_names_), thread_count=1))


def read(path: Path, names: list[str]) -> pandas.DataFrame:
    if path.suffix == ".json":
        return pandas.read_json(path)[names]
    return pandas.read_csv(path, names=names)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
