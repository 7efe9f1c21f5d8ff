"""The agreements that this account has: which products it may use, under which terms."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from argosy.aws.api import Reader
from argosy.aws.call import MARKETPLACE_REGION, Call
from argosy.deployment.purchase.terms import Terms, read_terms

CATALOG: Final = "AWSMarketplace"


def call(operation: str, parameters: Mapping[str, Any]) -> Call:
    """A call of the agreements' API. Any: JSON."""
    return Call("marketplace-agreement", operation, MARKETPLACE_REGION, parameters)


def search_call(name: str, value: str) -> Call:
    """The call that searches for this account's purchases.

    Args:
        name: Of a filter that may stand beside the type: `ResourceIdentifier` or `ResourceType`.
        value: What it has to be.
    """
    wanted = {"PartyType": "Acceptor", "AgreementType": "PurchaseAgreement", name: value}
    filters = [{"name": each, "values": [text]} for each, text in wanted.items()]
    return call("SearchAgreements", {"catalog": CATALOG, "filters": filters})


def active(reader: Reader, product: str) -> Any | None:
    """The agreement on a product that is in force, None when there is none. Any: JSON of the API.

    Raises:
        AwsError: AWS refuses or does not answer.
    """
    for page in reader.pages(search_call("ResourceIdentifier", product)):
        for found in page.get("agreementViewSummaries", ()):
            if found.get("status") == "ACTIVE":
                return found
    return None


def terms_of(reader: Reader, agreement: str) -> Terms:
    """What was accepted.

    Raises:
        AwsError: AWS refuses or does not answer.
    """
    pages = reader.pages(call("GetAgreementTerms", {"agreementId": agreement}))
    return read_terms([term for page in pages for term in page.get("acceptedTerms", ())])


def entitlements(reader: Reader, agreement: str) -> Sequence[Any]:
    """What an agreement gives the right to. Any: JSON of the API.

    Raises:
        AwsError: AWS refuses or does not answer.
    """
    pages = reader.pages(call("GetAgreementEntitlements", {"agreementId": agreement}))
    return [found for page in pages for found in page.get("agreementEntitlements", ())]
