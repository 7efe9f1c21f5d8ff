"""The artifacts at rest: model.tar.gz, linted."""

from typing import Final

from argosy.conformance.check import Check, Evidence, Group, Verdict, failed, passed
from argosy.conformance.clause import must
from argosy.conformance.scenes.at_rest import Archive
from argosy.contract import CONTAINER_DEFINITION, Level


def _model_archive(archive: Archive) -> Verdict:
    seen = tuple(Evidence(fault.member or archive.name, f"{fault.level}: {fault.what}") for fault in archive.faults)
    broken = [fault for fault in archive.faults if fault.level is Level.MUST]
    if broken:
        more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
        return failed(f"{broken[0].member or archive.name}: {broken[0].what}{more}", *seen)
    if archive.faults:
        return passed(f"it unpacks; {len(archive.faults)} remarks", *seen)
    return passed("it unpacks")


_GROUP: Final[Group[Archive]] = Group("image", Archive)

CHECKS: Final[tuple[Check[Archive], ...]] = (
    _GROUP.check(
        must(
            "model-archive",
            CONTAINER_DEFINITION,
            "model.tar.gz is a gzip tar that SageMaker unpacks: no links, no devices, no paths that lead out.",
            "argosy pack",
            rows="A01 A02 F13",
        ),
        _model_archive,
    ),
)
