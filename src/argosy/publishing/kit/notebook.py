"""The notebook that buyers run: every step that a buyer takes, with boto3 alone.

The cells are in `notebook.template`, in the percent format that editors know: `# %%` begins a cell, `# %% [markdown]`
one of text.

Source:
    Jupyter notebook format 4.5, https://nbformat.readthedocs.io/en/latest/format_description.html (read 2026-11-23).
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from argosy.publishing.kit import policies
from argosy.publishing.kit.contents import Case, Kit
from argosy.publishing.kit.template import filled
from argosy.publishing.kit.wording import costs, subscription, summary

_FOLDER: Final = Path(__file__).parent
_CELL: Final = re.compile(r"^# %%(?P<kind> \[markdown\])?\n", re.MULTILINE)
_FORMAT: Final = {"nbformat": 4, "nbformat_minor": 5}
_KERNEL: Final = {"display_name": "Python 3", "language": "python", "name": "python3"}
_WIDTH: Final = 100


def notebook(kit: Kit) -> dict[str, Any]:
    """The notebook as a value of JSON. Any: the format's."""
    return {
        **_FORMAT,
        "metadata": {"kernelspec": _KERNEL, "language_info": {"name": "python"}},
        "cells": [_cell(number, kind, text) for number, (kind, text) in enumerate(_cells(_source(kit)), start=1)],
    }


def _cell(number: int, kind: str, text: str) -> dict[str, Any]:
    lines = text.strip("\n").splitlines(keepends=True)
    cell: dict[str, Any] = {"id": f"cell-{number}", "cell_type": kind, "metadata": {}, "source": lines}
    return cell if kind == "markdown" else {**cell, "execution_count": None, "outputs": []}


def _cells(source: str) -> Iterator[tuple[str, str]]:
    """Kind and text of each cell."""
    marks = [*_CELL.finditer(source)]
    ends = [mark.start() for mark in marks[1:]] + [len(source)]
    for mark, end in zip(marks, ends, strict=True):
        text = source[mark.end() : end]
        if mark["kind"]:
            yield "markdown", re.sub(r"^# ?", "", text, flags=re.MULTILINE)
        else:
            yield "code", text


def _source(kit: Kit) -> str:
    """All cells in the percent format."""
    has_batch = bool(kit.observed.batch) and kit.batch_type is not None
    ami = kit.table.inference_ami_version
    values = {
        "TITLE_TEXT": _text(kit.title),
        "SUMMARY": _text(summary(kit)),
        "COSTS": _text(costs(kit)),
        "SUBSCRIPTION": _literal(subscription(kit)),
        "REALTIME_TEXT": str(kit.realtime_type),
        "BATCH_TEXT": f", a bucket and a transform job with one `{kit.batch_type}`" if has_batch else "",
        "NAME": _literal(kit.name),
        "PAGE": _literal(kit.page),
        "ARNS": _literal(dict(sorted(kit.arns.items()))),
        "REALTIME_TYPE": _literal(kit.realtime_type),
        "BATCH_TYPE": _literal(kit.batch_type),
        "REALTIME_SAMPLES": _literal([_sample(case) for case in kit.observed.realtime]),
        "BATCH_INPUT": _literal(_batch(kit) if has_batch else {}),
        "TRUST": _literal(policies.trust(policies.SAGEMAKER)),
        "PERMISSIONS": _literal(policies.execution_role("BUCKET")),
        "AMI": "" if ami is None else f'\n                "InferenceAmiVersion": {_literal(ami)},',
        "STREAM": _template("stream") if kit.observed.is_streaming else "",
        "TRANSFORM": _template("transform") if has_batch else "",
    }
    return filled(_template("notebook"), values)


def _template(name: str) -> str:
    return (_FOLDER / f"{name}.template").read_text(encoding="utf-8")


def _sample(case: Case) -> dict[str, str]:
    return {"file": case.name, "content_type": case.content_type, "accept": case.accept}


def _batch(kit: Kit) -> Mapping[str, Any]:
    """What the transform job is told, as the validation's job is."""
    said = kit.table.validation
    first = kit.observed.batch[0]
    return {
        "files": [case.name for case in kit.observed.batch],
        "content_type": first.content_type,
        "accept": first.accept,
        "split_type": said.split_type,
        "assemble_with": said.assemble_with,
        "batch_strategy": said.batch_strategy,
        "max_payload_mb": said.max_payload_mb,
        "max_concurrent_transforms": said.max_concurrent_transforms,
    }


def _literal(value: object) -> str:
    """A value as Python writes it, in lines where it is long, without anything that is a place to fill."""
    text = _written(value).replace("@@", "@\\x40")
    return text if len(text) <= _WIDTH else _written(value, indent="").replace("@@", "@\\x40")


def _written(value: object, indent: str | None = None) -> str:
    """A value of JSON as Python spells it: double quotes, and one entry a line where `indent` is given."""
    inner = None if indent is None else f"{indent}    "
    if isinstance(value, Mapping):
        entries = [f"{_written(str(key))}: {_written(part, inner)}" for key, part in value.items()]
        return _enclosed("{", entries, "}", indent)
    if isinstance(value, list | tuple):
        return _enclosed("[", [_written(part, inner) for part in value], "]", indent)
    # Not in ASCII: JSON writes what is beyond its plane as two escapes, which Python reads as two characters.
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _enclosed(begin: str, entries: list[str], end: str, indent: str | None) -> str:
    whole = f"{begin}{', '.join(entries)}{end}"
    if indent is None or not entries or (len(whole) + len(indent) <= _WIDTH - 20 and "\n" not in whole):
        return whole
    return f"{begin}\n" + "".join(f"{indent}    {entry},\n" for entry in entries) + f"{indent}{end}"


def _text(text: str) -> str:
    """A text that stays in its lines of a cell of text, each of which is a comment in the template."""
    return " ".join(text.split()).replace("@@", "@ @")
