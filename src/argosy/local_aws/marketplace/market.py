"""Who may see and buy what: products, offers and subscriptions as they are at a moment."""

from datetime import UTC, date, datetime, timedelta

from argosy.local_aws.marketplace.options import MarketplaceOptions
from argosy.local_aws.marketplace.state import Agreement, Offer, Product, State


def sees_product(account: str, product: Product) -> bool:
    """Whether a buyer finds a product: a limited one is for the seller and for the accounts that are allowed."""
    if product.visibility == "Limited":
        return account == product.account or account in product.buyer_accounts
    return product.visibility == "Public"


def sees_offer(account: str, offer: Offer, state: State) -> bool:
    """Whether an offer is for a buyer, expired or not."""
    if offer.state != "Released" or not sees_product(account, state.products[offer.product_id]):
        return False
    return not offer.is_private or account in offer.buyer_accounts


def ends(offer: Offer) -> datetime | None:
    """When an offer can no longer be taken: at the end of its last day."""
    if offer.available_until is None:
        return None
    last = date.fromisoformat(offer.available_until)
    return datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)


def is_available(offer: Offer, now: float) -> bool:
    """Whether an offer can be taken now."""
    end = ends(offer)
    return end is None or now < end.timestamp()


def may_buy(account: str, product: Product, options: MarketplaceOptions) -> bool:
    """Whether an account may subscribe; the seller's own may as long as the product is limited, to try it.

    UNSURE: whether sellers can subscribe to their own public products.
    """
    if account != product.account:
        return True
    when = options.sells_to_seller
    return when == "always" or (when == "limited" and product.visibility == "Limited")


def active_agreements(account: str, product_id: str, state: State, now: float) -> list[Agreement]:
    """The agreements by which an account is subscribed to a product."""
    return [
        each
        for each in state.agreements.values()
        if each.acceptor == account and each.product_id == product_id and each.status(now) == "ACTIVE"
    ]


def is_subscribed(account: str, package_arn: str, state: State, now: float) -> bool:
    """Whether an account may use a published package: subscribed, provisioned, and not closed when it subscribed."""
    return any(
        each.provisioned <= now and (version.restricted is None or each.accepted < version.restricted)
        for product in state.products.values()
        for version in product.versions
        if package_arn in version.published.values()
        for each in active_agreements(account, product.id, state, now)
    )
