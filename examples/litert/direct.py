"""The prediction without Argosy: `python direct.py INPUT.npy|INPUT.json|INPUT.csv OUTPUT.npy`."""

import json
import sys
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

MODEL = Path(__file__).parent / "model/digits.tflite"


def main(source: Path, target: Path) -> None:
    if source.suffix == ".npy":
        rows = np.load(source)
    elif source.suffix == ".json":
        rows = np.array(json.loads(source.read_text()), dtype=np.float32)
    else:
        rows = np.loadtxt(source, dtype=np.float32, delimiter=",", ndmin=2)
    interpreter = Interpreter(model_path=str(MODEL))
    (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(taken["index"], rows.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(taken["index"], rows)
    interpreter.invoke()
    np.save(target, interpreter.get_tensor(given["index"]))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
