"""nginx in front of a server: the bodies and the times that it lets through.

Source: nginx.org, `ngx_http_core_module` and `ngx_http_proxy_module` (read 2026-11-23).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Final

from argosy.conformance.check import Check, Evidence, Group, Verdict, failed, passed, unknown
from argosy.conformance.clause import should
from argosy.conformance.image_checks.invoked import calls
from argosy.conformance.image_checks.start_command import chain, working_dir
from argosy.conformance.scenes.at_rest import Files
from argosy.conformance.sources import NGINX_CORE, NGINX_PROXY
from argosy.contract import BATCH_PAYLOAD_MB, ENDPOINT_BODY, INVOCATION, megabytes

_DEFAULT_CONFIG: Final = "/etc/nginx/nginx.conf"
_DEEPEST: Final = 5
_COMMENT: Final = re.compile(r"#[^\n]*")
_DIRECTIVE: Final = r"(?<![\w$]){name}\s+([^;]+);"
_UNITS: Final = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}
_SECONDS: Final = {"ms": 0.001, "": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class _Directive:
    """A directive's value, and where it stands."""

    value: str
    place: str


@dataclass(frozen=True, slots=True)
class _Config:
    """The text of a file of nginx's settings, without comments."""

    path: str
    text: str

    def directives(self, name: str) -> Iterator[_Directive]:
        for match in re.finditer(_DIRECTIVE.format(name=name), self.text):
            line = self.text.count("\n", 0, match.start()) + 1
            yield _Directive(match.group(1).strip(), f"/{self.path}:{line}")


def _body(files: Files) -> Verdict:
    configs = _configs(files)
    if configs is None:
        return passed("no nginx is started")
    if not configs:
        return unknown("nginx is started, and its settings are not in the image")
    found = [directive for config in configs for directive in config.directives("client_max_body_size")]
    if not found:
        seen = Evidence(f"/{configs[0].path}", "no client_max_body_size: 1m")
        return failed(f"/{configs[0].path}: nginx refuses bodies above 1 MB", seen)
    sizes = {directive: _size(directive.value) for directive in found}
    for directive, size in sizes.items():
        seen = Evidence(directive.place, f"client_max_body_size {directive.value}")
        if size is None:
            return unknown(f"{directive.place}: the size is written at the start", seen)
        if 0 < size < ENDPOINT_BODY.value:
            return failed(f"{directive.place}: nginx refuses bodies above {directive.value}", seen)
    small = [one for one, size in sizes.items() if size and size < megabytes(int(BATCH_PAYLOAD_MB.value))]
    if small:
        return passed(f"{small[0].place}: {small[0].value}, enough for endpoints; a transform job may send 100 MB")
    return passed(f"{found[0].place}: client_max_body_size {found[0].value}")


def _timeout(files: Files) -> Verdict:
    configs = _configs(files)
    if configs is None:
        return passed("no nginx is started")
    for config in configs:
        for name in ("proxy_read_timeout", "uwsgi_read_timeout"):
            for directive in config.directives(name):
                seconds = _time(directive.value)
                seen = Evidence(directive.place, f"{name} {directive.value}")
                if seconds is None:
                    return unknown(f"{directive.place}: the time is written at the start", seen)
                if seconds < INVOCATION.value:
                    return failed(f"{directive.place}: nginx gives up after {directive.value}", seen)
    return passed("nginx waits 60 s or longer for an answer")


def _configs(files: Files) -> list[_Config] | None:
    """The settings that nginx is started with, those that they include too; None when no nginx is started."""
    found = calls(files, "nginx")
    if not found and not any(PurePosixPath(path).name == "nginx" for path in chain(files)):
        return None
    named = next((path for call in found if (path := call.option("-c"))), _DEFAULT_CONFIG)
    configs: dict[str, _Config] = {}
    rest = [str(PurePosixPath(working_dir(files.image), named))]
    for _ in range(_DEEPEST):
        new = [config for path in rest if (config := _read(files, path)) and config.path not in configs]
        configs |= {config.path: config for config in new}
        rest = [path for config in new for path in _included(files, config)]
    return list(configs.values())


def _read(files: Files, path: str) -> _Config | None:
    entry = files.filesystem.resolve(path)
    content = files.content(path)
    if entry is None or not content:
        return None
    return _Config(entry.path, _COMMENT.sub("", content.decode("utf-8", "replace")))


def _included(files: Files, config: _Config) -> Iterator[str]:
    folder = PurePosixPath("/", config.path).parent
    for directive in config.directives("include"):
        pattern = PurePosixPath(folder, directive.value.strip("\"'"))
        if "*" not in pattern.name:
            yield str(pattern)
            continue
        for name in files.filesystem.listing(str(pattern.parent)):
            if fnmatchcase(name, pattern.name):
                yield str(pattern.parent / name)


def _size(value: str) -> int | None:
    found = re.fullmatch(r"(\d+)([kmg]?)", value.lower())
    return int(found.group(1)) * _UNITS[found.group(2)] if found else None


def _time(value: str) -> float | None:
    parts = re.findall(r"(\d+)(ms|[smhd]?)", value)
    if not parts or "".join(number + unit for number, unit in parts) != value.replace(" ", ""):
        return None
    return sum(int(number) * _SECONDS[unit] for number, unit in parts)


_BODY: Final[Group[Files]] = Group("image", Files, ("image-serve",), causes=("large-body",))
_TIMEOUT: Final[Group[Files]] = Group("image", Files, ("image-serve",))

CHECKS: Final[tuple[Check[Files], ...]] = (
    _BODY.check(
        should(
            "image-nginx-body",
            f"{NGINX_CORE}#client_max_body_size",
            "nginx lets the bodies through that SageMaker sends: 25 MB, in a transform job up to 100 MB.",
            "client_max_body_size 100m; in the http or server block",
            rows="C19 F10",
        ),
        _body,
    ),
    _TIMEOUT.check(
        should(
            "image-nginx-timeout",
            f"{NGINX_PROXY}#proxy_read_timeout",
            "nginx waits for an answer for the 60 s that an invocation has.",
            "proxy_read_timeout 60s; (3600s for long transform jobs) in the location of /invocations",
            rows="C10 F06",
        ),
        _timeout,
    ),
)
