"""What the arrays of a model say of its rows, and which of them are answered."""

from collections.abc import Sequence
from pathlib import Path

from argosy.errors import LoadError
from argosy.serving.inputs.signature import TensorSpec


def is_row_wise(specs: Sequence[TensorSpec]) -> bool:
    """Whether the first dimension of all inputs and outputs is free, as that of rows is.

    >>> is_row_wise([TensorSpec("x", "float32", (None, 4)), TensorSpec("y", "float32", (None,))])
    True
    >>> is_row_wise([TensorSpec("x", "float32", (None, 4)), TensorSpec("scale", "float32", ())])
    False
    """
    return all(spec.shape[:1] == (None,) for spec in specs)


def require_names(told: Sequence[str], known: Sequence[str], kind: str, where: Path) -> None:
    """Refuse a name that the project says and the model does not have.

    Args:
        told: The names that the project says.
        known: Those of the model.
        kind: `input` or `output`.
        where: The model.

    Raises:
        LoadError: Names the first, and those that there are.
    """
    for name in told:
        if name not in known:
            raise LoadError(
                f"the model has no {kind} `{name}`",
                got=", ".join(f"`{name}`" for name in known),
                where=where,
                hint=f"mend `{kind}s` under [model.options] in argosy.toml",
            )
