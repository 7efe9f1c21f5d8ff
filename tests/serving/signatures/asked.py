"""A predictor that says what it takes by its signature, and tells what it got."""

import io
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import orjson

from argosy.serving.inputs.signature import ModelSignature
from argosy.serving.model.pipeline import Answer, Pipeline
from argosy.serving.predictor import Predictor

JSON = "application/json"
CSV = "text/csv"
HEADED = "text/csv; header=present"
LINES = "application/jsonlines"
NPY = "application/x-npy"
NPZ = "application/x-npz"


class Told(NamedTuple):
    """What `predict` was given, or the message of the refusal."""

    value: Any
    refusal: str


class _Recorder(Predictor):
    def __init__(self, signature: ModelSignature) -> None:
        self._signature = signature
        self.got: Any = None

    def signature(self) -> ModelSignature:
        return self._signature

    def predict(self, inputs: Any) -> Any:
        self.got = inputs
        return "seen"


def ask(signature: ModelSignature, content_type: str, body: object) -> Told:
    """Send a body; what is neither bytes nor arrays is sent as JSON."""
    recorder = _Recorder(signature)
    pipeline = Pipeline(recorder, None)
    answer = pipeline.answer(
        f"{content_type}\n{JSON}".encode(), body if isinstance(body, bytes) else orjson.dumps(body)
    )
    assert isinstance(answer, Answer)
    if answer.status == 200:
        return Told(recorder.got, "")
    assert answer.status == 400, bytes(answer.body)
    return Told(None, orjson.loads(answer.body)["error"]["message"])


def npy(array: np.ndarray) -> bytes:
    """A npy file."""
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npz(arrays: Mapping[str, np.ndarray]) -> bytes:
    """A npz file."""
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]  # its stub takes names for options
    return file.getvalue()
