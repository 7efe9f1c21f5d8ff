"""Makes the models beside it: `python make.py`, with tensorflow-cpu==2.21.0."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import flatbuffers
import numpy as np
import tensorflow as tf
from tensorflow.lite.python import schema_py_generated as schema

HERE = Path(__file__).parent
CUSTOM = 32
ROWS = tf.TensorSpec([None, 4], tf.float32)


class Several(tf.Module):
    """Two signatures: one of several arrays, one of a fixed number of rows."""

    @tf.function(input_signature=[tf.TensorSpec([None, 4], name="left"), tf.TensorSpec([None, 4], name="right")])
    def both(self, left: tf.Tensor, right: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"sum": left + right, "dot": tf.reduce_sum(left * right, axis=1)}

    @tf.function(input_signature=[tf.TensorSpec([1, 4], name="x")])
    def one_row(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": x * 2}


@tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="words")])
def words(words: tf.Tensor) -> tf.Tensor:
    return words


@tf.function(input_signature=[tf.TensorSpec([None], tf.int32, name="at")])
def lookup(at: tf.Tensor) -> tf.Tensor:
    return tf.gather(tf.range(10, dtype=tf.float32), at)


@tf.function(input_signature=[ROWS])
def determinant(x: tf.Tensor) -> tf.Tensor:
    return tf.linalg.det(tf.reshape(x, [-1, 2, 2]))


def converted(function: Callable[..., object], *, has_flex: bool = False) -> bytes:
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()])
    if has_flex:
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    return bytes(converter.convert())


def quantised() -> bytes:
    tf.keras.utils.set_random_seed(0)
    model = tf.keras.Sequential([tf.keras.Input((4,), name="x"), tf.keras.layers.Dense(3, activation="softmax")])
    rows = np.random.default_rng(0).uniform(size=(100, 1, 4)).astype(np.float32)
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([row] for row in rows)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return bytes(converter.convert())


def with_operator(model: bytes, change: Callable[[schema.OperatorCodeT], None]) -> bytes:
    """The model with another first operator."""
    found = schema.ModelT.InitFromPackedBuf(model, 0)
    change(found.operatorCodes[0])
    builder = flatbuffers.Builder(1024)
    builder.Finish(found.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def late(code: schema.OperatorCodeT) -> None:
    code.version = 99


def custom(code: schema.OperatorCodeT) -> None:
    code.builtinCode = code.deprecatedBuiltinCode = CUSTOM
    code.customCode = b"Fancy"


def main() -> None:
    several = Several()
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(several, folder, signatures={"both": several.both, "one_row": several.one_row})
        signatures = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["both", "one_row"]).convert()
    found = converted(lookup)
    models = {
        "signatures": signatures,
        "quantised": quantised(),
        "words": converted(words),
        "lookup": found,
        "flex": converted(determinant, has_flex=True),
        "late_operator": with_operator(found, late),
        "own_operator": with_operator(found, custom),
    }
    for name, model in models.items():
        (HERE / f"{name}.tflite").write_bytes(model)


if __name__ == "__main__":
    main()
