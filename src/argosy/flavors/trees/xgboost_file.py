"""A file of XGBoost's: its form, the release that saved it, the categories in it.

XGBoost takes a file for what its suffix says, says of a wrong one only where a parser stopped, and reads one of a newer
release without a word (tried 2026-11-23: 2.1.4 one of 3.2.0). So the file is looked at first.
"""

import json
import mmap
import re
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal

from argosy.errors import LoadError
from argosy.flavors.trees.release import Release

Form = Literal["json", "ubj"]
_NAMES: Final = {"json": "JSON", "ubj": "UBJSON"}
_OLD_BINARY: Final = b"binf"
_PICKLE: Final = b"\x80"
_JSON_VERSION: Final = re.compile(rb'"version"\s*:\s*\[\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*\]')
_UBJ_VERSION: Final = b"version[#L" + (3).to_bytes(8, "big")
_UBJ_WIDTHS: Final = {b"i": 1, b"U": 1, b"I": 2, b"l": 4, b"L": 8}
_CATEGORIES: Final = b'"cats":'
_CUTS_BYTES: Final = (3, 3, 0)
"""The first release whose categories may be other than ASCII."""


def require_form(path: Path) -> Form:
    """What the file is by its first bytes, as XGBoost itself tells the two apart.

    Raises:
        LoadError: It is a folder, empty, XGBoost's old binary, a pickle, no model at all, or not what its suffix says.
    """
    if not path.is_file():
        raise LoadError("the model is not a file", want="a file of XGBoost's", where=path)
    with path.open("rb") as file:
        head = file.read(4)
    if not head:
        raise LoadError("the file is empty", want="a model of XGBoost's", where=path)
    if head == _OLD_BINARY or (path.suffix in (".bin", ".model") and not head.startswith((b"{", _PICKLE))):
        raise LoadError(
            "the model is in XGBoost's old binary form, which no release since 3.1 reads",
            want="JSON or UBJSON",
            where=path,
            hint=f"uv run --with 'xgboost-cpu==3.0.5' python -c \"import xgboost; "
            f"xgboost.Booster(model_file='{path.name}').save_model('{path.stem}.ubj')\"",
        )
    if not head.startswith(b"{"):
        got = "a pickle" if head.startswith(_PICKLE) else "neither JSON nor UBJSON"
        hint = "save it with XGBoost itself: model.save_model('model.ubj')"
        raise LoadError("the file is not a model of XGBoost's", got=got, where=path, hint=hint)
    found: Form = "json" if head[1:2] in b'" \t\r\n' else "ubj"
    if path.suffix in (".json", ".ubj") and path.suffix != f".{found}":
        raise LoadError(
            "the file is not what its suffix says",
            got=_NAMES[found],
            want=_NAMES[path.suffix[1:]],
            where=path,
            hint=f"mv {path.name} {path.stem}.{found}",
        )
    return found


def require_release(path: Path, form: Form) -> Release:
    """The release that saved it; XGBoost writes it last, so a file without is not whole.

    Args:
        path: A file that is not empty.
        form: As `require_form`.

    Raises:
        LoadError: It says none.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        at = content.rfind(b'"version"' if form == "json" else _UBJ_VERSION)
        end = content[at : at + 128] if at >= 0 else b""
    found = _json_release(end) if form == "json" else _ubj_release(end)
    if found is None:
        raise LoadError(
            "the file is not a whole model of XGBoost's",
            got="no version at its end",
            where=path,
            hint="copy it again from where it was saved",
        )
    return found


def categories(model: bytes, saved: Release, where: Path) -> tuple[tuple[str | int, ...] | None, ...]:
    """The categories of each feature, in the order of their codes; None for numbers, () when there are none at all.

    XGBoost keeps them since 3.1, for what was trained on a data frame; before, and for arrays, a category is its code.

    Args:
        model: As `Booster.save_raw("json")` gives it.
        saved: The release that saved the file.
        where: The file.

    Raises:
        LoadError: There is a category that is not ASCII, and XGBoost cut it at characters instead of bytes.

    Source:
        Files that XGBoost 3.2.0 wrote of text, signed and unsigned categories (tried 2026-11-23);
        https://github.com/dmlc/xgboost/pull/12371, which mends the cutting, merged after 3.2 (read 2026-11-23).
    """
    at = model.find(_CATEGORIES)  # inside a text it would have backslashes
    if at < 0:
        return ()
    told, _ = json.JSONDecoder().raw_decode(model[at + len(_CATEGORIES) :].decode())
    try:
        found = tuple(_listed(feature) for feature in told["enc"])
    except UnicodeDecodeError:
        found = None
    texts = [value for listed in found or () for value in listed or () if isinstance(value, str)]
    if found is None or (saved < _CUTS_BYTES and not all(text.isascii() for text in texts)):
        raise LoadError(
            "the file holds broken categories: up to 3.2, XGBoost cuts those that are not ASCII at wrong places",
            got=f"saved by {'.'.join(map(str, saved))}",
            want="ASCII categories, or a newer XGBoost",
            where=where,
            hint="train it again with categories of a to z, or with a newer XGBoost",
        )
    return found if any(found) else ()


def _listed(feature: dict[str, list[int]]) -> tuple[str | int, ...] | None:
    values = feature["values"]
    if "type" in feature:
        return tuple(values)
    ends = feature["offsets"]
    text = bytes(value & 0xFF for value in values)
    return tuple(text[a:b].decode() for a, b in pairwise(ends)) or None


def _json_release(end: bytes) -> Release | None:
    found = _JSON_VERSION.match(end)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def _ubj_release(end: bytes) -> Release | None:
    numbers, at = [], len(_UBJ_VERSION)
    for _ in range(3):
        width = _UBJ_WIDTHS.get(end[at : at + 1], 0)
        digits = end[at + 1 : at + 1 + width]
        if not width or len(digits) < width:
            return None
        numbers.append(int.from_bytes(digits, "big"))
        at += 1 + width
    return numbers[0], numbers[1], numbers[2]
