"""What an hour or an inference costs, as far as the agreement says, and the sentence that somebody agrees to."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from argosy.aws.api import Reader
from argosy.aws.call import MARKETPLACE_REGION, Call
from argosy.deployment.package import KEY as PACKAGE_KEY
from argosy.deployment.purchase import agreements
from argosy.deployment.purchase.terms import INFERENCE, REALTIME, TRANSFORM, Terms
from argosy.errors import AwsError
from argosy.planning.step import Change, Kind, Later, Obstacle, Outputs, Work

KEY: Final = "price"
_UNKNOWN: Final = "the seller's price is not known here (--product PRODUCT_ID reads it from the agreement)"


@dataclass(frozen=True, slots=True)
class PriceStep:
    """Reads what the agreement on a product says; nothing stops when it cannot be read.

    Attributes:
        product: Its id.
    """

    product: str
    key: str = KEY

    def look(self, reader: Reader, known: Outputs) -> Change:
        """The prices, and the instance types that the seller recommends."""
        options = Call(
            "marketplace-discovery", "ListFulfillmentOptions", MARKETPLACE_REGION, {"productId": self.product}
        )
        reads = (
            agreements.search_call("ResourceIdentifier", self.product),
            agreements.call("GetAgreementTerms", {"agreementId": Later(KEY, "agreement")}),
            options,
        )
        given: dict[str, str] = {}
        notes: tuple[str, ...] = ()
        obstacle: Obstacle | None = None
        try:
            found = agreements.active(reader, self.product)
            if found is None and _is_bought(known):
                what = f"this account has no subscription to {self.product}"
                obstacle = Obstacle(what, f"argosy subscribe {self.product}")
            elif found is not None:
                given = _outputs(agreements.terms_of(reader, str(found["agreementId"])))
            given |= _recommended(reader, options)
        except AwsError as error:
            notes = (f"prices cannot be read: {error.message}",)
        title = f"price of {self.product}"
        return Change(KEY, title, Kind.NOTHING, reads=reads, notes=notes, outputs=given, obstacle=obstacle)

    def apply(self, change: Change, work: Work) -> Mapping[str, str]:
        """Nothing: it is read only."""
        return {}


def cost(known: Outputs, mode: str, kind: str | Later, count: int) -> str:
    """What running costs, as the end of a sentence.

    Args:
        known: What the steps gave.
        mode: `realtime` or `transform`.
        kind: The instance type.
        count: How many instances.
    """
    prices = known.get(KEY, {})
    currency = prices.get("currency", "USD")
    hourly, each = prices.get(f"{kind} {mode}"), prices.get(INFERENCE) if mode == REALTIME else None
    if known.get(PACKAGE_KEY, {}).get("owner") == "this account":
        seller = "the package is this account's own, so nobody else is paid"
    elif hourly is not None and each is None:
        seller = f"the seller's {hourly} {currency} an hour each, {_times(hourly, count)} {currency} an hour in all"
    elif each is not None:
        seller = f"the seller's {each} {currency} an inference"
    else:
        seller = _UNKNOWN
    return f"{count} x {kind}: {seller}; AWS's price of the instances comes on top"


def _is_bought(known: Outputs) -> bool:
    """Whether the package is somebody else's, as far as it was read: a plan without an account knows nothing of it."""
    package = known.get(PACKAGE_KEY, {})
    return "transform" in package and package.get("owner") != "this account"


def _outputs(terms: Terms) -> dict[str, str]:
    given = {f"{kind} {mode}": price for (mode, kind), price in terms.hourly.items()}
    more = {} if terms.inference is None else {INFERENCE: terms.inference}
    return {"currency": terms.currency, **given, **more}


def _recommended(reader: Reader, call: Call) -> dict[str, str]:
    """The instance types that the seller recommends in the newest version that is offered. Any: JSON of the API."""
    for page in reader.pages(call):
        for option in page.get("fulfillmentOptions", ()):
            found: Any = option.get("sageMakerModelFulfillmentOption", {}).get("recommendation", {})
            named = {
                f"recommended {REALTIME}": found.get("recommendedRealtimeInferenceInstanceType"),
                f"recommended {TRANSFORM}": found.get("recommendedBatchTransformInstanceType"),
            }
            if any(named.values()):
                return {name: str(value) for name, value in named.items() if value}
    return {}


def _times(price: str, count: int) -> str:
    try:
        return str(Decimal(price) * count)
    except InvalidOperation:
        return f"{count} x {price}"
