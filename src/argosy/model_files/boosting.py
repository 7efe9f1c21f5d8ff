"""XGBoost, LightGBM and CatBoost models.

Source: xgboost.readthedocs.io, "Introduction to Model IO" and its JSON schema, XGBoost 3.2; LightGBM 4.7,
`GBDT::SaveModelToString` in src/boosting/gbdt_model_text.cpp; CatBoost 1.2.10,
catboost/libs/model/flatbuffers/model.fbs and features.fbs (read 2026-11-23).
"""

import re
import struct
from pathlib import Path
from typing import Any, Final

import msgspec

from argosy.model_files.binary import Table, Ubjson
from argosy.model_files.contents import head, json_file, mapped, reading
from argosy.model_files.saved_model import ColumnInput, SavedModel

_TREES, _PROPERTIES, _CATEGORIES, _NUMBERS = 1, 2, 4, 5
_CATBOOST_VERSION: Final = re.compile(r"(?:tags/v|release )(\d+(?:\.\d+)+)")
_MOST_COLUMNS: Final = 100_000
_LIGHTGBM_HEAD_BYTES: Final = 16 * 2**20
_NAME_AND_PLACE: Final = {_NUMBERS: (4, 2), _CATEGORIES: (2, 1)}
"""Where a feature's name and its column are, in the table of its kind."""


class _Categories(msgspec.Struct, frozen=True):
    enc: list[Any] = []


class _Trees(msgspec.Struct, frozen=True):
    cats: _Categories = _Categories()


class _Booster(msgspec.Struct, frozen=True):
    model: _Trees = _Trees()


class _Learner(msgspec.Struct, frozen=True):
    gradient_booster: _Booster = _Booster()
    feature_names: list[str] = []
    learner_model_param: dict[str, Any] = {}


class _XgboostFile(msgspec.Struct, frozen=True):
    version: list[int]
    learner: _Learner


class _Feature(msgspec.Struct, frozen=True):
    flat_feature_index: int
    feature_id: str = ""


class _Features(msgspec.Struct, frozen=True):
    float_features: list[_Feature] = []
    categorical_features: list[_Feature] = []


class _CatboostFile(msgspec.Struct, frozen=True):
    features_info: _Features
    model_info: dict[str, msgspec.Raw] = {}


def read_xgboost(path: Path) -> SavedModel | None:
    """An XGBoost model in JSON or UBJSON; None when the file is something else.

    Raises:
        ProjectError: It begins as one, and is damaged.
    """
    begin = head(path, 64)
    is_binary = begin[:1] == b"{" and begin[1:2] in (b"L", b"i", b"U", b"I", b"l")
    if not is_binary and not re.match(rb'\s*\{\s*"(learner|version)"\s*:', begin):
        return None
    if is_binary and b"learner" not in begin and b"version" not in begin:
        return None
    with reading(path, "XGBoost model"):
        try:
            found = Ubjson(mapped(path)).value() if is_binary else None
            saved = msgspec.convert(found, _XgboostFile) if is_binary else json_file(path, _XgboostFile)
        except msgspec.ValidationError:
            return None
        learner = saved.learner
        count = min(int(str(learner.learner_model_param.get("num_feature", 0))), _MOST_COLUMNS)
        names = learner.feature_names or [""] * count
        return SavedModel(
            "xgboost",
            path,
            f"XGBoost model in {'UBJSON' if is_binary else 'JSON'}",
            {"xgboost": ".".join(str(part) for part in saved.version)},
            tuple(ColumnInput(name, "float32") for name in names[:_MOST_COLUMNS]),
            requirements=("pandas",) if learner.gradient_booster.model.cats.enc else (),
        )


def read_lightgbm(path: Path) -> SavedModel | None:
    """A LightGBM model, a text that begins with `tree`; None when the file is something else.

    Raises:
        ProjectError: It begins as one, and is damaged.
    """
    if not head(path, 64).replace(b"\r", b"").startswith(b"tree\nversion=v"):
        return None
    with reading(path, "LightGBM model"):
        begin = head(path, _LIGHTGBM_HEAD_BYTES).partition(b"\nTree=")[0].decode()
        known = dict(line.split("=", 1) for line in begin.splitlines() if "=" in line)
        names, count = known["feature_names"].split(), int(known["max_feature_idx"]) + 1
        if len(names) != count:
            raise ValueError(f"{len(names)} names for {count} features")
        trees = sum(int(size) for size in known.get("tree_sizes", "").split())
        if trees > path.stat().st_size:
            raise ValueError(f"{path.stat().st_size:,} bytes with trees of {trees:,}")
        form = f"LightGBM model, format {known['version']}, {known.get('objective', 'objective unknown')}"
        has_categories = _has_categories(path)
        return SavedModel(
            "lightgbm",
            path,
            form,
            inputs=tuple(ColumnInput(name) for name in names),
            requirements=("pandas",) if has_categories else (),
            notes=("it was fitted on a data frame with categories",) if has_categories else (),
        )


def _has_categories(path: Path) -> bool:
    """Whether the last line lists categories of a data frame, which a prediction then needs, too."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 2**20))
        _, is_said, listed = file.read().rpartition(b"pandas_categorical:")
    return bool(is_said) and listed.strip() not in (b"", b"[]", b"null")


def read_catboost(path: Path) -> SavedModel | None:
    """A CatBoost model, a FlatBuffers table behind `CBM1` or JSON; None when the file is something else.

    Raises:
        ProjectError: It begins as one, and is damaged.
    """
    begin = head(path, 8)
    if begin[:4] == b"CBM1":
        with reading(path, "CatBoost model"):
            return _catboost_table(path)
    if path.suffix != ".json" or begin[:1] != b"{":
        return None
    try:
        saved = json_file(path, _CatboostFile)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    columns = {one.flat_feature_index: (one.feature_id, "float32") for one in saved.features_info.float_features}
    columns |= {one.flat_feature_index: (one.feature_id, "str") for one in saved.features_info.categorical_features}
    said = bytes(saved.model_info.get("catboost_version_info", msgspec.Raw(b""))).decode()
    return _catboost_model(path, "CatBoost model in JSON", said, columns)


def _catboost_table(path: Path) -> SavedModel:
    content = mapped(path)
    (size,) = struct.unpack_from("<I", content, 4)
    if 8 + size > len(content):
        raise ValueError(f"{len(content):,} bytes of {8 + size:,}")
    model = Table.root(content[8 : 8 + size])
    trees = model.table(_TREES)
    if trees is None:
        raise ValueError("no trees in it")
    columns = {}
    for field, dtype in ((_NUMBERS, "float32"), (_CATEGORIES, "str")):
        name, place = _NAME_AND_PLACE[field]
        for feature in trees.tables(field):
            columns[feature.number(place, "<i", -1)] = feature.text(name), dtype
    said = {one.text(0): one.text(1) for one in model.tables(_PROPERTIES)}
    return _catboost_model(path, "CatBoost model", said.get("catboost_version_info", ""), columns)


def _catboost_model(path: Path, form: str, said: str, columns: dict[int, tuple[str, str]]) -> SavedModel:
    version = _CATBOOST_VERSION.search(said)
    inputs = tuple(ColumnInput(*columns[place]) for place in sorted(columns))
    return SavedModel("catboost", path, form, {"catboost": version.group(1)} if version else {}, inputs)
