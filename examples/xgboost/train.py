"""Trains the model and writes the samples: `python train.py` makes model/ and samples/ again, byte for byte."""

import json
from pathlib import Path

import numpy as np
import xgboost
from sklearn.datasets import load_wine

HERE = Path(__file__).parent
SAMPLES = [0, 59, 130, 177]
PARAMETERS = {"objective": "multi:softprob", "num_class": 3, "max_depth": 3, "eta": 0.3, "seed": 0, "nthread": 1}


def main() -> None:
    wine = load_wine(as_frame=True)  # the names of its columns are in the model then
    learnt, held_out = (xgboost.DMatrix(wine.data[start::2], wine.target[start::2], nthread=1) for start in (0, 1))
    # Stops when the other half no longer gains: the file then has more rounds than the best one, and says which it is.
    booster = xgboost.train(
        PARAMETERS, learnt, 100, evals=[(held_out, "held_out")], early_stopping_rounds=5, verbose_eval=False
    )
    (HERE / "model").mkdir(exist_ok=True)
    booster.save_model(HERE / "model/wine.ubj")
    write_samples(wine.data.to_numpy())
    answers = booster.predict(held_out, iteration_range=(0, booster.best_iteration + 1))
    correct = np.mean(answers.argmax(axis=1) == wine.target[1::2])
    print(f"best of {booster.num_boosted_rounds()} rounds: {booster.best_iteration}; {correct:.1%} of the others right")


def write_samples(analyses: np.ndarray) -> None:
    folder = HERE / "samples"
    folder.mkdir(exist_ok=True)
    few = analyses[SAMPLES]
    np.save(folder / "rows.npy", few)
    (folder / "rows.json").write_text(json.dumps(few.tolist()) + "\n")
    (folder / "rows.csv").write_text(csv(few))
    (folder / "job.csv").write_text(csv(analyses))


def csv(rows: np.ndarray) -> str:
    return "".join(",".join(map(repr, row)) + "\n" for row in rows.tolist())


if __name__ == "__main__":
    main()
