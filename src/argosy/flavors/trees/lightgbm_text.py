"""The text of a LightGBM model, proven to be whole before LightGBM reads it.

LightGBM reads the trees at the offsets that the header names, in threads, and believes what it finds: on a file that is
cut off or has other line ends it reads past its memory, or ends the process without a word.

Source: LightGBM 4.7, `GBDT::LoadModelFromString` in src/boosting/gbdt_model_text.cpp and `Tree::Tree(const char*)` in
src/io/tree.cpp (read 2026-11-23).
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from argosy.errors import LoadError

VERSIONS: Final = ("v2", "v3", "v4")
"""Formats that LightGBM 4 reads; the file names no version of the library."""
_WITHOUT_PARAMETERS: Final = "v2"
"""The format whose first files end with the trees."""
_REQUIRED: Final = ("version", "num_class", "num_tree_per_iteration", "max_feature_idx", "feature_names")
_OF_LEAVES: Final = ("leaf_value",)
_OF_SPLITS: Final = ("split_feature", "threshold", "decision_type", "left_child", "right_child")
_FIELD: Final = re.compile(rb"([a-z_]+)=([-+0-9.einfa ]*)")
_HINT: Final = "save the model again: `booster.save_model(path)`"


def require_whole(path: Path) -> None:
    """Refuse a file that is not all of a LightGBM model.

    Raises:
        LoadError: It is something else, of a newer format, cut off, or damaged; says where.
    """
    content = path.read_bytes()
    if not content.startswith((b"tree\n", b"tree\r\n")):
        raise LoadError(
            "the file is not a LightGBM model", want="a text that begins with `tree`", where=path, hint=_HINT
        )
    if b"\r\n" in content:
        raise LoadError("the line ends of the file were changed", got="CRLF", want="LF", where=path, hint=_HINT)
    head, ended, trees = content.partition(b"\n\n")
    header = dict(line.partition("=")[::2] for line in head.decode(errors="replace").splitlines())
    missing = [name for name in _REQUIRED if name not in header]
    if missing or not ended:
        got = "nothing below the header" if not missing else f"no `{missing[0]}`"
        raise _damaged(path, "its header", got)
    if header["version"] not in VERSIONS:
        raise LoadError(
            "the file has another format",
            got=f"`version={header['version']}`",
            want=" or ".join(f"`{version}`" for version in VERSIONS),
            where=path,
            hint="save the model with LightGBM 2 to 4, or update Argosy",
        )
    _require_header(path, header)
    _require_trees(path, header, trees.lstrip(b"\n"))


def _require_header(path: Path, header: Mapping[str, str]) -> None:
    try:
        count = int(header["max_feature_idx"]) + 1
    except ValueError:
        raise _damaged(path, "its header", "a `max_feature_idx` that is no number") from None
    for name in ("feature_names", "feature_infos"):
        if name in header and len(header[name].split()) != count:
            raise _damaged(path, "its header", f"{len(header[name].split())} of {count} `{name}`")


def _require_trees(path: Path, header: Mapping[str, str], trees: bytes) -> None:
    """Find each tree where the header says that it is, and behind the last the end of them."""
    sizes = header.get("tree_sizes", "").split()
    if not all(size.isdecimal() for size in sizes):
        raise _damaged(path, "its header", "`tree_sizes` that are no numbers")
    start = 0
    for number, size in enumerate(map(int, sizes)):
        tree = trees[start : start + size]
        if len(tree) != size or not tree.startswith(b"Tree=%d\n" % number):
            raise _damaged(path, f"`Tree={number}`", "something else where it should begin or end")
        _require_tree(path, f"`Tree={number}`", tree)
        start += size
    if sizes and not trees[start:].lstrip(b"\n").startswith(b"end of trees"):
        raise _damaged(path, "the end of its trees", "something else")
    if header["version"] != _WITHOUT_PARAMETERS and b"\nend of parameters\n" not in trees[start:]:
        raise _damaged(path, "the end of its parameters", "nothing")


def _require_tree(path: Path, place: str, tree: bytes) -> None:
    """Count what a tree has of each field: LightGBM takes the counts for granted."""
    fields: dict[bytes, bytes] = {}
    for line in tree.splitlines()[1:]:
        found = _FIELD.fullmatch(line)
        if found:
            fields[found[1]] = found[2]
        elif line:
            raise _damaged(path, place, "a line that is no field of numbers")
    if not fields.get(b"num_leaves", b"").isdigit():
        raise _damaged(path, place, "no `num_leaves`")
    leaves = int(fields[b"num_leaves"])
    wanted = [(name, leaves) for name in _OF_LEAVES] + [(name, leaves - 1) for name in _OF_SPLITS]
    for name, count in wanted:
        found_count = len(fields.get(name.encode(), b"").split())
        if found_count != count:
            raise _damaged(path, place, f"{found_count} of {count} values of `{name}`")


def _damaged(path: Path, place: str, got: str) -> LoadError:
    return LoadError(f"the file is damaged or cut off in {place}", got=got, where=path, hint=_HINT)
