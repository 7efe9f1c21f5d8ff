"""The release of a library that saved a file, held against the one that is installed."""

import re
from pathlib import Path

from argosy.errors import LoadError

Release = tuple[int, int, int]


def require_not_newer(saved: Release, installed: str, distribution: str, where: Path) -> None:
    """Refuse a file of a newer minor release than the library's: it reads such files without a word, and may misread.

    Args:
        saved: What saved the file.
        installed: The version of the library.
        distribution: As pip names it.
        where: The file.

    Raises:
        LoadError: The file is newer.
    """
    found = re.match(r"(\d+)\.(\d+)", installed)
    if found is not None and saved[:2] > tuple(map(int, found.groups())):
        newer = ".".join(map(str, saved))
        raise LoadError(
            "the model was saved by a newer release than the installed one",
            got=f"saved by {newer}",
            want=f"at most {found[0]} of {distribution}, which is {installed} here",
            where=where,
            hint=f"pip install '{distribution}>={newer}'",
        )
