"""The product of a project: made, or changed into what argosy.toml says, with its versions and its public offer."""

from dataclasses import replace

from argosy.aws.api import Reader
from argosy.aws.call import Call
from argosy.marketplace.change_set import ChangeSet
from argosy.marketplace.described import DescribedOffer, DescribedProduct
from argosy.marketplace.offer_update import FREEZE
from argosy.marketplace.product_changes import creating_product, version_title
from argosy.marketplace.product_update import updating
from argosy.planning.step import Consent, Kind, Obstacle, Outputs, Risk
from argosy.publishing.catalog import entities
from argosy.publishing.catalog.change_sets import catalog_call, listing, recent
from argosy.publishing.catalog.entities import Found
from argosy.publishing.catalog.sale import PRODUCT, Sale
from argosy.publishing.catalog.shown import price_changes, shown
from argosy.publishing.catalog.step import Due

_PUBLIC = "Public"


def find(reader: Reader, sale: Sale, known: Outputs) -> Found | None:
    """The product of a project, with its public offer; None while there is none.

    It is looked for by the id that the user says, else by the one that an earlier run noted, by the title, and by what
    an earlier change set of this name has made.

    Raises:
        AwsError: AWS refuses or does not answer.
        PlanError: Several products have the title.
    """
    noted = known.get(PRODUCT, {})
    if sale.product_id is not None:
        return _read(reader, sale.product_id, noted.get("offer"))
    if (id_ := noted.get("product")) and (found := _read(reader, id_, noted.get("offer"))) is not None:
        return found
    titled = entities.product_titled(reader, sale.title)
    if titled is not None:
        return _read(reader, titled, noted.get("offer"))
    creation = creating_product(sale.table, sale.version(known))
    for id_ in recent(reader, listing(creation, ())).entities:
        if id_.startswith("prod-") and (found := _read(reader, id_.partition("@")[0], None)) is not None:
            return found
    return None


def _read(reader: Reader, id_: str, offer_id: str | None) -> Found | None:
    answer = entities.describe(reader, id_)
    if answer is None:
        return None
    product = DescribedProduct.of(answer)
    offered = entities.public_offer(reader, product.id, offer_id)
    revision = str(answer.get("EntityIdentifier") or "")
    if offered is None:
        return Found(product, revision)
    return Found(product, revision, DescribedOffer.of(offered), str(offered.get("EntityIdentifier") or ""))


def reads_of(sale: Sale) -> tuple[Call, ...]:
    """The calls that finding a product takes, for whoever has to allow them; `*` stands for what they find."""
    return (
        entities.listing_products(sale.title),
        entities.describing("*"),
        entities.listing_offers("*"),
        catalog_call("ListChangeSets"),
    )


class ProductWish:
    """That the product is as argosy.toml says.

    Args:
        sale: What is sold.
    """

    key = PRODUCT

    def __init__(self, sale: Sale) -> None:
        self._sale = sale

    @property
    def reads(self) -> tuple[Call, ...]:
        """See `Wish`."""
        return reads_of(self._sale)

    def due(self, reader: Reader, known: Outputs) -> Due:
        """See `Wish`."""
        sale = self._sale
        found = find(reader, sale, known)
        if found is None:
            creation = creating_product(sale.table, sale.version(known))
            title = f"product {sale.title}, version {version_title(sale.table)}"
            unknown = Obstacle(f"there is no product `{sale.product_id}`", "leave --product out")
            obstacle = None if sale.product_id is None else unknown
            return Due(title, Kind.CREATE, creation, consent=_making(sale), obstacle=obstacle)
        product, offer = found.product, found.offer
        change_set = updating(product, offer, sale.table, sale.version(known), sale.sent(known))
        if offer is not None:
            change_set = replace(change_set, notes=(*price_changes(change_set, offer), *change_set.notes))
        return Due(
            f"product {product.id} {sale.title}, version {version_title(sale.table)}",
            Kind.UPDATE,
            change_set,
            found.entities,
            (found.revision, found.offer_revision),
            shown(change_set, product, offer),
            _changing(change_set, product),
            {"product": product.id} | ({} if offer is None else {"offer": offer.id}),
        )


def _making(sale: Sale) -> Consent:
    others = len(sale.table.buyer_accounts)
    also = {0: "", 1: " and one account"}.get(others, f" and {others} accounts")
    model = sale.table.pricing.model
    return Consent(
        Risk.LOSS,
        f"`{sale.title}` is made a product and released, which its seller{also} can see; it cannot be deleted, made a "
        f"draft again, or sold otherwise than `{model}`",
    )


def _changing(change_set: ChangeSet, product: DescribedProduct) -> Consent | None:
    types = {change.type for change in change_set.changes}
    said = []
    risk = Risk.PUBLIC
    if types & {"ReleaseProduct", "ReleaseOffer"}:
        said.append(f"`{product.id}` is released, and cannot be made a draft again")
        risk = Risk.LOSS
    if "UpdatePricingTerms" in types and "CreateOffer" not in types:
        said.append(FREEZE)
        risk = Risk.LOSS
    if product.visibility == _PUBLIC:
        if "AddDeliveryOptions" in types:
            said.append(f"all who see `{product.id}` get the new version")
        if types & {"UpdateInformation", "UpdateDeliveryOptions"}:
            said.append(f"what everybody reads of `{product.id}` changes")
    return Consent(risk, "; ".join(said)) if said else None
