"""What has to change in a product that is there, so that it is what argosy.toml says; nothing when it is.

Source: AWS Marketplace Catalog API, "Add a new version", "Update version information" and "Restrict a version" of
machine-learning products (read 2026-11-23).
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from argosy.errors import ProjectError, UsageError
from argosy.marketplace.change_set import CatalogChange, ChangeSet, Entity, changed_members
from argosy.marketplace.described import RESTRICTED, DescribedOffer, DescribedProduct, DescribedVersion, is_copy
from argosy.marketplace.limits import MOST_RESTRICTED
from argosy.marketplace.offer_changes import creating_offer
from argosy.marketplace.offer_update import offer_changes
from argosy.marketplace.product_changes import (
    OPTION,
    Version,
    Visibility,
    add_version,
    information,
    option_details,
    update_targeting,
    update_visibility,
    version_texts,
    version_title,
)
from argosy.marketplace.table import Marketplace

SUPPORT: Final = "who has subscribed keeps a restricted version, and is to be supported for 90 days"
REVIEW: Final = "AWS reviews a product before everybody sees it; how long that takes is not documented"
_TARGETED: Final = ("Draft", "Limited")
"""While a product is one of these, it is shown to the accounts that are named, and to no others."""
_UNORDERED: Final = ("Categories", "SearchKeywords")


@dataclass(frozen=True, slots=True)
class Sent:
    """Addresses of what AWS Marketplace has copied, as they were last sent; None where that is not known.

    Attributes:
        logo_url: The product's logo.
        eula: The offer's license.
    """

    logo_url: str | None = None
    eula: str | None = None


def updating(
    product: DescribedProduct,
    offer: DescribedOffer | None,
    table: Marketplace,
    version: Version,
    sent: Sent | None = None,
) -> ChangeSet:
    """The change set that makes a product and its public offer what the table says; without changes when they are.

    A `sku` that is no longer said stays: the API has no way to take it back. UNSURE: whether a member that is left out
    of a version's `InputProperties` is taken away; they are sent whole when something in them differs.

    Args:
        product: As AWS shows it.
        offer: Its public offer as AWS shows it; None when there is none yet.
        table: What the seller says, its samples as texts or addresses.
        version: The model package that the table is of: a new version when the product has none of it.
        sent: What was last sent of what AWS copies.

    Raises:
        ProjectError: The title is another version's, or the pricing model cannot be changed.
    """
    sent = sent or Sent()
    entity = Entity.product(product.id)
    page, notes = _information(product, table, sent.logo_url)
    changes = [CatalogChange("UpdateInformation", entity, page)] if page else []
    changes += _version_changes(product, table, version)
    if product.visibility in _TARGETED and set(product.buyer_accounts) != set(table.buyer_accounts):
        changes.append(update_targeting(entity, table.buyer_accounts))
    if product.visibility == "Draft":
        changes.append(CatalogChange("ReleaseProduct", entity))
    if offer is None:
        changes += creating_offer(table, product.id)
    else:
        paid = offer_changes(offer, table, product, version.package_arn, sent.eula)
        changes += paid.changes
        notes += paid.notes
    return ChangeSet(f"update {table.name} {version_title(table)}", tuple(changes), tuple(notes))


def restricting(product: DescribedProduct, titles: Collection[str]) -> ChangeSet:
    """The change set that takes versions away from new buyers; without changes when they are.

    Args:
        product: As AWS shows it.
        titles: The titles of the versions.

    Raises:
        UsageError: There is no such version, or none would be left.
    """
    known = {version.title: version for version in product.versions}
    strangers = [title for title in titles if title not in known]
    if strangers:
        raise UsageError(
            "the product has no such version",
            got=f"`{strangers[0]}`",
            want=f"one of: {', '.join(known)}",
            where=product.id,
        )
    open_ = [version for version in product.versions if not version.is_restricted]
    asked = [version for version in open_ if version.title in titles]
    if asked and len(asked) == len(open_):
        raise UsageError(
            "the last version that buyers can get cannot be restricted",
            where=product.id,
            hint="argosy publish --visibility Restricted  (the whole product), or publish a new version first",
        )
    groups = [asked[first : first + MOST_RESTRICTED] for first in range(0, len(asked), MOST_RESTRICTED)]
    changes = tuple(
        CatalogChange(
            "RestrictDeliveryOptions",
            Entity.product(product.id),
            {"DeliveryOptionIds": [version.option_id for version in group]},
        )
        for group in groups
    )
    return ChangeSet(f"restrict {' '.join(titles)}", changes, (SUPPORT,) if changes else ())


def showing(product: DescribedProduct, visibility: Visibility, replacement: str | None = None) -> ChangeSet:
    """The change set that shows a product to everybody, to few, or to nobody new; without changes when it is so.

    Args:
        product: As AWS shows it.
        visibility: `Public`, `Limited` or `Restricted`.
        replacement: Id of the product that buyers of a restricted one are told of.
    """
    if product.visibility == visibility:
        return ChangeSet(f"show {visibility}")
    change = update_visibility(Entity.product(product.id), visibility, replacement)
    notes = {"Public": (REVIEW,), RESTRICTED: (SUPPORT,)}.get(visibility, ())
    return ChangeSet(f"show {visibility}", (change,), notes)


def _information(
    product: DescribedProduct, table: Marketplace, sent_logo: str | None
) -> tuple[dict[str, object], list[str]]:
    page, notes = changed_members(information(table), product.information, _UNORDERED), []
    shown = product.information.get("LogoUrl")
    if "LogoUrl" in page and is_copy(shown) and sent_logo in (None, table.listing.logo_url):
        del page["LogoUrl"]
        if sent_logo is None:
            notes.append(
                f"AWS keeps a copy of the logo, so whether `{table.listing.logo_url}` is another one is not known:"
                " it is not sent again"
            )
    return page, notes


def _version_changes(product: DescribedProduct, table: Marketplace, version: Version) -> list[CatalogChange]:
    entity, own = Entity.product(product.id), _own(product, table, version)
    if own is None:
        return [add_version(entity, table, version)]
    texts = changed_members(version_texts(table), own.texts)
    details = changed_members(option_details(table), own.details)
    said: dict[str, object] = {"Version": texts} if texts else {}
    if details:
        said["DeliveryOptions"] = [{"Id": own.option_id, "Details": {OPTION: details}}]
    elif texts:
        said["DeliveryOptions"] = [{"Id": own.option_id}]
    return [CatalogChange("UpdateDeliveryOptions", entity, said)] if said else []


def _own(product: DescribedProduct, table: Marketplace, version: Version) -> DescribedVersion | None:
    """The version that is of the package; None when it is to be added."""
    title = version_title(table)
    of_package = next((one for one in product.versions if one.package_arn == version.package_arn), None)
    named = next((one for one in product.versions if one.title == title), None)
    if named is not None and of_package is None and _account(named.package_arn) != _account(version.package_arn):
        return named  # what is shown is AWS Marketplace's copy of the package, in an account of its own
    if named is not None and named is not of_package:
        raise ProjectError(
            "a version has this title already, and a version's package cannot be changed",
            got=f"`{title}` for `{version.package_arn}`",
            want=f"another title than that of `{named.package_arn}`",
            where="argosy.toml [marketplace]",
            hint='set the next version, as version = "1.0.1", or another title in [marketplace.release]',
        )
    return of_package


def _account(arn: str) -> str:
    return arn.split(":")[4] if arn.count(":") > 4 else ""
