"""The framework's own call for one row, in the environment of its example: `python own.py NAME FOLDER ROW.json`.

Each line on stdin is a number of seconds; the median of the calls in that time is printed, in milliseconds. Nothing of
Argosy is imported. A call takes an array in memory (a data frame, a list of texts) and gives one, on one thread, as
`direct.py` of the example does with its rows.
"""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Call = Callable[[], Any]
"""Frameworks have no types here."""

WARM_UP = 50


def floats(row: Any) -> Any:
    """A row of numbers as float32."""
    import numpy as np

    return np.array(row, np.float32)


def catboost(folder: Path, row: Any) -> Call:
    """CatBoost, from a frame."""
    import pandas
    from catboost import CatBoostClassifier

    model = CatBoostClassifier().load_model(next(folder.glob("*.cbm")))
    frame = pandas.DataFrame(row)[model.feature_names_]
    return lambda: model.predict_proba(frame, thread_count=1)


def huggingface(folder: Path, row: Any) -> Call:
    """sentence-transformers."""
    import torch
    from sentence_transformers import SentenceTransformer  # type: ignore[import-not-found]  # in the environment

    torch.set_num_threads(1)
    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    return lambda: model.encode(row)


def keras(folder: Path, row: Any) -> Call:
    """Keras on TensorFlow."""
    import keras

    model, images = keras.models.load_model(next(folder.glob("*.keras"))), floats(row)
    return lambda: model.predict_on_batch(images)


def lightgbm(folder: Path, row: Any) -> Call:
    """LightGBM."""
    import lightgbm
    import numpy as np

    model, rows = lightgbm.Booster(model_file=next(folder.glob("*.txt"))), np.array(row, float)
    return lambda: model.predict(rows, num_threads=1)


def litert(folder: Path, row: Any) -> Call:
    """LiteRT's interpreter."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter, rows = Interpreter(model_path=str(next(folder.glob("*.tflite"))), num_threads=1), floats(row)
    (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(taken["index"], rows.shape)
    interpreter.allocate_tensors()

    def call() -> Any:
        interpreter.set_tensor(taken["index"], rows)
        interpreter.invoke()
        return interpreter.get_tensor(given["index"])

    return call


def mlflow(folder: Path, row: Any) -> Call:
    """The python_function of MLflow, from a frame."""
    import mlflow.pyfunc
    import pandas

    model, split = mlflow.pyfunc.load_model(str(folder)), row["dataframe_split"]
    frame = pandas.DataFrame(split["data"], columns=split["columns"])
    return lambda: model.predict(frame)


def mxnet(folder: Path, row: Any) -> Call:
    """MXNet's SymbolBlock."""
    import mxnet as mx

    symbol, params = next(folder.glob("*-symbol.json")), next(folder.glob("*.params"))
    network, rows = mx.gluon.SymbolBlock.imports(str(symbol), ["data"], str(params)), floats(row)
    return lambda: network(mx.nd.array(rows)).asnumpy()


def onnx(folder: Path, row: Any) -> Call:
    """ONNX Runtime."""
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(next(folder.glob("*.onnx")), options, providers=["CPUExecutionProvider"])
    feeds = {session.get_inputs()[0].name: np.array(row, np.int32)}
    return lambda: session.run(None, feeds)


def sklearn(folder: Path, row: Any) -> Call:
    """scikit-learn."""
    import numpy as np
    import skops.io

    model, rows = skops.io.load(next(folder.glob("*.skops")), trusted=["sklearn.tree._tree.Tree"]), np.array(row, float)
    return lambda: model.predict_proba(rows)


def tensorflow(folder: Path, row: Any) -> Call:
    """TensorFlow's SavedModel."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    model, rows = tf.saved_model.load(str(folder / "1")), floats(row)
    answer = model.signatures["serving_default"]
    return lambda: answer(pixels=tf.constant(rows))["probabilities"].numpy()


def torch(folder: Path, row: Any) -> Call:
    """PyTorch's exported program."""
    import torch as pytorch

    pytorch.set_num_threads(1)
    model, rows = pytorch.export.load(next(folder.glob("*.pt2"))).module(), floats(row)

    def call() -> Any:
        with pytorch.inference_mode():
            return model(pytorch.from_numpy(rows)).numpy()

    return call


def xgboost(folder: Path, row: Any) -> Call:
    """XGBoost."""
    import numpy as np
    import xgboost

    booster = xgboost.Booster({"nthread": 1}, model_file=next(folder.glob("*.ubj")))
    rows, best = np.array(row), (0, booster.best_iteration + 1)

    def call() -> Any:
        given = xgboost.DMatrix(rows, feature_names=booster.feature_names, nthread=1)
        return booster.predict(given, iteration_range=best)

    return call


def main() -> None:
    """Load, warm up, and measure as often as stdin asks."""
    os.environ.update({"HF_HUB_OFFLINE": "1", "TF_CPP_MIN_LOG_LEVEL": "2"})
    name, folder, row = sys.argv[1], Path(sys.argv[2]), json.loads(Path(sys.argv[3]).read_text())
    rows = row["instances"] if isinstance(row, dict) and "instances" in row else row
    call = globals()[name](folder, rows)
    for _ in range(WARM_UP):
        call()
    print("ready", flush=True)
    for line in sys.stdin:
        times = []
        end = time.perf_counter() + float(line)
        while (start := time.perf_counter()) < end:
            call()
            times.append(time.perf_counter() - start)
        print(statistics.median(times) * 1000, flush=True)


if __name__ == "__main__":
    sys.path.pop(0)  # the folder of this file, whose names are those of frameworks
    main()
