"""Trains the model: `python train.py` makes model/digits.tflite and samples/ again. Needs requirements-train.txt."""

from pathlib import Path

import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

HERE = Path(__file__).parent
TRAINED_ON = 1500
SHOWN, JOB = 6, 200


def main() -> None:
    tf.keras.utils.set_random_seed(0)
    tf.config.experimental.enable_op_determinism()
    pixels, digits = load_digits(return_X_y=True)
    pixels = pixels.astype(np.float32)
    model = tf.keras.Sequential(
        [
            tf.keras.Input((64,), name="pixels"),
            tf.keras.layers.Rescaling(1 / 16),
            tf.keras.layers.Reshape((8, 8, 1)),
            tf.keras.layers.Conv2D(16, 3, activation="relu"),
            tf.keras.layers.Flatten(),
            tf.keras.layers.Dense(32, activation="relu"),
            tf.keras.layers.Dense(10, activation="softmax", name="probabilities"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(pixels[:TRAINED_ON], digits[:TRAINED_ON], epochs=60, verbose=0)
    rest, wanted = pixels[TRAINED_ON:], digits[TRAINED_ON:]
    correct = np.mean(model.predict(rest, verbose=0).argmax(axis=1) == wanted)
    (HERE / "model/digits.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())

    rows = rest[:SHOWN]
    np.save(HERE / "samples/rows.npy", rows)
    np.savetxt(HERE / "samples/rows.csv", rows, fmt="%d", delimiter=",")
    lines = [",".join(f"{cell:.0f}" for cell in row) for row in rows]
    (HERE / "samples/rows.json").write_text("[" + ",\n ".join(f"[{line}]" for line in lines) + "]\n")
    np.savetxt(HERE / "samples/job.csv", rest[:JOB], fmt="%d", delimiter=",")
    print(f"{TRAINED_ON} digits learnt, {correct:.1%} of {len(rest)} others right")


if __name__ == "__main__":
    main()
