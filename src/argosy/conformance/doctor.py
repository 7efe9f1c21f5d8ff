"""Examines the seller's machine, in the same form as an image: clauses, findings, a report."""

import time
from typing import Any, Final

from argosy.conformance.check import Check
from argosy.conformance.finding import Report
from argosy.conformance.machine_checks import reaching, running
from argosy.conformance.observing.machine import Surroundings, observe
from argosy.conformance.run import judge, now

CHECKS: Final[tuple[Check[Any], ...]] = (*running.CHECKS, *reaching.CHECKS)  # each has a scene type of its own
"""All checks of a machine, in the order of a report."""

TARGET: Final = "this machine"
_KIND: Final = "machine"


def examine_machine(around: Surroundings) -> Report:
    """Look at this machine, and judge it; nothing is changed on it."""
    begun = time.monotonic()
    findings = judge(observe(around), CHECKS)
    return Report(TARGET, "", _KIND, time.monotonic() - begun, findings, checked_at=now())
