"""Makes the model beside it: `python make.py`, with tensorflow-cpu==2.21.0."""

from pathlib import Path

import tensorflow as tf

HERE = Path(__file__).parent


class Several(tf.Module):
    """A signature for each thing that the flavor has to tell apart."""

    def __init__(self) -> None:
        super().__init__()
        self.table = tf.Variable([0.5, 1.5, 2.5, 3.5])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def words(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        length = tf.strings.length(text, unit="UTF8_CHAR")
        upper = tf.strings.upper(text, encoding="utf-8")
        return {"length": length, "upper": upper, "price": tf.gather(self.table, length)}  # of four letters: none

    @tf.function(input_signature=[tf.TensorSpec([None, 2], name="x"), tf.TensorSpec([None, 2], name="a")])
    def less(self, x: tf.Tensor, a: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"difference": x - a}

    @tf.function(input_signature=[tf.TensorSpec([None, None], name="x"), tf.TensorSpec([], name="factor")])
    def scaled(self, x: tf.Tensor, factor: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": tf.cast(x * factor, tf.bfloat16)}

    @tf.function(input_signature=[tf.TensorSpec(None, name="x")])
    def anything(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": x + 1.0}


def main() -> None:
    model = Several()
    names = ("less", "scaled", "anything")
    signatures = {"serving_default": model.words, **{name: getattr(model, name) for name in names}}
    tf.saved_model.save(model, str(HERE / "several"), signatures=signatures)


if __name__ == "__main__":
    main()
