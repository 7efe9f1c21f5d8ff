"""`argosy publish`: the product at AWS Marketplace, made or changed into what argosy.toml says."""

from collections.abc import Sequence
from pathlib import Path

import click

from argosy import project
from argosy.cli.applying import Manner, carry_out, is_policy_asked, plan_options
from argosy.cli.selling.sale import read_sale, state_of
from argosy.marketplace.product_changes import Visibility
from argosy.planning.step import Lane, Stage
from argosy.publishing.catalog.audience import RestrictionWish, VisibilityWish
from argosy.publishing.catalog.package import PackageStep
from argosy.publishing.catalog.product import ProductWish
from argosy.publishing.catalog.sale import Sale
from argosy.publishing.catalog.step import ChangeSetStep
from argosy.publishing.registration.account import SellerAccount


@click.command
@click.argument("folder", metavar="[PROJECT]", type=click.Path(path_type=Path), default=".")
@click.option("--product", "product_id", metavar="ID", help="A product that is there. [default: the one of the title]")
@click.option("--public", "is_public", is_flag=True, help="Show it to everybody, after a review by AWS.")
@click.option(
    "--visibility",
    type=click.Choice(("Public", "Limited", "Restricted")),
    help="Show it to everybody, to the accounts of `buyer_accounts`, or to nobody new. [default: as it is]",
)
@click.option(
    "--restrict", "restricted", metavar="VERSION", multiple=True, help="A version that new buyers shall not get."
)
@click.option(
    "--without-validate",
    "validates",
    is_flag=True,
    flag_value=False,
    default=True,
    help="Do not have AWS judge the changes before it makes them.",
)
@plan_options
def command(
    folder: Path,
    product_id: str | None,
    is_public: bool,
    visibility: Visibility | None,
    restricted: tuple[str, ...],
    validates: bool,
    plan_only: bool,
    as_json: bool,
    agrees: bool,
) -> int:
    """Make the product of a project at AWS Marketplace, or change it into what argosy.toml says.

    The model package of this version is to be registered (`argosy register`). A new product is Limited: its seller and
    the accounts of `buyer_accounts` see it. AWS judges the changes first, then makes them; a second run changes nothing.
    """
    loaded = project.load(folder)
    sale = read_sale(loaded, product_id, is_judged=not is_policy_asked())
    shown: Visibility | None = "Public" if is_public else visibility
    stages = stages_of(sale, shown, restricted, validates=validates)
    return carry_out(stages, state_of(loaded), Manner(plan_only, as_json, agrees))[0]


def stages_of(sale: Sale, visibility: Visibility | None, restricted: Sequence[str], *, validates: bool) -> list[Stage]:
    """The steps of `argosy publish`."""
    lane: Lane = [
        SellerAccount(sale.table),
        PackageStep(sale),
        ChangeSetStep(ProductWish(sale), validates=validates),
        *([ChangeSetStep(RestrictionWish(sale, tuple(restricted)), validates=validates)] if restricted else []),
        *([ChangeSetStep(VisibilityWish(sale, visibility), validates=validates)] if visibility else []),
    ]
    return [[lane]]
