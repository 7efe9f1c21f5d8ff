"""Trains the model and writes the samples: `python train.py` makes model/ and samples/ again."""

import json
import shutil
from pathlib import Path

import mlflow.sklearn
import numpy as np
from mlflow.models import infer_signature
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).parent
REQUIREMENTS = ["mlflow==3.17.2", "pandas==3.1.1", "scikit-learn==1.9.1", "skops==0.16.0"]


def main() -> None:
    wines = load_wine(as_frame=True)
    training, test, training_kinds, test_kinds = train_test_split(
        wines.data, wines.target, test_size=0.6, random_state=1, stratify=wines.target
    )
    # skops trusts all types of this pipeline. A tree's it does not, and to name them is your word as for a pickle.
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    model.fit(training, training_kinds)
    folder = HERE / "model"
    shutil.rmtree(folder, ignore_errors=True)
    mlflow.sklearn.save_model(
        model,
        folder,
        signature=infer_signature(test, model.predict_proba(test)),
        input_example=test.head(2),
        pip_requirements=REQUIREMENTS,
        pyfunc_predict_fn="predict_proba",
    )
    samples = HERE / "samples"
    samples.mkdir(exist_ok=True)
    few = test.head(5)
    rows = {"dataframe_split": few.to_dict(orient="split", index=False)}
    (samples / "rows.json").write_text(json.dumps(rows) + "\n")
    np.save(samples / "rows.npy", few.to_numpy())
    few.to_csv(samples / "rows.csv", index=False, header=False)
    test.to_csv(samples / "job.csv", index=False, header=False)
    right = np.mean(model.predict(test) == test_kinds)
    print(f"{len(test)} wines it has not seen, {right:.1%} of them right")


if __name__ == "__main__":
    main()
