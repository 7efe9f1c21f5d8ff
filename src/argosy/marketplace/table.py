"""`[marketplace]`: the model package and the product that a seller makes of an image.

Source: CreateModelPackage in botocore's model; AWS Marketplace seller guide, "Machine learning product pricing"
(read 2026-11-23).
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from argosy.marketplace.listing import Input, Link, Listing, Output, OutputParameter, Parameter, Sample, Usage

INFERENCE_COUNT: Final = "inference.count"
"""The dimension of a price per inference, and of the header field that counts; no other is documented."""

Price = str | int | float
"""US dollars; a text is taken as it is written."""


def price_text(price: Price) -> str:
    """A price as the Catalog API takes it: digits, with no exponent.

    >>> price_text(0.00001), price_text("1.50"), price_text(2)
    ('0.00001', '1.50', '2')
    """
    return price if isinstance(price, str) else format(Decimal(repr(price)), "f")


class Instances(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `[marketplace.instances]` table: the instance types on which buyers may run it.

    Attributes:
        realtime: For endpoints, as `ml.m5.large`.
        batch: For transform jobs.
        recommended_realtime: The one of `realtime` that buyers are shown first; None means the first.
        recommended_batch: The one of `batch` that buyers are shown first; None means the first.
    """

    realtime: tuple[str, ...] = ()
    batch: tuple[str, ...] = ()
    recommended_realtime: str | None = None
    recommended_batch: str | None = None


class Validation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `[marketplace.validation]` table: the transform job by which AWS validates the package.

    Attributes:
        samples: Folder of the job's input objects, relative to the project. Buyers can see them.
        content_type: Their media type; None means the first content type of the package.
        accept: The media type of the results; None means the first response type of the package.
        expected: Folder of results to compare with, relative to the project: `NAME.out` for each sample; None
            compares nothing.
        role: ARN of the role that the job takes: it reads samples, artifacts and image, and writes results.
        instance_type: What runs it; None means the recommended one for transform jobs.
        split_type: How an object is divided into records: `None`, `Line`, `RecordIO` or `TFRecord`.
        batch_strategy: How many records a request carries: `SingleRecord` or `MultiRecord`.
        assemble_with: What is put between results: `None` or `Line`.
        max_payload_mb: Largest body in MB.
        max_concurrent_transforms: Requests under way at a time.
    """

    samples: str | None = None
    content_type: str | None = None
    accept: str | None = None
    expected: str | None = None
    role: str | None = None
    instance_type: str | None = None
    split_type: str = "None"
    batch_strategy: str = "SingleRecord"
    assemble_with: str = "None"
    max_payload_mb: int = 6
    max_concurrent_transforms: int = 1


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `[marketplace.account]` table: where in the seller's AWS account things are.

    Attributes:
        id: Its twelve digits; None: whoever the credentials belong to.
        repository: The repository in ECR for the image: its name, or with its host in front.
        bucket: The bucket for artifacts, samples and results of the validation; `{region}` in it stands for the region,
            since each has a bucket of its own.
        prefix: What the keys in it begin with.
        access_role: ARN of the role by which AWS Marketplace reads the package.
    """

    id: str | None = None
    repository: str = ""
    bucket: str = ""
    prefix: str = ""
    access_role: str | None = None

    def bucket_in(self, region: str) -> str:
        """The name of the bucket of a region.

        >>> Account(bucket="releases-{region}").bucket_in("eu-west-1")
        'releases-eu-west-1'
        """
        return self.bucket.replace("{region}", region)

    @property
    def registry_host(self) -> str:
        """The host in front of the repository's name; empty when none is said."""
        host, slash, _ = self.repository.partition("/")
        return host if slash and ("." in host or ":" in host) else ""

    @property
    def repository_name(self) -> str:
        """The repository's name without a host."""
        return self.repository.removeprefix(f"{self.registry_host}/") if self.registry_host else self.repository


class Pricing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `[marketplace.pricing]` table: what buyers pay, in US dollars.

    Attributes:
        model: `free`, `hourly`, `per-inference` (endpoints by inference, transform jobs by hour) or `byol` (a license
            that is bought elsewhere). None is undecided.
        realtime: Price of an hour of an endpoint by instance type: `{ "ml.m5.large" = "0.50" }`.
        batch: Price of an hour of a transform job by instance type; also with `per-inference`.
        per_inference: Price of one inference.
        dimension: What is counted for the price per inference.
        inference_key: By what key the Catalog API knows the price per inference of a new product: `m.i.c` as its page
            says, or `inference.count.m.i.c` as products show it. UNSURE which it takes; a product that is there tells
            its own, and that is used.
        free_trial_days: 5 to 31; None gives no trial.
        refund_policy: At most 500 characters.
        eula: `standard` for AWS Marketplace's contract, or the `https://` URL of another one.
    """

    model: str | None = None
    realtime: dict[str, Price] = {}
    batch: dict[str, Price] = {}
    per_inference: Price | None = None
    dimension: str = INFERENCE_COUNT
    inference_key: str = "m.i.c"
    free_trial_days: int | None = None
    refund_policy: str = ""
    eula: str = "standard"


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `[marketplace.release]` table: this version on the product's page.

    Attributes:
        title: At most 64 characters, as no version before it has; None means `version`.
        notes: What changed, at most 30000 characters.
    """

    title: str | None = None
    notes: str = ""


class Marketplace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `[marketplace]` table: the model package, and the product that it is sold as.

    Attributes:
        name: Name of the model package, without its version: letters, digits and hyphens.
        version: Its version; the package is called `NAME-1-0-0`.
        description: Of the package, at most 1024 characters.
        region: Where the package is made; repository and bucket have to be there too.
        regions: Where it is offered; none named means wherever AWS Marketplace offers.
        content_types: What it takes; none named means those of `[serving]`.
        response_types: What it gives; none named means `content_types`.
        environment: Variables of the package's container, beside the image's; buyers cannot set any.
        inference_ami_version: What buyers with GPUs have to ask for as `InferenceAmiVersion`; None: nothing.
        buyer_accounts: The accounts that see the product while it is limited.
        instances: The table `[marketplace.instances]`.
        validation: The table `[marketplace.validation]`.
        account: The table `[marketplace.account]`.
        pricing: The table `[marketplace.pricing]`.
        release: The table `[marketplace.release]`.
        listing: The table `[marketplace.listing]`.
        usage: The table `[marketplace.usage]`.
    """

    name: str = ""
    version: str = "1.0.0"
    description: str = ""
    region: str = "us-east-1"
    regions: tuple[str, ...] = ()
    content_types: tuple[str, ...] = ()
    response_types: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    inference_ami_version: str | None = None
    buyer_accounts: tuple[str, ...] = ()
    instances: Instances = Instances()
    validation: Validation = Validation()
    account: Account = Account()
    pricing: Pricing = Pricing()
    release: Release = Release()
    listing: Listing = Listing()
    usage: Usage = Usage()


MARKETPLACE_TABLES: Final[Mapping[str, type[msgspec.Struct]]] = {
    "marketplace": Marketplace,
    "marketplace.instances": Instances,
    "marketplace.validation": Validation,
    "marketplace.account": Account,
    "marketplace.pricing": Pricing,
    "marketplace.release": Release,
    "marketplace.listing": Listing,
    "marketplace.listing.resources": Link,
    "marketplace.usage": Usage,
    "marketplace.usage.input": Input,
    "marketplace.usage.input.realtime_sample": Sample,
    "marketplace.usage.input.batch_sample": Sample,
    "marketplace.usage.input.parameters": Parameter,
    "marketplace.usage.input.custom_attributes": Parameter,
    "marketplace.usage.output": Output,
    "marketplace.usage.output.realtime_sample": Sample,
    "marketplace.usage.output.batch_sample": Sample,
    "marketplace.usage.output.parameters": OutputParameter,
}
"""The heading of each table and what it may hold."""
