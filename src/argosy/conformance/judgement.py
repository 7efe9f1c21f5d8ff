"""Judges what was observed: each check on its scene, and what one finding means for others. Nothing is looked at."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from argosy.conformance.case import Case
from argosy.conformance.check import Check, Status, Verdict, skipped, unknown
from argosy.conformance.finding import Finding
from argosy.conformance.profile import Profile

CHECK_FAILED: Final = "the check itself failed"
"""How the reason begins of a clause that is unknown because its check broke."""

_SEE: Final = re.compile(r": see (?P<clause>[a-z0-9]+(?:-[a-z0-9]+)*)$")
"""How a skip names the clause that has the finding on what keeps it from being tried."""
_GONE: Final = "the container had ended, or answered nothing that this could be tried with"


def judge(case: Case, checks: Sequence[Check[Any]], profile: Profile) -> tuple[Finding, ...]:
    """The findings on everything that was observed, one for each clause, in the order of the checks.

    Nothing that an image does, and no fault of a check, raises: a check that breaks makes its clause `unknown`. A
    clause that one builds on, and that is not among the checks, keeps none from being judged.
    """
    found: dict[str, Finding] = {}
    for check in checks:
        needs = [found[need] for need in check.needs if need in found]
        blocking = [needed for needed in needs if needed.status in (Status.FAIL, Status.SKIP)]
        scene = case.find(check.scene)
        blocked_by = ""
        if blocking and check.scene not in case.absent:
            needed = blocking[0]
            blocked_by = needed.clause.id
            verdict = skipped(f"it builds on {blocked_by}, which {_participle(needed.status)}")
        elif scene is None:
            verdict = skipped(case.absent.get(check.scene, _GONE))
        else:
            verdict = _examined(check, scene)
        if verdict.status is Status.SKIP and (named := _SEE.search(verdict.reason)):
            blocked_by = named["clause"]
        found[check.clause.id] = Finding(check.clause, check.group, verdict, profile, blocked_by=blocked_by)
    return tuple(_unless_caused(found[check.clause.id], check.causes, found) for check in checks)


def _examined(check: Check[Any], scene: object) -> Verdict:
    try:
        return check.examine(scene)
    except Exception as error:  # a broken check must not hide the other findings
        return unknown(f"{CHECK_FAILED}: {type(error).__name__}: {error}")


def _unless_caused(finding: Finding, causes: Sequence[str], found: Mapping[str, Finding]) -> Finding:
    """The finding; a failure that another one explains is none of its own."""
    cause = next((id_ for id_ in causes if id_ in found and found[id_].status is Status.FAIL), None)
    if cause is None or finding.status is not Status.FAIL:
        return finding
    verdict = skipped(f"{finding.verdict.reason}: see {cause}", *finding.verdict.evidence)
    return replace(finding, verdict=verdict, blocked_by=cause)


def _participle(status: Status) -> str:
    return "failed" if status is Status.FAIL else "was not tried"
