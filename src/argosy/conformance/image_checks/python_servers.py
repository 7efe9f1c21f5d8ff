"""Python servers as they are started: gunicorn's timeout, Flask's own server, unbuffered logs."""

import re
from pathlib import PurePosixPath
from typing import Final

from argosy.conformance.check import Check, Evidence, Group, Verdict, failed, passed, unknown
from argosy.conformance.clause import should
from argosy.conformance.image_checks.invoked import Call, calls
from argosy.conformance.image_checks.program_files import Source, program, started
from argosy.conformance.image_checks.start_command import chain, entry_point, working_dir
from argosy.conformance.scenes.at_rest import Files
from argosy.conformance.sources import FLASK_DEPLOYING, GUNICORN_SETTINGS, PYTHON_COMMAND_LINE
from argosy.contract import INVOCATION
from argosy.image.manifest import variables

_DEFAULT_S: Final = 30
"""gunicorn's own timeout (GUNICORN_SETTINGS, `timeout`, read 2026-11-23)."""

_ASYNC: Final = re.compile(r"gthread|gevent|eventlet|tornado|uvicorn|aiohttp|asgi", re.IGNORECASE)
"""Workers whose heartbeat goes on while they answer, so that the timeout ends none that works."""

_SHOWN: Final = 10
_SETTING: Final = r"^\s*{name}\s*=\s*(.+?)\s*(?:#.*)?$"
_SHELL_DEVELOPMENT: Final = (
    re.compile(
        r"(?:^|[;&|]|\bexec\b|-m)\s*(?:\w+=\S*\s+)*(flask\s+(?:--?\S+\s+(?:[\w.:/]+\s+)??)*run)\b", re.MULTILINE
    ),
    re.compile(r"\b(manage\.py\s+runserver)\b"),
)
_FLASK: Final = re.compile(r"\bFlask\(")
_FLASK_RUN: Final = re.compile(r"^[^\S\n]*(?:\w+\.)?(app|application|server)\.run\(", re.MULTILINE)
_PRINT: Final = re.compile(r"(?<![\w.])print\((?![^\n]*(?:flush|file)\s*=)(?![^)]*(?:flush|file)\s*=)")
_IS_UNBUFFERED: Final = re.compile(r"\bPYTHONUNBUFFERED=|stdout\.reconfigure\(|\bpython\S*\s+-\w*u\w*\b")


def _timeout(files: Files) -> Verdict:
    found = calls(files, "gunicorn")
    if not found:
        return passed("no gunicorn is started")
    verdicts = [_timeout_of(files, call) for call in found]
    return next((verdict for verdict in verdicts if verdict.evidence), verdicts[0])


def _timeout_of(files: Files, call: Call) -> Verdict:
    extra = variables(files.image).get("GUNICORN_CMD_ARGS", "").split()
    call = Call(call.place, (*call.words, *extra))
    settings = _settings(files, call)
    if settings is None:
        return unknown("the settings that gunicorn is given are not in the image", _seen(call, "settings not found"))
    workers = call.option("-k", "--worker-class") or _setting(settings, "worker_class") or "sync"
    threads = call.option("--threads") or _setting(settings, "threads") or "1"
    if _ASYNC.search(workers) or threads != "1":
        return passed(f"gunicorn's {workers} workers, {threads} threads each: the timeout ends none that works")
    timeout = call.option("-t", "--timeout") or _setting(settings, "timeout")
    if timeout is None:
        return failed(f"{call.place}: gunicorn kills a worker after {_DEFAULT_S} s", _seen(call, "no --timeout"))
    if not re.fullmatch(r"\d+", timeout):
        return unknown(f"{call.place}: the timeout is computed at the start", _seen(call, f"--timeout {timeout}"))
    if 0 < int(timeout) < INVOCATION.value:
        return failed(f"{call.place}: gunicorn kills a worker after {timeout} s", _seen(call, f"--timeout {timeout}"))
    return passed(f"{call.place}: --timeout {timeout}")


def _settings(files: Files, call: Call) -> str | None:
    """The text of gunicorn's file of settings; empty without one, None when the one that it is given is not there."""
    named = call.option("-c", "--config")
    folder = call.option("--chdir") or working_dir(files.image)
    path = str(PurePosixPath(working_dir(files.image), folder, (named or "gunicorn.conf.py").removeprefix("file:")))
    content = files.content(path).decode("utf-8", "replace")
    return None if named and not content else content


def _setting(settings: str, name: str) -> str | None:
    found = re.search(_SETTING.format(name=name), settings, re.MULTILINE)
    return found.group(1).strip("\"'") if found else None


def _seen(call: Call, what: str) -> Evidence:
    return Evidence(call.place, f"gunicorn: {what}")


def _development_server(files: Files) -> Verdict:
    line = " ".join(entry_point(files.image))
    found = [Evidence("ENTRYPOINT", match.group(1)) for sign in _SHELL_DEVELOPMENT for match in sign.finditer(line)]
    for source in started(files):
        code = source.code
        if source.is_python and _FLASK.search(code):
            found += [Evidence(source.place(match.end()), "app.run(") for match in _FLASK_RUN.finditer(code)]
        elif not source.is_python:
            found += [
                Evidence(source.place(match.start(1)), match.group(1))
                for sign in _SHELL_DEVELOPMENT
                for match in sign.finditer(code)
            ]
    if found:
        return failed(f"{found[0].sent}: {found[0].received} is a server for development", *found)
    return passed("no server for development in the start scripts")


def _unbuffered(files: Files) -> Verdict:
    sources = started(files)
    is_python = any("python" in PurePosixPath(path).name for path in chain(files)) or any(s.is_python for s in sources)
    if not is_python:
        return passed("no Python is started")
    starts = [" ".join(entry_point(files.image)), *(source.text for source in sources)]
    if variables(files.image).get("PYTHONUNBUFFERED") or any(_IS_UNBUFFERED.search(text) for text in starts):
        return passed("Python writes its log at once")
    printing = _printing(sources)
    if printing:
        return failed(f"{printing[0].sent}: print() writes into a buffer, which is lost with the process", *printing)
    printing = _printing(program(files))
    if printing:
        return unknown(f"{printing[0].sent}: print() writes into a buffer, if it is reached at all", *printing)
    return passed("nothing prints: loggers write to stderr, which has no buffer")


def _printing(sources: tuple[Source, ...]) -> list[Evidence]:
    found = [
        Evidence(source.place(match.start()), "print(")
        for source in sources
        if source.is_python
        for match in _PRINT.finditer(source.code)
    ]
    return found[:_SHOWN]


_GROUP: Final[Group[Files]] = Group("image", Files, ("image-serve",))

CHECKS: Final[tuple[Check[Files], ...]] = (
    _GROUP.check(
        should(
            "image-gunicorn-timeout",
            GUNICORN_SETTINGS,
            "gunicorn lets a worker answer for the 60 s that an invocation has.",
            "gunicorn --timeout 60 (3600 for long transform jobs), or workers that go on: -k gthread --threads 4",
            rows="C10 F06",
        ),
        _timeout,
        causes=("worker-timeout",),
    ),
    _GROUP.check(
        should(
            "image-dev-server",
            FLASK_DEPLOYING,
            "The start scripts run no server that is made for development.",
            "gunicorn --bind 0.0.0.0:8080 --timeout 60 module:app",
            rows="C05 F04",
        ),
        _development_server,
    ),
    _GROUP.check(
        should(
            "image-unbuffered",
            PYTHON_COMMAND_LINE,
            "A Python server writes its log at once, so that the last lines before a crash are in it.",
            "ENV PYTHONUNBUFFERED=1",
            rows="N08",
        ),
        _unbuffered,
    ),
)
