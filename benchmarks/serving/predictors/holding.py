"""Predictors that never let go of the interpreter while they work: nothing else of their process runs."""

import ctypes
import time

from argosy import Predictor

SECONDS = 10


class Waiting(Predictor):
    """Ten seconds in a C call that keeps the GIL and uses no processor time."""

    row_wise = False

    def predict(self, body: bytes) -> bytes:
        """Hold it."""
        ctypes.PyDLL(None).usleep(SECONDS * 1_000_000)
        return body


class Computing(Predictor):
    """The same, and it takes all the processor time that it can get."""

    row_wise = False

    def predict(self, body: bytes) -> bytes:
        """C loops that never look whether another thread wants the GIL."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            sum(range(20_000_000))
        return body
