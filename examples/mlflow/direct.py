"""MLflow called without a server: `python direct.py INPUT OUTPUT.npy`, INPUT being .npy, .json or .csv."""

import json
import sys
from pathlib import Path

import mlflow.pyfunc
import numpy as np
import pandas as pd

MODEL = Path(__file__).parent / "model"


def table(path: Path, names: list[str]) -> pd.DataFrame:
    if path.suffix == ".npy":
        return pd.DataFrame(np.load(path), columns=names)
    if path.suffix == ".json":
        return pd.DataFrame(**json.loads(path.read_text())["dataframe_split"]).astype("float64")
    return pd.read_csv(path, names=names, dtype="float64")


def main() -> None:
    model = mlflow.pyfunc.load_model(str(MODEL))
    names = model.metadata.get_input_schema().input_names()
    np.save(sys.argv[2], model.predict(table(Path(sys.argv[1]), names)))


if __name__ == "__main__":
    main()
