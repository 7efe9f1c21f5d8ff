"""Predictors that tell how often they were called, and on how many event loops."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import ClassVar

from argosy import DecodeError, Predictor


class Counting(Predictor):
    calls = 0

    def begin(self, text: str) -> str:
        if text == "refuse":
            raise DecodeError("refused")
        if text == "raise":
            raise ZeroDivisionError
        self.calls += 1
        return f"call {self.calls}"


class Awaits(Counting):
    loops: ClassVar[set[int]] = set()

    async def predict(self, inputs: str) -> str:
        await asyncio.sleep(0)
        self.loops.add(id(asyncio.get_running_loop()))
        return f"{self.begin(inputs)} on {len(self.loops)} loop"


class Parts(Counting):
    async def predict(self, inputs: str) -> AsyncIterator[str]:
        await asyncio.sleep(0)
        yield self.begin(inputs)


class Yields(Counting):
    def predict(self, inputs: str) -> Iterator[str]:
        yield self.begin(inputs)
