"""`argosy publish`: the product at AWS Marketplace, made or changed into what argosy.toml says."""

from pathlib import Path
from typing import TypedDict, Unpack

import click

from argosy.cli.applying import Manner, carry_out, is_policy_asked, plan_options
from argosy.cli.building import loading
from argosy.cli.selling.sale import read_sale, state_of, without_validate
from argosy.errors import UsageError
from argosy.marketplace.product_changes import Visibility
from argosy.publishing.catalog.lanes import publish_stages


class Options(TypedDict):
    """What the command line tells."""

    folder: Path
    product_id: str | None
    is_public: bool
    visibility: Visibility | None
    restricted: tuple[str, ...]
    validates: bool
    plan_only: bool
    as_json: bool
    agrees: bool


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
@without_validate
@plan_options
def command(**told: Unpack[Options]) -> int:
    """Make the product of a project at AWS Marketplace, or change it into what argosy.toml says.

    The model package of this version is to be registered (`argosy register`). A new product is Limited: its seller and
    the accounts of `buyer_accounts` see it. AWS judges the changes first, then makes them; a second run does nothing.
    """
    visibility: Visibility | None = "Public" if told["is_public"] else told["visibility"]
    if told["visibility"] not in (None, visibility):
        got = f"--public and --visibility {told['visibility']}"
        raise UsageError("a product cannot be shown both ways", got=got, hint="leave one of the two out")
    loaded = loading.load(told["folder"])
    sale = read_sale(loaded, told["product_id"], is_judged=not is_policy_asked())
    stages = publish_stages(sale, visibility, told["restricted"], validates=told["validates"])
    return carry_out(stages, state_of(loaded), Manner(told["plan_only"], told["as_json"], told["agrees"]))[0]
