"""Trains the model: `python train.py` makes model/ and samples/ again, the same but for the date in the file."""

import json
import os
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"  # errors only; read when TensorFlow is imported

import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

HERE = Path(__file__).parent
EPOCHS = 25


def main() -> None:
    keras.utils.set_random_seed(0)
    tf.config.experimental.enable_op_determinism()
    pixels, digits = load_digits(return_X_y=True)
    images = pixels.astype(np.float32).reshape(-1, 8, 8, 1)
    given, kept, given_digits, kept_digits = train_test_split(images, digits, test_size=0.25, random_state=0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1), name="image"),
            keras.layers.Rescaling(1 / 16),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(10, activation="softmax", name="digit"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(given, given_digits, batch_size=32, epochs=EPOCHS, verbose=0)
    (HERE / "model").mkdir(exist_ok=True)
    model.save(HERE / "model/digits.keras")
    write_samples(kept.reshape(len(kept), -1))
    correct = np.mean(model.predict_on_batch(kept).argmax(axis=1) == kept_digits)
    print(f"{len(given)} digits learned; of {len(kept)} others {correct:.1%} are read right")


def write_samples(rows: np.ndarray) -> None:
    folder = HERE / "samples"
    folder.mkdir(exist_ok=True)
    few = rows[:5]
    images = few.reshape(-1, 8, 8, 1)
    np.save(folder / "rows.npy", images)
    (folder / "rows.json").write_text(json.dumps(images.astype(int).tolist(), separators=(",", ":")) + "\n")
    for name, chosen in (("rows.csv", few), ("job.csv", rows[:120])):
        np.savetxt(folder / name, chosen, fmt="%d", delimiter=",")


if __name__ == "__main__":
    main()
