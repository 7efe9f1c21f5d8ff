"""The seller's AWS account: what a model package needs of it, each thing as it was found or why it is not known."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from argosy.aws.account import Role, Scan, StoredImage
from argosy.marketplace.model_package import Places
from argosy.marketplace.table import Marketplace


@dataclass(frozen=True, slots=True)
class Refused:
    """A call that AWS did not do.

    Attributes:
        action: As IAM names it.
        why: The service's code, or what kept it from answering.
    """

    action: str
    why: str

    def __str__(self) -> str:
        """As the end of a sentence."""
        return f"`{self.action}` was not done: {self.why}"


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What the account has; None is what is not there.

    Attributes:
        table: `[marketplace]`.
        places: Where the package's parts are in S3.
        digest: Digest of the image that is looked for; empty when none was built.
        account: The account that the credentials belong to.
        opt_ins: Region -> how accounts get it.
        repository: URI of the repository.
        image: The image in it.
        scan: What came of scanning that image.
        bucket_region: The region of the bucket.
        validation_role: The role of the validation.
        access_role: The role by which AWS Marketplace reads the package.
        quotas: SageMaker's quotas by their names.
    """

    table: Marketplace
    places: Places
    digest: str = ""
    account: str | Refused = ""
    opt_ins: Mapping[str, str | None] | Refused = field(default_factory=dict)
    repository: str | Refused | None = None
    image: StoredImage | Refused | None = None
    scan: Scan | Refused | None = None
    bucket_region: str | Refused | None = None
    validation_role: Role | Refused | None = None
    access_role: Role | Refused | None = None
    quotas: Mapping[str, float] | Refused = field(default_factory=dict)
