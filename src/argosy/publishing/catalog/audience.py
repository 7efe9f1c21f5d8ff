"""Who gets a product: everybody, and which of its versions nobody new."""

from dataclasses import replace
from typing import Final

from argosy.aws.api import Reader
from argosy.aws.call import Call
from argosy.marketplace.described import DescribedProduct, DescribedVersion
from argosy.marketplace.product_changes import Visibility, version_title
from argosy.marketplace.product_update import REVIEW, SUPPORT, restricting, showing
from argosy.planning.step import Consent, Kind, Later, Obstacle, Outputs, Risk
from argosy.publishing.catalog.product import find, reads_of
from argosy.publishing.catalog.sale import PRODUCT, Sale
from argosy.publishing.catalog.shown import shown
from argosy.publishing.catalog.step import Due

_DRAFT: Final = DescribedProduct(str(Later(PRODUCT, "product")), {}, (), (), (), "Limited")


class VisibilityWish:
    """That a product is seen by everybody, by few, or by nobody new.

    Args:
        sale: What is sold.
        visibility: `Public`, `Limited` or `Restricted`.
    """

    key = "visibility"

    def __init__(self, sale: Sale, visibility: Visibility) -> None:
        self._sale = sale
        self._visibility = visibility

    @property
    def reads(self) -> tuple[Call, ...]:
        """See `Wish`."""
        return reads_of(self._sale)

    def due(self, reader: Reader, known: Outputs) -> Due:
        """See `Wish`."""
        found = find(reader, self._sale, known)
        product = _DRAFT if found is None else found.product
        change_set = showing(product, self._visibility)
        return Due(
            f"product {self._sale.title} is {self._visibility}",
            Kind.UPDATE,
            change_set,
            () if found is None else found.entities,
            () if found is None else (found.revision,),
            shown(change_set, product, None),
            _consent(self._visibility, self._sale.title),
        )


class RestrictionWish:
    """That new buyers do not get some versions.

    Args:
        sale: What is sold.
        titles: The versions' titles.
    """

    key = "restriction"

    def __init__(self, sale: Sale, titles: tuple[str, ...]) -> None:
        self._sale = sale
        self._titles = titles

    @property
    def reads(self) -> tuple[Call, ...]:
        """See `Wish`."""
        return reads_of(self._sale)

    def due(self, reader: Reader, known: Outputs) -> Due:
        """See `Wish`."""
        found = find(reader, self._sale, known)
        product = self._with_versions(_DRAFT, self._titles) if found is None else found.product
        change_set = restricting(self._with_versions(product, (version_title(self._sale.table),)), self._titles)
        missing = Obstacle(f"there is no product `{self._sale.title}` that has them", "leave --restrict out")
        return Due(
            f"versions {', '.join(self._titles)} of {self._sale.title} are restricted",
            Kind.UPDATE,
            change_set,
            () if found is None else found.entities,
            () if found is None else (found.revision,),
            obstacle=missing if found is None else None,
            consent=Consent(Risk.LOSS, f"new buyers no longer get {', '.join(self._titles)}; {SUPPORT}"),
        )

    def _with_versions(self, product: DescribedProduct, titles: tuple[str, ...]) -> DescribedProduct:
        """The product with versions that it has not yet: what this very plan adds may be the last that is left."""
        there = {version.title for version in product.versions}
        added = [
            DescribedVersion(f"(version {title})", "", {"VersionTitle": title}, {}, product.visibility)
            for title in titles
            if title not in there
        ]
        return replace(product, versions=(*product.versions, *added))


def _consent(visibility: Visibility, title: str) -> Consent:
    if visibility == "Public":
        return Consent(Risk.PUBLIC, f"everybody sees `{title}`, which cannot be made a draft again; {REVIEW}")
    return Consent(Risk.LOSS, f"`{title}` becomes {visibility}; {SUPPORT}")
