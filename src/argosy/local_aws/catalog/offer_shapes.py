"""What a change of an `Offer@1.0` may say: members, limits, patterns, terms.

Source: the shapes Offer_1_0 and Offer_1_0_Appendix (the terms one by one) of
awslabs/aws-marketplace-catalog-api-shapes-for-python 1.2.0 (read 2026-11-23), read anew here and shared with nothing
that makes changes. Offers of resellers, replacement offers, markups and customer verification are not simulated.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

VISIBLE: Final = r"^\S+[\S\s]*$"
PERIOD: Final = r"^P(?=.)(\d+Y)?(\d+M)?(\d+D)?$"
DATE: Final = (
    r"^([1-9]\d{3}-((0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)"
    r"|([1-9]\d(0[48]|[2468][048]|[13579][26])|([2468][048]|[13579][26])00)-02-29)$"
)
EULA_URL: Final = r"^https?:\/\/(www\.)?[-a-zA-Z0-9@._]{1,256}\.[a-zA-Z0-9()]{2,63}\b([-a-zA-Z0-9@_\+.\/\/]*)"
POLICY: Final = r"^[\u0000-\u007E\u00A9\u00AE\u2122\u00A2-\u00A5]+$"


def _amount(decimals: int) -> str:
    return rf"^((100000000(\.0{{0,{decimals}}})?)|(\d{{1,8}}(\.\d{{0,{decimals}}})?))$"


UnitPrice = Annotated[str, Meta(pattern=_amount(8))]
UpfrontPrice = Annotated[str, Meta(pattern=_amount(3))]
Charge = Annotated[str, Meta(pattern=_amount(2))]
Period = Annotated[str, Meta(pattern=PERIOD)]
Date = Annotated[str, Meta(pattern=DATE)]
DimensionKey = Annotated[str, Meta(min_length=1, max_length=100)]
Quantity = Annotated[int, Meta(ge=1, le=2147483646)]
Countries = Annotated[list[Annotated[str, Meta(pattern=r"^[A-Z]{2}$")]], Meta(min_length=1, max_length=244)]
Accounts = Annotated[list[Annotated[str, Meta(pattern=r"^\d{12}$")]], Meta(min_length=1, max_length=26)]
OfferName = Annotated[str, Meta(max_length=150, pattern=VISIBLE)]
ProductId = Annotated[str, Meta(max_length=50, pattern=r"^[a-zA-Z0-9][.a-zA-Z0-9\/-]+[a-zA-Z0-9]$")]


class _Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="pascal"):
    """A JSON object of the Catalog API."""


class _Term(_Shape, frozen=True, tag_field="Type"):
    """A term; its `Type` is the name of its class."""


class RateCardItem(_Shape, frozen=True):
    """The price of one dimension; a text."""

    dimension_key: DimensionKey
    price: UnitPrice


class UsageRateCard(_Shape, frozen=True):
    """Prices of use."""

    rate_card: list[RateCardItem]


class UsageBasedPricingTerm(_Term, frozen=True):
    """Prices of use, in one rate card; machine-learning products are sold for US dollars."""

    currency_code: Literal["USD"]
    rate_cards: Annotated[list[UsageRateCard], Meta(min_length=1, max_length=1)]


class GrantItem(_Shape, frozen=True):
    """How much of a dimension comes with a term."""

    dimension_key: DimensionKey
    max_quantity: Quantity | UnsetType = UNSET


class FreeTrialPricingTerm(_Term, frozen=True):
    """A free trial."""

    duration: Period
    grants: Annotated[list[GrantItem], Meta(min_length=1, max_length=800)]


class ByolPricingTerm(_Term, frozen=True):
    """The license is bought elsewhere."""


class FixedUpfrontPricingTerm(_Term, frozen=True):
    """A price for a time, paid at once or by a schedule."""

    currency_code: Literal["USD"]
    price: UpfrontPrice
    grants: Annotated[list[GrantItem], Meta(min_length=1, max_length=800)]
    duration: Period | UnsetType = UNSET


class Selector(_Shape, frozen=True):
    """What a rate card is for."""

    type: Literal["Duration"]
    value: Period


class Constraints(_Shape, frozen=True):
    """What a buyer may choose."""

    multiple_dimension_selection: Literal["Allowed", "Disallowed"]
    quantity_configuration: Literal["Allowed", "Disallowed"]


class UpfrontRateCard(_Shape, frozen=True):
    """Prices for a time."""

    selector: Selector
    constraints: Constraints
    rate_card: list[RateCardItem]


class ConfigurableUpfrontPricingTerm(_Term, frozen=True):
    """Prices for a time that the buyer chooses."""

    currency_code: Literal["USD"]
    rate_cards: Annotated[list[UpfrontRateCard], Meta(min_length=1)]


PricingTerm = (
    UsageBasedPricingTerm
    | FreeTrialPricingTerm
    | ByolPricingTerm
    | FixedUpfrontPricingTerm
    | ConfigurableUpfrontPricingTerm
)


class LegalDocument(_Shape, frozen=True):
    """A contract: the standard one in a version, or the seller's own at a URL."""

    type: Literal["CustomEula", "StandardEula", "CustomDsa", "StandardDsa"]
    url: Annotated[str, Meta(max_length=32000, pattern=EULA_URL)] | UnsetType = UNSET
    version: Literal["2019-04-24", "2022-07-14", "2019-12-12"] | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Hold a document to what its type needs: "Url is required for custom documents" (the shapes)."""
        if self.type.startswith("Custom") and self.url is UNSET:
            raise ValueError(f"Url is required for {self.type}")
        if self.type.startswith("Standard") and self.version is UNSET:
            raise ValueError(f"Version is required for {self.type}")


class LegalTerm(_Term, frozen=True):
    """The contract."""

    documents: Annotated[list[LegalDocument], Meta(min_length=1, max_length=1)]


class SupportTerm(_Term, frozen=True):
    """What is given back."""

    refund_policy: Annotated[str, Meta(min_length=1, max_length=500, pattern=POLICY)]


class ValidityTerm(_Term, frozen=True):
    """How long an agreement lasts."""

    agreement_duration: Period | UnsetType = UNSET
    agreement_start_date: Date | UnsetType = UNSET
    agreement_end_date: Date | UnsetType = UNSET


class ScheduleItem(_Shape, frozen=True):
    """One payment."""

    charge_date: Date
    charge_amount: Charge


class PaymentScheduleTerm(_Term, frozen=True):
    """When a price is paid."""

    currency_code: Literal["USD"]
    schedule: Annotated[list[ScheduleItem], Meta(min_length=1, max_length=60)]


class RenewalTerm(_Term, frozen=True):
    """The agreement is renewed by itself."""


class CreateOffer(_Shape, frozen=True):
    """CreateOffer."""

    product_id: ProductId
    name: OfferName | UnsetType = UNSET


class UpdateInformation(_Shape, frozen=True):
    """UpdateInformation."""

    name: OfferName | UnsetType = UNSET
    description: Annotated[str, Meta(max_length=255, pattern=VISIBLE)] | UnsetType = UNSET


class UpdatePricingTerms(_Shape, frozen=True):
    """UpdatePricingTerms."""

    pricing_model: Literal["Usage", "Free", "Contract", "Byol"]
    terms: Annotated[list[PricingTerm], Meta(min_length=1)]


class UpdateLegalTerms(_Shape, frozen=True):
    """UpdateLegalTerms."""

    terms: Annotated[list[LegalTerm], Meta(min_length=1, max_length=1)]


class UpdateSupportTerms(_Shape, frozen=True):
    """UpdateSupportTerms."""

    terms: Annotated[list[SupportTerm], Meta(max_length=1)]


class UpdateValidityTerms(_Shape, frozen=True):
    """UpdateValidityTerms."""

    terms: Annotated[list[ValidityTerm], Meta(max_length=1)]


class UpdatePaymentScheduleTerms(_Shape, frozen=True):
    """UpdatePaymentScheduleTerms."""

    terms: Annotated[list[PaymentScheduleTerm], Meta(max_length=1)]


class UpdateRenewalTerms(_Shape, frozen=True):
    """UpdateRenewalTerms."""

    terms: Annotated[list[RenewalTerm], Meta(max_length=1)]


class PositiveTargeting(_Shape, frozen=True):
    """Who may take an offer."""

    country_codes: Countries | UnsetType = UNSET
    buyer_accounts: Accounts | UnsetType = UNSET


class NegativeTargeting(_Shape, frozen=True):
    """Who may not."""

    country_codes: Countries


class UpdateTargeting(_Shape, frozen=True):
    """UpdateTargeting."""

    positive_targeting: PositiveTargeting | UnsetType = UNSET
    negative_targeting: NegativeTargeting | UnsetType = UNSET


class UpdateAvailability(_Shape, frozen=True):
    """UpdateAvailability."""

    availability_end_date: Date


class ReleaseOffer(_Shape, frozen=True):
    """ReleaseOffer: says nothing."""


OFFER_SHAPES: Final[Mapping[str, type[_Shape]]] = {
    shape.__name__: shape
    for shape in (
        CreateOffer,
        UpdateInformation,
        UpdatePricingTerms,
        UpdateLegalTerms,
        UpdateSupportTerms,
        UpdateValidityTerms,
        UpdatePaymentScheduleTerms,
        UpdateRenewalTerms,
        UpdateTargeting,
        UpdateAvailability,
        ReleaseOffer,
    )
}
"""The shape of `DetailsDocument` by change type."""
