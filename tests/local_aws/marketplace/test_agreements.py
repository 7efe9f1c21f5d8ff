from typing import Any

from tests.local_aws.listings import BUYER, HOURLY, SELLER, STRANGER, change, package, pricing, private_offer, version
from tests.local_aws.market_stand import Market, refused


def quoted(market: Market, product: str, account: str = BUYER, without: str = "", **more: Any) -> dict[str, Any]:
    """A quote for everything that the first purchase option of a product has."""
    return quoted_for(market, options(market, product, account)[0], account, without, **more)


def options(market: Market, product: str, account: str = BUYER) -> list[str]:
    """The offers of a product that a buyer finds."""
    found = market.discovery(account).list_purchase_options(
        filters=[{"filterType": "PRODUCT_ID", "filterValues": [product]}]
    )
    return [each["purchaseOptionId"] for each in found["purchaseOptions"]]


def quoted_for(market: Market, offer_id: str, account: str = BUYER, without: str = "", **more: Any) -> dict[str, Any]:
    """A quote for everything that an offer has."""
    offer = market.discovery(account).get_offer(offerId=offer_id)
    terms = market.discovery(account).get_offer_terms(offerId=offer_id)["offerTerms"]
    ids = [{"id": term["id"]} for each in terms for name, term in each.items() if name != without]
    request = {"agreementProposalIdentifier": offer["agreementProposalId"], "requestedTerms": ids, **more}
    answer: dict[str, Any] = market.agreement(account).create_agreement_request(intent="NEW", **request)
    return answer


def accepted(market: Market, quote: dict[str, Any], account: str = BUYER) -> str:
    answer = market.agreement(account).accept_agreement_request(agreementRequestId=quote["agreementRequestId"])
    return str(answer["agreementId"])


def subscribed(market: Market, product: str, account: str = BUYER, without: str = "") -> str:
    return accepted(market, quoted(market, product, account, without), account)


def status(market: Market, agreement: str, account: str = BUYER) -> tuple[str, str]:
    found = market.agreement(account).get_agreement_entitlements(agreementId=agreement)["agreementEntitlements"][0]
    return found["status"], found["statusReasonCode"]


def found(market: Market, account: str = BUYER, **filters: str) -> list[str]:
    named = {"PartyType": "Acceptor", "AgreementType": "PurchaseAgreement", **filters}
    answer = market.agreement(account).search_agreements(
        catalog="AWSMarketplace", filters=[{"name": name, "values": [value]} for name, value in named.items()]
    )
    return [each["agreementId"] for each in answer["agreementViewSummaries"]]


def test_a_quote_costs_nothing_and_its_acceptance_is_the_purchase(market: Market) -> None:
    product, offer = market.limited()
    copy = market.shelf.copied[0]

    quote = quoted(market, product)
    assert quote["chargeSummary"]["newAgreementValue"] == "0.00"
    assert found(market, ResourceIdentifier=product) == []
    assert not market.service.is_subscribed(BUYER, copy)

    agreement = accepted(market, quote)
    assert found(market, ResourceIdentifier=product) == [agreement]
    described = market.agreement().describe_agreement(agreementId=agreement)
    assert (described["status"], described["proposalSummary"]["offerId"]) == ("ACTIVE", offer)
    assert (described["acceptor"], described["proposer"]) == ({"accountId": BUYER}, {"accountId": SELLER})


def test_a_subscription_is_usable_when_it_has_been_provisioned(market: Market) -> None:
    product, _ = market.limited()
    copy = market.shelf.copied[0]
    agreement = subscribed(market, product)

    assert status(market, agreement) == ("PENDING", "PROVISIONING_IN_PROGRESS")
    assert not market.service.is_subscribed(BUYER, copy)
    market.now += 1
    assert status(market, agreement) == ("PROVISIONED", "AGREEMENT_ACTIVE")
    assert market.service.is_subscribed(BUYER, copy)
    assert not market.service.is_subscribed(STRANGER, copy)
    assert not market.service.is_subscribed(BUYER, copy + "-other")


def test_a_package_of_two_products_is_for_the_buyers_of_either(market: Market) -> None:
    market.limited()
    second, _ = market.limited()
    subscribed(market, second)
    market.now += 1
    assert market.service.is_subscribed(BUYER, market.shelf.copied[0])


def test_a_quote_that_is_accepted_again_gives_the_same_agreement(market: Market) -> None:
    product, _ = market.limited()
    quote = quoted(market, product)
    assert accepted(market, quote) == accepted(market, quote)
    assert len(found(market)) == 1


def test_a_client_token_gives_the_same_quote_and_no_other(market: Market) -> None:
    product, _ = market.limited(trial_days=14)
    once = quoted(market, product, clientToken="one")
    assert quoted(market, product, clientToken="one")["agreementRequestId"] == once["agreementRequestId"]
    with refused("ConflictException", "clientToken one"):
        quoted(market, product, without="freeTrialPricingTerm", clientToken="one")


def test_a_quote_expires(market: Market) -> None:
    product, _ = market.limited()
    quote = quoted(market, product)
    market.now += market.options.quote_s
    with refused("ValidationException", "expired", reason="CLOSED_AGREEMENT_REQUEST"):
        accepted(market, quote)


def test_a_quote_for_a_price_that_has_changed_is_refused(market: Market) -> None:
    product, offer = market.limited()
    quote = quoted(market, product)
    market.made([pricing(offer, {**HOURLY, "ml.m5.large.m.i.r": "0.60"})])
    with refused("ValidationException", "other terms", reason="SUPERSEDED_AGREEMENT_PROPOSAL"):
        accepted(market, quote)


def test_a_quote_is_its_buyers(market: Market) -> None:
    product, _ = market.limited()
    quote = quoted(market, product)
    with refused("ResourceNotFoundException"):
        accepted(market, quote, STRANGER)
    agreement = accepted(market, quote)
    with refused("ResourceNotFoundException"):
        market.agreement(STRANGER).describe_agreement(agreementId=agreement)
    assert market.agreement(SELLER).describe_agreement(agreementId=agreement)["agreementId"] == agreement


def test_all_terms_but_the_trial_have_to_be_asked_for(market: Market) -> None:
    product, offer = market.limited(trial_days=14)
    with refused("ValidationException", "LegalTerm", reason="MISSING_MANDATORY_TERMS"):
        quoted(market, product, without="legalTerm")
    proposal = market.discovery().get_offer(offerId=offer)["agreementProposalId"]
    with refused("ValidationException", "term-none", reason="INVALID_REQUESTED_TERM_ID"):
        market.agreement().create_agreement_request(
            intent="NEW", agreementProposalIdentifier=proposal, requestedTerms=[{"id": "term-none"}]
        )
    assert quoted(market, product, without="freeTrialPricingTerm")["status"] == "DRAFT"


def test_a_proposal_has_to_be_named_and_there(market: Market) -> None:
    terms = [{"id": "term-none"}]
    with refused("ValidationException", reason="MISSING_AGREEMENT_PROPOSAL_IDENTIFIER"):
        market.agreement().create_agreement_request(intent="NEW", requestedTerms=terms)
    with refused("ResourceNotFoundException", "at-none"):
        market.agreement().create_agreement_request(
            intent="NEW", agreementProposalIdentifier="at-none", requestedTerms=terms
        )
    with refused("ValidationException", reason="INVALID_SOURCE_AGREEMENT_IDENTIFIER"):
        market.agreement().create_agreement_request(
            intent="NEW",
            agreementProposalIdentifier="at-none",
            sourceAgreementIdentifier="agmt-1",
            requestedTerms=terms,
        )
    with refused("NotSimulated", "AMEND"):
        market.agreement().create_agreement_request(intent="AMEND", requestedTerms=terms)


def test_a_buyer_has_one_free_trial_of_a_product(market: Market) -> None:
    product, _ = market.limited(trial_days=14)
    agreement = subscribed(market, product)
    described = market.agreement().describe_agreement(agreementId=agreement)
    assert described["freeTrialSummary"]["trialEndTime"].timestamp() == market.now + 14 * 86400
    market.agreement().cancel_agreement(agreementId=agreement)

    with refused("ValidationException", "free trial", reason="INCOMPATIBLE_TERMS"):
        quoted(market, product)
    assert subscribed(market, product, without="freeTrialPricingTerm") != agreement


def test_a_second_agreement_on_the_same_offer_is_refused_until_the_first_is_cancelled(market: Market) -> None:
    product, _ = market.limited()
    agreement = subscribed(market, product)
    market.now += 1
    with refused("ConflictException", "active agreement"):
        quoted(market, product)

    market.agreement().cancel_agreement(agreementId=agreement)
    assert not market.service.is_subscribed(BUYER, market.shelf.copied[0])
    assert status(market, agreement) == ("DEPROVISIONED", "AGREEMENT_INACTIVE")
    with refused("ValidationException", "CANCELLED", reason="INACTIVE_AGREEMENT"):
        market.agreement().cancel_agreement(agreementId=agreement)
    assert subscribed(market, product) != agreement
    assert found(market, ResourceIdentifier=product, Status="CANCELLED") == [agreement]


def test_only_the_acceptor_cancels(market: Market) -> None:
    product, _ = market.limited()
    agreement = subscribed(market, product)
    with refused("ResourceNotFoundException"):
        market.agreement(SELLER).cancel_agreement(agreementId=agreement)


def test_a_limited_product_is_for_the_seller_and_for_whom_it_is_shown(market: Market) -> None:
    product, offer = market.limited()
    market.made([change("UpdateTargeting", {"PositiveTargeting": {"BuyerAccounts": []}}, product)])
    with refused("ResourceNotFoundException"):
        market.discovery().get_offer(offerId=offer)
    assert subscribed(market, product, SELLER)


def test_sellers_do_not_buy_their_own_public_products(market: Market) -> None:
    product, _ = market.limited()
    market.made([change("UpdateVisibility", {"TargetVisibility": "Public"}, product)])
    with refused("ValidationException", "sells this product", reason="UNSUPPORTED_ACTION"):
        quoted(market, product, SELLER)
    assert subscribed(market, product, STRANGER)


def test_a_private_offer_takes_the_place_of_the_public_one(market: Market) -> None:
    product, _ = market.limited()
    first = subscribed(market, product)
    market.made(private_offer(product))
    offers = market.discovery().list_purchase_options(
        filters=[{"filterType": "VISIBILITY_SCOPE", "filterValues": ["PRIVATE"]}]
    )["purchaseOptions"]
    assert [badge["badgeType"] for badge in offers[0]["badges"]] == ["PRIVATE_PRICING"]

    offer = market.discovery().get_offer(offerId=offers[0]["purchaseOptionId"])
    terms = market.discovery().get_offer_terms(offerId=offer["offerId"])["offerTerms"]
    quote = market.agreement().create_agreement_request(
        intent="NEW",
        agreementProposalIdentifier=offer["agreementProposalId"],
        requestedTerms=[{"id": term["id"]} for each in terms for term in each.values()],
    )
    second = accepted(market, quote)
    described = market.agreement().describe_agreement(agreementId=second)
    assert (described["endTime"] - described["startTime"]).days == 365
    assert market.agreement().describe_agreement(agreementId=first)["status"] == "REPLACED"
    market.now += 366 * 86400
    assert market.agreement().describe_agreement(agreementId=second)["status"] == "EXPIRED"
    assert not market.service.is_subscribed(BUYER, market.shelf.copied[0])


def test_agreements_have_the_terms_that_were_accepted(market: Market) -> None:
    product, offer = market.limited()
    agreement = subscribed(market, product)
    market.made([pricing(offer, {**HOURLY, "ml.m5.large.m.i.r": "0.60"})])
    terms = market.agreement().get_agreement_terms(agreementId=agreement)["acceptedTerms"]
    usage = next(each["usageBasedPricingTerm"] for each in terms if "usageBasedPricingTerm" in each)
    priced = {item["dimensionKey"]: item["price"] for item in usage["rateCards"][0]["rateCard"]}
    assert priced == HOURLY


def test_agreements_are_sorted_by_their_end(market: Market) -> None:
    product, _ = market.limited()
    open_ended = subscribed(market, product)
    market.made(private_offer(product))
    private = options(market, product)[-1]
    market.agreement().cancel_agreement(agreementId=open_ended)
    ending = accepted(market, quoted_for(market, private))
    named = [{"name": "PartyType", "values": ["Acceptor"]}, {"name": "AgreementType", "values": ["PurchaseAgreement"]}]
    for order, expected in (("ASCENDING", [ending, open_ended]), ("DESCENDING", [open_ended, ending])):
        answer = market.agreement().search_agreements(filters=named, sort={"sortBy": "EndTime", "sortOrder": order})
        assert [each["agreementId"] for each in answer["agreementViewSummaries"]] == expected


def test_whoever_subscribed_before_keeps_a_restricted_version(market: Market) -> None:
    product, _ = market.limited()
    market.shelf.put(package("next"))
    market.made([version(product, package("next"), "2.0.0")])
    old, new = market.shelf.copied[0], market.shelf.copied[2]
    subscribed(market, product)
    market.now += 1
    first = market.entity(product)["Versions"][0]["DeliveryOptions"][0]["Id"]
    market.made([change("RestrictDeliveryOptions", {"DeliveryOptionIds": [first]}, product)])
    assert market.service.is_subscribed(BUYER, old)
    subscribed(market, product, SELLER)
    market.now += 1
    assert not market.service.is_subscribed(SELLER, old)
    assert market.service.is_subscribed(SELLER, new)


def test_filters_of_a_search_are_those_that_go_together(market: Market) -> None:
    product, offer = market.limited()
    agreement = subscribed(market, product)
    assert found(market, OfferId=offer, Status="ACTIVE") == [agreement]
    assert found(market, SELLER, PartyType="Proposer", AcceptorAccountId=BUYER) == [agreement]
    assert found(market, SELLER, PartyType="Proposer", BeforeStartTime="2026-11-23T07:00:00Z") == []
    with refused("ValidationException", reason="UNSUPPORTED_FILTERS"):
        found(market, OfferId=offer, ResourceIdentifier=product)
    with refused("ValidationException", reason="UNSUPPORTED_FILTERS"):
        found(market, ResourceType="MachineLearningProduct", Status="ACTIVE")
    with refused("ValidationException", reason="INVALID_FILTER_NAME"):
        found(market, Colour="blue")
    named = [{"name": "PartyType", "values": ["Acceptor"]}, {"name": "AgreementType", "values": ["PurchaseAgreement"]}]
    with refused("ValidationException", "StartTime", reason="INVALID_SORT_BY"):
        market.agreement().search_agreements(filters=named, sort={"sortBy": "StartTime"})
    with refused("ValidationException", reason="MISSING_PARTY_TYPE"):
        market.agreement().search_agreements(filters=[{"name": "AgreementType", "values": ["PurchaseAgreement"]}])
