"""Known vulnerabilities of an image, as trivy or grype tell them when one of them is installed.

An image is never called clean here. What did not run to its end, has no database, or recognized nothing in the image,
has scanned nothing, and says so.

Source: trivy.dev "Reporting", pkg.go.dev/github.com/aquasecurity/trivy/pkg/types `Report`, and `trivy version --format
json`; oss.anchore.com "Working with JSON", `grype version` and `grype db status`, anchore/grype grype/presenter/models
`Document` (read 2026-11-22).
"""

import os
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from argosy.errors import NotScannedError

SEVERITIES: Final = ("critical", "high", "medium", "low", "negligible", "unknown")
"""From the worst; of an unknown one nobody has judged yet how bad it is."""

THRESHOLDS: Final = SEVERITIES[:4]
TIMEOUT_S: Final = 1800.0
"""A scanner that fetches its database first may take minutes."""

_STATE_TIMEOUT_S: Final = 30.0
_SAID: Final = 300
_PACKAGES: Final = ("os-pkgs", "lang-pkgs")
_ENDS_EARLY: Final = "GRYPE_FAIL_ON_SEVERITY"  # would end a scan that came to a result as if it had failed


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scanner found.

    Attributes:
        scanner: `trivy` or `grype`.
        version: Its own.
        database: When its database was made, in its own words.
        counts: Severity -> findings, for each of `SEVERITIES`.
    """

    scanner: str
    version: str
    database: str
    counts: Mapping[str, int]

    def at_least(self, severity: str) -> int:
        """How many findings are as bad as that, or worse; those of unknown severity are not among them."""
        return sum(self.counts[name] for name in SEVERITIES[: SEVERITIES.index(severity) + 1])

    def __str__(self) -> str:
        """One line for people."""
        listed = ", ".join(f"{count} {name}" for name, count in self.counts.items() if count)
        return f"{self.scanner} {self.version}, database of {self.database}: {listed or 'no finding'}"


def scan(layout: Path, environ: Mapping[str, str], timeout_s: float = TIMEOUT_S) -> Scan:
    """Have the image looked at by the first scanner that comes to a result: trivy, then grype.

    Args:
        layout: An OCI layout that holds this image alone.
        environ: With the PATH to look for them, and their own settings.
        timeout_s: Seconds after which one of them is ended.

    Raises:
        NotScannedError: None is installed, or none came to a result.
    """
    reasons = []
    for name, look in _SCANNERS.items():
        program = shutil.which(name, path=environ.get("PATH"))
        if program is None:
            reasons.append(f"no `{name}` on the PATH")
            continue
        try:
            return look(layout, _Program(program, environ, timeout_s))
        except _NoResultError as error:
            reasons.append(f"{name}: {error}")
    raise _not_scanned(reasons)


def require_installed(environ: Mapping[str, str]) -> None:
    """Whether there is a scanner to ask, before an image is laid out for it.

    Raises:
        NotScannedError: None is installed.
    """
    if not any(shutil.which(name, path=environ.get("PATH")) for name in _SCANNERS):
        raise _not_scanned([f"no `{name}` on the PATH" for name in _SCANNERS])


def states(environ: Mapping[str, str]) -> list[str]:
    """Each scanner that is installed with its version and its database: what a scan now would depend on."""
    found = []
    for name in _SCANNERS:
        path = shutil.which(name, path=environ.get("PATH"))
        if path is not None:
            program = _Program(path, environ, _STATE_TIMEOUT_S)
            try:
                found.append(f"{name} {_STATES[name](program)}")
            except _NoResultError as error:
                found.append(f"{name}: {error}")
    return found


def _not_scanned(reasons: list[str]) -> NotScannedError:
    return NotScannedError(
        "not scanned for vulnerabilities",
        got="; ".join(reasons),
        want="trivy or grype, with its database",
        hint="install one (https://trivy.dev, https://oss.anchore.com); `trivy image --download-db-only` or "
        "`grype db update` fetches the database",
    )


Report = TypeVar("Report", bound=msgspec.Struct)


class _NoResultError(Exception):
    """One scanner came to no result; the text says why."""


@dataclass(frozen=True, slots=True)
class _Program:
    path: str
    environ: Mapping[str, str]
    timeout_s: float

    def answer(self, *arguments: str) -> bytes:
        """What it writes to stdout; nothing that it started is left running."""
        environ = {name: value for name, value in self.environ.items() if name != _ENDS_EARLY}
        try:
            process = subprocess.Popen(
                [self.path, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environ,
                start_new_session=True,
            )
        except OSError as error:
            raise _NoResultError(f"cannot be started: {error.strerror}") from error
        try:
            answer, said = process.communicate(timeout=self.timeout_s)
        except subprocess.TimeoutExpired:
            raise _NoResultError(f"no result after {self.timeout_s:g} s") from None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
        if process.returncode != 0:
            last = " ".join(said.decode("utf-8", "replace").split())[-_SAID:]
            raise _NoResultError(f"exit code {process.returncode}: {last or 'it said nothing'}")
        return answer


class _TrivyFinding(msgspec.Struct, frozen=True, rename="pascal"):
    severity: str = "unknown"


class _TrivyResult(msgspec.Struct, frozen=True, rename={"kind": "Class", "vulnerabilities": "Vulnerabilities"}):
    kind: str = ""
    vulnerabilities: list[_TrivyFinding] | None = None


class _TrivyReport(msgspec.Struct, frozen=True, rename="pascal"):
    schema_version: int
    results: list[_TrivyResult] | None = None


class _TrivyDatabase(msgspec.Struct, frozen=True, rename="pascal"):
    updated_at: str


class _TrivyVersion(msgspec.Struct, frozen=True, rename={"version": "Version", "database": "VulnerabilityDB"}):
    version: str
    database: _TrivyDatabase | None = None


def _trivy(layout: Path, program: _Program) -> Scan:
    severities = "UNKNOWN,LOW,MEDIUM,HIGH,CRITICAL"
    flags = ("--format=json", "--quiet", "--scanners=vuln", f"--severity={severities}", "--exit-code=0")
    report = _decoded(program.answer("image", *flags, "--input", str(layout)), _TrivyReport)
    results = [result for result in report.results or () if result.kind in _PACKAGES]
    if not results:
        raise _NoResultError("it recognized no packages in the image")
    version = _decoded(program.answer("version", "--format=json"), _TrivyVersion)
    if version.database is None:
        raise _NoResultError("it has no vulnerability database")
    found = (finding.severity for result in results for finding in result.vulnerabilities or ())
    return Scan("trivy", version.version, version.database.updated_at, _counted(found))


class _GrypeVulnerability(msgspec.Struct, frozen=True):
    severity: str = "unknown"


class _GrypeMatch(msgspec.Struct, frozen=True):
    vulnerability: _GrypeVulnerability


class _GrypeDescriptor(msgspec.Struct, frozen=True):
    version: str
    db: dict[str, Any] | None = None  # its form changed with the database's: flat, then below `status`


class _GrypeDistribution(msgspec.Struct, frozen=True):
    name: str = ""


class _GrypeReport(msgspec.Struct, frozen=True):
    matches: list[_GrypeMatch]
    descriptor: _GrypeDescriptor
    distro: _GrypeDistribution | None = None


def _grype(layout: Path, program: _Program) -> Scan:
    report = _decoded(program.answer(f"oci-dir:{layout}", "--output=json", "--quiet"), _GrypeReport)
    database = report.descriptor.db or {}
    status = database.get("status", database)
    made = status.get("built") if isinstance(status, dict) else None
    if not isinstance(made, str) or not made or status.get("error") or status.get("valid") is False:
        raise _NoResultError("it has no valid vulnerability database")
    if not report.matches and not (report.distro and report.distro.name):
        raise _NoResultError("it recognized no packages in the image")
    found = (match.vulnerability.severity for match in report.matches)
    return Scan("grype", report.descriptor.version, made, _counted(found))


_SCANNERS: Final[Mapping[str, Callable[[Path, _Program], Scan]]] = {"trivy": _trivy, "grype": _grype}


def _trivy_state(program: _Program) -> str:
    version = _decoded(program.answer("version", "--format=json"), _TrivyVersion)
    return f"{version.version}, database of {version.database.updated_at if version.database else None}"


def _grype_state(program: _Program) -> str:
    told = program.answer("version", "--output=json") + program.answer("db", "status", "--output=json")
    return told.decode("utf-8", "replace")


_STATES: Final[Mapping[str, Callable[[_Program], str]]] = {"trivy": _trivy_state, "grype": _grype_state}

NAMES: Final = tuple(_SCANNERS)
"""The scanners that are known, the one that is asked first before the others."""


def _decoded(content: bytes, kind: type[Report]) -> Report:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        raise _NoResultError(f"its report is not as documented: {error}") from error


def _counted(found: Iterable[str]) -> dict[str, int]:
    counted = Counter(severity.lower() if severity.lower() in SEVERITIES else "unknown" for severity in found)
    return {severity: counted[severity] for severity in SEVERITIES}
