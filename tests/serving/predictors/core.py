"""Predictors of the tests of batching, streaming and the contract's header fields; each body says what to do."""

import asyncio
import ctypes
import os
import time
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from argosy import DecodeError, Predictor
from argosy.serving.context import Reply, current_invocation, meter

Floats = NDArray[np.float64]
KILLS, STUCK, RAISES, SLEEPS = -1.0, -2.0, -3.0, -4.0


class Rows(Predictor):
    """Sums of rows, and how many rows each call was given; a row that begins with a negative number does something."""

    def load(self, model_dir: Path) -> None:
        self.sizes: list[int] = []

    def predict(self, inputs: Floats) -> Any:
        self.sizes.append(len(inputs))
        time.sleep(float(os.environ.get("TEST_SECONDS", "0")))
        first = inputs[:, 0]
        if KILLS in first:
            os._exit(7)
        if STUCK in first:
            time.sleep(60)
        if RAISES in first:
            raise RuntimeError("poisoned")
        if SLEEPS in first:
            time.sleep(0.3)
        return np.stack([inputs.sum(axis=1), np.full(len(inputs), len(inputs)), np.full(len(inputs), os.getpid())], 1)


class Stream(Predictor):
    """A generator; the file `TEST_TOLD` is told what becomes of it."""

    def predict(self, inputs: dict[str, Any]) -> Iterator[Any]:
        yield from parts(inputs)


class AsyncStream(Predictor):
    async def predict(self, inputs: dict[str, Any]) -> AsyncIterator[Any]:
        generator = parts(inputs)
        try:
            for part in generator:
                yield part
                await asyncio.sleep(inputs.get("pause", 0.001))
        finally:
            generator.close()


class Returns(Predictor):
    """A plain function that returns a generator."""

    def predict(self, inputs: dict[str, Any]) -> Any:
        return parts(inputs) if "parts" in inputs else {"pid": os.getpid()}


class ReturnsAsync(Predictor):
    """A plain function that returns an async generator that never awaits anything."""

    def predict(self, inputs: dict[str, Any]) -> Any:
        return self._parts(inputs)

    async def _parts(self, inputs: dict[str, Any]) -> AsyncIterator[Any]:
        for part in parts(inputs):
            yield part


class Coroutine(Predictor):
    """Answers whole, when the other invocation of the pair has come too; or with a generator."""

    waiting: ClassVar[asyncio.Event | None] = None

    async def predict(self, inputs: dict[str, Any]) -> Any:
        if "parts" in inputs:
            return AsyncStream().predict(inputs)
        if inputs["do"] == "cancel":
            raise asyncio.CancelledError
        if inputs["do"] == "raise":
            raise ZeroDivisionError
        if inputs["do"] == "wait":
            await waiting_for(inputs)
        if inputs["do"] == "exit":
            os._exit(7)
        if inputs["do"] == "sleep":
            await asyncio.sleep(inputs["seconds"])
        if inputs["do"] == "block":
            time.sleep(inputs["seconds"])
        if inputs["do"] == "meet":
            if Coroutine.waiting is None:
                Coroutine.waiting = asyncio.Event()
                await Coroutine.waiting.wait()
            Coroutine.waiting.set()
        if inputs["do"] == "until":
            tell(f"begun {current_invocation().inference_id}")
            while not Path(inputs["until"]).exists():
                await asyncio.sleep(0.01)
        return {"id": current_invocation().inference_id, **inputs.get("more", {})}


class ReturnsCoroutine(Predictor):
    """A plain function that returns a coroutine."""

    def predict(self, inputs: dict[str, Any]) -> Any:
        return Coroutine().predict(inputs)


async def waiting_for(inputs: dict[str, Any]) -> None:
    """Wait without end; `TEST_TOLD` is told of the begin and of the interruption, which `cling` takes no notice of."""
    name = current_invocation().inference_id
    tell(f"begun {name}")
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        tell(f"closed {name}")
        if not inputs.get("cling"):
            raise


def tell(line: str) -> None:
    with Path(os.environ["TEST_TOLD"]).open("a") as file:
        file.write(f"{line}\n")


def parts(inputs: dict[str, Any]) -> Generator[Any, None, None]:
    """So many parts, of a kind; then how it ends."""
    count, kind = inputs["parts"], inputs.get("kind", "text")
    current_invocation().reply_custom_attributes(f"id={current_invocation().inference_id}")
    try:
        if "until" in inputs:
            tell(f"begun {current_invocation().inference_id}")
            while not Path(inputs["until"]).exists():
                time.sleep(0.005)
        if inputs.get("exit"):
            os._exit(7)
        if inputs.get("refuse"):
            raise DecodeError("refused before the first part")
        for number in range(count) if count >= 0 else iter(int, 1):
            if "wait" in inputs:
                # The second part is made when the client has said, by way of a file, that it has the first.
                while number and not Path(inputs["wait"]).exists():
                    time.sleep(0.005)
            time.sleep(inputs.get("seconds", 0))
            ctypes.PyDLL(None).usleep(int(inputs.get("lock", 0) * 1e6))  # unlike CDLL, it keeps the interpreter's lock
            yield made(kind, number, inputs.get("size", 1))
        if inputs.get("raise"):
            raise RuntimeError("the secret of the weights")
    finally:
        if told := os.environ.get("TEST_TOLD"):
            with Path(told).open("a") as file:
                file.write(f"closed {current_invocation().inference_id}\n")


def made(kind: str, number: int, size: int) -> Any:
    match kind:
        case "huge":
            return bytes(2**32 if number else 1)
        case "bytes":
            return bytes([number % 256]) * size
        case "json":
            return {"n": number}
        case "object":
            return object()
    return f"part {number};" * size


class Contract(Predictor):
    """Does with the fields of the contract what the body says."""

    def predict(self, inputs: dict[str, Any]) -> Any:
        told = current_invocation()
        if "reply" in inputs:
            told.reply_custom_attributes(inputs["reply"])
        if "units" in inputs:
            meter(inputs["units"])
            meter(inputs["units"])
        match inputs.get("do"):
            case "raise":
                raise RuntimeError("the secret of the weights")
            case "refuse":
                raise DecodeError("`age` is negative")
            case "long":
                return "x" * 5000
            case "whole":
                return Reply(b"\x01\x02", "audio/wav")
            case "text":
                return Reply("no bytes", "text/plain")  # type: ignore[arg-type] # what a user may write
            case "sleep":
                time.sleep(inputs["seconds"])
            case "threads":
                return {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
        return {"attributes": told.custom_attributes, "id": told.inference_id}


class Metered(Predictor):
    """A unit for each row, and one more for each 2 in its first column."""

    def predict(self, inputs: Floats) -> Any:
        time.sleep(0.01)
        meter(inputs[:, 0].tolist())
        return inputs[:, 0]


class MeteredStream(Predictor):
    """As many units as the body says, and two parts."""

    def predict(self, inputs: str) -> Any:
        meter(int(inputs))
        yield "a"
        yield "b"


class OwnMethods(Predictor):
    def decode(self, body: bytes, content_type: str) -> Any:
        return body.split(b"|")

    def predict(self, inputs: list[bytes]) -> Any:
        return inputs[::-1]

    def encode(self, prediction: Any, accept: str) -> Any:
        return b"|".join(prediction) + accept.encode()


class Shared(Predictor):
    """Loaded once for all: each load is a line in a file."""

    load_before_fork = True

    def load(self, model_dir: Path) -> None:
        with Path(os.environ["TEST_TOLD"]).open("a") as file:
            file.write(f"{os.getpid()}\n")
        self.table = bytearray(os.urandom(8))

    def predict(self, inputs: Any) -> Any:
        time.sleep(0.05)
        return {"pid": os.getpid(), "table": self.table.hex()}
