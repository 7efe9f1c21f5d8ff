"""The annotation of `predict` -> what its inputs are."""

import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any, Final

from argosy.errors import LoadError
from argosy.serving.inputs.kind import InputKind

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
