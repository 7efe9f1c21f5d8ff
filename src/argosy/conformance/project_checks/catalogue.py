"""All that is asked of what a project sells, in the order of a report: judged without an image, and quick to load."""

from typing import Any, Final

from argosy.conformance.check import Check
from argosy.conformance.project_checks import (
    buyer_code,
    instances,
    listing,
    package,
    placement,
    pricing,
    usage,
    validation,
)

PACKAGE_CHECKS: Final[tuple[Check[Any], ...]] = (*package.CHECKS, *instances.CHECKS, *validation.CHECKS)
"""On the model package and its validation; each check has a scene type of its own, hence Any."""
PRODUCT_CHECKS: Final[tuple[Check[Any], ...]] = (
    *placement.CHECKS,
    package.REQUEST,
    *pricing.CHECKS,
    *listing.CHECKS,
    *usage.CHECKS,
    *buyer_code.CHECKS,
)
"""On where it is made, the request that makes it, and the product."""
