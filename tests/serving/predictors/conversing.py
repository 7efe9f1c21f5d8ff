"""Predictors that hold conversations; each word that a client sends makes one of them do something."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from argosy import DecodeError, Predictor, current_invocation

Messages = AsyncIterator[str | bytes]


class Conversing(Predictor):
    """`predict` sleeps or tells what the conversations have done; `converse` gives back what it gets."""

    def __init__(self) -> None:
        self.yielded = 0

    def predict(self, inputs: dict[str, Any]) -> Any:
        return self.answer(inputs)

    def answer(self, inputs: dict[str, Any]) -> dict[str, Any]:
        time.sleep(inputs.get("seconds", 0))
        return {"pid": os.getpid(), "yielded": self.yielded, "echo": inputs}

    async def converse(self, incoming: Messages) -> Messages:
        try:
            async for message in incoming:
                if isinstance(message, str) and message.startswith("/"):
                    async for answer in self._do(*message[1:].split()):
                        yield answer
                else:
                    yield message
            yield "nobody reads this"
            print("the client has left", flush=True)
        finally:
            print("the generator is closed", flush=True)

    async def _do(self, word: str, *more: str) -> AsyncIterator[Any]:
        match word:
            case "raise":
                raise RuntimeError("the weights are in /secret/place")
            case "refuse":
                raise DecodeError("this is no audio", want="16 kHz")
            case "exit":
                os._exit(7)
            case "number":
                yield 7
            case "surrogate":
                yield "\udcff"
            case "cancelled":
                raise asyncio.CancelledError
            case "huge":
                yield bytes(2**32)
            case "block":
                time.sleep(60)
            case "pid":
                yield str(os.getpid())
            case "told":
                told = current_invocation()
                yield json.dumps([told.inference_id, told.custom_attributes, told.query])
            case "flood":
                count, size = map(int, more)
                for number in range(count):
                    self.yielded += 1
                    yield number.to_bytes(4, "big") * (size // 4)
            case "until":
                while not Path(more[0]).exists():
                    await asyncio.sleep(0.01)
                yield "it is there"


class Ending(Conversing):
    """Says one thing and ends."""

    async def converse(self, incoming: Messages) -> Messages:
        yield await anext(incoming)


class Clinging(Conversing):
    """Never ends by itself, whether anybody listens or not."""

    async def converse(self, incoming: Messages) -> Messages:
        try:
            while True:
                yield "again"
        finally:
            print("the generator is closed", flush=True)


class Reading(Conversing):
    """Has a task read what comes, which goes on when the conversation is over."""

    async def converse(self, incoming: Messages) -> Messages:
        self.reading = asyncio.create_task(self._read(incoming))
        await asyncio.sleep(0.05)
        yield "it has begun"

    async def _read(self, incoming: Messages) -> None:
        async for _ in incoming:
            await asyncio.sleep(0.2)
        print("all is read", flush=True)


class ConversingAsync(Conversing):
    async def predict(self, inputs: dict[str, Any]) -> Any:
        await asyncio.sleep(inputs.pop("seconds", 0))
        if "until" in inputs:
            print("an invocation waits", flush=True)
            while not Path(inputs["until"]).exists():
                await asyncio.sleep(0.01)
        return self.answer(inputs)


class ConversingParts(Conversing):
    def predict(self, inputs: dict[str, Any]) -> Iterator[Any]:
        yield self.answer(inputs)


class NotAGenerator(Conversing):
    async def converse(self, incoming: Messages) -> str:  # type: ignore[override] # that is what is wrong with it
        return "no"
