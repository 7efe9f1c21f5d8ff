"""The error tree: its picture, its codes and its sentences."""

import inspect
import re

import pytest

from argosy import errors
from argosy.errors import ArgosyError, DecodeError, ProjectError, UnsupportedMediaTypeError

CLASSES = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, ArgosyError)]


def _drawn() -> dict[str, str]:
    """Class -> parent, as the module's docstring draws them."""
    parents: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"    ((?:[│├└─ ])*)(\w+Error)\b", line)
        if found:
            depth = len(found.group(1)) // 4
            path = [*path[:depth], found.group(2)]
            parents[found.group(2)] = path[depth - 1] if depth else "Exception"
    return parents


def test_the_drawn_tree_is_the_real_one() -> None:
    assert _drawn() == {cls.__name__: cls.__bases__[0].__name__ for cls in CLASSES}


def test_codes_are_kebab_case_and_unique() -> None:
    codes = [cls("x").code for cls in CLASSES]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in codes)
    assert UnsupportedMediaTypeError("x").code == "unsupported-media-type"


def test_the_sentence_is_made_of_the_fields() -> None:
    error = DecodeError("`features` is no number", got="`a`", want="a number", where="line 3", hint="mend it")
    assert error.message == "line 3: `features` is no number: got `a`, want a number"
    assert str(error) == f"{error.message}\n\nhint: mend it"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ArgosyError("broken"), "broken"),
        (ArgosyError("broken", got=0), "broken: got 0"),
        (ArgosyError("broken", want=""), "broken: want "),
        (ArgosyError("broken", where="a.toml:3"), "a.toml:3: broken"),
    ],
)
def test_fields_that_are_not_there_leave_no_trace(error: ArgosyError, message: str) -> None:
    assert str(error) == message


def test_a_project_error_is_caught_as_wrong_usage() -> None:
    assert issubclass(ProjectError, errors.UsageError)
