"""Makes the models and bodies that all servers use: `python make.py FOLDER`, in the environment beside it."""

import json
import sys
from pathlib import Path

import joblib
import numpy as np
from numpy.typing import NDArray
from skl2onnx import to_onnx  # type: ignore[import-not-found]  # only in the environment of the models
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

FEATURES = 32
ECHO_SIZES = {"echo_100": 100, "echo_100k": 100_000, "echo_5m": 5_000_000}


def main() -> None:
    """Write everything, and what each body must be answered with into `expected.json`."""
    folder = Path(sys.argv[1])
    (folder / "bodies").mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    flowers, kinds = load_iris(return_X_y=True)
    logistic = LogisticRegression(max_iter=1000).fit(flowers, kinds)
    forest = RandomForestClassifier(100, random_state=0, n_jobs=1).fit(flowers, kinds)
    joblib.dump(logistic, folder / "logistic.joblib")
    joblib.dump(forest, folder / "forest.joblib")
    points = random.normal(size=(2000, FEATURES)).astype(np.float32)
    network = MLPClassifier((64, 64), max_iter=60, random_state=0)
    network.fit(points, (points[:, 0] * points[:, 1] + points[:, 2] > 0).astype(int))
    onnx = to_onnx(network, points[:1], options={id(network): {"zipmap": False}}, target_opset=17)
    (folder / "mlp.onnx").write_bytes(onnx.SerializeToString())

    many = flowers[random.integers(0, len(flowers), 1000)]
    row = np.round(points[:1].astype(np.float64), 6)
    for name, rows in {"iris_1": flowers[:1], "iris_1000": many, "mlp_1": row, "slow_1": np.array([[7.0]])}.items():
        write_rows(folder / "bodies", name, rows)
    write_rows(folder / "bodies", "stream", np.array([[50.0]]))
    for name, size in ECHO_SIZES.items():
        (folder / f"bodies/{name}.bytes").write_bytes(b"x" * size)
        (folder / f"bodies/{name}.x").write_text(json.dumps({"x": "x" * size}))
    expected = {
        "logistic iris_1": logistic.predict(flowers[:1]).tolist(),
        "logistic iris_1000": logistic.predict(many).tolist(),
        "forest iris_1": forest.predict(flowers[:1]).tolist(),
        "mlp mlp_1": network.predict(row.astype(np.float32)).tolist(),
    }
    (folder / "expected.json").write_text(json.dumps(expected))


def write_rows(folder: Path, name: str, rows: NDArray[np.float64]) -> None:
    """The same rows in each form that some server takes; the suffix names the form."""
    values = rows.tolist()
    (folder / f"{name}.csv").write_text("".join(",".join(map(str, row)) + "\n" for row in values))
    (folder / f"{name}.instances").write_text(json.dumps({"instances": values}))
    (folder / f"{name}.rows").write_text(json.dumps(values))
    flat = {"name": "x", "shape": list(rows.shape), "datatype": "FP64", "data": rows.ravel().tolist()}
    (folder / f"{name}.v2").write_text(json.dumps({"inputs": [flat]}))


if __name__ == "__main__":
    main()
