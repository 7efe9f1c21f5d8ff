"""The changes that make a machine-learning product of `[marketplace]`, and the details of each.

Source: the shapes of `MachineLearningProduct@1.0` in awslabs/aws-marketplace-catalog-api-shapes-for-python 1.2.0; AWS
Marketplace Catalog API, "Machine learning products" (read 2026-11-23).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

import msgspec

from argosy.errors import ProjectError
from argosy.marketplace.change_set import CatalogChange, ChangeSet, Entity
from argosy.marketplace.listing import Input, Output, OutputParameter, Parameter, Sample
from argosy.marketplace.model_package import recommended
from argosy.marketplace.offer_changes import creating_offer
from argosy.marketplace.table import Marketplace

OPTION: Final = "SageMakerModelPackageDeliveryOptionDetails"
"""The one kind of delivery option that a model package has; the page's prose spells it otherwise, the shapes so."""

_Side = TypeVar("_Side", Input, Output)

Visibility = Literal["Public", "Limited", "Restricted"]
"""Who sees a product: everybody; its seller and the accounts that it names; those who have subscribed."""


@dataclass(frozen=True, slots=True)
class Version:
    """What a version of the product is made of, beside the table.

    Attributes:
        package_arn: ARN of the model package.
        access_role: ARN of the role by which AWS Marketplace reads it.
    """

    package_arn: str
    access_role: str


def with_sample_texts(table: Marketplace, texts: Mapping[str, str]) -> Marketplace:
    """The table with the texts of sample files in place of their names.

    Args:
        table: What the seller says.
        texts: Path of each sample file, as the table names it -> its text.

    Raises:
        ProjectError: The text of a file is not there.
    """

    def told(sample: Sample) -> Sample:
        if sample.file is None:
            return sample
        if sample.file not in texts:
            raise ProjectError("the sample cannot be read", where=sample.file, hint="name a file of the project")
        return Sample(text=texts[sample.file])

    def side(said: _Side) -> _Side:
        realtime, batch = told(said.realtime_sample), told(said.batch_sample)
        return msgspec.structs.replace(said, realtime_sample=realtime, batch_sample=batch)

    usage = msgspec.structs.replace(table.usage, input=side(table.usage.input), output=side(table.usage.output))
    return msgspec.structs.replace(table, usage=usage)


def information(table: Marketplace) -> dict[str, Any]:
    """The details of UpdateInformation: the product's page."""
    said = table.listing
    details: dict[str, Any] = {
        "ProductTitle": said.title.strip(),
        "ShortDescription": said.short_description.strip(),
        "LongDescription": said.long_description,
        "LogoUrl": said.logo_url,
        "VideoUrls": [] if said.video_url is None else [said.video_url],
        "Highlights": [text.strip() for text in said.highlights],
        "AdditionalResources": [{"Text": link.text.strip(), "Url": link.url} for link in said.resources],
        "SupportDescription": said.support.strip(),
        "Categories": list(said.categories),
        "SearchKeywords": list(said.keywords),
    }
    if said.sku is not None:
        details["Sku"] = said.sku.strip()
    return details


def version_title(table: Marketplace) -> str:
    """The title by which buyers choose a version."""
    return (table.version if table.release.title is None else table.release.title).strip()


def version_texts(table: Marketplace) -> dict[str, str]:
    """The member `Version` of a change of delivery options."""
    return {"VersionTitle": version_title(table), "ReleaseNotes": table.release.notes.strip()}


def option_details(table: Marketplace) -> dict[str, Any]:
    """How a version is used: the members of a delivery option that can be changed later.

    Args:
        table: What the seller says, its samples as texts or addresses.
    """
    said = table.usage
    realtime, batch = recommended(table.instances)
    return {
        "UsageInstructions": said.instructions.strip(),
        "SampleNotebookUrl": said.notebook_url,
        "RepositoryUrl": said.repository,
        "InputProperties": _input(said.input),
        "OutputProperties": _output(said.output),
        "RecommendedInstanceTypes": {"BatchTransform": batch, "RealtimeInference": realtime},
    }


def add_version(product: Entity, table: Marketplace, version: Version) -> CatalogChange:
    """AddDeliveryOptions: a version with its one delivery option."""
    details = {
        **option_details(table),
        "SageMakerModelPackageArn": version.package_arn,
        "AccessRoleArn": version.access_role,
    }
    return CatalogChange(
        "AddDeliveryOptions",
        product,
        {"Version": version_texts(table), "DeliveryOptions": [{"Details": {OPTION: details}}]},
    )


def update_targeting(product: Entity, accounts: Sequence[str]) -> CatalogChange:
    """UpdateTargeting: who sees a limited product, and nobody else."""
    return CatalogChange("UpdateTargeting", product, {"PositiveTargeting": {"BuyerAccounts": list(accounts)}})


def update_visibility(product: Entity, visibility: Visibility, replacement: str | None = None) -> CatalogChange:
    """UpdateVisibility: who sees the product. `Public` is reviewed by AWS first.

    Args:
        product: The product.
        visibility: `Public`, `Limited` or `Restricted`.
        replacement: Id of the product that buyers of a restricted one are told of.
    """
    details = {"TargetVisibility": visibility}
    return CatalogChange(
        "UpdateVisibility",
        product,
        details if replacement is None else {**details, "ReplacementProductId": replacement},
    )


def creating_product(table: Marketplace, version: Version) -> ChangeSet:
    """The change set that makes product, first version and public offer, and releases both: a limited product.

    Args:
        table: What the seller says, its samples as texts or addresses.
        version: The model package of the first version.
    """
    title = table.listing.title.strip()
    create = CatalogChange("CreateProduct", Entity.product(), {"ProductTitle": title}, "CreateProductChange")
    product = Entity.product(create.reference)
    changes = [
        create,
        CatalogChange("UpdateInformation", product, information(table)),
        add_version(product, table, version),
    ]
    if table.buyer_accounts:
        changes.append(update_targeting(product, table.buyer_accounts))
    changes.append(CatalogChange("ReleaseProduct", product))
    return ChangeSet(
        f"create {table.name} {version_title(table)}", (*changes, *creating_offer(table, create.reference))
    )


def _input(said: Input) -> dict[str, Any]:
    found: dict[str, Any] = {
        "Description": said.description.strip(),
        "SampleInput": _sample(said.realtime_sample, said.batch_sample),
        "Parameters": [_parameter(one) for one in said.parameters],
        "SageMakerCustomAttributes": [_parameter(one) for one in said.custom_attributes],
    }
    if said.limitations.strip():
        found["Limitations"] = said.limitations.strip()
    return found


def _output(said: Output) -> dict[str, Any]:
    return {
        "Description": said.description.strip(),
        "SampleOutput": _sample(said.realtime_sample, said.batch_sample),
        "Parameters": [_output_parameter(one) for one in said.parameters],
    }


def _sample(realtime: Sample, batch: Sample) -> dict[str, str]:
    found = {}
    for mode, sample in (("RealtimeInference", realtime), ("BatchTransform", batch)):
        if sample.file is not None:
            raise ProjectError("the sample's text is not read yet", where=sample.file)
        if sample.text is not None:
            found[f"{mode}Text"] = sample.text
        elif sample.url is not None:
            found[f"{mode}Url"] = sample.url
    return found


def _parameter(said: Parameter) -> dict[str, Any]:
    found: dict[str, Any] = {"Name": said.name, "Description": said.description.strip()}
    if said.constraints.strip():
        found["Constraints"] = said.constraints.strip()
    if said.required is not None:
        found["Required"] = said.required
    return found


def _output_parameter(said: OutputParameter) -> dict[str, Any]:
    found: dict[str, Any] = {"Name": said.name, "Description": said.whole_description}
    if said.always_returned is not None:
        found["AlwaysReturned"] = said.always_returned
    return found
