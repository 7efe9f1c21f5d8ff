"""Trains the model: `python train.py` makes model/ and samples/ again, with plain TensorFlow.

All but the random `uuid` in fingerprint.pb is the same each time.
"""

import json
import os
import shutil
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"  # errors only; read when TensorFlow is imported

import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

HERE = Path(__file__).parent
HIDDEN = 32
EPOCHS = 300
RATE = 0.01


class Digits(tf.Module):
    """Two dense layers: 64 pixels from 0 to 16 in, the probabilities of the ten digits out."""

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__()
        self.w1 = tf.Variable(rng.normal(0, 64**-0.5, (64, HIDDEN)).astype(np.float32))
        self.b1 = tf.Variable(tf.zeros(HIDDEN))
        self.w2 = tf.Variable(rng.normal(0, HIDDEN**-0.5, (HIDDEN, 10)).astype(np.float32))
        self.b2 = tf.Variable(tf.zeros(10))

    def logits(self, pixels: tf.Tensor) -> tf.Tensor:
        return tf.nn.relu(pixels / 16.0 @ self.w1 + self.b1) @ self.w2 + self.b2

    @tf.function(input_signature=[tf.TensorSpec([None, 64], tf.float32, name="pixels")])
    def serve(self, pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"probabilities": tf.nn.softmax(self.logits(pixels))}


def main() -> None:
    tf.config.experimental.enable_op_determinism()
    tf.keras.utils.set_random_seed(0)
    pixels, digits = load_digits(return_X_y=True)
    pixels = pixels.astype(np.float32)
    given, kept, given_digits, kept_digits = train_test_split(pixels, digits, test_size=0.25, random_state=0)
    model = Digits(np.random.default_rng(0))
    train(model, tf.constant(given), tf.constant(given_digits))
    folder = HERE / "model" / "1"
    shutil.rmtree(folder.parent, ignore_errors=True)
    tf.saved_model.save(model, str(folder), signatures={"serving_default": model.serve})
    write_samples(kept)
    correct = np.mean(model.serve(kept)["probabilities"].numpy().argmax(axis=1) == kept_digits)
    print(f"{len(given)} digits learned; of {len(kept)} others {correct:.1%} are read right")


def train(model: Digits, pixels: tf.Tensor, digits: tf.Tensor) -> None:
    """Descend with Adam on all rows at once: there is no order of rows that could differ."""
    weights = model.trainable_variables
    means = [tf.zeros_like(weight) for weight in weights]
    squares = [tf.zeros_like(weight) for weight in weights]
    for step in range(1, EPOCHS + 1):
        with tf.GradientTape() as tape:
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(digits, model.logits(pixels))
            loss = tf.reduce_mean(losses)
        for place, (weight, gradient) in enumerate(zip(weights, tape.gradient(loss, weights), strict=True)):
            means[place] = 0.9 * means[place] + 0.1 * gradient
            squares[place] = 0.999 * squares[place] + 0.001 * gradient**2
            scale = RATE / (1 - 0.9**step)
            weight.assign_sub(scale * means[place] / (tf.sqrt(squares[place] / (1 - 0.999**step)) + 1e-8))


def write_samples(rows: np.ndarray) -> None:
    folder = HERE / "samples"
    folder.mkdir(exist_ok=True)
    few = rows[:5]
    np.save(folder / "rows.npy", few)
    (folder / "rows.json").write_text(json.dumps(few.astype(int).tolist(), separators=(",", ":")) + "\n")
    for name, chosen in (("rows.csv", few), ("job.csv", rows[:120])):
        np.savetxt(folder / name, chosen, fmt="%d", delimiter=",")


if __name__ == "__main__":
    main()
