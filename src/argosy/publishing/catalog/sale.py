"""What a project sells: its table, completed, and the model package that this version is made of."""

from dataclasses import dataclass
from typing import Final

from argosy.marketplace.model_package import package_name
from argosy.marketplace.product_changes import Version
from argosy.marketplace.product_update import Sent
from argosy.marketplace.table import Marketplace
from argosy.planning.step import Outputs
from argosy.publishing.registration.offering import ACCOUNT_KEY

PACKAGE: Final = "package"
"""Key of the step that looks for the model package; its output `arn` is the package's."""
PRODUCT: Final = "product"
"""Key of the step that makes the product; its outputs `product` and `offer` are their ids."""


@dataclass(frozen=True, slots=True)
class Sale:
    """What is sold.

    Attributes:
        table: `[marketplace]`, its samples as texts or addresses.
        product_id: Of a product that is there already; None: it is found by its title.
    """

    table: Marketplace
    product_id: str | None = None

    @property
    def title(self) -> str:
        """The product's."""
        return self.table.listing.title.strip()

    def version(self, known: Outputs) -> Version:
        """The model package of this version: as AWS shows it, else by its name."""
        account = known.get(ACCOUNT_KEY, {}).get("id") or "*"
        made = f"arn:aws:sagemaker:{self.table.region}:{account}:model-package/{package_name(self.table)}"
        return Version(known.get(PACKAGE, {}).get("arn") or made, self.table.account.access_role or "")

    def sent(self, known: Outputs) -> Sent:
        """What an earlier run sent of what AWS Marketplace copies."""
        noted = known.get(PRODUCT, {})
        return Sent(noted.get("logo_url"), noted.get("eula"))
