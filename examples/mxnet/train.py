"""Trains the model and writes the samples: `python train.py` makes model/ and samples/ again."""

import json
from pathlib import Path

import mxnet as mx
import numpy as np
from mxnet import autograd, gluon
from mxnet.gluon import nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

HERE = Path(__file__).parent
EPOCHS = 12


class Digits(gluon.HybridBlock):
    """Rows of 64 grey values, from 0 to 16, to the scores of ten digits."""

    def __init__(self):
        super().__init__()
        self.layers = nn.HybridSequential()
        self.layers.add(
            nn.Conv2D(16, 3, padding=1, activation="relu"),
            nn.BatchNorm(),
            nn.MaxPool2D(2),
            nn.Conv2D(32, 3, padding=1, activation="relu"),
            nn.MaxPool2D(2),
            nn.Dense(10),
        )

    def hybrid_forward(self, F, pixels):  # noqa: N803 - MXNet's own name for its operators
        return self.layers(F.reshape(pixels / 16.0, (-1, 1, 8, 8)))


class Probabilities(gluon.HybridBlock):
    """What is exported: the scores as probabilities."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def hybrid_forward(self, F, pixels):  # noqa: N803 - MXNet's own name for its operators
        return F.softmax(self.network(pixels))


def main() -> None:
    mx.random.seed(1)
    np.random.seed(1)
    digits = load_digits()
    pixels = digits.data.astype("float32")
    training, test, training_labels, test_labels = train_test_split(
        pixels, digits.target, test_size=0.2, random_state=1, stratify=digits.target
    )
    network = trained(training, training_labels)
    model = Probabilities(network)
    model.hybridize()
    found = model(mx.nd.array(test)).asnumpy()
    (HERE / "model").mkdir(exist_ok=True)
    model.export(str(HERE / "model/digits"), epoch=EPOCHS)
    # SageMaker's own MXNet containers read such a file too: a symbol does not say which shape its input has.
    shapes = [{"name": "data", "shape": [1, 64]}]
    (HERE / "model/digits-shapes.json").write_text(json.dumps(shapes) + "\n")
    write_samples(test)
    print(f"{len(test)} digits it has not seen, {np.mean(found.argmax(axis=1) == test_labels):.1%} of them right")


def trained(pixels: np.ndarray, labels: np.ndarray) -> Digits:
    network = Digits()
    network.initialize(mx.init.Xavier())
    trainer = gluon.Trainer(network.collect_params(), "adam", {"learning_rate": 3e-3})
    loss = gluon.loss.SoftmaxCrossEntropyLoss()
    for _ in range(EPOCHS):
        order = np.random.permutation(len(pixels))
        for start in range(0, len(order), 64):
            batch = order[start : start + 64]
            with autograd.record():
                lost = loss(network(mx.nd.array(pixels[batch])), mx.nd.array(labels[batch]))
            lost.backward()
            trainer.step(len(batch))
    return network


def write_samples(pixels: np.ndarray) -> None:
    folder = HERE / "samples"
    folder.mkdir(exist_ok=True)
    few = pixels[:5]
    (folder / "rows.json").write_text(json.dumps(few.astype(int).tolist()) + "\n")
    np.save(folder / "rows.npy", few)
    np.savetxt(folder / "rows.csv", few, fmt="%d", delimiter=",")
    np.savetxt(folder / "job.csv", pixels, fmt="%d", delimiter=",")


if __name__ == "__main__":
    main()
