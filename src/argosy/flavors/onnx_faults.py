"""What ONNX Runtime says of a model that it cannot load -> what is wrong with it, and what mends it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from argosy.errors import LoadError

_PREFIX: Final = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : (?:Load model from .*? failed:)?", re.DOTALL)
_PLACE: Final = re.compile(r"/onnxruntime_src/\S+ .*?\) (?=[A-Z])|\S+\.(?:cc|h):\d+ \w+ ", re.DOTALL)
_NODE: Final = re.compile(r"Non-zero status code returned while running (\w+) node\. Name:'.*?' Status Message: ")
_LONGEST: Final = 300


def sentence(error: Exception) -> str:
    """What an exception of ONNX Runtime's says, without the places in its sources.

    >>> sentence(Exception("[ONNXRuntimeError] : 7 : INVALID_PROTOBUF : Load model from m.onnx failed:No graph."))
    'No graph.'
    """
    told = _NODE.sub(r"\1: ", _PLACE.sub("", _PREFIX.sub("", str(error))))
    return " ".join(told.split())[:_LONGEST]


def load_fault(path: Path, error: Exception, version: str) -> LoadError:
    """The clear error for what ONNX Runtime raised.

    Args:
        path: The model.
        error: What it raised.
        version: Of ONNX Runtime.
    """
    told = str(error)
    for pattern, make in _FAULTS:
        if match := pattern.search(told):
            return make(match, path, version)
    return LoadError("the ONNX model cannot be loaded", got=sentence(error), where=path, hint=_check(path))


Make = Callable[[re.Match[str], Path, str], LoadError]


def _broken(match: re.Match[str], path: Path, version: str) -> LoadError:
    what = "the file is cut short, damaged, or no ONNX model"
    got = f"{path.stat().st_size} bytes that do not parse"
    return LoadError(what, got=got, where=path, hint=_check(path))


def _too_new(what: str) -> Make:
    def make(match: re.Match[str], path: Path, version: str) -> LoadError:
        return LoadError(
            f"the model is newer than onnxruntime {version}",
            got=f"{what} {match['got']}",
            want=f"at most {match['want']}",
            where=path,
            hint="pip install --upgrade onnxruntime, or export the model for that version",
        )

    return make


def _unknown_operator(match: re.Match[str], path: Path, version: str) -> LoadError:
    found = match.groupdict()
    domain = found.get("domain") or "ai.onnx"
    opset = f" of opset {found['opset']}" if found.get("opset") else ""
    is_own = domain in ("ai.onnx", "ai.onnx.ml", "com.microsoft")
    upgrade, rewrite = "pip install --upgrade onnxruntime", f"export the model without `{domain}`"
    return LoadError(
        f"onnxruntime {version} has not an operator of the model",
        got=f"`{match['name']}`{opset} of `{domain}`",
        where=path,
        hint=upgrade if is_own else rewrite,
    )


def _no_weights_file(match: re.Match[str], path: Path, version: str) -> LoadError:
    name = Path(match["file"]).name
    return LoadError(
        "the file with the model's external data is missing",
        want=f"`{name}` beside it",
        where=path,
        hint=f"put `{name}` beside `{path.name}` among the artifacts",
    )


def _short_weights_file(match: re.Match[str], path: Path, version: str) -> LoadError:
    return LoadError(
        "the file with the model's external data is too short",
        got=f"{match['got']} bytes",
        want=f"at least {int(match['offset']) + int(match['size'])} for `{match['tensor']}`",
        where=path,
        hint="copy it again, with the model: they were written together",
    )


def _check(path: Path) -> str:
    if path.suffix == ".ort":
        return "save or copy it again"
    return f"python -c \"import onnx; onnx.checker.check_model('{path}')\""


_FAULTS: Final[tuple[tuple[re.Pattern[str], Make], ...]] = tuple(
    (re.compile(pattern), make)
    for pattern, make in (
        (r"Protobuf parsing failed|No graph was found in the protobuf|ORT model verification failed", _broken),
        (
            r"Unsupported model IR version: (?P<got>\d+), max supported IR version: (?P<want>\d+)",
            _too_new("IR version"),
        ),
        (r"Opset (?P<got>\d+) is under development.* is till opset (?P<want>\d+)", _too_new("opset")),
        (r"No Op registered for (?P<name>\w+) with domain_version of (?P<opset>\d+)", _unknown_operator),
        (r"Fatal error: (?P<domain>[\w.]*):(?P<name>\w+)\(-?\d+\) is not a registered", _unknown_operator),
        (r"Could not find an implementation for (?P<name>\w+)\((?P<opset>\d+)\) node", _unknown_operator),
        (r"External data path does not exist: \"(?P<file>[^\"]+)\"", _no_weights_file),
        (
            r"External initializer: (?P<tensor>.*?) offset: (?P<offset>\d+) size to read: (?P<size>\d+)"
            r" given file_length: (?P<got>\d+)",
            _short_weights_file,
        ),
    )
)
"""Patterns of what ONNX Runtime 1.32 says (tried 2026-11-23); what none of them matches is told as it is."""
