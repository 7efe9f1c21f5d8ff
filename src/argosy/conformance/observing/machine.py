"""Looks at the seller's machine: nothing is changed, and AWS is asked only where that is asked for."""

import ctypes
import email.utils
import importlib.metadata
import os
import platform
import shutil
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from packaging.requirements import Requirement

from argosy import engine as engines
from argosy.aws import identity
from argosy.conformance.case import Case
from argosy.conformance.scenes.machine import (
    Builder,
    Caller,
    Capacity,
    Clock,
    Cloud,
    Disks,
    Folder,
    Proxies,
    Runners,
    Software,
)
from argosy.engine import Engine
from argosy.errors import ArgosyError, ContainerError, EngineError
from argosy.image.materials import scanner
from argosy.simulator.containers import sandbox
from argosy.simulator.containers.instance_types import InstanceType

_NOT_ASKED: Final = "not asked for: --online"
_NO_TYPE: Final = "no --instance-type was given"
_NO_ENGINE: Final = "no container engine answers"
_TOOLKIT: Final = "toolkit"
_ONLINE_S: Final = 15.0
_UNSYNCHRONISED: Final = 0x0040
"""`STA_UNSYNC` of the kernel's `struct timex`. Source: adjtimex(2) (read 2026-11-23)."""
_CONTAINERD: Final = "io.containerd.snapshotter"
"""The driver type that Docker names when its images are in containerd's store.

Source: docs.docker.com/engine/storage/containerd (read 2026-11-23).
"""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where to look.

    Attributes:
        cache_dir: Argosy's cache folder; it need not exist.
        variables: The environment of the user.
        is_online: Whether AWS may be asked.
        instance_type: The one that images are meant for; None when none is.
    """

    cache_dir: Path
    variables: Mapping[str, str]
    is_online: bool = False
    instance_type: InstanceType | None = None


def observe(around: Surroundings) -> Case:
    """All scenes of the machine; one that cannot be seen is absent with the reason."""
    engine, refusal = _find_engine(around)
    case = Case.of(_runners(engine, refusal), _software(around), _proxies(around.variables), _cloud())
    case = case.joined(Case.of(Disks(_folder(around.cache_dir), _engine_folder(engine)), _clock(around)))
    case = case.without((Builder,), _NO_ENGINE) if engine is None else case.joined(Case.of(_builder(engine)))
    case = case.joined(Case.of(_caller())) if around.is_online else case.without((Caller,), _NOT_ASKED)
    if around.instance_type is None:
        return case.without((Capacity,), _NO_TYPE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return case.joined(Case.of(Capacity(os.cpu_count() or 1, memory, around.instance_type)))


def _find_engine(around: Surroundings) -> tuple[Engine | None, str]:
    try:
        return engines.find(None, around.variables), ""
    except EngineError as error:
        return None, str(error.got or error.what)


def _runners(engine: Engine | None, refusal: str) -> Runners:
    impossible = ""
    with tempfile.TemporaryDirectory(prefix="argosy-doctor-") as root:
        try:
            sandbox.probe(Path(root))
        except ContainerError as error:
            impossible = str(error.got or error.what)
    if engine is None:
        return Runners("", engine_refusal=refusal, sandbox_refusal=impossible)
    return Runners(engine.program, engine.version(), sandbox_refusal=impossible)


def _builder(engine: Engine) -> Builder:
    variables = engine.environ
    if engine.is_podman:
        return Builder(engine.program, has_docker_format=variables.get("BUILDAH_FORMAT") == "docker")
    told = variables.get("BUILDX_NO_DEFAULT_ATTESTATIONS", "").lower() in ("1", "t", "true")
    return Builder(
        engine.program,
        keeps_indexes=_CONTAINERD in str(_description(engine).get("DriverStatus")),
        driver=_driver(engine),
        makes_attestations=not told,
    )


def _description(engine: Engine) -> dict[str, Any]:  # the engine's own fields
    try:
        return engine.description()
    except (EngineError, ValueError):
        return {}


def _driver(engine: Engine) -> str:
    try:
        return engine.builder_driver()
    except EngineError:
        return ""


def _engine_folder(engine: Engine | None) -> Folder | None:
    """Where the engine keeps its images, None where that is another machine's or nobody says."""
    if engine is None:
        return None
    described = _description(engine)
    named = described.get("store", {}).get("graphRoot") if engine.is_podman else described.get("DockerRootDir")
    return _folder(Path(named)) if isinstance(named, str) and Path(named).is_dir() else None


def _folder(path: Path) -> Folder:
    """A folder, or where it would be made: the nearest one above it that is there."""
    there = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    try:
        free = shutil.disk_usage(there).free
    except OSError:
        return Folder(str(path), None, is_writable=False)
    return Folder(str(path), free, there.is_dir() and os.access(there, os.W_OK | os.X_OK))


def _cloud() -> Cloud:
    if not identity.is_installed():
        return Cloud(is_installed=False)
    try:
        return Cloud(True, identity.credentials_source(), identity.region())
    except ArgosyError as error:
        return Cloud(True, fault=error.message)


def _caller() -> Caller:
    begun = time.monotonic()
    try:
        found = identity.caller()
    except ArgosyError as error:
        return Caller("", error.message, time.monotonic() - begun)
    return Caller(found.arn, seconds=time.monotonic() - begun)


def _clock(around: Surroundings) -> Clock:
    if not around.is_online:
        return Clock(is_synchronised=_is_synchronised())
    url = identity.STS
    try:
        asked = identity.endpoint()
        url = identity.without_login(asked)
        begun = time.time()
        answer = httpx.head(asked, timeout=_ONLINE_S)
        here = (begun + time.time()) / 2
        told = email.utils.parsedate_to_datetime(answer.headers["Date"])
    except (ArgosyError, httpx.HTTPError, httpx.InvalidURL, KeyError, ValueError) as error:
        # Its sentence may repeat the URL, and so a login.
        return Clock(asked=url, refusal=type(error).__name__, is_synchronised=_is_synchronised())
    return Clock(here - told.timestamp(), url, is_synchronised=_is_synchronised())


class _Timex(ctypes.Structure):
    """The beginning of the kernel's `struct timex`, and more room than the rest takes."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 512),
    )


def _is_synchronised() -> bool | None:
    """What Linux knows of its clock; None elsewhere."""
    state = _Timex()
    try:
        code = ctypes.CDLL(None).adjtimex(ctypes.byref(state))
    except (AttributeError, OSError):
        return None
    return None if code < 0 else not state.status & _UNSYNCHRONISED


def _software(around: Surroundings) -> Software:
    requirements = [Requirement(text) for text in importlib.metadata.requires("argosy") or ()]
    extras = importlib.metadata.metadata("argosy").get_all("Provides-Extra") or []
    unmet = {extra: tuple(_unmet(requirements, extra)) for extra in extras}
    return Software(
        platform.python_version(),
        importlib.metadata.version("argosy"),
        unmet.get(_TOOLKIT, ()),
        tuple((extra, not missing) for extra, missing in sorted(unmet.items()) if extra != _TOOLKIT),
        tuple(name for name in scanner.NAMES if shutil.which(name, path=around.variables.get("PATH"))),
    )


def _unmet(requirements: list[Requirement], extra: str) -> Iterator[str]:
    """What an extra needs, and what is there instead."""
    for requirement in requirements:
        marker = requirement.marker
        if marker is None or marker.evaluate({"extra": ""}) or not marker.evaluate({"extra": extra}):
            continue
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            yield f"{requirement.name} is not installed"
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            yield f"{requirement.name} {version}, want {requirement.specifier}"


def _proxies(variables: Mapping[str, str]) -> Proxies:
    named = {name: value for name, value in variables.items() if name.lower() in _PROXY_VARIABLES and value}
    spared = {"no": variables.get("no_proxy") or variables.get("NO_PROXY") or ""}
    bypass = urllib.request.proxy_bypass_environment("127.0.0.1", spared)  # type: ignore[attr-defined]  # has no stub
    hosts = tuple((name, _host(value)) for name, value in sorted(named.items()))
    return Proxies(hosts, not named or bool(bypass))


_PROXY_VARIABLES: Final = ("http_proxy", "all_proxy")
"""Those that a request to `http://127.0.0.1` would heed."""


def _host(url: str) -> str:
    """The host of a proxy: its URL may have a login."""
    try:
        parts = urllib.parse.urlsplit(url if "://" in url else f"http://{url}")
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
    except ValueError:
        return "unreadable"
