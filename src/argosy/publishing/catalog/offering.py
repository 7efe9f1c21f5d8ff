"""What a project offers at AWS Marketplace: its table, completed, and the model package that it is about."""

from dataclasses import dataclass
from typing import Final

from argosy.marketplace.model_package import package_name
from argosy.marketplace.product_changes import Version
from argosy.marketplace.product_update import Sent
from argosy.marketplace.table import Marketplace
from argosy.planning.step import Outputs

PACKAGE: Final = "package"
"""Key of the step that looks for the model package; its output `arn` is the package's."""
PRODUCT: Final = "product"
"""Key of the step that makes the product; its outputs `product` and `offer` are their ids."""


@dataclass(frozen=True, slots=True)
class Offering:
    """What is sold.

    Attributes:
        table: `[marketplace]`, its samples as texts or addresses.
        account: The seller's account, twelve digits; `*` when it does not matter.
        product_id: Of a product that is there already; None: it is found by its title.
    """

    table: Marketplace
    account: str
    product_id: str | None = None

    @property
    def title(self) -> str:
        """The product's."""
        return self.table.listing.title.strip()

    @property
    def package_arn(self) -> str:
        """The ARN that the model package has, or will have: a name and its version."""
        return f"arn:aws:sagemaker:{self.table.region}:{self.account}:model-package/{package_name(self.table)}"

    def version(self, known: Outputs) -> Version:
        """The model package of this version, as far as it is known."""
        arn = known.get(PACKAGE, {}).get("arn") or self.package_arn
        return Version(arn, self.table.account.access_role or "")

    def sent(self, known: Outputs) -> Sent:
        """What an earlier run sent of what AWS Marketplace copies."""
        noted = known.get(PRODUCT, {})
        return Sent(noted.get("logo_url"), noted.get("eula"))
