"""One call of AWS's API as a value: printed in a plan, and sent, as it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

SCOPES: Final[Mapping[str, str]] = {
    "marketplace-catalog": "aws-marketplace",
    "marketplace-discovery": "aws-marketplace",
    "marketplace-agreement": "aws-marketplace",
    "sagemaker-runtime": "sagemaker",
    "service-quotas": "servicequotas",
}
"""Services whose actions IAM knows by another prefix than botocore's name.

Source: Service Authorization Reference (read 2026-11-23); the actions of marketplace-discovery are UNSURE there.
"""

MARKETPLACE_REGION: Final = "us-east-1"
"""Where AWS Marketplace's own APIs are asked, whatever the region of a package: there is no other endpoint of them."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of AWS's API.

    Attributes:
        service: Its name in botocore: `sagemaker`, `marketplace-catalog`.
        operation: As the API spells it: `CreateModelPackage`.
        region: Where it is asked.
        parameters: The request, member by member as the API spells it. Any: JSON, and values that are not known yet.
    """

    service: str
    operation: str
    region: str
    parameters: Mapping[str, Any]

    @property
    def action(self) -> str:
        """The operation as errors and plans name it: `sagemaker:CreateModelPackage`."""
        return f"{SCOPES.get(self.service, self.service)}:{self.operation}"
