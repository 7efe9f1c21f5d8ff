"""Functions annotated as a test wants them."""

from typing import Any

import numpy as np  # noqa: F401 - annotations that are strings name it

from argosy.errors import DecodeError
from argosy.serving.inputs.annotation import read
from tests.serving.inputs import classes  # noqa: F401 - the same


def annotated(annotation: Any, returns: Any = None) -> Any:
    """A bound `predict` whose argument has that annotation."""

    def predict(inputs: Any) -> None: ...

    predict.__annotations__ = {"inputs": annotation, "return": returns}
    return predict


def convert(annotation: Any, value: object, *, is_text: bool = False) -> object:
    """What `predict` with that annotation gets."""
    conversion = read(annotated(annotation)).convert
    return value if conversion is None else conversion(value, is_text)


def fault(annotation: Any, value: object, *, is_text: bool = False) -> str:
    """The message of the refusal."""
    try:
        convert(annotation, value, is_text=is_text)
    except DecodeError as error:
        return error.message
    raise AssertionError("it is accepted")
