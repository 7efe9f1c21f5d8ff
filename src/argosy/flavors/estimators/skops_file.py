"""A skops file -> what it holds, made only of types that skops, or the project's owner, trusts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from argosy.errors import LoadError
from argosy.flavors.loading import chatter
from argosy.flavors.loading.framework import framework

with framework("skops"):
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException


def read(path: Path, trusted: Sequence[str]) -> Any:  # Any: any estimator
    """What the file holds.

    Args:
        path: The file.
        trusted: Types beside those that skops trusts, by their full names.

    Raises:
        LoadError: It holds other types, or was written by a newer skops.
    """
    try:
        return skops.io.load(path, trusted=list(trusted))
    except UntrustedTypesFoundException as error:
        unknown = sorted({*skops.io.get_untrusted_types(file=path)} - {*trusted})
        names = ", ".join(f'"{name}"' for name in [*trusted, *unknown])
        raise LoadError(
            "the file holds types that skops does not trust",
            got=", ".join(f"`{name}`" for name in unknown),
            where=path,
            hint=f"if the file is your own, under [model.options] in argosy.toml: trusted = [{names}]",
        ) from error
    except ValueError as error:
        if "protocol" not in str(error):
            raise
        raise LoadError(
            "the file was written by a newer skops",
            got=chatter.one_line(error),
            where=path,
            hint="pip install --upgrade skops",
        ) from error
