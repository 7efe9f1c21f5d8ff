"""What a change of a `MachineLearningProduct@1.0` may say: members, limits, patterns.

Source: the shapes MachineLearningProduct_1_0_ChangeTypes of awslabs/aws-marketplace-catalog-api-shapes-for-python 1.2.0
(read 2026-11-23), read anew here and shared with nothing that makes changes. Members that are not here are refused; a
member that may be left out may not be null.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

VISIBLE: Final = r"^\S+[\S\s]*"
URL: Final = r"^https:\/\/(www\.)?[-a-zA-Z0-9@._]{1,256}\.[a-zA-Z0-9()]{2,63}\b([-a-zA-Z0-9@_+.\/]*)"
LINK: Final = (
    r"^https?:\/\/(www\.)?[-a-zA-Z0-9@:%._+~#=]{1,256}\.[a-zA-Z0-9()]{2,63}\b([-a-zA-Z0-9()@:%_+.~#?&\/=, ]*)$"
)
PACKAGE_ARN: Final = r"^arn:aws:sagemaker:[a-z0-9-]{4,24}:[0-9]{12}:model-package\/\S{1,2048}$"
ROLE_ARN: Final = r"^arn:aws:iam::\d{12}:role(\/[A-Za-z0-9_+=,.@-]+)?$"
OPTION_ID: Final = r"([a-f0-9]{8}(-[a-f0-9]{4}){4}[a-f0-9]{8})"
PRODUCT_ID: Final = (
    r"^(prod-[a-zA-Z0-9]{13})|(prod-[a-zA-Z0-9]{25})"
    r"|([0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})$"
)

Https = Annotated[str, Meta(pattern=URL)]
ShortHttps = Annotated[str, Meta(max_length=2000, pattern=URL)]
SampleUrl = Annotated[str, Meta(max_length=10000, pattern=URL)]
SampleText = Annotated[str, Meta(min_length=1, max_length=10000)]
Title = Annotated[str, Meta(max_length=72, pattern=VISIBLE)]
VersionTitle = Annotated[str, Meta(max_length=64, pattern=VISIBLE)]
Notes = Annotated[str, Meta(max_length=30000, pattern=VISIBLE)]
Instructions = Annotated[str, Meta(max_length=10000)]
InstanceType = Annotated[str, Meta(max_length=24, pattern=r"^\S{1,24}$")]
ParameterName = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[ -~]+")]
ParameterText = Annotated[str, Meta(min_length=1, max_length=1000)]
Account = Annotated[str, Meta(pattern=r"^\d{12}$")]
"""Twelve digits; the shapes say no pattern, botocore's model of ListEntities does."""


class _Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="pascal"):
    """A JSON object of the Catalog API."""


class CreateProduct(_Shape, frozen=True):
    """CreateProduct."""

    product_title: Title | UnsetType = UNSET


class AdditionalResource(_Shape, frozen=True):
    """A link on the product's page."""

    text: Annotated[str, Meta(max_length=500, pattern=VISIBLE)]
    url: Annotated[str, Meta(pattern=LINK)]


class UpdateInformation(_Shape, frozen=True):
    """UpdateInformation. `AssociatedProducts` is in the shapes as what this change type does not support."""

    product_title: Title | UnsetType = UNSET
    short_description: Annotated[str, Meta(max_length=1000, pattern=VISIBLE)] | UnsetType = UNSET
    long_description: Annotated[str, Meta(max_length=5000, pattern=VISIBLE)] | UnsetType = UNSET
    sku: Annotated[str, Meta(max_length=5000, pattern=VISIBLE)] | UnsetType = UNSET
    logo_url: Https | UnsetType = UNSET
    video_urls: Annotated[list[str], Meta(max_length=1)] | UnsetType = UNSET
    highlights: Annotated[list[Annotated[str, Meta(max_length=500)]], Meta(min_length=1, max_length=3)] | UnsetType = (
        UNSET
    )
    additional_resources: Annotated[list[AdditionalResource], Meta(max_length=3)] | UnsetType = UNSET
    support_description: Annotated[str, Meta(max_length=2000, pattern=VISIBLE)] | UnsetType = UNSET
    categories: Annotated[list[str], Meta(min_length=1, max_length=3)] | UnsetType = UNSET
    search_keywords: (
        Annotated[list[Annotated[str, Meta(max_length=50)]], Meta(min_length=1, max_length=15)] | UnsetType
    ) = UNSET


class Sample(_Shape, frozen=True):
    """A sample of an input or an output."""

    realtime_inference_text: SampleText | UnsetType = UNSET
    realtime_inference_url: SampleUrl | UnsetType = UNSET
    batch_transform_text: SampleText | UnsetType = UNSET
    batch_transform_url: SampleUrl | UnsetType = UNSET


class Parameter(_Shape, frozen=True):
    """A parameter of a request."""

    name: ParameterName | UnsetType = UNSET
    description: ParameterText | UnsetType = UNSET
    constraints: Annotated[str, Meta(min_length=1, max_length=1500)] | UnsetType = UNSET
    required: bool | UnsetType = UNSET


class OutputParameter(_Shape, frozen=True):
    """A parameter of an answer."""

    name: ParameterName | UnsetType = UNSET
    description: ParameterText | UnsetType = UNSET
    always_returned: bool | UnsetType = UNSET


class InputProperties(_Shape, frozen=True):
    """What a request holds."""

    description: SampleText | UnsetType = UNSET
    limitations: ParameterText | UnsetType = UNSET
    sample_input: Sample | UnsetType = UNSET
    parameters: Annotated[list[Parameter], Meta(max_length=35)] | UnsetType = UNSET
    sage_maker_custom_attributes: Annotated[list[Parameter], Meta(max_length=35)] | UnsetType = UNSET


class OutputProperties(_Shape, frozen=True):
    """What an answer holds."""

    description: SampleText | UnsetType = UNSET
    sample_output: Sample | UnsetType = UNSET
    parameters: Annotated[list[OutputParameter], Meta(max_length=35)] | UnsetType = UNSET


class RecommendedInstanceTypes(_Shape, frozen=True):
    """What buyers are shown first."""

    batch_transform: InstanceType | UnsetType = UNSET
    realtime_inference: InstanceType | UnsetType = UNSET


class NewPackageDetails(_Shape, frozen=True):
    """`SageMakerModelPackageDeliveryOptionDetails` of a new version."""

    usage_instructions: Instructions
    sample_notebook_url: ShortHttps
    repository_url: ShortHttps
    input_properties: InputProperties
    output_properties: OutputProperties
    recommended_instance_types: RecommendedInstanceTypes
    sage_maker_model_package_arn: Annotated[str, Meta(pattern=PACKAGE_ARN)]
    access_role_arn: Annotated[str, Meta(pattern=ROLE_ARN)]


class PackageDetails(_Shape, frozen=True):
    """`SageMakerModelPackageDeliveryOptionDetails` of a version that is there; its ARN cannot change."""

    usage_instructions: Instructions | UnsetType = UNSET
    sample_notebook_url: ShortHttps | UnsetType = UNSET
    repository_url: ShortHttps | UnsetType = UNSET
    input_properties: InputProperties | UnsetType = UNSET
    output_properties: OutputProperties | UnsetType = UNSET
    recommended_instance_types: RecommendedInstanceTypes | UnsetType = UNSET


class NewDetails(_Shape, frozen=True):
    """Details of a new delivery option; algorithms are not simulated."""

    sage_maker_model_package_delivery_option_details: NewPackageDetails


class Details(_Shape, frozen=True):
    """Details of a delivery option that is there."""

    sage_maker_model_package_delivery_option_details: PackageDetails


class NewDeliveryOption(_Shape, frozen=True):
    """A new delivery option."""

    details: NewDetails


class NewVersion(_Shape, frozen=True):
    """A new version."""

    version_title: VersionTitle
    release_notes: Notes


class AddDeliveryOptions(_Shape, frozen=True):
    """AddDeliveryOptions: a version has exactly one option (Catalog API, "Add a new version" for machine learning)."""

    version: NewVersion
    delivery_options: Annotated[list[NewDeliveryOption], Meta(min_length=1, max_length=1)]


class ChangedVersion(_Shape, frozen=True):
    """Texts of a version that is there."""

    version_title: VersionTitle | UnsetType = UNSET
    release_notes: Notes | UnsetType = UNSET


class ChangedDeliveryOption(_Shape, frozen=True):
    """A delivery option that is there."""

    id: Annotated[str, Meta(max_length=36, pattern=OPTION_ID)]
    details: Details | UnsetType = UNSET


class UpdateDeliveryOptions(_Shape, frozen=True):
    """UpdateDeliveryOptions."""

    version: ChangedVersion | UnsetType = UNSET
    delivery_options: Annotated[list[ChangedDeliveryOption], Meta(min_length=1, max_length=1)] | UnsetType = UNSET


class RestrictDeliveryOptions(_Shape, frozen=True):
    """RestrictDeliveryOptions."""

    delivery_option_ids: Annotated[list[Annotated[str, Meta(max_length=36)]], Meta(min_length=1, max_length=50)]


class PositiveTargeting(_Shape, frozen=True):
    """Who sees a product while it is limited."""

    buyer_accounts: Annotated[list[Account], Meta(max_length=100)]


class UpdateTargeting(_Shape, frozen=True):
    """UpdateTargeting."""

    positive_targeting: PositiveTargeting


class UpdateVisibility(_Shape, frozen=True):
    """UpdateVisibility."""

    target_visibility: Literal["Public", "Limited", "Restricted"]
    replacement_product_id: Annotated[str, Meta(pattern=PRODUCT_ID)] | UnsetType = UNSET


class ReleaseProduct(_Shape, frozen=True):
    """ReleaseProduct: says nothing."""


PRODUCT_SHAPES: Final[Mapping[str, type[_Shape]]] = {
    shape.__name__: shape
    for shape in (
        CreateProduct,
        UpdateInformation,
        AddDeliveryOptions,
        UpdateDeliveryOptions,
        RestrictDeliveryOptions,
        UpdateTargeting,
        UpdateVisibility,
        ReleaseProduct,
    )
}
"""The shape of `DetailsDocument` by change type."""
