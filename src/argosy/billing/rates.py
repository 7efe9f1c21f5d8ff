"""The prices of `[marketplace.pricing]`, exact, by the dimensions of the rate card.

Source: AWS Marketplace Catalog API, "Update pricing terms" of machine learning products (read 2026-11-23).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path

from argosy.errors import ProjectError
from argosy.marketplace.rate_card import BATCH_SUFFIX, REALTIME_SUFFIX
from argosy.marketplace.table import Marketplace, Price, price_text


class PricingModel(StrEnum):
    """How a product is sold, as argosy.toml says it."""

    FREE = "free"
    HOURLY = "hourly"
    PER_INFERENCE = "per-inference"
    BYOL = "byol"


@dataclass(frozen=True, slots=True)
class Rates:
    """What is paid for.

    Attributes:
        model: How it is sold.
        inference: US dollars for one inference; None where inferences are not what is paid for.
        realtime: Instance type -> US dollars for an hour of an endpoint's instance.
        batch: Instance type -> US dollars for an hour of a transform job's instance.
        free_trial_days: How long a new subscription costs nothing; 0: no trial.
        where: The file that says so.
    """

    model: PricingModel
    inference: Decimal | None
    realtime: Mapping[str, Decimal]
    batch: Mapping[str, Decimal]
    free_trial_days: int = 0
    where: Path | None = None

    @classmethod
    def of(cls, table: Marketplace, where: Path) -> "Rates":
        """The prices of a table.

        Args:
            table: What the seller says.
            where: Its file, for errors.

        Raises:
            ProjectError: The model of the prices is not said or is none, or an amount is no amount.
        """
        said = table.pricing
        if said.model not in list(PricingModel):
            raise ProjectError(
                "`marketplace.pricing.model` does not say how buyers pay",
                got="nothing" if said.model is None else f"`{said.model}`",
                want=f"one of {', '.join(PricingModel)}",
                where=where,
                hint=f'[marketplace.pricing]\nmodel = "{PricingModel.PER_INFERENCE}"\nper_inference = "0.001"',
            )
        model = PricingModel(said.model)
        is_paid = model in (PricingModel.HOURLY, PricingModel.PER_INFERENCE)
        inference = said.per_inference if model is PricingModel.PER_INFERENCE else None
        if model is PricingModel.PER_INFERENCE and inference is None:
            raise ProjectError(
                "`marketplace.pricing.per_inference` is not said", where=where, hint='per_inference = "0.001"'
            )
        return cls(
            model,
            None if inference is None else _amount("per_inference", inference, where),
            _amounts("realtime", said.realtime if model is PricingModel.HOURLY else {}, where),
            _amounts("batch", said.batch if is_paid else {}, where),
            (said.free_trial_days or 0) if is_paid else 0,
            where,
        )

    def hour(self, instance_type: str, *, is_batch: bool) -> Decimal:
        """What an hour of one instance costs; nothing where hours of its kind are not paid for.

        Raises:
            ProjectError: They are, and the type has no price.
        """
        mode, prices = ("batch", self.batch) if is_batch else ("realtime", self.realtime)
        by_hour = (PricingModel.HOURLY, *((PricingModel.PER_INFERENCE,) if is_batch else ()))
        if self.model in by_hour and instance_type not in prices:
            raise ProjectError(
                f"`marketplace.pricing.{mode}` has no price of `{instance_type}`",
                got=", ".join(f"`{name}`" for name in prices) or "no price at all",
                where=self.where,
                hint=f'[marketplace.pricing]\n{mode} = {{ "{instance_type}" = "0.50" }}',
            )
        return prices.get(instance_type, Decimal(0))


def hour_dimension(instance_type: str, *, is_batch: bool) -> str:
    """The dimension of an instance's hours in a rate card.

    >>> hour_dimension("ml.m5.large", is_batch=True)
    'ml.m5.large.m.i.b'
    """
    return instance_type + (BATCH_SUFFIX if is_batch else REALTIME_SUFFIX)


def _amounts(field: str, prices: Mapping[str, Price], where: Path) -> dict[str, Decimal]:
    return {name: _amount(f"{field}.{name}", price, where) for name, price in prices.items()}


def _amount(field: str, price: Price, where: Path) -> Decimal:
    text = price_text(price)
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0 or "e" in text.lower():
        raise ProjectError(
            f"`marketplace.pricing.{field}` is no amount of US dollars",
            got=f"`{text[:40]}`",
            want="digits with a point, as in `0.50`",
            where=where,
        )
    return amount
