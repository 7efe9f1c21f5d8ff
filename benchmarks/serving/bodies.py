"""The models and request bodies, made once, and whether an answer is the right one."""

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Final

from benchmarks.serving import environments

CONTENT_TYPES: Final = {"bytes": "application/octet-stream", "csv": "text/csv"}
"""Of each form of a body; all others are JSON."""


def folder() -> Path:
    """Where they are; made when the program that makes them is new."""
    maker = environments.HERE / "models/make.py"
    python = environments.python(environments.MODELS)
    stamp = maker.read_bytes() + (maker.parent / "requirements.txt").read_bytes()
    made = environments.CACHE / "models" / hashlib.sha256(stamp).hexdigest()[:16]
    if not (made / "expected.json").exists():
        environments.say(f"making the models in {made}")
        subprocess.run([str(python), "-W", "ignore", str(maker), str(made)], check=True, cwd=environments.CACHE)
    return made


def path(body: str, form: str) -> Path:
    """The file of one body in one form."""
    return folder() / "bodies" / f"{body}.{form}"


def content_type(form: str) -> str:
    """The Content-Type of a form."""
    return CONTENT_TYPES.get(form, "application/json")


def fault(work: str, body: str, sent: bytes, answer: bytes) -> str | None:
    """What is wrong with an answer; None when it is right."""
    if work == "echo":
        is_same = sent in answer if answer[:1] in (b'"', b"{") else answer == sent
        is_same = is_same or (sent[:1] == b"{" and json.loads(sent)["x"].encode() in answer)
        return None if is_same else f"{len(answer)} bytes that are not the body"
    if work.startswith("stream"):
        count = answer.count(b"tok00")
        return None if count == 50 else f"{count} parts"
    expected = json.loads((folder() / "expected.json").read_text()).get(f"{work} {body}")
    try:
        given = predictions(answer)
    except ValueError:
        return "neither JSON nor CSV"
    if expected is None:
        return None if len(given) == 1 else f"{len(given)} predictions"
    return None if given == expected else f"{len(given)} predictions, want {len(expected)}, or they differ"


def predictions(answer: bytes) -> list[float]:
    """The numbers of an answer: a JSON list, V1 or V2 of the inference protocol, or CSV.

    Raises:
        ValueError: It is none of these.
    """
    if answer[:1] not in (b"[", b"{"):
        return [float(line) for line in answer.decode().split()]
    value = json.loads(answer)
    if isinstance(value, dict):
        value = value["predictions"] if "predictions" in value else value["outputs"][0]["data"]
    return [number[0] if isinstance(number, list) else number for number in value]
