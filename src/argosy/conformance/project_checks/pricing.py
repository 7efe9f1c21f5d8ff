"""What buyers pay: the model, a price for each instance type in each mode, the trial, the papers."""

import re
from decimal import Decimal
from typing import Final

from argosy.conformance.check import Check, Evidence, Group, Verdict, failed, passed, skipped, unknown
from argosy.conformance.clause import fact, must, should
from argosy.conformance.project_checks.wording import SOLD, text_fault, url_fault
from argosy.conformance.scenes.project import ProjectFacts
from argosy.conformance.sources import CATALOG_SHAPES, CATALOG_VERSIONS, MARKETPLACE_LISTING, MARKETPLACE_PRICING
from argosy.marketplace.limits import AMOUNT, LONGEST_REFUND_POLICY, LONGEST_TRIAL, SHORTEST_TRIAL
from argosy.marketplace.rate_card import INFERENCE_SUFFIX, is_per_inference
from argosy.marketplace.table import INFERENCE_COUNT, Price, price_text

PER_INFERENCE: Final = "per-inference"
HOURLY: Final = "hourly"
_PAID: Final = (HOURLY, PER_INFERENCE)
_MODELS: Final = ("free", *_PAID, "byol")
_AMOUNT: Final = re.compile(AMOUNT)
_ADVISED_TRIAL: Final = range(14, 31)


def _model(facts: ProjectFacts) -> Verdict:
    model = facts.table.pricing.model
    if model is None:
        return failed("`marketplace.pricing.model` is not said")
    if model not in _MODELS:
        return failed(f"`marketplace.pricing.model` is `{model[:80]}`, want one of: {', '.join(_MODELS)}")
    return passed(f"`{model}`")


def _complete(facts: ProjectFacts) -> Verdict:
    said, wanted = facts.table.pricing, _wanted(facts)
    if said.model == PER_INFERENCE and said.per_inference is None:
        return failed("`marketplace.pricing.per_inference` is not said")
    for mode, types in wanted.items():
        prices = said.realtime if mode == "realtime" else said.batch
        lacking = [name for name in types if name not in prices]
        if lacking:
            return failed(
                f"`{lacking[0]}` has no price in `marketplace.pricing.{mode}`",
                Evidence(f"marketplace.pricing.{mode}", f"no price of {', '.join(lacking)}"),
            )
    if said.model not in _PAID:
        return passed(f"`{said.model}` has no prices")
    return passed(f"{sum(len(types) for types in wanted.values())} types by the hour")


def _stray(facts: ProjectFacts) -> Verdict:
    said, wanted = facts.table.pricing, _wanted(facts)
    for mode, prices in (("realtime", said.realtime), ("batch", said.batch)):
        stray = [name for name in prices if name not in wanted.get(mode, ())]
        if stray:
            return failed(f"`marketplace.pricing.{mode}` has a price of `{stray[0]}`, which nobody would be charged")
    if said.per_inference is not None and said.model != PER_INFERENCE:
        return failed(f"`marketplace.pricing.per_inference` is said, and the model is `{said.model}`")
    return passed("each price is one that buyers can be charged")


def _amounts(facts: ProjectFacts) -> Verdict:
    said = facts.table.pricing
    prices: list[tuple[str, Price]] = [
        *((f"realtime.{name}", price) for name, price in said.realtime.items()),
        *((f"batch.{name}", price) for name, price in said.batch.items()),
    ]
    if said.per_inference is not None:
        prices.append(("per_inference", said.per_inference))
    for field, price in prices:
        text = price_text(price)
        if not _AMOUNT.fullmatch(text):
            return failed(f"`marketplace.pricing.{field}` is `{text[:40]}`: want dollars as 0.50, at most 8 decimals")
    if said.model == PER_INFERENCE and said.per_inference is not None and Decimal(price_text(said.per_inference)) == 0:
        return failed("`marketplace.pricing.per_inference` is 0")
    return passed(f"{len(prices)} prices")


def _dimension(facts: ProjectFacts) -> Verdict:
    said = facts.table.pricing
    if said.model != PER_INFERENCE:
        return passed("nothing is charged by inference")
    if not is_per_inference(said.inference_key):
        return failed(f"`marketplace.pricing.inference_key` is `{said.inference_key[:80]}`, want `{INFERENCE_SUFFIX}`")
    if said.dimension != INFERENCE_COUNT:
        return unknown(f"only `{INFERENCE_COUNT}` is documented; whether a listing may have `{said.dimension}`, is not")
    return passed(f"`{INFERENCE_COUNT}`")


def _metering(facts: ProjectFacts) -> Verdict:
    said = facts.table.pricing
    if said.model != PER_INFERENCE:
        return skipped("nothing is charged by inference")
    if not facts.metered:
        return passed("no call of `meter` was found: each invocation of an endpoint counts as one inference")
    for call in facts.metered:
        if call.dimension is not None and call.dimension != said.dimension:
            return failed(
                f"`{call.place}` counts `{call.dimension}`, and buyers pay for `{said.dimension}`",
                Evidence(call.place, f"dimension `{call.dimension}`"),
            )
    computed = [call.place for call in facts.metered if call.dimension is None]
    if computed:
        return unknown(f"`{computed[0]}` computes the dimension")
    return passed(f"{len(facts.metered)} calls of `meter` count `{said.dimension}`")


def _batch_hours(facts: ProjectFacts) -> Verdict:
    if facts.table.pricing.model != PER_INFERENCE:
        return skipped("nothing is charged by inference")
    return passed("transform jobs are charged by the hour, and the metering header has no effect there")


def _trial(facts: ProjectFacts) -> Verdict:
    said = facts.table.pricing
    if said.free_trial_days is None:
        return passed("there is none")
    if said.model not in _PAID:
        return failed(f"a free trial of {said.free_trial_days} days, and the model is `{said.model}`")
    if not SHORTEST_TRIAL <= said.free_trial_days <= LONGEST_TRIAL:
        return failed(f"{said.free_trial_days} days, want {SHORTEST_TRIAL} to {LONGEST_TRIAL}")
    return passed(f"{said.free_trial_days} days")


def _trial_length(facts: ProjectFacts) -> Verdict:
    said = facts.table.pricing
    if said.model not in _PAID:
        return skipped(f"`{said.model}` has nothing to try")
    if said.free_trial_days is None:
        return failed("there is no free trial")
    if said.free_trial_days not in _ADVISED_TRIAL:
        return failed(f"{said.free_trial_days} days: AWS advises 14 to 30")
    return passed(f"{said.free_trial_days} days")


def _refunds(facts: ProjectFacts) -> Verdict:
    fault = text_fault(facts.table.pricing.refund_policy, LONGEST_REFUND_POLICY)
    return failed(f"`marketplace.pricing.refund_policy` {fault}") if fault else passed("it is said")


def _eula(facts: ProjectFacts) -> Verdict:
    eula = facts.table.pricing.eula
    if eula == "standard":
        return passed("AWS Marketplace's standard contract")
    fault = url_fault(eula)
    return failed(f"`marketplace.pricing.eula` is not `standard` and {fault}") if fault else passed(f"`{eula}`")


def _wanted(facts: ProjectFacts) -> dict[str, tuple[str, ...]]:
    """The types that need a price by mode; what is sold by inference is sold by the hour to transform jobs."""
    said = facts.table.instances
    if facts.table.pricing.model == HOURLY:
        return {"realtime": said.realtime, "batch": said.batch}
    return {"batch": said.batch} if facts.table.pricing.model == PER_INFERENCE else {}


_GROUP: Final[Group[ProjectFacts]] = Group("pricing", ProjectFacts)

CHECKS: Final[tuple[Check[ProjectFacts], ...]] = (
    _GROUP.check(
        must(
            "pricing-model",
            MARKETPLACE_PRICING,
            "The product is free, or has a price by the hour or by inference, or a license of its own.",
            'set model = "hourly" in [marketplace.pricing]; hourly and per-inference cannot be changed into each other'
            " later, and free not into either",
            rows="F21",
            only=SOLD,
        ),
        _model,
    ),
    _GROUP.check(
        must(
            "pricing-complete",
            CATALOG_VERSIONS,
            "Each supported instance type has a price in each mode that is charged by the hour.",
            'set realtime = { "ml.m5.large" = "0.50" } and batch likewise in [marketplace.pricing]',
            rows="F21",
            only=SOLD,
        ),
        _complete,
        "pricing-model",
        "instance-types",
    ),
    _GROUP.check(
        should(
            "pricing-stray",
            CATALOG_VERSIONS,
            "There is no price that no buyer can be charged.",
            "take the price out of [marketplace.pricing], or add the type to [marketplace.instances]",
            rows="F21",
            only=SOLD,
        ),
        _stray,
        "pricing-model",
        "instance-types",
    ),
    _GROUP.check(
        must(
            "pricing-amounts",
            CATALOG_SHAPES,
            "A price is an amount of dollars with at most 8 digits on either side of the point.",
            'write the price as a text: "0.50"',
            rows="F21",
            only=SOLD,
        ),
        _amounts,
    ),
    _GROUP.check(
        must(
            "pricing-dimension",
            MARKETPLACE_PRICING,
            "What is charged by inference is counted in the dimension that AWS Marketplace knows.",
            'set dimension = "inference.count" in [marketplace.pricing], and meter in it',
            rows="M02",
            only=SOLD,
        ),
        _dimension,
        "pricing-model",
    ),
    _GROUP.check(
        must(
            "pricing-metering",
            MARKETPLACE_PRICING,
            "The program counts in the dimension that buyers pay for.",
            "argosy.meter(units), which counts in inference.count",
            rows="M02",
            only=SOLD,
        ),
        _metering,
        "pricing-model",
        "pricing-dimension",
    ),
    _GROUP.check(
        fact(
            "pricing-batch",
            MARKETPLACE_PRICING,
            "Transform jobs are always charged by the hour, also where endpoints are charged by inference.",
            "nothing is to be done",
            rows="M05",
            only=SOLD,
        ),
        _batch_hours,
        "pricing-model",
    ),
    _GROUP.check(
        must(
            "free-trial",
            MARKETPLACE_PRICING,
            "A free trial lasts 5 to 31 days, and only what is paid for has one.",
            "set free_trial_days = 14 in [marketplace.pricing]",
            only=SOLD,
        ),
        _trial,
        "pricing-model",
    ),
    _GROUP.check(
        should(
            "free-trial-length",
            MARKETPLACE_LISTING,
            "What is paid for can be tried for 14 to 30 days.",
            "set free_trial_days = 14 in [marketplace.pricing]",
            only=SOLD,
        ),
        _trial_length,
        "pricing-model",
        "free-trial",
    ),
    _GROUP.check(
        must(
            "refund-policy",
            CATALOG_SHAPES,
            "The refund policy is said, with at most 500 characters.",
            "set refund_policy in [marketplace.pricing]",
            only=SOLD,
        ),
        _refunds,
    ),
    _GROUP.check(
        must(
            "eula",
            CATALOG_SHAPES,
            "The license is AWS Marketplace's standard contract, or one behind an https URL.",
            'set eula = "standard" in [marketplace.pricing]',
            rows="V13",
            only=SOLD,
        ),
        _eula,
    ),
)
