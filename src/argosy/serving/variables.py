"""One variable of the environment -> its value: a wrong one of ours is an error, a wrong one of the platform's is told.

Raises:
    UsageError: From each that reads a variable of ours: it has a value that it cannot have.
"""

import math
import re
from collections.abc import Mapping
from typing import TypeVar

from argosy import contract
from argosy.errors import UsageError
from argosy.serving import log

Choice = TypeVar("Choice", bound=str)


def choice(environ: Mapping[str, str], name: str, choices: tuple[Choice, ...]) -> Choice:
    """One of these words; the first when nothing is said."""
    told = environ.get(name) or choices[0]
    for choice in choices:
        if choice == told:
            return choice
    want = "one of " + ", ".join(f"`{choice}`" for choice in choices)
    raise UsageError(f"`{name}` is wrong", got=f"`{told}`", want=want)


def number(environ: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    """A whole number from `low` to `high`, or the default when nothing is said."""
    text = environ.get(name)
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise UsageError(f"`{name}` is wrong", got=f"`{text}`", want=f"a whole number from {low} to {high}")
    return int(text)


def seconds(environ: Mapping[str, str], name: str, default: float) -> float:
    """A time from a millisecond to an hour, or the default when nothing is said."""
    return decimal(environ, name, default, "seconds from 0.001 to 3600", 0.001, 3600)


def decimal(environ: Mapping[str, str], name: str, default: float, want: str, low: float, high: float) -> float:
    """A number from `low` to `high`, or the default when nothing is said; `want` tells them in words."""
    text = environ.get(name)
    if not text:
        return default
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not low <= number <= high:
        raise UsageError(f"`{name}` is wrong", got=f"`{text}`", want=want)
    return number


def platform_number(environ: Mapping[str, str], name: str) -> int | None:
    """A whole number of the platform's, or None when it says nothing or something else."""
    text = environ.get(name)
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text):
        ignore(name, text, "a whole number")
        return None
    return int(text)


def is_true(environ: Mapping[str, str], name: str) -> bool:
    """Whether a variable of the platform's says so."""
    text = environ.get(name, "").lower()
    if text not in ("", "true", "false"):
        ignore(name, text, "`true` or `false`")
    return text == "true"


def ignore(name: str, got: str, want: str) -> None:
    """A server that refused to start for a word of the platform's that it does not know would be no use to anybody."""
    log.event("variable-ignored", variable=name, got=got, want=want)


def paths(text: str) -> tuple[str, ...]:
    """Paths as a list of them is written in a variable."""
    return tuple(name for name in text.split(contract.PATH_SEPARATOR) if name)


def names(text: str) -> tuple[str, ...]:
    """Names between commas, in lower case."""
    return tuple(name.strip().lower() for name in text.split(",") if name.strip())
