"""The requirements and known failures that clauses cover, and why some cannot be checked."""

import importlib.resources
import tomllib
from functools import cache

import msgspec


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A requirement, or a failure that people have seen.

    Attributes:
        says: What it is.
        level: MUST, SHOULD or INFO; empty for a failure.
        because: Why no machine can check it; empty where one can.
        elsewhere: Tests that show it where it is no property of an image.
    """

    says: str
    level: str = ""
    because: str = ""
    elsewhere: tuple[str, ...] = ()


class Rows(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file.

    Attributes:
        sections: First letter of an id -> heading.
        rows: Id -> row.
    """

    sections: dict[str, str]
    rows: dict[str, Row]


@cache
def read() -> Rows:
    """The rows of `rows.toml`, beside this module."""
    text = (importlib.resources.files(__package__) / "rows.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), Rows)
