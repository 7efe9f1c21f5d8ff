"""Trains the model and writes the samples: `python train.py` makes model/ and samples/ again.

The trees are the same each time; the file also has the time of its making and a random id.
"""

from pathlib import Path

import pandas
from catboost import CatBoostClassifier
from palmerpenguins import load_penguins

HERE = Path(__file__).parent
CATEGORIES = ["island", "sex"]
MEASURES = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
SAMPLES = [0, 3, 152, 276]


def main() -> None:
    penguins = load_penguins()
    table = penguins[["island", *MEASURES, "sex"]].copy()
    table[MEASURES] = table[MEASURES].astype(float)
    # A category has to be text: a penguin whose sex nobody knows has one of its own. A measure may be missing.
    table["sex"] = table["sex"].fillna("unknown")
    model = CatBoostClassifier(
        iterations=60,
        depth=4,
        learning_rate=0.3,
        cat_features=CATEGORIES,
        random_seed=0,
        thread_count=1,
        verbose=False,
        allow_writing_files=False,
    )
    learnt = table.index % 3 != 0  # not every other one: they come in pairs of male and female
    model.fit(table[learnt], penguins["species"][learnt])
    (HERE / "model").mkdir(exist_ok=True)
    model.save_model(HERE / "model/penguins.cbm")
    write_samples(table)
    print(f"{model.score(table[~learnt], penguins['species'][~learnt]):.1%} of the others right")


def write_samples(table: pandas.DataFrame) -> None:
    folder = HERE / "samples"
    folder.mkdir(exist_ok=True)
    few = table.iloc[SAMPLES]
    (folder / "rows.json").write_text(few.to_json(orient="records", indent=1) + "\n")
    few.to_csv(folder / "rows.csv", index=False, header=False)
    table.to_csv(folder / "job.csv", index=False, header=False)


if __name__ == "__main__":
    main()
