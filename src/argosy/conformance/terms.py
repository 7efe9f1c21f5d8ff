"""On what terms an image is judged: what it is to be, and which clauses it may break for a while."""

import datetime
import difflib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from argosy.conformance.check import Status
from argosy.conformance.finding import Finding
from argosy.conformance.profile import Profile
from argosy.errors import ProjectError
from argosy.project_file import Waiver

_WAIVABLE: Final = (Status.FAIL, Status.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms an image is judged.

    Attributes:
        profile: What it is to be.
        waivers: Clauses that it may break for a while.
        today: The day of the judgement: a waiver counts up to its last day.
    """

    profile: Profile = Profile.SAGEMAKER
    waivers: tuple[Waiver, ...] = ()
    today: datetime.date = datetime.date.min

    def in_force(self) -> tuple[Waiver, ...]:
        """The waivers that have not expired."""
        return tuple(waiver for waiver in self.waivers if waiver.until >= self.today)


def waive(findings: Iterable[Finding], terms: Terms) -> tuple[Finding, ...]:
    """The findings, each that failed or is unknown with the waiver that is in force for its clause."""
    by_clause = {waiver.clause: waiver for waiver in reversed(terms.in_force())}
    return tuple(
        replace(finding, waiver=by_clause.get(finding.clause.id)) if finding.status in _WAIVABLE else finding
        for finding in findings
    )


def notes(findings: Sequence[Finding], terms: Terms) -> tuple[str, ...]:
    """A sentence on each waiver that does nothing: because it has expired, or because there is nothing to waive."""
    statuses = {finding.clause.id: finding.status for finding in findings}
    used = [finding.waiver for finding in findings if finding.waiver is not None]
    told: list[str] = []
    for waiver in terms.waivers:
        status = statuses.get(waiver.clause)
        if any(waiver is other for other in used):
            continue
        if waiver.until < terms.today:
            told.append(f"the waiver of {waiver.clause} has expired on {waiver.until}: it counts no more")
        elif status is None:
            told.append(f"the waiver of {waiver.clause} waives nothing: profile {terms.profile} does not ask for it")
        elif status in _WAIVABLE:
            told.append(f"the waiver of {waiver.clause} waives nothing: another one before it does")
        else:
            what = "holds" if status is Status.PASS else "was not tried"
            told.append(f"the waiver of {waiver.clause} waives nothing: the clause {what}")
    return tuple(told)


def require_known(waivers: Iterable[Waiver], known: Collection[str], where: object) -> None:
    """Refuse a waiver of a clause that there is not.

    Args:
        waivers: As they were written.
        known: The ids of all clauses.
        where: The file that has them.

    Raises:
        ProjectError: There is no clause of that id.
    """
    for waiver in waivers:
        if waiver.clause not in known:
            near = difflib.get_close_matches(waiver.clause, known, n=1)
            raise ProjectError(
                "`check.waivers` waives a clause that there is not",
                got=f"`{waiver.clause}`",
                where=where,
                hint=f"did you mean `{near[0]}`?" if near else "argosy check --explain  (lists all)",
            )
