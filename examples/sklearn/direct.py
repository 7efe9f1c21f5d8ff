"""What scikit-learn itself says: `python direct.py rows.npy|rows.json|rows.csv predictions.npy`."""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import skops.io

HERE = Path(__file__).parent
TRUSTED = ["sklearn.tree._tree.Tree"]


def main() -> None:
    model = skops.io.load(HERE / "model/iris.skops", trusted=TRUSTED)
    warnings.filterwarnings("ignore", "X does not have valid feature names")
    np.save(sys.argv[2], model.predict_proba(read(Path(sys.argv[1]))))


def read(path: Path) -> np.ndarray:
    """Rows of four numbers."""
    if path.suffix == ".json":
        return np.array(json.loads(path.read_text())["instances"])
    return np.load(path) if path.suffix == ".npy" else np.loadtxt(path, delimiter=",", ndmin=2)


if __name__ == "__main__":
    main()
