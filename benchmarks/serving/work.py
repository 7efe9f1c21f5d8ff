"""The one job that every peer does, as a sensible user would write it; `WORK` picks it. Ours is in `predictors/`.

Imported by the peers' servers from their own environments, so it needs numpy and nothing else until a model is loaded.
"""

import asyncio
import io
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

WORK = os.environ.get("WORK", "echo")
"""echo, logistic, forest, mlp, slow, stream or stream_5ms."""
PARTS = 50
"""Of a streamed answer."""
PAUSE_S = 0.005 if WORK == "stream_5ms" else 0.0

type_of_model = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def load() -> type_of_model:
    """The model of `WORK`: rows in, one value for each row out."""
    folder = Path(os.environ["MODELS"])
    if WORK in ("logistic", "forest"):
        import joblib

        predict: type_of_model = joblib.load(folder / f"{WORK}.joblib").predict
        return predict
    if WORK == "mlp":
        return _mlp(folder / "mlp.onnx")
    if WORK == "slow":
        weights = slow_weights()
        return lambda rows: slow_predict(weights, rows)
    return lambda rows: rows


def parse(body: bytes, content_type: str) -> NDArray[np.float64]:
    """A body to rows: `numpy.loadtxt` for CSV, the standard library for JSON."""
    if "csv" in content_type:
        return np.loadtxt(io.StringIO(body.decode()), delimiter=",", ndmin=2)
    return np.asarray(json.loads(body)["instances"])


def dump(predictions: NDArray[np.float64]) -> bytes:
    """Predictions to JSON."""
    return json.dumps(predictions.tolist()).encode()


def answer(model: type_of_model, body: bytes, content_type: str) -> bytes:
    """One body to one answer."""
    return body if WORK == "echo" else dump(model(parse(body, content_type)))


def answers(model: type_of_model, bodies: list[bytes], content_type: str) -> list[bytes]:
    """Many bodies to as many answers by one call of the model."""
    if WORK == "echo":
        return bodies
    if len(bodies) == 1:
        return [answer(model, bodies[0], content_type)]
    parsed = [parse(body, content_type) for body in bodies]
    predictions = model(np.concatenate(parsed))
    ends = np.cumsum([len(rows) for rows in parsed]).tolist()
    return [dump(predictions[start:end]) for start, end in zip([0, *ends], ends, strict=False)]


def parts(count: int = PARTS) -> Iterator[str]:
    """The parts of a streamed answer, 20 bytes each."""
    for number in range(count):
        if PAUSE_S:
            time.sleep(PAUSE_S)
        yield f'{{"token":"tok{number:04d}"}}\n'


async def parts_async(count: int = PARTS) -> AsyncIterator[str]:
    """The same for servers that run generators on an event loop."""
    for number in range(count):
        if PAUSE_S:
            await asyncio.sleep(PAUSE_S)
        yield f'{{"token":"tok{number:04d}"}}\n'


SLOW_SIZE = 7168


def slow_weights() -> NDArray[np.float32]:
    """205 MB that each call has to read, whatever the number of rows: some 20 ms alone, twice as long for 32 rows."""
    return np.random.default_rng(0).standard_normal((SLOW_SIZE, SLOW_SIZE), dtype=np.float32) / np.float32(70)


def slow_predict(weights: NDArray[np.float32], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """One value for each row; at least two rows, since a single one is another routine of the library."""
    count = len(rows)
    wide = np.ones((max(2, count), SLOW_SIZE), np.float32)
    wide[:count] *= rows[:, :1]
    return np.asarray((wide @ weights)[:count, 0], np.float64)


def _mlp(path: Path) -> type_of_model:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    given, wanted = session.get_inputs()[0].name, [session.get_outputs()[0].name]
    return lambda rows: session.run(wanted, {given: rows.astype(np.float32)})[0]
