"""What a person may decide about the local AWS Marketplace: how long things take, and what nobody knows.

The page docs/explanation/what-local-aws-does-not-know.md tells each question with its sources.
"""

from dataclasses import dataclass
from typing import Final, Literal

REGIONS: Final = (
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
)
"""Where a product is offered: the entity of a machine-learning product in the tests of
awslabs/aws-marketplace-catalog-api-shapes-for-python 1.2.0 (read 2026-11-23)."""


@dataclass(frozen=True, slots=True)
class MarketplaceOptions:
    """Named answers to open questions.

    Attributes:
        preparing_ms: How long a change set is PREPARING.
        applying_ms: How long it is APPLYING.
        review_ms: How much longer it is with a change to Public, which people at AWS review.
        provisioning_ms: How long after a purchase its entitlement is PENDING.
        quote_s: How long an agreement request can be accepted.
        freeze_days: How long prices and instance types cannot change after a price of a public product has changed.
        regions: Where products are offered.
        inference_keys: Dimension keys of a price per inference that are taken; the first is the one that is shown.
        takes_prices_as_numbers: AWS's page shows numbers, its shapes demand texts.
        takes_references_as_product_id: AWS's samples have `$Name.Entity.Identifier` as ProductId, its shapes refuse it.
        takes_old_spelling: One page says `SagemakerModelPackageDeliveryOptionDetails`, the shapes `SageMaker...`.
        validates: Change sets that may have the intent VALIDATE: all, those that add versions alone, or none.
        copies_logos: Whether a product is described with AWS's own copy of its logo, as the entity in the tests of the
            published shapes is.
        checks_revisions: Whether an identifier with a revision (`prod-x@3`) must have the present one.
        sells_to_seller: When the seller may subscribe to a product of their own.
    """

    preparing_ms: int = 50
    applying_ms: int = 50
    review_ms: int = 0
    provisioning_ms: int = 50
    quote_s: int = 3600
    freeze_days: int = 90
    regions: tuple[str, ...] = REGIONS
    inference_keys: tuple[str, ...] = ("inference.count.m.i.c", "m.i.c")
    takes_prices_as_numbers: bool = False
    takes_references_as_product_id: bool = True
    takes_old_spelling: bool = False
    validates: Literal["all", "versions", "none"] = "all"
    copies_logos: bool = True
    checks_revisions: bool = True
    sells_to_seller: Literal["limited", "always", "never"] = "limited"
