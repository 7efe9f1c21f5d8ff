"""A private offer: prices of its own for accounts that are named, until a day."""

import json
from decimal import Decimal

from argosy.aws.api import Reader
from argosy.aws.call import Call
from argosy.errors import PlanError
from argosy.marketplace.described import DescribedOffer
from argosy.marketplace.offer_changes import PrivateOffer, creating_private_offer
from argosy.marketplace.offer_update import expiring
from argosy.marketplace.rate_card import rates, same_price
from argosy.planning.step import Consent, Kind, Obstacle, Outputs, Risk
from argosy.publishing.catalog import entities
from argosy.publishing.catalog.product import find, reads_of
from argosy.publishing.catalog.sale import Sale
from argosy.publishing.catalog.shown import shown
from argosy.publishing.catalog.step import Due

_NONE_YET = "(product: known after argosy publish)"


class PrivateOfferWish:
    """That an offer is there for its buyers, on its terms, until its day.

    It is found by its name: what AWS would not change in an offer that is released is what the name has to be new for.

    Args:
        sale: What is sold publicly.
        private: The offer.
    """

    def __init__(self, sale: Sale, private: PrivateOffer) -> None:
        self._sale = sale
        self._private = private

    @property
    def key(self) -> str:
        """See `Wish`: another for each name."""
        return f"offer {self._private.name}"

    @property
    def reads(self) -> tuple[Call, ...]:
        """See `Wish`."""
        return reads_of(self._sale)

    def due(self, reader: Reader, known: Outputs) -> Due:
        """See `Wish`."""
        found = find(reader, self._sale, known)
        private, table = self._private, self._sale.table
        title = f"private offer {private.name} of {self._sale.title}"
        if found is None:
            change_set = creating_private_offer(_NONE_YET, private, table.instances)
            missing = Obstacle(f"there is no product `{self._sale.title}`", "argosy publish")
            return Due(title, Kind.CREATE, change_set, consent=self._consent(), obstacle=missing)
        key = found.product.inference_key
        offer = self._there(reader, found.product.id, known)
        if offer is None:
            change_set = creating_private_offer(found.product.id, private, table.instances, key)
            is_draft = found.product.visibility == "Draft"
            obstacle = Obstacle("its product is a draft", "argosy publish") if is_draft else None
            return Due(title, Kind.CREATE, change_set, consent=self._consent(), obstacle=obstacle)
        self._require_same(offer, key)
        change_set = expiring(offer, private.expires)
        outputs = {"offer": offer.id, "product": found.product.id}
        before = shown(change_set, found.product, offer)
        basis = (offer.id, offer.expires or "")
        return Due(f"{title}: {offer.id}", Kind.UPDATE, change_set, (offer.id,), basis, before, None, outputs)

    def _there(self, reader: Reader, product_id: str, known: Outputs) -> DescribedOffer | None:
        noted = known.get(self.key, {}).get("offer")
        listed = [
            str(summary["EntityId"])
            for summary in entities.offers(reader, product_id)
            if ((summary.get("OfferSummary") or {}).get("Name") or summary.get("Name")) == self._private.name
        ]
        for id_ in dict.fromkeys((*((noted,) if noted else ()), *listed)):
            answer = entities.describe(reader, id_, "Offer")
            if answer is not None:
                offer = DescribedOffer.of(answer)
                if offer.product_id == product_id and offer.buyer_accounts:
                    return offer
        return None

    def _require_same(self, offer: DescribedOffer, inference_key: str | None) -> None:
        private = self._private
        hint = "--name ANOTHER makes another offer"
        if set(offer.buyer_accounts) != set(private.buyer_accounts):
            raise PlanError(
                "an offer of this name is for other accounts",
                got=", ".join(private.buyer_accounts),
                want=", ".join(offer.buyer_accounts),
                where=offer.id,
                hint=hint,
            )
        wanted = rates(private.pricing, self._sale.table.instances, inference_key)
        paid = offer.rates
        if paid.keys() != wanted.keys() or not all(same_price(paid[one], wanted[one]) for one in wanted):
            raise PlanError(
                "an offer of this name has other prices, and a released offer's are not changed",
                got=json.dumps(wanted),
                want=json.dumps(paid),
                where=offer.id,
                hint=hint,
            )

    def _consent(self) -> Consent:
        private = self._private
        buyers = ", ".join(private.buyer_accounts)
        prices = rates(private.pricing, self._sale.table.instances)
        cheapest = min(prices.values(), key=Decimal, default="0")
        dearest = max(prices.values(), key=Decimal, default="0")
        said = f"{cheapest} dollars" if cheapest == dearest else f"{cheapest} to {dearest} dollars"
        return Consent(
            Risk.LOSS,
            f"{buyers} can accept `{self._sale.title}` at {said} until {private.expires}, "
            f"for {private.agreement_days} days; what was accepted holds",
        )
