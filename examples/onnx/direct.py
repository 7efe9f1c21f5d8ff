"""The prediction without Argosy: `python direct.py INPUT.npy|INPUT.json|INPUT.csv OUTPUT.npy`."""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime

MODEL = Path(__file__).parent / "model/model.onnx"


def main(source: Path, target: Path) -> None:
    if source.suffix == ".npy":
        rows = np.load(source)
    elif source.suffix == ".json":
        rows = np.array(json.loads(source.read_text()), dtype=np.int32)
    else:
        rows = np.loadtxt(source, dtype=np.int32, delimiter=",", ndmin=2)
    session = onnxruntime.InferenceSession(MODEL, providers=["CPUExecutionProvider"])
    np.save(target, session.run(None, {"bytes": rows})[0])


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
