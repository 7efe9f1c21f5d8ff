"""`marketplace-discovery`: what a buyer finds. The ARN of a model package is in none of its answers, as at AWS.

Source: botocore's model of `marketplace-discovery` 2026-02-05 (read 2026-11-23).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from argosy.local_aws.marketplace import market
from argosy.local_aws.marketplace.pages import page
from argosy.local_aws.marketplace.refusal import invalid, not_found
from argosy.local_aws.marketplace.state import Json, Offer, Product
from argosy.local_aws.marketplace.surroundings import Surroundings
from argosy.local_aws.marketplace.terms import shown, terms_of

_CATALOG: Final = "AWSMarketplace"
_LISTING: Final = "prodview-"
_KIND: Final = {"fulfillmentOptionType": "SAGEMAKER_MODEL", "displayName": "Amazon SageMaker model"}
_PRIVATE: Final = {"displayName": "Private pricing", "badgeType": "PRIVATE_PRICING"}
_MALFORMED: Final = "MALFORMED_REQUEST_PARAMETERS"
_LOCALE: Final = "en-US"


class Discovery:
    """The buyer's view of products and offers.

    Args:
        surroundings: What AWS Marketplace works with.
    """

    def __init__(self, surroundings: Surroundings) -> None:
        self._around = surroundings

    def list_purchase_options(self, account: str, request: Json, now: float) -> Json:
        """ListPurchaseOptions: those of a product, or the private ones; filters of one kind are alternatives."""
        wanted = {each["filterType"]: each["filterValues"] for each in request.get("filters", ())}
        if not {"PRODUCT_ID", "VISIBILITY_SCOPE"} & set(wanted):
            raise invalid("A filter PRODUCT_ID or VISIBILITY_SCOPE is needed.", _MALFORMED)
        state = self._around.store.state
        found = [
            offer
            for offer in state.offers.values()
            if market.sees_offer(account, offer, state) and _is_wanted(offer, wanted, now)
        ]
        found.sort(key=lambda offer: offer.released or 0)
        options, token = page(found, request.get("maxResults", 100), request.get("nextToken"))
        return {"purchaseOptions": [self._option(offer) for offer in options], "nextToken": token}

    def get_offer(self, account: str, request: Json, now: float) -> Json:
        """GetOffer."""
        offer = self._offer(account, request["offerId"])
        product = self._around.store.state.products[offer.product_id]
        return {
            "locale": _LOCALE,
            "offerId": offer.id,
            "catalog": _CATALOG,
            "offerName": offer.name,
            "expirationTime": market.ends(offer),
            "availableFromTime": _time(offer.released),
            "sellerOfRecord": _seller(offer.account),
            "associatedEntities": [{"product": _product(product)}],
            "agreementProposalId": offer.proposal_id,
            "pricingModel": _pricing_model(offer),
            "badges": [_PRIVATE] if offer.is_private else [],
        }

    def get_offer_terms(self, account: str, request: Json, now: float) -> Json:
        """GetOfferTerms."""
        offer = self._offer(account, request["offerId"])
        terms, token = page(terms_of(offer), request.get("maxResults", 25), request.get("nextToken"))
        return {"locale": _LOCALE, "offerTerms": [shown(term) for term in terms], "nextToken": token}

    def get_product(self, account: str, request: Json, now: float) -> Json:
        """GetProduct."""
        product = self._product(account, request["productId"])
        return {
            **_page_of(product),
            "productId": product.id,
            "productName": _product(product)["productName"],
            "manufacturer": _seller(product.account),
            "deployedOnAws": "DEPLOYED",
            "listingId": _LISTING + product.id.removeprefix("prod-"),
        }

    def get_listing(self, account: str, request: Json, now: float) -> Json:
        """GetListing."""
        listing_id = request["listingId"]
        known = [p for p in self._around.store.state.products.values() if _LISTING + p.id[5:] == listing_id]
        if not known or not market.sees_product(account, known[0]):
            raise not_found(f"Listing {listing_id} was not found.")
        product = known[0]
        return {
            **_page_of(product),
            "listingId": listing_id,
            "listingName": _product(product)["productName"],
            "publisher": _seller(product.account),
            "associatedEntities": [{"product": _product(product)}],
            "badges": [],
            "integrationGuide": "",
            "pricingModels": [_pricing_model(offer) for offer in self._public_offers(product)],
            "pricingUnits": [],
            "useCases": [],
        }

    def list_fulfillment_options(self, account: str, request: Json, now: float) -> Json:
        """ListFulfillmentOptions: the versions that new buyers get, latest first."""
        product = self._product(account, request["productId"])
        versions = sorted(product.open_versions, key=lambda version: version.created, reverse=True)
        listed, token = page(versions, request.get("maxResults", 50), request.get("nextToken"))
        options = []
        for version in listed:
            recommended = version.details["RecommendedInstanceTypes"]
            option = {
                "fulfillmentOptionId": version.option_id,
                "fulfillmentOptionType": _KIND["fulfillmentOptionType"],
                "fulfillmentOptionDisplayName": _KIND["displayName"],
                "fulfillmentOptionVersion": version.title,
                "releaseNotes": version.notes,
                "usageInstructions": version.details["UsageInstructions"],
                "recommendation": {
                    "recommendedBatchTransformInstanceType": recommended.get("BatchTransform", ""),
                    "recommendedRealtimeInferenceInstanceType": recommended.get("RealtimeInference"),
                },
                "supportedContentTypes": list(version.content_types),
                "supportedResponseMimeTypes": list(version.response_types),
            }
            options.append({"sageMakerModelFulfillmentOption": option})
        return {"locale": _LOCALE, "fulfillmentOptions": options, "nextToken": token}

    def _offer(self, account: str, id_: str) -> Offer:
        state = self._around.store.state
        offer = state.offers.get(id_)
        if offer is None or not market.sees_offer(account, offer, state):
            raise not_found(f"Offer {id_} was not found.")
        return offer

    def _product(self, account: str, id_: str) -> Product:
        product = self._around.store.state.products.get(id_)
        if product is None or not market.sees_product(account, product):
            raise not_found(f"Product {id_} was not found.")
        return product

    def _public_offers(self, product: Product) -> list[Offer]:
        offers = self._around.store.state.offers_of(product.id)
        return [offer for offer in offers if offer.state == "Released" and not offer.is_private]

    def _option(self, offer: Offer) -> dict[str, Any]:
        product = self._around.store.state.products[offer.product_id]
        seller = _seller(offer.account)
        entities = {"offerId": offer.id, "offerName": offer.name, "sellerOfRecord": seller}
        return {
            "purchaseOptionId": offer.id,
            "catalog": _CATALOG,
            "purchaseOptionType": "OFFER",
            "purchaseOptionName": offer.name,
            "availableFromTime": _time(offer.released),
            "expirationTime": market.ends(offer),
            "sellerOfRecord": seller,
            "badges": [_PRIVATE] if offer.is_private else [],
            "associatedEntities": [{"product": _product(product), "offer": entities}],
        }


def _is_wanted(offer: Offer, wanted: Mapping[str, list[str]], now: float) -> bool:
    status = "AVAILABLE" if market.is_available(offer, now) else "EXPIRED"
    has: Mapping[str, str] = {
        "PRODUCT_ID": offer.product_id,
        "SELLER_OF_RECORD_PROFILE_ID": _seller(offer.account)["sellerProfileId"],
        "PURCHASE_OPTION_TYPE": "OFFER",
        "VISIBILITY_SCOPE": "PRIVATE" if offer.is_private else "PUBLIC",
        "AVAILABILITY_STATUS": status,
    }
    asked = {"AVAILABILITY_STATUS": ["AVAILABLE"], **wanted}
    return all(has[name] in values for name, values in asked.items())


def _pricing_model(offer: Offer) -> dict[str, str]:
    """A released offer has one."""
    model = str(offer.pricing_model)
    return {"pricingModelType": model.upper(), "displayName": model}


def _seller(account: str) -> dict[str, str]:
    return {"sellerProfileId": f"seller-{account}", "displayName": f"Seller {account}"}


def _product(product: Product) -> dict[str, Any]:
    name = product.texts["ProductTitle"]
    return {"productId": product.id, "productName": name, "manufacturer": _seller(product.account)}


def _page_of(product: Product) -> dict[str, Any]:
    """What a product and its listing both say; a product that is found has been released, and so has all texts."""
    texts = product.texts
    return {
        "locale": _LOCALE,
        "catalog": _CATALOG,
        "shortDescription": texts["ShortDescription"],
        "longDescription": texts["LongDescription"],
        "logoThumbnailUrl": texts["LogoUrl"],
        "fulfillmentOptionSummaries": [_KIND] if product.open_versions else [],
        "categories": [{"categoryId": name, "displayName": name} for name in texts["Categories"]],
        "highlights": list(texts["Highlights"]),
        "promotionalMedia": [],
        "resources": [
            {
                "resourceType": "MANUFACTURER_INSTRUCTIONS",
                "contentType": "LINK",
                "value": link["Url"],
                "displayName": link["Text"],
            }
            for link in texts.get("AdditionalResources", ())
        ],
        "sellerEngagements": [],
    }


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
