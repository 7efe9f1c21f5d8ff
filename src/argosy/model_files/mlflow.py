"""MLflow: a folder with an `MLmodel`, a YAML file of which the few keys that are needed are read strictly.

Source: mlflow.org, "MLflow Models", "Storage format"; MLflow 3.17, mlflow/models/model.py (read 2026-11-23).
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from argosy.model_files.contents import head, reading
from argosy.model_files.saved_model import ArrayInput, ColumnInput, SavedModel

FILE_NAME: Final = "MLmodel"
REQUIREMENTS: Final = "requirements.txt"
_MOST_BYTES: Final = 4 * 2**20
_KEY: Final = re.compile(r"^( *)([A-Za-z_][\w.-]*):(?: +(.*))?$")
_SINGLE: Final = r"'((?:[^']|'')*)' *"
_DOUBLE: Final = r'"((?:[^"\\]|\\.)*)" *'
_ESCAPE: Final = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)")
_ESCAPED: Final = {
    "0": "\0",
    "b": "\b",
    "e": "\x1b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "N": "\x85",
    "_": "\xa0",
}
"""Source: yaml.org, YAML 1.2.2, 5.7 (read 2026-11-23)."""
_DTYPES: Final = {
    "double": "float64",
    "float": "float32",
    "long": "int64",
    "integer": "int32",
    "boolean": "bool",
    "string": "str",
}


def read_folder(folder: Path) -> SavedModel | None:
    """A model of MLflow's; None when the folder is something else.

    Raises:
        ProjectError: It is one, and is damaged, or has no python_function.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        return None
    with reading(path, "MLmodel file"):
        said = keys(head(path, _MOST_BYTES).decode())
        if "flavors.python_function.loader_module" not in said:
            raise ValueError("no python_function among its flavors")
        version = said.get("mlflow_version", "")
        text = said.get("signature.inputs", "")
        inputs = tuple(_inputs(json.loads(text))) if text.startswith("[") else ()
        loader = said["flavors.python_function.loader_module"]
    listed = folder / REQUIREMENTS
    with reading(listed, "requirements file"):
        lines = head(listed, _MOST_BYTES).decode().splitlines() if listed.is_file() else []
    wanted = tuple(line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#"))
    return SavedModel(
        "mlflow",
        folder,
        f"MLflow model, loaded by {loader}",
        {"mlflow": version} if version else {},
        inputs,
        requirements=wanted,
        is_pickle=_runs_code(said, loader),
        word=FILE_NAME,
    )


def _runs_code(said: Mapping[str, str], loader: str) -> bool:
    """Whether loading may run code that the folder holds: Python files, pickles, types that skops is told to make."""

    def own(key: str, default: str = "null") -> str:
        return said.get(f"flavors.{loader.removeprefix('mlflow.')}.{key}", default)

    if said.get("flavors.python_function.code", "null") != "null":
        return True
    if loader in ("mlflow.catboost", "mlflow.onnx"):
        return False
    if loader == "mlflow.xgboost" and own("model_class", "xgboost.core.Booster").startswith("xgboost."):
        return False
    if loader == "mlflow.lightgbm" and own("model_class", "lightgbm.basic.Booster") == "lightgbm.basic.Booster":
        return False
    has_skops = loader in ("mlflow.sklearn", "mlflow.lightgbm") and own("serialization_format") == "skops"
    return not has_skops or own("skops_trusted_types") not in ("null", "[]")


def _inputs(columns: list[dict[str, Any]]) -> Iterator[ArrayInput | ColumnInput]:
    for column in columns:
        if column.get("type") == "tensor":
            spec = column["tensor-spec"]
            shape = tuple(length if length >= 0 else None for length in spec["shape"])
            yield ArrayInput(column.get("name", ""), "str" if spec["dtype"] == "object" else spec["dtype"], shape)
        else:
            is_required = bool(column.get("required", True))
            yield ColumnInput(column.get("name", ""), _DTYPES.get(str(column.get("type")), ""), is_required)


def keys(text: str) -> dict[str, str]:
    """The scalars of a YAML file of mappings, by their dotted keys; empty above a list or mapping.

    Raises:
        ValueError: A quoted text does not end.
    """
    found: dict[str, str] = {}
    above: list[tuple[int, str]] = []
    lines = iter(text.splitlines())
    folded = ""
    for line in lines:
        key = _KEY.match(line)
        if key is None:
            if folded and line.startswith(" " * (above[-1][0] + 1)):
                found[folded] += f" {line.strip()}"
            continue
        depth = len(key.group(1))
        above = [(indent, name) for indent, name in above if indent < depth]
        above.append((depth, key.group(2)))
        name = ".".join(name for _, name in above)
        value = (key.group(3) or "").strip()
        is_quoted = value[:1] in ("'", '"')
        found[name] = _quoted(value, lines) if is_quoted else value
        folded = name if value and not is_quoted else ""
    return found


def _quoted(value: str, lines: Iterator[str]) -> str:
    """A quoted scalar, folded over lines as YAML 1.2 folds them (7.3)."""
    quote = value[0]
    parts = [value]
    while not _ends(parts[-1] if len(parts) > 1 else value[1:], quote):
        line = next(lines, None)
        if line is None:
            raise ValueError("a quoted text does not end")
        is_joined = quote == '"' and parts[-1].endswith("\\")
        if is_joined:
            parts[-1] = parts[-1][:-1]
        parts.append(line.lstrip() if is_joined else f" {line.strip()}")
    match = re.fullmatch(_SINGLE if quote == "'" else _DOUBLE, "".join(parts), re.DOTALL)
    if match is None:
        raise ValueError("a quoted text goes on behind its end")
    if quote == "'":
        return match.group(1).replace("''", "'")
    return _ESCAPE.sub(_unescaped, match.group(1))


def _ends(line: str, quote: str) -> bool:
    """Whether a quoted text ends with this line, whose own quotes are doubled or escaped."""
    bare = line.rstrip()
    if quote == "'":
        return bare.replace("''", "").endswith("'")
    return bare.endswith('"') and (len(bare[:-1]) - len(bare[:-1].rstrip("\\"))) % 2 == 0


def _unescaped(match: re.Match[str]) -> str:
    sign, digits = match.group(1)[0], match.group(1)[1:]
    return chr(int(digits, 16)) if digits else _ESCAPED.get(sign, sign)
