"""Judges what was observed: every check on its scene, in order; one that cannot be tried says why."""

from typing import Any, Final

from argosy.conformance.check import Check, Finding, Status, Verdict, skipped, unknown
from argosy.conformance.checks import archive, errors, health, image, invocations, program, shutdown, startup
from argosy.conformance.scenes import Case

CHECKS: Final[tuple[Check[Any], ...]] = (  # each check has a scene type of its own, hence Any
    *image.CHECKS,
    *program.CHECKS,
    *archive.CHECKS,
    *startup.CHECKS,
    *health.CHECKS,
    *invocations.CHECKS,
    *errors.CHECKS,
    *shutdown.CHECKS,
)
"""All checks, in the order of a report."""

_GONE = "the container had ended, or answered nothing that this could be tried with"


def judge(case: Case) -> tuple[Finding, ...]:
    """The findings on everything that was observed, one for each clause, in the order of the contract.

    Nothing that an image does, and no fault of a check, raises: a check that breaks makes its clause `unknown`.
    """
    absent = dict(case.absent)
    found: dict[str, Finding] = {}
    for check in CHECKS:
        blocking = [need for need in check.needs if found[need].status in (Status.FAIL, Status.SKIP)]
        scene = getattr(case, check.scene)
        if blocking and check.scene not in absent:
            needed = found[blocking[0]]
            verdict = skipped(f"it builds on {needed.clause.id}, which {_participle(needed.status)}")
        elif scene is None:
            verdict = skipped(absent.get(check.scene, _GONE))
        else:
            verdict = _examined(check, scene)
        found[check.clause.id] = Finding(check.clause, check.group, verdict)
    return tuple(found.values())


def _examined(check: Check[Any], scene: object) -> Verdict:
    try:
        return check.examine(scene)
    except Exception as error:  # a broken check must not hide the other findings
        return unknown(f"the check itself failed: {type(error).__name__}: {error}")


def _participle(status: Status) -> str:
    return "failed" if status is Status.FAIL else "was not tried"
