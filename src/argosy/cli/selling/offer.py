"""`argosy offer`: a private offer of the product, for accounts that are named."""

import datetime
import re
from pathlib import Path
from typing import TypedDict, Unpack

import click
import msgspec

from argosy.cli.applying import Manner, carry_out, is_policy_asked, plan_options
from argosy.cli.building import loading
from argosy.cli.selling.sale import read_sale, state_of, without_validate
from argosy.errors import UsageError
from argosy.marketplace.limits import LONGEST_OFFER
from argosy.marketplace.offer_changes import PrivateOffer, private_offer_faults
from argosy.marketplace.table import Instances, Pricing, price_text
from argosy.publishing.catalog.lanes import offer_stages
from argosy.publishing.catalog.sale import Sale

_PRICE = re.compile(r"(?:(ml\.[a-z0-9.-]+)(?:/(batch|realtime))?=)?([0-9.]+)")
_YEAR_DAYS = 365


class Options(TypedDict):
    """What the command line tells."""

    folder: Path
    buyers: tuple[str, ...]
    prices: tuple[str, ...]
    until: datetime.datetime
    days: int
    name: str | None
    description: str
    product_id: str | None
    validates: bool
    plan_only: bool
    as_json: bool
    agrees: bool


@click.command
@click.argument("folder", metavar="[PROJECT]", type=click.Path(path_type=Path), default=".")
@click.option("--buyer", "buyers", metavar="ACCOUNT", multiple=True, required=True, help="Who sees it: twelve digits.")
@click.option(
    "--price",
    "prices",
    metavar="[TYPE[/batch|/realtime]=]DOLLARS",
    multiple=True,
    help="Of an hour on an instance type, or of one inference where that is what is sold. [default: as everybody pays]",
)
@click.option(
    "--until",
    metavar="DATE",
    type=click.DateTime(("%Y-%m-%d",)),
    required=True,
    help="The last day on which it can be accepted: 2027-01-31.",
)
@click.option("--days", type=click.IntRange(min=1), default=_YEAR_DAYS, show_default=True, help="An agreement lasts.")
@click.option("--name", help="By which seller and buyers find it. [default: made of title and buyers]")
@click.option("--description", default="", help="For the buyers, at most 255 characters.")
@click.option("--product", "product_id", metavar="ID", help="The product. [default: the one of the title]")
@without_validate
@plan_options
def command(**told: Unpack[Options]) -> int:
    """Offer the product to accounts that are named, at prices of their own.

    The product is published before (`argosy publish`). An offer is found again by its name: a second run with the same
    terms changes nothing, one with another day changes the day; for other terms it takes another name.
    """
    loaded = loading.load(told["folder"])
    sale = read_sale(loaded, told["product_id"], is_judged=not is_policy_asked())
    buyers = told["buyers"]
    private = PrivateOffer(
        told["name"] or f"{sale.title} for {', '.join(buyers)}"[:LONGEST_OFFER],
        buyers,
        told["until"].date(),
        told["days"],
        special_pricing(sale.table.pricing, sale.table.instances, told["prices"]),
        told["description"],
    )
    require_sound(private, sale)
    stages = offer_stages(sale, private, validates=told["validates"])
    return carry_out(stages, state_of(loaded), Manner(told["plan_only"], told["as_json"], told["agrees"]))[0]


def require_sound(private: PrivateOffer, sale: Sale) -> None:
    """Whether AWS takes an offer.

    Raises:
        UsageError: It does not: all that is wrong.
    """
    faults = private_offer_faults(private, sale.table, datetime.datetime.now(datetime.UTC).date())
    if faults:
        raise UsageError("AWS Marketplace would refuse this offer", got="; ".join(faults), hint="argosy offer --help")


def special_pricing(public: Pricing, instances: Instances, said: tuple[str, ...]) -> Pricing:
    """What the buyers of a private offer pay.

    Args:
        public: What everybody pays: that holds where nothing else is said.
        instances: The types that are sold.
        said: `DOLLARS` for one inference, or where hours are sold for an hour of any type; `TYPE=DOLLARS` for an hour
            of a type, `TYPE/batch=DOLLARS` of its transform jobs alone.

    Raises:
        UsageError: It is no price, or one of a type that is not sold.
    """
    realtime = {name: public.realtime[name] for name in instances.realtime if name in public.realtime}
    batch = {name: public.batch[name] for name in instances.batch if name in public.batch}
    per_inference = public.per_inference
    for text in said:
        found = _PRICE.fullmatch(text)
        if found is None:
            raise UsageError("this is no price", got=f"`{text}`", want="0.50, or ml.m5.large=0.50", where="--price")
        name, mode, dollars = found.groups()
        price = price_text(dollars)
        if name is None and public.model == "per-inference":
            per_inference = price
            continue
        names = (*instances.realtime, *instances.batch) if name is None else (name,)
        hours = [one for one in names if one in realtime and mode != "batch"]
        jobs = [one for one in names if one in batch and mode != "realtime"]
        if not hours and not jobs:
            sold = ", ".join(dict.fromkeys((*instances.realtime, *instances.batch)))
            raise UsageError("this type is not sold", got=f"`{text}`", want=f"one of {sold}", where="--price")
        realtime |= dict.fromkeys(hours, price)
        batch |= dict.fromkeys(jobs, price)
    return msgspec.structs.replace(
        public, realtime=realtime, batch=batch, per_inference=per_inference, free_trial_days=None
    )
