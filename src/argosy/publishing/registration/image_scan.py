"""ECR's scan of the image: begun where it is not, waited for, and judged, since findings keep a product from listing.

Source: Amazon ECR User Guide, "Scan images for software vulnerabilities"; AWS Marketplace seller guide, "Security and
intellectual property" (read 2026-11-23).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from argosy.aws.account import Scan, scan_of
from argosy.aws.api import Reader
from argosy.aws.call import Call
from argosy.errors import AwsError, PlanError
from argosy.planning.polling import poll
from argosy.planning.step import Change, Kind, Obstacle, Outputs, Work
from argosy.publishing.registration.offering import Offering

_ABSENT: Final = ("ScanNotFoundException", "ImageNotFoundException", "RepositoryNotFoundException")
_STARTED_TODAY: Final = ("LimitExceededException",)
_UNSCANNABLE: Final = "UnsupportedImageTypeException"
_SCANS_ITSELF: Final = "ValidationException"
_UNDER_WAY: Final = frozenset({"IN_PROGRESS", "PENDING"})
_NOT_BEGUN: Final = ""
_WITH_RESULT: Final = frozenset({"COMPLETE", "ACTIVE"})
_BEGUN_ANEW: Final = frozenset({"FAILED", "SCAN_ELIGIBILITY_EXPIRED"})
_BLOCKING: Final = ("CRITICAL", "HIGH")
_LIMIT_S: Final = 1800.0
_APPEARS_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class ImageScan:
    """The scan; gives its `status`."""

    offering: Offering

    @property
    def key(self) -> str:
        """See `Step`."""
        return self.offering.key("scan")

    def look(self, reader: Reader, known: Outputs) -> Change:
        """See `Step`.

        Raises:
            AwsError: AWS refuses or does not answer.
        """
        offering = self.offering
        title = f"scan of {offering.repository}:{offering.tag} in {offering.region}"
        asked = self._call("DescribeImageScanFindings", maxResults=100)
        found = _scan(reader, asked)
        if found is None or found.status in _BEGUN_ANEW:
            notes: tuple[str, ...] = () if found is None else (f"the last one: {_said(found)}",)
            return Change(self.key, title, Kind.CREATE, (self._call("StartImageScan"),), (asked,), notes=notes)
        if found.status in _UNDER_WAY:
            return Change(self.key, title, Kind.WAIT, reads=(asked,))
        notes, outputs = (self._told(found),), {"status": found.status}
        fault = self._fault(found)
        return Change(self.key, title, Kind.NOTHING, reads=(asked,), notes=notes, outputs=outputs, obstacle=fault)

    def apply(self, change: Change, work: Work) -> Mapping[str, str]:
        """See `Step`.

        Raises:
            AwsError: AWS refuses or does not answer.
            PlanError: The scan has found what keeps the package from being listed, or does not end.
        """
        for call in change.writes:
            try:
                work.api.write(call, _STARTED_TODAY)
            except AwsError as error:
                if error.refusal == _UNSCANNABLE:
                    work.report(f"{change.title}: not done, ECR cannot scan such an image ({error.sentence})")
                    return {"status": "UNSUPPORTED_IMAGE"}
                if error.refusal != _SCANS_ITSELF:
                    raise
                work.report(f"{change.title}: ECR begins it by itself here")
        asked = self._call("DescribeImageScanFindings", maxResults=100)
        work.report(f"waiting for the {change.title}")

        def seen() -> Scan:
            return _scan(work.api, asked) or Scan(_NOT_BEGUN)

        poll(seen, lambda found: found.status != _NOT_BEGUN, f"the begin of the {change.title}", _APPEARS_S)
        found = poll(seen, lambda found: found.status not in (_NOT_BEGUN, *_UNDER_WAY), f"the {change.title}", _LIMIT_S)
        work.report(f"{change.title}: {self._told(found)}")
        if fault := self._fault(found):
            raise PlanError(fault.what, where=change.title, hint=fault.hint)
        return {"status": found.status}

    def _told(self, found: Scan) -> str:
        """What a scan that is over has come to, in one line."""
        if found.status not in _WITH_RESULT:
            return f"no result: {_said(found)}; AWS Marketplace scans the image again"
        counted = ", ".join(f"{count} {severity}" for severity, count in (found.counts or {}).items())
        listed = counted or "nothing found"
        is_accepted = self.offering.accepts_findings and _is_blocking(found)
        return f"{listed}; accepted: {_names(found)}" if is_accepted else listed

    def _fault(self, found: Scan) -> Obstacle | None:
        """What of it keeps the package from being listed."""
        if found.status not in _WITH_RESULT or not _is_blocking(found) or self.offering.accepts_findings:
            return None
        return Obstacle(
            f"the scan has found what keeps the package from being listed: {_names(found)}",
            "mend them (a newer base image, newer packages) and raise [marketplace] version in argosy.toml; "
            "or go on with --accept-findings",
        )

    def _call(self, operation: str, **more: int) -> Call:
        wanted = {"repositoryName": self.offering.repository, "imageId": {"imageDigest": self.offering.image.digest}}
        return Call("ecr", operation, self.offering.region, {**wanted, **more})


def _scan(reader: Reader, asked: Call) -> Scan | None:
    answer = reader.ask(asked, _ABSENT)
    return scan_of(answer) if answer is not None else None


def _said(found: Scan) -> str:
    return f"{found.status}: {found.description[:200]}" if found.description else found.status


def _is_blocking(found: Scan) -> bool:
    return any((found.counts or {}).get(severity) for severity in _BLOCKING)


def _names(found: Scan) -> str:
    return "; ".join(found.findings) or "their names are not told"
