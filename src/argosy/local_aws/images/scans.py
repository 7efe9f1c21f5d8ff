"""Scans of images: what is found is what a test says, and nothing unless it says so.

ECR scans an image once a day at most, the scan at its push included (API reference, StartImageScan, read 2026-11-23).
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import msgspec

from argosy.model_archive import written_aside

COMPLETE: Final = "COMPLETE"
IN_PROGRESS: Final = "IN_PROGRESS"


@dataclass(frozen=True, slots=True)
class ScanOutcome:
    """What scanning an image will say.

    Attributes:
        status: `COMPLETE`, or another that the API has: `FAILED`, `UNSUPPORTED_IMAGE`.
        counts: Findings by severity, as `{"HIGH": 1}`.
        looks: How often a scan that was started is `IN_PROGRESS` when it is looked at.
        description: Why it has this status.
    """

    status: str = COMPLETE
    counts: Mapping[str, int] = field(default_factory=dict)
    looks: int = 0
    description: str = "The scan was completed successfully."

    @property
    def findings(self) -> list[dict[str, Any]]:
        """One finding for each that is counted; Any: JSON of the API."""
        return [
            {
                "name": f"CVE-2099-{severity}-{number}",
                "description": "A finding that was asked for.",
                "severity": severity,
                "attributes": [{"key": "package_name", "value": "example"}],
            }
            for severity, count in self.counts.items()
            for number in range(1, count + 1)
        ]


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan that was started: its image's outcome, when it began in seconds since 1970, and looks that are left."""

    outcome: ScanOutcome
    begun: float
    looks_left: int

    @property
    def status(self) -> str:
        """As it is now."""
        return IN_PROGRESS if self.looks_left > 0 else self.outcome.status


class _Kept(msgspec.Struct):
    """What is on disk: outcomes by digest, and scans by repository and digest."""

    outcomes: dict[str, ScanOutcome]
    started: dict[str, dict[str, Scan]]


class Scans:
    """The scans of all images, by repository and digest.

    Args:
        file: Keeps them; None keeps nothing.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        kept = _Kept({}, {})
        if file is not None and file.exists():
            kept = msgspec.json.decode(file.read_bytes(), type=_Kept)  # JSON of our own
        self._outcomes = kept.outcomes
        self._started = {
            (repository, digest): scan for repository, scans in kept.started.items() for digest, scan in scans.items()
        }

    def expect(self, digest: str, outcome: ScanOutcome) -> None:
        """Say what scans of an image find, also those that were started before; `*` is every image not named."""
        self._outcomes[digest] = outcome
        for (repository, scanned), scan in self._started.items():
            if digest in (scanned, "*"):
                self._started[repository, scanned] = replace(scan, outcome=self._outcome(scanned))
        self._keep()

    def start(self, repository: str, digest: str) -> bool:
        """Start one; False when this image had one already, since a day is long here."""
        if (repository, digest) in self._started:
            return False
        outcome = self._outcome(digest)
        self._started[repository, digest] = Scan(outcome, round(time.time(), 3), outcome.looks)
        self._keep()
        return True

    def look(self, repository: str, digest: str) -> Scan | None:
        """How far the scan is; None when none was started. Looking lets it go on."""
        scan = self._started.get((repository, digest))
        if scan is not None and scan.looks_left > 0:
            self._started[repository, digest] = replace(scan, looks_left=scan.looks_left - 1)
            self._keep()
        return scan

    def peek(self, repository: str, digest: str) -> Scan | None:
        """As `look`, and nothing goes on."""
        return self._started.get((repository, digest))

    def forget(self, repository: str, digest: str) -> None:
        """An image that is gone is scanned anew when it comes back."""
        if self._started.pop((repository, digest), None) is not None:
            self._keep()

    def _outcome(self, digest: str) -> ScanOutcome:
        return self._outcomes.get(digest) or self._outcomes.get("*") or ScanOutcome()

    def _keep(self) -> None:
        if self._file is None:
            return
        kept = _Kept(self._outcomes, {})
        for (repository, digest), scan in self._started.items():
            kept.started.setdefault(repository, {})[digest] = scan
        with written_aside(self._file) as aside:
            aside.write_bytes(msgspec.json.encode(kept))
