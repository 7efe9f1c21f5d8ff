"""Usage and hours, at the prices of a product: a line for each dimension, and what they come to, in decimals."""

import decimal
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from typing import Final

from argosy.billing.rates import PricingModel, Rates, hour_dimension
from argosy.billing.usage import Usage
from argosy.marketplace.table import INFERENCE_COUNT

_MINUTES: Final = Decimal(60)
_HOURS_A_DAY: Final = Decimal(24)
_EXACT: Final = decimal.Context(prec=200, traps=[decimal.Inexact, decimal.InvalidOperation, decimal.Overflow])
"""Sums and products are never rounded: what would have to be is a mistake here."""
_DIVIDING: Final = decimal.Context(prec=200)
_PLACES: Final = Decimal("1e-12")


class Unit(StrEnum):
    """What a quantity is counted in."""

    INFERENCE = "inference"
    INSTANCE_MINUTE = "instance-minute"


@dataclass(frozen=True, slots=True)
class Hours:
    """Instances that run for a while.

    Attributes:
        instance_type: As `ml.m5.large`.
        count: How many run at the same time.
        duration: Hours for which each of them runs.
        is_batch: Whether for transform jobs; else for an endpoint.
    """

    instance_type: str
    count: int
    duration: Decimal
    is_batch: bool = False

    @property
    def minutes(self) -> Decimal:
        """How long each of them runs in minutes, by which usage is prorated; one that has begun counts.

        Source: AWS Marketplace seller guide, "Machine learning product pricing" (read 2026-11-23).

        UNSURE: which way a part of a minute is rounded; here up.
        """
        return (self.duration * _MINUTES).to_integral_value(ROUND_CEILING)


@dataclass(frozen=True, slots=True)
class Line:
    """What is paid for one dimension.

    Attributes:
        dimension: Of the rate card, or of the metering header.
        quantity: How much was used: inferences, or minutes of instances.
        unit: What it is counted in.
        price: US dollars for one inference, or for one hour of one instance.
        free: How much of the quantity lies in the free trial.
        amount: US dollars.
    """

    dimension: str
    quantity: Decimal
    unit: Unit
    price: Decimal
    free: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Bill:
    """What a buyer pays AWS Marketplace for the software.

    Attributes:
        product: What was asked for: a project or an image.
        model: How it is sold.
        lines: One for each dimension, in the order in which they came.
        usage: What was replayed; None: no requests.
        notes: What a reader should know of it, a sentence each.
    """

    product: str
    model: PricingModel
    lines: tuple[Line, ...] = ()
    usage: Usage | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def total(self) -> Decimal:
        """All of it, in US dollars."""
        with decimal.localcontext(_EXACT):
            return sum((line.amount for line in self.lines), Decimal(0))


def make(product: str, rates: Rates, usage: Usage | None, hours: Sequence[Hours], *, is_trial: bool) -> Bill:
    """The bill.

    Args:
        product: What was asked for.
        rates: Its prices.
        usage: What was replayed; None: no requests.
        hours: Instances that run for a while; several of the same type are added up.
        is_trial: Whether the subscription begins with all this: its free trial covers what lies in it.

    Raises:
        ProjectError: An instance type has no price.
    """
    trial_hours = Decimal(rates.free_trial_days if is_trial else 0) * _HOURS_A_DAY
    lines: dict[str, Line] = {}
    with decimal.localcontext(_EXACT):
        if usage is not None and rates.inference is not None:
            free = usage.units if trial_hours else Decimal(0)
            amount = (usage.units - free) * rates.inference
            lines[INFERENCE_COUNT] = Line(INFERENCE_COUNT, usage.units, Unit.INFERENCE, rates.inference, free, amount)
        for one in hours:
            if one.is_batch or rates.model is not PricingModel.PER_INFERENCE:
                line = _hours(one, rates, trial_hours)
                known = lines.get(line.dimension)
                lines[line.dimension] = line if known is None else _joined(known, line)
    notes = tuple(_notes(rates, usage, hours, is_trial=is_trial))
    return Bill(product, rates.model, tuple(lines.values()), usage, notes)


def _hours(one: Hours, rates: Rates, trial_hours: Decimal) -> Line:
    price = rates.hour(one.instance_type, is_batch=one.is_batch)
    quantity = one.minutes * one.count
    free = min(one.minutes, trial_hours * _MINUTES) * one.count
    dimension = hour_dimension(one.instance_type, is_batch=one.is_batch)
    return Line(dimension, quantity, Unit.INSTANCE_MINUTE, price, free, _prorated(quantity - free, price))


def _prorated(minutes: Decimal, price: Decimal) -> Decimal:
    """US dollars for some minutes of instances; a sixtieth may have no end, so the twelfth decimal is rounded."""
    with decimal.localcontext(_DIVIDING):
        return (minutes * price / _MINUTES).quantize(_PLACES)


def _joined(known: Line, more: Line) -> Line:
    quantity, free = known.quantity + more.quantity, known.free + more.free
    amount = _prorated(quantity - free, known.price)
    return Line(known.dimension, quantity, known.unit, known.price, free, amount)


def _notes(rates: Rates, usage: Usage | None, hours: Sequence[Hours], *, is_trial: bool) -> list[str]:
    """What the numbers alone do not say."""
    notes = []
    if rates.model is PricingModel.FREE:
        notes.append("The software is free.")
    if rates.model is PricingModel.BYOL:
        notes.append("The license is bought elsewhere: AWS Marketplace charges nothing for the software.")
    if rates.model is PricingModel.HOURLY and usage is not None:
        notes.append("Sold by the hour: invocations cost nothing more, and what headers count is not charged.")
    if rates.model is PricingModel.PER_INFERENCE and any(one.is_batch for one in hours):
        notes.append("Transform jobs are charged by the hour, whatever their answers' headers count.")
    if rates.model is PricingModel.PER_INFERENCE and any(not one.is_batch for one in hours):
        notes.append("Endpoints are charged by inference: their hours cost nothing for the software.")
    if is_trial and rates.free_trial_days:
        notes.append(f"The free trial of {rates.free_trial_days} days begins with what is counted here.")
    elif is_trial:
        notes.append("There is no free trial.")
    notes.append("What SageMaker charges for the instances themselves comes on top.")
    return notes
