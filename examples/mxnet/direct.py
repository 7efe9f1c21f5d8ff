"""MXNet called without a server: `python direct.py INPUT OUTPUT.npy`, INPUT being .npy, .json or .csv."""

import json
import sys
from pathlib import Path

import mxnet as mx
import numpy as np

MODEL = Path(__file__).parent / "model"


def rows(path: Path) -> np.ndarray:
    if path.suffix == ".npy":
        return np.load(path)
    found = json.loads(path.read_text()) if path.suffix == ".json" else np.loadtxt(path, delimiter=",", ndmin=2)
    return np.asarray(found, dtype="float32")


def main() -> None:
    network = mx.gluon.SymbolBlock.imports(
        str(MODEL / "digits-symbol.json"), ["data"], str(MODEL / "digits-0012.params")
    )
    np.save(sys.argv[2], network(mx.nd.array(rows(Path(sys.argv[1])))).asnumpy())


if __name__ == "__main__":
    main()
