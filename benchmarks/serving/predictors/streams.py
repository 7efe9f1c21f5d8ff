"""Streamed answers of 50 parts, 20 bytes each."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from argosy import Predictor

PARTS = 50


class Stream(Predictor):
    """All parts at once."""

    pause_s = 0.0

    async def predict(self, inputs: Any) -> AsyncIterator[str]:
        """Part by part."""
        for number in range(PARTS):
            if self.pause_s:
                await asyncio.sleep(self.pause_s)
            yield f'{{"token":"tok{number:04d}"}}\n'


class PacedStream(Stream):
    """5 ms before each part."""

    pause_s = 0.005
