"""Sentences that the notebook and the page of a kit have in common: what it is, and what it costs."""

from argosy.marketplace.table import Price, price_text
from argosy.publishing.kit.contents import Kit


def summary(kit: Kit) -> str:
    """What the product does, in a sentence or two."""
    listing = kit.table.listing
    said = " ".join((listing.short_description or kit.table.description).split())
    return said if said.endswith((".", "!", "?")) or not said else f"{said}."


def costs(kit: Kit) -> str:
    """What the software costs, and that SageMaker's own price comes on top."""
    days = kit.table.pricing.free_trial_days
    trial = f" A new subscription is free for {days} days." if days else ""
    on_top = " SageMaker charges for the instances on top, from the moment at which they are created."
    return f"{_software(kit)}{trial}{on_top}"


def _software(kit: Kit) -> str:
    said = kit.table.pricing
    realtime, batch = said.realtime.get(kit.realtime_type or ""), said.batch.get(kit.batch_type or "")
    jobs = "" if batch is None else f", and {_dollars(batch)} for an hour of `{kit.batch_type}` in transform jobs"
    if said.model == "per-inference" and said.per_inference is not None:
        return f"The software costs {_dollars(said.per_inference)} for each inference{jobs}; errors cost nothing."
    if said.model == "hourly" and realtime is not None:
        return f"The software costs {_dollars(realtime)} for an hour of `{kit.realtime_type}` as an endpoint{jobs}."
    if said.model == "free":
        return "The software is free."
    return "The product's page on AWS Marketplace says what the software costs."


def subscription(kit: Kit) -> str:
    """What becomes of the subscription when everything is deleted."""
    costs_nothing = kit.table.pricing.model in ("hourly", "per-inference", "free")
    stays = (
        "The subscription stays, and costs nothing while nothing runs" if costs_nothing else "The subscription stays"
    )
    return f"{stays}; AWS Marketplace > Manage subscriptions ends it."


def _dollars(price: Price) -> str:
    return f"{price_text(price)} US dollars"
