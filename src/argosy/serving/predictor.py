"""The class a user writes."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar


class Predictor(ABC):
    """A model as Argosy serves it: loaded once in each model process, then called for each invocation.

    The annotation of `predict`'s argument chooses what it is given: arrays, data frames, tables, images, text, bytes,
    or records of a dataclass, TypedDict, msgspec Struct or pydantic model, and lists of these; without one it gets
    whatever the body's media type decodes to. Each model process has an object of its own. A plain `predict` is called
    from one thread; a generator function runs in a thread for each invocation, `async def` on an event loop.
    (AWS's Python SDK uses the word Predictor for its client.)

    A subclass may also define::

        def decode(self, body: bytes, content_type: str) -> Any     # in place of the codecs
        def encode(self, prediction: Any, accept: str) -> bytes | str | Reply
        async def converse(self, incoming): ...                     # async generator: bidirectional streaming
        def load_adapter(self, name: str, path: Path) -> None       # adapters of inference components
        def unload_adapter(self, name: str) -> None
        def close_session(self, session: Session) -> None           # stateful sessions
        def signature(self) -> ModelSignature                       # what a loaded model takes, in place of annotations

    Attributes:
        row_wise: Whether the answer for a row does not depend on the rows beside it, and one row in gives one row out,
            in the same order. Rows of concurrent invocations are then predicted in one call. A predictor for which this
            is not so says `row_wise = False` and gets each invocation alone. None is yes, but for a flat list of
            numbers (`list[float]`): they may be those of one thing, and are rows only where it says `row_wise = True`.
        load_before_fork: Whether the model survives a fork after `load`: it is then loaded once and its memory is
            shared by all model processes. Not for what starts threads or opens a GPU while it loads.
    """

    row_wise: ClassVar[bool | None] = None
    load_before_fork: ClassVar[bool] = False

    def load(self, model_dir: Path) -> None:  # noqa: B027 - a predictor without artifacts has nothing to load
        """Load the model; called once before the first invocation, in each model process or before they fork.

        Args:
            model_dir: The folder of the artifacts; read-only on SageMaker.

        Raises:
            Exception: Anything; the server then ends with a non-zero code and one line that says why.
        """

    @abstractmethod
    def predict(self, inputs: Any) -> Any:
        """Answer one invocation, or the rows of several at once (see `row_wise`).

        Args:
            inputs: The decoded body; a subclass annotates what it wants.

        Returns:
            What the client gets, encoded by its Accept header: an array, data frame, number, string, list, dict,
            record, or `bytes` that are sent as they are. A generator, plain or async, is sent part by part.

        Raises:
            DecodeError: The inputs are not what the model takes: answered with 400 and its message.
            Exception: Anything else is the predictor's own fault: answered with 500, the story goes to the log.
        """
