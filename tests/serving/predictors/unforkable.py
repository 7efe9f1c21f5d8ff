"""A predictor whose template cannot fork while a file is there, as where the number of processes is limited."""

import errno
import os
from pathlib import Path
from typing import Any

from argosy import Predictor

_fork = os.fork


def fork() -> int:
    if Path(os.environ["TEST_NO_FORK"]).exists():
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    return _fork()


os.fork = fork


class Unforkable(Predictor):
    def predict(self, inputs: dict[str, Any]) -> Any:
        return {"pid": os.getpid()}
