"""The framework of a flavor: there, or an error that says what to install."""

import importlib.metadata
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from argosy.errors import LoadError

_NO_LIBRARY: Final = re.compile(r"(lib[^\s:/]+\.so[.\d]*): cannot open shared object file")
"""What the loader of Linux says (glibc, elf/dl-load.c)."""


@contextmanager
def framework(*distributions: str) -> Iterator[None]:
    """Import a framework inside; one that is missing or broken is told in one line.

    >>> with framework("onnxruntime"):
    ...     import no_such_framework
    Traceback (most recent call last):
    argosy.errors.LoadError: this flavor needs onnxruntime: got ModuleNotFoundError: No module named 'no_such_framework'
    ...

    Args:
        distributions: What has to be installed, as pip names it.

    Raises:
        LoadError: It cannot be imported.
    """
    try:
        yield
    except Exception as error:  # a broken installation raises anything
        if library := _NO_LIBRARY.search(str(error)):
            raise LoadError(
                f"this flavor needs {' and '.join(distributions)}, and that a library of the system",
                got=f"no `{library[1]}`",
                hint="`argosy build --add-missing` adds the Debian package that has it to [image] system_packages",
            ) from error
        missing = [name for name in distributions if installed_version(name) is None]
        names = " ".join(missing or distributions)
        raise LoadError(
            f"this flavor needs {' and '.join(missing or distributions)}",
            got=f"{type(error).__name__}: {' '.join(str(error).split())}",
            hint=f"pip install {'' if missing else '--force-reinstall '}{names}",
        ) from error


def installed_version(distribution: str) -> str | None:
    """The version of an installed distribution; None when it is not installed."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def minor_version(version: str) -> tuple[int, ...]:
    """What of a version says which files it reads, to be compared; empty when it is none.

    >>> minor_version("2.21.0rc1") > minor_version("2.9.3"), minor_version("")
    (True, ())
    """
    return tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
