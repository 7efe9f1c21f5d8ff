"""What the image is built on: whether Marketplace can scan it, and what a scanner here finds."""

import re
from typing import Final

from argosy.conformance.check import Check, Evidence, Group, Verdict, failed, passed, unknown
from argosy.conformance.clause import must, should
from argosy.conformance.profile import Profile
from argosy.conformance.scenes.at_rest import Files, Scanned
from argosy.conformance.sources import ECR_SCANNING, MARKETPLACE_UPLOAD

SCANNED: Final = frozenset({"amzn", "debian", "ubuntu", "alpine", "centos", "ol", "rhel"})
"""`ID` of the distributions that ECR's basic scanning knows (ECR_SCANNING, read 2026-11-23)."""

SCANNED_BY_INSPECTOR: Final = frozenset(
    {"almalinux", "rocky", "fedora", "photon", "sles", "opensuse-leap", "chainguard", "wolfi", "minimos"}
)
"""Those that enhanced scanning knows besides.

Source: Amazon Inspector User Guide, "Operating system collection" (read 2026-11-23).
"""

_PLACES: Final = ("etc/os-release", "usr/lib/os-release")
_SETTING: Final = re.compile(r"""^(ID|VERSION_ID)=["']?([^"'\n]*)["']?\s*$""", re.MULTILINE)


def _os_release(files: Files) -> Verdict:
    text = next((content for place in _PLACES if (content := files.content(place))), b"").decode(errors="replace")
    settings = dict(_SETTING.findall(text))
    name, version = settings.get("ID", "").lower(), settings.get("VERSION_ID", "")
    if not name:
        return failed(
            "no os-release: ECR says UnsupportedImage", Evidence("/etc/os-release", "no ID in it, or no file")
        )
    told = f"{name} {version}".strip()
    if name in SCANNED:
        return passed(f"{told}: ECR scans {name}, in those versions that its vendor still supports")
    if name in SCANNED_BY_INSPECTOR:
        return unknown(f"{told}: only ECR's enhanced scanning knows it", Evidence("/etc/os-release", told))
    return failed(f"{told} is not among what ECR scans", Evidence("/etc/os-release", told))


def _vulnerabilities(scanned: Scanned) -> Verdict:
    scan = scanned.scan
    if scan is None:
        return unknown(f"not scanned: {scanned.reason}", decide="trivy or grype on the PATH, with its database")
    seen = Evidence(f"{scan.scanner} {scan.version}, database of {scan.database}", str(dict(scan.counts)))
    if scan.at_least("high"):
        return failed(f"{scan.counts['critical']} critical, {scan.counts['high']} high", seen)
    return passed(str(scan), seen)


_GROUP: Final[Group[Files]] = Group("image", Files)
_SCANNED: Final[Group[Scanned]] = Group("image", Scanned)

CHECKS: Final[tuple[Check[Files] | Check[Scanned], ...]] = (
    _GROUP.check(
        should(
            "image-os-release",
            ECR_SCANNING,
            "The image is of a distribution that AWS can scan for vulnerabilities.",
            "build on Amazon Linux, Debian, Ubuntu or Alpine, and keep /etc/os-release",
            rows="N07 F17",
        ),
        _os_release,
    ),
    _SCANNED.check(
        must(
            "image-vulnerabilities",
            MARKETPLACE_UPLOAD,
            "No known vulnerability in the image is critical or high.",
            "take a newer base image, upgrade its packages (RUN apt-get update && apt-get upgrade -y) and the"
            " distributions that the scanner names: trivy image IMAGE",
            rows="N06 F17",
            only=(Profile.MARKETPLACE,),
        ),
        _vulnerabilities,
    ),
)
