"""Predictors with one behaviour each, for real server processes."""

import ctypes
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from argosy import DecodeError, Predictor


class RowSum(Predictor):
    def predict(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(inputs.sum(axis=1))


class EchoBytes(Predictor):
    def predict(self, inputs: bytes) -> bytes:
        return inputs


class EchoView(Predictor):
    """Gives back what it was lent: all of it, or what comes after a mark."""

    def predict(self, inputs: memoryview) -> memoryview:
        return inputs[1:] if bytes(inputs[:1]) == b"!" else inputs


class Flood(Predictor):
    """Answers with as many bytes as the body says."""

    def predict(self, inputs: str) -> bytes:
        return b"x" * int(inputs)


class Huge(Predictor):
    """Answers with as many zeros as the body says, which take no memory until somebody looks at them."""

    def predict(self, inputs: str) -> bytes:
        return bytes(int(inputs))


class EchoText(Predictor):
    def predict(self, inputs: str) -> str:
        return inputs


class EchoList(Predictor):
    def predict(self, inputs: list[Any]) -> list[Any]:
        return inputs


class EchoFields(Predictor):
    def predict(self, inputs: dict[str, Any]) -> dict[str, Any]:
        return inputs


class Commanded(Predictor):
    """Does what the body says: a word and a number."""

    def predict(self, inputs: dict[str, Any]) -> Any:
        match inputs["do"]:
            case "exit":
                os._exit(7)
            case "segfault":
                ctypes.string_at(0)
            case "raise":
                raise RuntimeError("the weights are in /secret/place")
            case "refuse":
                raise DecodeError("`age` is negative", got="a negative number", want="0 or more")
            case "sys-exit":
                sys.exit(3)
            case "sleep":
                time.sleep(inputs["seconds"])
            case "hold-gil":
                # PyDLL, unlike CDLL, keeps the interpreter's lock during the call.
                ctypes.PyDLL(None).usleep(int(inputs["seconds"] * 1e6))
            case "raise-surrogate":
                raise RuntimeError("bad file \udcff")
            case "refuse-surrogate":
                raise DecodeError("bad name \udcff")
            case "unencodable":
                return object()
            case "pid":
                return {"pid": os.getpid()}
        return {"done": inputs["do"]}


class ReadsArtifacts(Predictor):
    def load(self, model_dir: Path) -> None:
        self.text = (model_dir / "answer.txt").read_text()

    def predict(self, inputs: Any) -> str:
        return self.text


class CannotLoad(Predictor):
    def load(self, model_dir: Path) -> None:
        raise OSError("the file is cut short")

    def predict(self, inputs: Any) -> Any:
        return None


class SlowLoad(Predictor):
    def load(self, model_dir: Path) -> None:
        time.sleep(float(os.environ["TEST_LOAD_SECONDS"]))

    def predict(self, inputs: Any) -> Any:
        return inputs


class DiesAtLoad(Predictor):
    def load(self, model_dir: Path) -> None:
        os._exit(9)

    def predict(self, inputs: Any) -> Any:
        return inputs


class WantsSet(Predictor):
    def predict(self, inputs: set[int]) -> Any:
        return inputs


class NotAPredictor:
    pass
