"""The steps of a publication and of a private offer: what a plan is made of."""

from collections.abc import Sequence

from argosy.marketplace.offer_changes import PrivateOffer
from argosy.marketplace.product_changes import Visibility
from argosy.planning.step import Lane, Stage
from argosy.publishing.catalog.audience import RestrictionWish, VisibilityWish
from argosy.publishing.catalog.package import PackageStep
from argosy.publishing.catalog.private_offer import PrivateOfferWish
from argosy.publishing.catalog.product import ProductWish
from argosy.publishing.catalog.sale import Sale
from argosy.publishing.catalog.step import ChangeSetStep
from argosy.publishing.registration.account import SellerAccount


def publish_stages(
    sale: Sale, visibility: Visibility | None = None, restricted: Sequence[str] = (), *, validates: bool = True
) -> list[Stage]:
    """Account, package, product; then the versions that are restricted, then who sees it.

    Args:
        sale: What is sold.
        visibility: Who shall see it; None leaves that as it is.
        restricted: Titles of versions that new buyers shall not get.
        validates: Whether AWS judges the changes before they are made.
    """
    lane: Lane = [
        SellerAccount(sale.table),
        PackageStep(sale),
        ChangeSetStep(ProductWish(sale), validates=validates),
        *([ChangeSetStep(RestrictionWish(sale, tuple(restricted)), validates=validates)] if restricted else []),
        *([ChangeSetStep(VisibilityWish(sale, visibility), validates=validates)] if visibility else []),
    ]
    return [[lane]]


def offer_stages(sale: Sale, private: PrivateOffer, *, validates: bool = True) -> list[Stage]:
    """Account and offer.

    Args:
        sale: What is sold publicly.
        private: The offer.
        validates: Whether AWS judges it before it is made.
    """
    lane: Lane = [SellerAccount(sale.table), ChangeSetStep(PrivateOfferWish(sale, private), validates=validates)]
    return [[lane]]
