"""Makes the models beside it: `python make.py`, with keras==3.15.1 and tensorflow-cpu==2.21.0."""

import types
from pathlib import Path

import keras

HERE = Path(__file__).parent
CODE = (lambda x: x).__code__.replace(co_filename="make.py")  # without the path of the machine


class Doubled(keras.layers.Layer):
    """A layer that only its author has."""

    def call(self, x):
        return x * 2


def two() -> keras.Model:
    """Two inputs by name, one of them indices, and two outputs by name."""
    amounts = keras.Input((3,), name="amounts")
    kind = keras.Input((1,), dtype="int32", name="kind")
    embedded = keras.layers.Flatten()(keras.layers.Embedding(4, 2)(kind))
    joined = keras.layers.Concatenate()([amounts, embedded])
    outputs = {"risk": keras.layers.Dense(1, activation="sigmoid")(joined), "sizes": keras.layers.ReLU()(amounts)}
    return keras.Model({"kind": kind, "amounts": amounts}, outputs)


def main() -> None:
    keras.utils.set_random_seed(0)
    rows = keras.Input((2,), name="rows")
    two().save(HERE / "two.keras")
    keras.Sequential([rows, keras.layers.Dense(2, name="sums")]).save(HERE / "old.h5")
    keras.Sequential([rows, keras.layers.Lambda(types.FunctionType(CODE, {}), name="code")]).save(HERE / "code.keras")
    keras.Sequential([rows, Doubled()]).save(HERE / "own_layer.keras")
    keras.Sequential([keras.layers.Dense(2)]).save(HERE / "unbuilt.keras")


if __name__ == "__main__":
    main()
