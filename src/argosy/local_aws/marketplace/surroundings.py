"""What an AWS Marketplace works with: its store, the services around it, the clock."""

import secrets
import string
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from argosy.aws.call import MARKETPLACE_REGION
from argosy.local_aws.marketplace.options import MarketplaceOptions
from argosy.local_aws.marketplace.store import Store
from argosy.local_aws.service import ModelPackages

_LETTERS: Final = string.ascii_lowercase + string.digits
_LENGTH: Final = 13


def new_id(prefix: str) -> str:
    """A prefix and 13 small letters and digits, as AWS makes identifiers of products; without a prefix a UUID."""
    if not prefix:
        return str(uuid.uuid4())
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an AWS Marketplace works with.

    Attributes:
        packages: The model packages of SageMaker.
        trust_policy: The trust policy of a role of IAM as JSON, by its ARN; None when there is no such role.
        store: Where the state is kept.
        options: What nobody knows.
        clock: Seconds since 1970.
        new_id: Makes identifiers.
        report: Takes what a person should know, one line each.
    """

    packages: ModelPackages
    trust_policy: Callable[[str], str | None]
    store: Store = field(default_factory=Store)
    options: MarketplaceOptions = field(default_factory=MarketplaceOptions)
    clock: Callable[[], float] = time.time
    new_id: Callable[[str], str] = new_id
    report: Callable[[str], None] = lambda _line: None


def moment(seconds: float) -> str:
    """A time as the Catalog API writes it: `2026-11-23T08:00:00Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def arn(account: str, kind: str, id_: str) -> str:
    """The ARN of an entity or a change set: `AWSMarketplace/Offer/offer-...`."""
    return f"arn:aws:aws-marketplace:{MARKETPLACE_REGION}:{account}:AWSMarketplace/{kind}/{id_}"
