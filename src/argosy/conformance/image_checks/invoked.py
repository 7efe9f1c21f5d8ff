"""How the start scripts of an image call a program: `gunicorn --timeout 60 ...`, `['nginx', '-c', ...]`."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from argosy.conformance.image_checks.program_files import Source, paths, program, started
from argosy.conformance.image_checks.start_command import entry_point
from argosy.conformance.scenes.at_rest import Files
from argosy.image.manifest import variables

_BEGINS: Final = (
    r"(?:^|[;&|({{]|\b(?:exec|nohup|then|do|time|env)\b|\bpython\d?(?:\.\d+)?\s+(?:-\w\s+)*-m)"
    r"\s*(?:\w+=\S*\s+)*(?:[^\s;&|(){{}}]*/)?{name}(?=\s|$)([^;&|\n]*)"
)
_IN_LIST: Final = r"""["'](?:[^"'\s]*/)?{name}["']([^\]]{{0,2000}})"""
_IN_TEXT: Final = r"""["'](?:exec\s+)?(?:[^"'\s]*/)?{name}(\s[^"'\n]*)"""
_SHELL_DEFAULT: Final = re.compile(r"\$\{(\w+):?[-=](\d+)\}")
_PYTHON_DEFAULT: Final = re.compile(
    r"""(?:(?:environ\.get|getenv)\(\s*["'](\w+)["']\s*,\s*|^(?:int\()?)["']?(\d+)["']?\)*\s*$"""
)
_PROGRAM_LINE: Final = re.compile(r"^command\s*=\s*(.*)$", re.MULTILINE)
_SETTINGS: Final = re.compile(r"\.(conf|ini)$")
_SUPERVISOR: Final = "etc/supervisor"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a program.

    Attributes:
        place: Where it stands: `/opt/program/serve:12`, or `ENTRYPOINT`.
        words: Its arguments; an expression stands as it is, but where a default is written beside it or in the same
            file, and the image does not set the variable: then it stands for that.
    """

    place: str
    words: tuple[str, ...]

    def option(self, *names: str) -> str | None:
        """The value of an option, by any of its names; None when it is not given."""
        for number, word in enumerate(self.words):
            name, is_assigned, value = word.partition("=")
            if word in names:
                return self.words[number + 1] if number + 1 < len(self.words) else ""
            if is_assigned and name in names:
                return value
        return None


def calls(files: Files, name: str) -> list[Call]:
    """The calls of a program: in the entry point and what it runs; else anywhere in the program's own scripts.

    Raises:
        RefusedError: Nothing can be executed.
    """
    words = entry_point(files.image)
    number = next((number for number, word in enumerate(words) if PurePosixPath(word).name == name), None)
    if number is not None:
        return [Call("ENTRYPOINT", tuple(words[number + 1 :]))]
    fixed = variables(files.image)
    for sources in (started(files), program(files)):
        found = [_resolved(call, source, fixed) for source in sources for call in _in_source(source, name)]
        if found:
            return found
    supervised = [entry.path for entry in files.filesystem if entry.path.startswith(_SUPERVISOR)]
    settings = [path for path in (*paths(files), *supervised) if _SETTINGS.search(path)]
    return [call for path in settings for call in _in_settings(files, path, name)]


def _in_source(source: Source, name: str) -> Iterator[Call]:
    code = source.code
    if not source.is_python:
        # A line that goes on on the next one: the same length, so that offsets still tell the line.
        yield from _in_shell(source, code.replace("\\\n", "  "), code, name)
        return
    for match in re.finditer(_IN_LIST.format(name=re.escape(name)), code):
        yield Call(source.place(match.start()), tuple(filter(None, map(_unquoted, match.group(1).split(",")))))
    for match in re.finditer(_IN_TEXT.format(name=re.escape(name)), code):
        yield Call(source.place(match.start()), tuple(match.group(1).split()))


def _in_shell(source: Source, joined: str, code: str, name: str) -> Iterator[Call]:
    for match in re.finditer(_BEGINS.format(name=re.escape(name)), joined, re.MULTILINE):
        begin = match.start(1)
        line = code.count("\n", 0, begin) + 1
        yield Call(f"/{source.path}:{line}", tuple(_unquoted(word) for word in match.group(1).split()))


def _in_settings(files: Files, path: str, name: str) -> Iterator[Call]:
    text = files.content(path).decode("utf-8", "replace")
    for match in _PROGRAM_LINE.finditer(text):
        for words in re.finditer(_BEGINS.format(name=re.escape(name)), match.group(1)):
            place = f"/{path}:{text.count(chr(10), 0, match.start()) + 1}"
            yield Call(place, tuple(words.group(1).split()))


def _resolved(call: Call, source: Source, fixed: Mapping[str, str]) -> Call:
    """The call with numbers in place of what has one as its default."""
    return Call(call.place, tuple(_number(word, source, fixed) or word for word in call.words))


def _number(word: str, source: Source, fixed: Mapping[str, str]) -> str | None:
    inner = re.fullmatch(r"(?:str\()?([A-Za-z_]\w*)\)?", word) if source.is_python else _SHELL_DEFAULT.fullmatch(word)
    if inner is None:
        return None
    if not source.is_python:
        return fixed.get(inner.group(1), inner.group(2))
    assigned = re.search(rf"^\s*{inner.group(1)}\s*=\s*([^\n]+)$", source.code, re.MULTILINE)
    default = _PYTHON_DEFAULT.search(assigned.group(1)) if assigned else None
    return fixed.get(default.group(1) or "", default.group(2)) if default else None


def _unquoted(word: str) -> str:
    return word.strip().strip("\"'")
