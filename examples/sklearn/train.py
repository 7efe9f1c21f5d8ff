"""Trains the model and writes the samples: `python train.py` makes model/ and samples/ again."""

import json
from pathlib import Path
from zipfile import ZIP_DEFLATED

import numpy as np
import skops.io
from sklearn.datasets import load_iris
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).parent


def main() -> None:
    flowers, species = load_iris(return_X_y=True, as_frame=True)
    names = load_iris().target_names[species]
    # Trees and no product of matrices: what is said of a flower is then the same, bit for bit, whatever else is in the
    # same call. The names of the columns are the frame's.
    model = make_pipeline(StandardScaler(), GradientBoostingClassifier(n_estimators=20, max_depth=2, random_state=0))
    model.fit(flowers, names)
    (HERE / "model").mkdir(exist_ok=True)
    skops.io.dump(model, HERE / "model/iris.skops", compression=ZIP_DEFLATED, compresslevel=9)
    rows = np.ascontiguousarray(flowers)
    write_samples(rows[::25])
    write_csv(HERE / "samples/job.csv", rows)
    correct = np.mean(model.predict(flowers) == names)
    print(f"{len(rows)} flowers of {rows.shape[1]} features, {correct:.1%} of them right")


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
