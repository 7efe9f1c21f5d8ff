"""Products and offers as DescribeEntity shows them, in the form in which changes are said.

Source: the entity types of `MachineLearningProduct@1.0` and `Offer@1.0` in
awslabs/aws-marketplace-catalog-api-shapes-for-python 1.2.0, with its examples (read 2026-11-23).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from argosy.marketplace.rate_card import (
    BATCH_SUFFIX,
    BYOL_TERM,
    REALTIME_SUFFIX,
    TRIAL_TERM,
    is_per_inference,
    shown_rates,
)

RESTRICTED: Final = "Restricted"


@dataclass(frozen=True, slots=True)
class DescribedVersion:
    """A version of a product.

    Attributes:
        option_id: Id of its delivery option, by which it is changed.
        package_arn: ARN of its model package.
        texts: Title and notes, as `Version` of a change has them.
        details: How it is used, as `Details` of a change has it.
        visibility: `Public`, `Limited` or `Restricted`.
        realtime: The types that it supports for endpoints.
        batch: Those for transform jobs.
    """

    option_id: str
    package_arn: str
    texts: Mapping[str, str]
    details: Mapping[str, Any]
    visibility: str
    realtime: tuple[str, ...] = ()
    batch: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The title by which buyers choose it."""
        return self.texts.get("VersionTitle") or ""

    @property
    def is_restricted(self) -> bool:
        """Whether new buyers do not get it."""
        return self.visibility == RESTRICTED

    @property
    def hourly_keys(self) -> tuple[str, ...]:
        """The dimensions by the hour that it brings to the product."""
        return (*(name + BATCH_SUFFIX for name in self.batch), *(name + REALTIME_SUFFIX for name in self.realtime))


@dataclass(frozen=True, slots=True)
class DescribedProduct:
    """A product.

    Attributes:
        id: `prod-...`, without its revision.
        information: Its page, as UpdateInformation has it.
        versions: Its versions, the oldest first.
        dimensions: The keys of what buyers are charged in.
        buyer_accounts: The accounts that see it while it is limited.
        visibility: `Draft`, `Limited`, `Public` or `Restricted`.
    """

    id: str
    information: Mapping[str, Any]
    versions: tuple[DescribedVersion, ...]
    dimensions: tuple[str, ...]
    buyer_accounts: tuple[str, ...]
    visibility: str

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> "DescribedProduct":
        """The product that an answer of DescribeEntity shows."""
        details = entity_details(answer)
        page = details.get("Description") or {}
        promotion = details.get("PromotionalResources") or {}
        information = {
            "ProductTitle": page.get("ProductTitle"),
            "ShortDescription": page.get("ShortDescription"),
            "LongDescription": page.get("LongDescription"),
            "Sku": page.get("Sku"),
            "LogoUrl": promotion.get("LogoUrl"),
            "VideoUrls": [video.get("Url") for video in promotion.get("Videos") or ()],
            "Highlights": page.get("Highlights"),
            "AdditionalResources": [
                {"Text": link.get("Text"), "Url": link.get("Url")}
                for link in promotion.get("AdditionalResources") or ()
            ],
            "SupportDescription": (details.get("SupportInformation") or {}).get("Description"),
            "Categories": page.get("Categories"),
            "SearchKeywords": page.get("SearchKeywords"),
        }
        targeting = (details.get("Targeting") or {}).get("PositiveTargeting") or {}
        return cls(
            entity_id(answer),
            information,
            tuple(_version(version) for version in details.get("Versions") or ()),
            tuple(dimension["Key"] for dimension in details.get("Dimensions") or ()),
            tuple(targeting.get("BuyerAccounts") or ()),
            page.get("Visibility") or "",
        )

    @property
    def inference_key(self) -> str | None:
        """The key of the price per inference; None when it has none, or none yet."""
        return next(filter(is_per_inference, self.dimensions), None)


@dataclass(frozen=True, slots=True)
class DescribedOffer:
    """An offer of a product.

    Attributes:
        id: `offer-...`, without its revision.
        product_id: The product's.
        name: What it is called.
        state: `Draft` or `Released`.
        terms: All of its terms.
        buyer_accounts: The accounts that see it; none for a public one.
        expires: The day, as text, after which it cannot be accepted; None for ever.
    """

    id: str
    product_id: str
    name: str
    state: str
    terms: tuple[Mapping[str, Any], ...]
    buyer_accounts: tuple[str, ...] = ()
    expires: str | None = None

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> "DescribedOffer":
        """The offer that an answer of DescribeEntity shows."""
        details = entity_details(answer)
        rules = details.get("Rules") or ()
        buyers = [
            account for rule in rules for account in (rule.get("PositiveTargeting") or {}).get("BuyerAccounts") or ()
        ]
        ends = [rule["AvailabilityEndDate"] for rule in rules if rule.get("AvailabilityEndDate")]
        return cls(
            entity_id(answer),
            details.get("ProductId") or "",
            details.get("Name") or "",
            details.get("State") or "",
            tuple(details.get("Terms") or ()),
            tuple(buyers),
            ends[0] if ends else None,
        )

    @property
    def rates(self) -> dict[str, str]:
        """Key of each dimension -> its price."""
        return shown_rates(self.terms)

    @property
    def trial(self) -> Mapping[str, Any] | None:
        """The term of the free trial."""
        return self._term(TRIAL_TERM)

    @property
    def documents(self) -> tuple[Mapping[str, Any], ...]:
        """The license."""
        term = self._term("LegalTerm") or {}
        return tuple(term.get("Documents") or ())

    @property
    def refund_policy(self) -> str:
        """What the buyer gets back."""
        return (self._term("SupportTerm") or {}).get("RefundPolicy") or ""

    @property
    def model(self) -> str:
        """How it is priced, as `[marketplace.pricing]` says it.

        An offer does not show its pricing model, so it is read from the terms; hours of 0 dollars may be either of
        `free` and `hourly`.
        """
        keys = list(self.rates)
        if self._term(BYOL_TERM) is not None:
            return "byol"
        if any(map(is_per_inference, keys)):
            return "per-inference"
        return "hourly" if keys else "free"

    def _term(self, kind: str) -> Mapping[str, Any] | None:
        return next((term for term in self.terms if term.get("Type") == kind), None)


def entity_details(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The details in an answer of DescribeEntity, which come as a document, as its text, or as both."""
    document = answer.get("DetailsDocument")
    if document is None:
        document = json.loads(answer.get("Details") or "{}")
    return document if isinstance(document, Mapping) else {}


def entity_id(answer: Mapping[str, Any]) -> str:
    """The id of the entity, without the revision that stands behind it.

    >>> entity_id({"EntityIdentifier": "prod-abc123@7"})
    'prod-abc123'
    """
    return str(answer.get("EntityIdentifier") or "").partition("@")[0]


def is_copy(url: str | None) -> bool:
    """Whether an address is that of AWS Marketplace's own copy, which it makes of logos and licenses.

    >>> is_copy("https://awsmp-logos.s3.amazonaws.com/0000000000000000"), is_copy("https://logos.s3.amazonaws.com/a.png")
    (True, False)
    """
    host = urlsplit(url or "").hostname or ""
    return host.endswith(".amazonaws.com") and host.startswith(("awsmp-", "aws-mp-"))


def _version(shown: Mapping[str, Any]) -> DescribedVersion:
    option: Mapping[str, Any] = next(iter(shown.get("DeliveryOptions") or ()), {})
    source: Mapping[str, Any] = next(iter(shown.get("Sources") or ()), {})
    instructions = option.get("Instructions") or {}
    supported = option.get("SupportedInstanceTypes") or {}
    wanted = option.get("RecommendedInstanceTypes") or {}
    return DescribedVersion(
        option_id=option.get("Id") or "",
        package_arn=source.get("ModelPackageArn") or "",
        texts={"VersionTitle": shown.get("VersionTitle") or "", "ReleaseNotes": shown.get("ReleaseNotes") or ""},
        details={
            "UsageInstructions": instructions.get("Usage"),
            "SampleNotebookUrl": instructions.get("SampleNotebookUrl"),
            "RepositoryUrl": instructions.get("RepositoryUrl"),
            "InputProperties": instructions.get("InputProperties"),
            "OutputProperties": instructions.get("OutputProperties"),
            "RecommendedInstanceTypes": {mode: wanted.get(mode) for mode in ("BatchTransform", "RealtimeInference")},
        },
        visibility=option.get("Visibility") or "",
        realtime=tuple(supported.get("RealtimeInference") or ()),
        batch=tuple(supported.get("BatchTransform") or ()),
    )
