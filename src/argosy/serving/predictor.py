"""The class a user writes, and what the annotation of its `predict` asks for."""

import inspect
import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from argosy.errors import LoadError


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


class InputKind(StrEnum):
    """What a predictor wants to be given."""

    ARRAY = "np.ndarray"
    LIST = "list"
    DICT = "dict"
    TEXT = "str"
    BYTES = "bytes"
    ANY = "Any"


_KINDS: Final[Mapping[str, InputKind]] = {
    "numpy.ndarray": InputKind.ARRAY,
    "builtins.list": InputKind.LIST,
    "builtins.dict": InputKind.DICT,
    "builtins.str": InputKind.TEXT,
    "builtins.bytes": InputKind.BYTES,
    "typing.Any": InputKind.ANY,
    "builtins.object": InputKind.ANY,
}


def input_kind(predict: Callable[..., object]) -> InputKind:
    """What the annotation of a bound `predict`'s only required argument asks for.

    Raises:
        LoadError: It takes another number of arguments, or its annotation names what Argosy cannot decode to.
    """
    try:
        signature = inspect.signature(predict, eval_str=True)
    except NameError as error:
        raise LoadError("the annotation of `predict` names what is not imported", got=error) from error
    arguments = list(signature.parameters.values())
    required = [a for a in arguments if a.default is a.empty and a.kind not in (a.VAR_POSITIONAL, a.VAR_KEYWORD)]
    if not arguments or len(required) > 1:
        raise LoadError("`predict` has the wrong arguments", got=f"`{signature}`", want="one argument beside `self`")
    annotation = arguments[0].annotation
    if annotation is inspect.Parameter.empty:
        return InputKind.ANY
    origin = typing.get_origin(annotation) or annotation
    name = f"{getattr(origin, '__module__', '')}.{getattr(origin, '__qualname__', '')}"
    if origin is Any:
        name = "typing.Any"
    if name not in _KINDS:
        raise LoadError(
            "`predict` has an annotation that no codec decodes to",
            got=f"`{inspect.formatannotation(annotation)}`",
            want=", ".join(f"`{kind}`" for kind in InputKind),
        )
    return _KINDS[name]
