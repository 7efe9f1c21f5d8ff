"""The artifacts at rest: model.tar.gz, linted."""

from typing import Final

from argosy.conformance.check import Check, Evidence, Group, Verdict, failed, passed
from argosy.conformance.scenes import Archive
from argosy.contract import Level


def _model_archive(archive: Archive) -> Verdict:
    seen = tuple(Evidence(fault.member or archive.name, f"{fault.level}: {fault.what}") for fault in archive.faults)
    broken = [fault for fault in archive.faults if fault.level is Level.MUST]
    if broken:
        more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
        return failed(f"{broken[0].member or archive.name}: {broken[0].what}{more}", *seen)
    if archive.faults:
        return passed(f"it unpacks; {len(archive.faults)} remarks", *seen)
    return passed("it unpacks")


_GROUP: Final[Group[Archive]] = Group("image", "archive")

CHECKS: Final[tuple[Check[Archive], ...]] = (_GROUP.check("model-archive", _model_archive),)
