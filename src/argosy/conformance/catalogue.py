"""Everything that is asked of an image: all checks in the order of a report, their clauses, the acts that they need."""

from collections.abc import Mapping
from typing import Any, Final

from argosy.conformance.check import Check
from argosy.conformance.clause import Clause
from argosy.conformance.container_checks import (
    bodies,
    errors,
    health,
    invocations,
    load,
    log,
    metering,
    shutdown,
    startup,
    streams,
)
from argosy.conformance.image_checks import archive, image, program
from argosy.conformance.observing import endpoint, honesty
from argosy.conformance.observing.act import Act

CHECKS: Final[tuple[Check[Any], ...]] = (  # each check has a scene type of its own, hence Any
    *image.CHECKS,
    *program.CHECKS,
    *archive.CHECKS,
    *startup.CHECKS,
    *health.CHECKS,
    *invocations.CHECKS,
    *load.CHECKS,
    *bodies.CHECKS,
    *streams.CHECKS,
    *metering.CHECKS,
    *errors.CHECKS,
    *log.CHECKS,
    *shutdown.CHECKS,
)
"""All checks, in the order of a report."""

CLAUSES: Final[Mapping[str, Clause]] = {check.clause.id: check.clause for check in CHECKS}
"""Every clause by its id, in the same order."""

ACTS: Final[tuple[Act, ...]] = (endpoint.ACT, honesty.ACT)
"""All acts; the first is always played."""
