"""The two accounts that are there: a seller's and a buyer's, each with one access key."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Account:
    """One account of AWS.

    Attributes:
        name: `seller` or `buyer`; also the name of its user in IAM.
        number: Its twelve digits.
        access_key: Of its user. Who signs with it is in this account.
        secret_key: Belongs to the access key. Signatures are not verified here, so it protects nothing.
    """

    name: str
    number: str
    access_key: str
    secret_key: str


SELLER: Final = Account("seller", "111122223333", "AKIALOCALSELLER00000", "the-local-seller")
BUYER: Final = Account("buyer", "444455556666", "AKIALOCALBUYER000000", "the-local-buyer")
ACCOUNTS: Final = (SELLER, BUYER)
DEFAULT_REGION: Final = "us-east-1"
"""Where the printed environment puts whoever says no other region."""


def environment_of(account: Account, url: str, region: str = DEFAULT_REGION) -> dict[str, str]:
    """The variables with which any AWS client works in an account of the local AWS.

    Args:
        account: Who the client is.
        url: Of the local AWS.
        region: Where the client works unless it says otherwise.
    """
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": account.access_key,
        "AWS_SECRET_ACCESS_KEY": account.secret_key,
        "AWS_DEFAULT_REGION": region,
    }
