"""A module that starts a thread when it is imported, as telemetry and model libraries do."""

import queue
import threading
from typing import Any

from argosy import Predictor

ASKED: queue.Queue[Any] = queue.Queue()
ANSWERED: queue.Queue[Any] = queue.Queue()


def double() -> None:
    while True:
        ANSWERED.put(ASKED.get() * 2)


threading.Thread(target=double, name="doubler", daemon=True).start()


class AsksItsThread(Predictor):
    """Works only where the thread lives: in the process that imported the module."""

    def predict(self, inputs: Any) -> Any:
        ASKED.put(inputs)
        return ANSWERED.get(timeout=0.5)


class HasThreads(Predictor):
    """Never asks the thread."""

    def predict(self, inputs: Any) -> Any:
        return inputs
