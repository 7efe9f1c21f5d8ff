"""What AWS Marketplace asks of a project, judged before the first call by the clauses of `argosy check`."""

import datetime
from typing import Final

from argosy.conformance.check import Status
from argosy.conformance.finding import Finding
from argosy.conformance.judgement import judge
from argosy.conformance.observing.project import observe_project
from argosy.conformance.profile import Profile
from argosy.conformance.project_checks.catalogue import PACKAGE_CHECKS, PRODUCT_CHECKS
from argosy.conformance.terms import Terms, waive
from argosy.contract import Level
from argosy.errors import ProjectError
from argosy.project import Project
from argosy.project_file import FILE_NAME

_FOUND_OUT: Final = frozenset(
    {
        *("listing-speed", "usage-input", "usage-input-samples", "usage-output", "usage-output-samples"),
        "usage-instructions",
    }
)
_DESCRIBE: Final = "argosy describe  (finds out how the image is used and how quick it is, where you do not say it)"


def failed_demands(
    project: Project, today: datetime.date, headings: frozenset[str] | None = None, image_bytes: int | None = None
) -> tuple[Finding, ...]:
    """The clauses of level MUST on what a project sells that fail and are not waived.

    Nothing is run and AWS is not asked; it takes a fraction of a second.

    Args:
        project: The project, its `[marketplace]` as it is to be sold: see `description.completed`.
        today: The day for the waivers.
        headings: Those whose clauses are judged, as `REGISTERED` of `registration.lanes`; None judges all.
        image_bytes: Size of its image, unpacked; None when it is not known.
    """
    checks = (*PACKAGE_CHECKS, *PRODUCT_CHECKS)
    findings = judge(observe_project(project, image_bytes), checks, Profile.MARKETPLACE)
    terms = Terms(Profile.MARKETPLACE, project.check.waivers, today)
    return tuple(
        finding
        for finding in waive(findings, terms)
        if finding.status is Status.FAIL and finding.level is Level.MUST and not finding.is_waived
        if headings is None or finding.group in headings
    )


def require_demands(
    project: Project, today: datetime.date, headings: frozenset[str] | None = None, image_bytes: int | None = None
) -> None:
    """Refuse a project that AWS Marketplace would refuse.

    Args:
        project: As for `failed_demands`.
        today: As there.
        headings: As there.
        image_bytes: As there.

    Raises:
        ProjectError: It sells nothing, or clauses fail; all of them are told, with what to do about each.
    """
    where = project.root / FILE_NAME
    if project.marketplace is None:
        raise ProjectError(
            "the project says nothing of what it sells",
            want="a [marketplace] table",
            where=where,
            hint="argosy check .",
        )
    failed = failed_demands(project, today, headings, image_bytes)
    if failed:
        told = [f"{one.clause.id}: {one.verdict.reason}\n    {one.clause.remedy}" for one in failed]
        raise ProjectError(
            "AWS Marketplace would refuse this",
            got=f"{len(failed)} of its demands not met\n\n" + "\n".join(told),
            where=where,
            hint=_DESCRIBE if any(map(_is_found_out, failed)) else f"argosy check --explain {failed[0].clause.id}",
        )


def _is_found_out(finding: Finding) -> bool:
    """Whether a run of the image may tell what lacks."""
    return finding.clause.id in _FOUND_OUT and "is not said" in finding.verdict.reason
