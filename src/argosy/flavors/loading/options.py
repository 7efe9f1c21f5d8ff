"""What the project says of its saved model: `[model] file` and `[model.options]`, by way of one variable."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import orjson

from argosy.contract import Variable
from argosy.errors import LoadError
from argosy.serving import settings
from argosy.serving.inputs.signature import TensorSpec


@dataclass(frozen=True, slots=True)
class FlavorOptions:
    """The options of any flavor; each heeds those that mean something to it.

    Attributes:
        file: The saved model, relative to the artifacts; the owner's word that a pickle may be loaded.
        found: Where the saved model was when the project was built, for want of `file`; it is nobody's word.
        method: Which of the model's methods answers.
        class_path: `module:Class` whose weights are in the file.
        arguments: Keyword arguments of that class.
        inputs: Arrays that the model takes, where it does not say so itself.
        outputs: Names of the outputs that are answered; none means all.
        row_wise: Whether rows may be predicted beside others'; None leaves it to the model.
        task: Of a transformers pipeline.
        signature: Of a SavedModel.
        trusted: Types that a skops file may hold.
    """

    file: str | None = None
    found: str | None = None
    method: str | None = None
    class_path: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)  # Any: what the owner's class takes
    inputs: tuple[TensorSpec, ...] = ()
    outputs: tuple[str, ...] = ()
    row_wise: bool | None = None
    task: str | None = None
    signature: str | None = None
    trusted: tuple[str, ...] = ()


@cache
def read() -> FlavorOptions:
    """The options of this process.

    Raises:
        LoadError: The variable is not what `argosy build` writes.
    """
    return parse(settings.environment().get(Variable.FLAVOR_OPTIONS) or "{}")


def parse(text: str) -> FlavorOptions:
    """The options in a variable's text.

    Raises:
        LoadError: It is not what `argosy build` writes.
    """
    try:
        told = orjson.loads(text)
        inputs = tuple(
            TensorSpec(given["name"], given["dtype"], tuple(_length(length) for length in given["shape"]))
            for given in told.pop("inputs", ())
        )
        outputs, trusted = tuple(told.pop("outputs", ())), tuple(told.pop("trusted", ()))
        class_path = told.pop("class", None)
        return FlavorOptions(**told, class_path=class_path, inputs=inputs, outputs=outputs, trusted=trusted)
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
        raise LoadError(f"`{Variable.FLAVOR_OPTIONS}` is wrong", got=f"{type(error).__name__}: {error}") from error


def threads() -> int:
    """How many threads the framework may use in this process: the server gives each its share."""
    told = settings.environment().get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(told) if told.isdigit() and int(told) else len(os.sched_getaffinity(0))


def _length(told: object) -> int | None:
    return told if isinstance(told, int) else None
