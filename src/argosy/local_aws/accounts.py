"""The accounts that are there: a seller's and a buyer's, each with one access key, and AWS Marketplace's own."""

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
MARKETPLACE: Final = Account("marketplace", "865070037744", "AKIALOCALMARKETPLACE", "the-local-marketplace")
"""Holds what was published. AWS has such an account for each region; this is the number of the one in us-east-1, as
public notebooks show it (https://github.com/aws/amazon-sagemaker-examples, aws_marketplace; read 2026-11-23)."""
ACCOUNTS: Final = (SELLER, BUYER, MARKETPLACE)


@dataclass(frozen=True, slots=True)
class Role:
    """A role that is there from the start, so that a first try needs none made by hand.

    Attributes:
        account: Whose it is.
        name: Its name.
        service: What may assume it.
    """

    account: Account
    name: str
    service: str

    @property
    def arn(self) -> str:
        """Its ARN."""
        return f"arn:aws:iam::{self.account.number}:role/{self.name}"


VALIDATION_ROLE: Final = Role(SELLER, "ArgosyValidation", "sagemaker.amazonaws.com")
"""For the validation of the seller's model packages."""
INGESTION_ROLE: Final = Role(SELLER, "ArgosyIngestion", "assets.marketplace.amazonaws.com")
"""For AWS Marketplace, which reads the seller's model packages."""
EXECUTION_ROLE: Final = Role(BUYER, "ArgosyExecution", "sagemaker.amazonaws.com")
"""For the buyer's models."""
ROLES: Final = (VALIDATION_ROLE, INGESTION_ROLE, EXECUTION_ROLE)
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
        "AWS_DEFAULT_REGION": region,  # boto3's and the AWS CLI's
        "AWS_REGION": region,  # every other SDK's
    }
