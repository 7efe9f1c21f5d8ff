"""Answers with the id of the model process, after holding the invocation for a while; loading takes half a second."""

import os
import time
from pathlib import Path

from argosy import Predictor


class TellsItsPid(Predictor):
    def load(self, model_dir: Path) -> None:
        time.sleep(0.5)

    def predict(self, inputs: list) -> list:
        time.sleep(0.01)
        return [os.getpid()]
