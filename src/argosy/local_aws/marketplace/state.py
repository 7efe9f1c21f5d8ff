"""Everything that AWS Marketplace remembers, as frozen values. Times are seconds since 1970.

A `State` is replaced, never changed: an operation takes one and gives the next, and the store keeps that or does not.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

Json = Mapping[str, Any]
"""A JSON object; Any: the shapes of `local_aws/catalog` or botocore's model say what each member is."""

Visibility = Literal["Draft", "Limited", "Public", "Restricted"]
OfferState = Literal["Draft", "Released"]
Intent = Literal["VALIDATE", "APPLY"]
Status = Literal["PREPARING", "APPLYING", "SUCCEEDED", "CANCELLED", "FAILED"]

PRODUCT_TYPE = "MachineLearningProduct"
OFFER_TYPE = "Offer"


class Version(msgspec.Struct, frozen=True):
    """One version of a product; it has exactly one delivery option.

    Attributes:
        id: Of the version.
        title: As no other version of the product has it.
        notes: What changed.
        created: When it was added.
        option_id: Of its delivery option.
        source_id: Of its source.
        package_arn: The seller's model package.
        details: UsageInstructions, InputProperties and so on, as they were given.
        realtime_types: Instance types of endpoints.
        batch_types: Instance types of transform jobs.
        content_types: What the package takes.
        response_types: What it answers.
        published: The package's copies in the account of AWS Marketplace, by region.
        restricted: When it was closed to new buyers; None is open.
    """

    id: str
    title: str
    notes: str
    created: float
    option_id: str
    source_id: str
    package_arn: str
    details: dict[str, Any]
    realtime_types: tuple[str, ...]
    batch_types: tuple[str, ...]
    content_types: tuple[str, ...] = ()
    response_types: tuple[str, ...] = ()
    published: dict[str, str] = {}
    restricted: float | None = None


class Product(msgspec.Struct, frozen=True):
    """A machine-learning product.

    Attributes:
        id: `prod-` and 13 letters and digits.
        account: The seller's.
        code: The product code.
        modified: When a change set last changed it.
        revision: How many change sets have.
        visibility: Draft until it is released.
        texts: What UpdateInformation gave, by its own members.
        versions: In the order in which they were added.
        buyer_accounts: Who sees it while it is Limited, beside the seller.
        replacement: The product that follows a restricted one.
    """

    id: str
    account: str
    code: str
    modified: float
    revision: int = 1
    visibility: Visibility = "Draft"
    texts: dict[str, Any] = {}
    versions: tuple[Version, ...] = ()
    buyer_accounts: tuple[str, ...] = ()
    replacement: str | None = None

    @property
    def open_versions(self) -> tuple[Version, ...]:
        """Those that new buyers get."""
        return tuple(version for version in self.versions if version.restricted is None)


class Offer(msgspec.Struct, frozen=True):
    """An offer of a product: public, or private to some accounts.

    Attributes:
        id: `offer-` and 13 letters and digits.
        account: The seller's.
        product_id: What is offered.
        proposal_id: What a buyer's request names it by.
        modified: When a change set last changed it.
        revision: How many change sets have.
        state: Draft until it is released.
        name: As its seller calls it.
        description: For its seller.
        pricing_model: Usage, Free, Contract or Byol; None is undecided.
        terms: Terms by the change type that sets them, in the order in which they are shown.
        positive_targeting: Who may take it; BuyerAccounts make it private.
        negative_targeting: Countries that may not.
        available_until: Last day, as YYYY-MM-DD; None is open.
        released: When it was; None is a draft.
        price_changed: When a price was last changed under buyers; None is never.
    """

    id: str
    account: str
    product_id: str
    proposal_id: str
    modified: float
    revision: int = 1
    state: OfferState = "Draft"
    name: str | None = None
    description: str | None = None
    pricing_model: str | None = None
    terms: dict[str, tuple[dict[str, Any], ...]] = {}
    positive_targeting: dict[str, tuple[str, ...]] = {}
    negative_targeting: dict[str, tuple[str, ...]] = {}
    available_until: str | None = None
    released: float | None = None
    price_changed: float | None = None

    @property
    def buyer_accounts(self) -> tuple[str, ...]:
        """Whom it is for; nobody named means everybody."""
        return tuple(self.positive_targeting.get("BuyerAccounts", ()))

    @property
    def is_private(self) -> bool:
        """Whether it is for named accounts."""
        return bool(self.buyer_accounts)

    def all_terms(self) -> tuple[dict[str, Any], ...]:
        """Its terms, in the order in which they were first set."""
        return tuple(term for terms in self.terms.values() for term in terms)


class Fault(msgspec.Struct, frozen=True):
    """Why a change cannot be made: one entry of `ErrorDetailList`.

    Attributes:
        code: ErrorCode.
        message: ErrorMessage, on one line.
    """

    code: str
    message: str


class Change(msgspec.Struct, frozen=True):
    """One change of a change set.

    Attributes:
        type: ChangeType.
        entity_type: Without its version: `MachineLearningProduct` or `Offer`.
        details: DetailsDocument.
        entity_id: Without its revision; a reference to another change until that has been made; empty for a new one.
        name: By which other changes refer to it.
        faults: Why it failed.
        identifier: Entity and revision that it led to.
    """

    type: str
    entity_type: str
    details: dict[str, Any]
    entity_id: str = ""
    name: str | None = None
    faults: tuple[Fault, ...] = ()
    identifier: str | None = None


class ChangeSet(msgspec.Struct, frozen=True):
    """A change set and how far it is.

    Attributes:
        id: Of the change set.
        account: Who started it.
        changes: In order.
        started: When it was.
        applying_at: When it goes from PREPARING to APPLYING.
        ending_at: When it ends.
        intent: VALIDATE changes nothing.
        fingerprint: Of the request, to tell a repetition from another request with the same token.
        status: How far it is.
        name: ChangeSetName.
        token: ClientRequestToken.
        ended: When it did.
        failure_code: CLIENT_ERROR or SERVER_FAULT.
        failure: FailureDescription.
    """

    id: str
    account: str
    changes: tuple[Change, ...]
    started: float
    applying_at: float
    ending_at: float
    intent: Intent
    fingerprint: str
    status: Status = "PREPARING"
    name: str | None = None
    token: str | None = None
    ended: float | None = None
    failure_code: str | None = None
    failure: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.status in ("PREPARING", "APPLYING")


class AgreementRequest(msgspec.Struct, frozen=True):
    """A buyer's quote.

    Attributes:
        id: `ar-` and letters and digits.
        account: The buyer's.
        offer_id: What it is about.
        terms: The terms that were asked for, each with its id.
        created: When it was made.
        expires: When it can no longer be accepted.
        fingerprint: Of the request.
        token: clientToken.
        agreement_id: What it became when it was accepted.
    """

    id: str
    account: str
    offer_id: str
    terms: tuple[dict[str, Any], ...]
    created: float
    expires: float
    fingerprint: str
    token: str | None = None
    agreement_id: str | None = None


class Agreement(msgspec.Struct, frozen=True):
    """A subscription.

    Attributes:
        id: `agmt-` and letters and digits.
        acceptor: The buyer's account.
        proposer: The seller's.
        product_id: What was bought.
        offer_id: By which offer.
        terms: What was accepted, each term with its id.
        accepted: When.
        starts: When it begins, which may be later.
        provisioned: When the buyer can use it.
        ends: When it ends by itself; None is never.
        trial_ends: When its free trial ends.
        closed: When it was cancelled or replaced.
        closed_as: CANCELLED or REPLACED.
    """

    id: str
    acceptor: str
    proposer: str
    product_id: str
    offer_id: str
    terms: tuple[dict[str, Any], ...]
    accepted: float
    starts: float
    provisioned: float
    ends: float | None = None
    trial_ends: float | None = None
    closed: float | None = None
    closed_as: str | None = None

    def status(self, now: float) -> str:
        """ACTIVE, CANCELLED, REPLACED or EXPIRED."""
        if self.closed_as is not None:
            return self.closed_as
        return "EXPIRED" if self.ends is not None and now >= self.ends else "ACTIVE"


class State(msgspec.Struct, frozen=True):
    """Everything.

    Attributes:
        products: By id.
        offers: By id.
        change_sets: By id, oldest first.
        requests: Quotes by id.
        agreements: By id, oldest first.
    """

    products: dict[str, Product] = {}
    offers: dict[str, Offer] = {}
    change_sets: dict[str, ChangeSet] = {}
    requests: dict[str, AgreementRequest] = {}
    agreements: dict[str, Agreement] = {}

    def with_product(self, product: Product) -> "State":
        """The state in which a product is this."""
        return msgspec.structs.replace(self, products={**self.products, product.id: product})

    def with_offer(self, offer: Offer) -> "State":
        """The state in which an offer is this."""
        return msgspec.structs.replace(self, offers={**self.offers, offer.id: offer})

    def with_change_set(self, change_set: ChangeSet) -> "State":
        """The state in which a change set is this."""
        return msgspec.structs.replace(self, change_sets={**self.change_sets, change_set.id: change_set})

    def with_request(self, request: AgreementRequest) -> "State":
        """The state in which a quote is this."""
        return msgspec.structs.replace(self, requests={**self.requests, request.id: request})

    def with_agreement(self, agreement: Agreement) -> "State":
        """The state in which an agreement is this."""
        return msgspec.structs.replace(self, agreements={**self.agreements, agreement.id: agreement})

    def offers_of(self, product_id: str) -> tuple[Offer, ...]:
        """The offers of a product, oldest first."""
        return tuple(offer for offer in self.offers.values() if offer.product_id == product_id)
