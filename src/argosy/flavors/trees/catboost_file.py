"""A file of CatBoost's: its form, and the release that saved it.

CatBoost takes any JSON object for a model, one that was cut off for a model of the trees before the cut (tried
2026-11-23 with 1.2.10), and reads one of a newer release without a word. So the file is looked at first.
"""

import json
import mmap
import re
from pathlib import Path
from typing import Final, Literal

from argosy.errors import LoadError
from argosy.flavors.trees.release import Release

Form = Literal["cbm", "json"]
_BINARY: Final = b"CBM1"
_PICKLE: Final = b"\x80"
_FORMS: Final = {"cbm": "CatBoost's binary form", "json": "JSON"}
_PARTS: Final = ("features_info", "model_info", "oblivious_trees")
_RELEASES: Final = (
    re.compile(rb"Branch: tags/v(\d+)\.(\d+)(?:\.(\d+))?"),
    re.compile(rb"CatBoost release (\d+)\.(\d+)(?:\.(\d+))?"),
)
"""In the text `catboost_version_info`, which is whole in both forms."""


def require_form(path: Path) -> Form:
    """What the file is by its first bytes.

    Raises:
        LoadError: It is a folder, empty, no model of CatBoost's, JSON that is not whole, or not what its suffix says.
    """
    if not path.is_file():
        raise LoadError("the model is not a file", want="a file of CatBoost's", where=path)
    with path.open("rb") as file:
        head = file.read(4)
    if not head:
        raise LoadError("the file is empty", want="a model of CatBoost's", where=path)
    if head != _BINARY and not head.lstrip().startswith(b"{"):
        got = "a pickle" if head.startswith(_PICKLE) else "neither `CBM1` nor JSON"
        hint = "save it with CatBoost itself: model.save_model('model.cbm')"
        raise LoadError("the file is not a model of CatBoost's", got=got, where=path, hint=hint)
    found: Form = "cbm" if head == _BINARY else "json"
    if path.suffix in (".cbm", ".json") and path.suffix != f".{found}":
        raise LoadError(
            "the file is not what its suffix says",
            got=_FORMS[found],
            want=_FORMS[path.suffix[1:]],
            where=path,
            hint=f"mv {path.name} {path.stem}.{found}",
        )
    if found == "json":
        _require_whole(path)
    return found


def release(path: Path) -> Release | None:
    """The release that saved it; None for a build that has none.

    Args:
        path: A file that is not empty.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for pattern in _RELEASES:
            if found := pattern.search(content):
                return int(found[1]), int(found[2]), int(found[3] or 0)
    return None


def _require_whole(path: Path) -> None:
    try:
        told = json.loads(path.read_bytes())
    except ValueError as error:
        raise LoadError(
            "the file is not whole JSON",
            got=str(error),
            want="a model of CatBoost's",
            where=path,
            hint="copy it again from where it was saved",
        ) from error
    names = told.keys() if isinstance(told, dict) else ()
    missing = [name for name in _PARTS if name not in names and not (name == _PARTS[2] and "trees" in names)]
    if missing:
        raise LoadError(
            "the file is not a model of CatBoost's",
            got=f"JSON without {' and '.join(f'`{name}`' for name in missing)}",
            where=path,
            hint="save it with CatBoost itself: model.save_model('model.cbm')",
        )
