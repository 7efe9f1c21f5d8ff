"""A saved model as its files describe it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ArrayInput:
    """One array that a model takes.

    Attributes:
        name: As the model names it; empty where it has no name.
        dtype: As numpy names it, `str` for text; empty where nothing is said.
        shape: Length by dimension; None stands for any length.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...]

    def __post_init__(self) -> None:
        """Refuse what a file of its own making says in place of these."""
        _require_texts(self.name, self.dtype)
        for length in self.shape:
            if length is not None and (not isinstance(length, int) or length < 0):
                raise ValueError(f"{ascii(length)[:40]} is no length of an array")


@dataclass(frozen=True, slots=True)
class ColumnInput:
    """One column of a table that a model takes.

    Attributes:
        name: As the model names it.
        dtype: As numpy names it, `str` for text.
        is_required: Whether it may not be missing.
    """

    name: str
    dtype: str = "float64"
    is_required: bool = True

    def __post_init__(self) -> None:
        """Refuse what a file of its own making says in place of these."""
        _require_texts(self.name, self.dtype)


def _require_texts(*texts: object) -> None:
    for one in texts:
        if not isinstance(one, str):
            raise ValueError(f"{ascii(one)[:40]} is no name")


@dataclass(frozen=True, slots=True)
class SavedModel:
    """What was found.

    Attributes:
        flavor: Which framework saved it, as `model.flavor` of argosy.toml names it.
        path: The file or folder.
        format: What it is, in words.
        versions: What it was saved with, as far as it says so: version by distribution.
        inputs: What it takes, as far as it says so.
        outputs: Names of what it gives, as far as it says so.
        requirements: What it asks to have installed, in pip's words.
        modules: The outermost modules that loading it imports, where it is a pickle.
        is_pickle: Whether loading it may run code that it holds.
        trusted: Types in it that skops makes only when it is told to.
        word: The file of a folder that `model.file` names to say that code in it may run; empty for a file.
        task: What it is for, as a transformers pipeline names it; None where nothing is said.
        beside: Files that belong to `path` and lie in its folder.
        notes: What a person should know, a sentence each.
    """

    flavor: str
    path: Path
    format: str
    versions: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[ArrayInput | ColumnInput, ...] = ()
    outputs: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    modules: frozenset[str] = frozenset()
    is_pickle: bool = False
    trusted: tuple[str, ...] = ()
    task: str | None = None
    word: str = ""
    beside: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def named(self) -> Path:
        """What `model.file` has to name where the model is a pickle."""
        return self.path / self.word
