"""What LightGBM itself says: `python direct.py rows.npy|rows.json|rows.csv predictions.npy`."""

import json
import sys
from pathlib import Path

import lightgbm
import numpy as np

HERE = Path(__file__).parent


def main() -> None:
    model = lightgbm.Booster(model_file=HERE / "model/diabetes.txt")
    np.save(sys.argv[2], model.predict(read(Path(sys.argv[1]))))


def read(path: Path) -> np.ndarray:
    """Rows of ten numbers."""
    if path.suffix == ".json":
        return np.array(json.loads(path.read_text())["instances"])
    return np.load(path) if path.suffix == ".npy" else np.loadtxt(path, delimiter=",", ndmin=2)


if __name__ == "__main__":
    main()
