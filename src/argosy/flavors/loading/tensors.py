"""What a model says of its tensors, and what the project says of them: `inputs` and `outputs` of `[model.options]`."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from argosy.errors import LoadError
from argosy.serving.inputs.signature import TensorSpec


def completed(specs: Sequence[TensorSpec], told: Iterable[TensorSpec], path: Path) -> tuple[TensorSpec, ...]:
    """A model's inputs, with the shapes that the project names for some of them.

    Args:
        specs: As the model says.
        told: As the project says.
        path: The saved model.

    Raises:
        LoadError: The project names an input that the model has not, or another dtype; or the model has none.
    """
    if not specs:
        raise LoadError("the model has no inputs", want="at least one", where=path, hint="export it with an input")
    own = {spec.name: spec for spec in told}
    _require(own, [spec.name for spec in specs], "inputs", path)
    for spec in specs:
        dtype = own.get(spec.name, spec).dtype
        if dtype != spec.dtype:
            what = f"the input `{spec.name}` has another dtype"
            hint = "mend `inputs` under [model.options] in argosy.toml"
            raise LoadError(what, got=f"`{spec.dtype}`", want=f"`{dtype}`", where=path, hint=hint)
    return tuple(own.get(spec.name, spec) for spec in specs)


def answered(names: Sequence[str], told: Sequence[str], path: Path) -> list[str]:
    """The names of the outputs that are answered: those that the project names, or all.

    Raises:
        LoadError: The project names one that the model has not.
    """
    _require(told, names, "outputs", path)
    return list(told or names)


def _require(told: Iterable[str], known: Sequence[str], option: str, path: Path) -> None:
    for name in told:
        if name not in known:
            names = ", ".join(f"`{each}`" for each in known)
            raise LoadError(
                f"`{option}` names what the model has not",
                got=f"`{name}`",
                want=names,
                where=path,
                hint=f"mend `{option}` under [model.options] in argosy.toml",
            )
