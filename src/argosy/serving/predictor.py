"""The class a user writes."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any


class Predictor(ABC):
    """A model as Argosy serves it: loaded once in each model process, then called for each invocation.

    The annotation of `predict`'s argument chooses what it is given: `np.ndarray` (rows, columns), `list`, `dict`,
    `str` or `bytes`; without one it gets whatever the body's media type decodes to. Each model process has an object
    of its own and calls it from one thread. (AWS's Python SDK uses the word Predictor for its client.)
    """

    def load(self, model_dir: Path) -> None:  # noqa: B027 - a predictor without artifacts has nothing to load
        """Load the model; called once in each model process before the first invocation.

        Args:
            model_dir: The folder of the artifacts; read-only on SageMaker.

        Raises:
            Exception: Anything; the server then ends with a non-zero code and one line that says why.
        """

    @abstractmethod
    def predict(self, inputs: Any) -> Any:
        """Answer one invocation.

        Args:
            inputs: The decoded body; a subclass annotates what it wants.

        Returns:
            What the client gets, encoded by its Accept header: an array, number, string, list, dict, or `bytes` that
            are sent as they are.

        Raises:
            DecodeError: The inputs are not what the model takes: answered with 400 and its message.
            Exception: Anything else is the predictor's own fault: answered with 500, the story goes to the log.
        """
