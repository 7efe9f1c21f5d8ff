"""TensorFlow called directly: `python direct.py INPUT.npy|json|csv OUTPUT.npy`; what is served has to say the same."""

import json
import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"  # errors only; read when TensorFlow is imported

import numpy as np
import tensorflow as tf


def main(source: Path, target: Path) -> None:
    model = tf.saved_model.load(str(Path(__file__).parent / "model/1"))
    answer = model.signatures["serving_default"](pixels=tf.constant(rows(source)))
    np.save(target, answer["probabilities"].numpy())


def rows(source: Path) -> np.ndarray:
    if source.suffix == ".npy":
        return np.load(source, allow_pickle=False)
    if source.suffix == ".json":
        return np.array(json.loads(source.read_text()), np.float32)
    return np.loadtxt(source, np.float32, delimiter=",", ndmin=2)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
