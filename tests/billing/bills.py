"""A bill with everything in it."""

from decimal import Decimal

from argosy.billing.bill import Bill, Hours, make
from argosy.billing.rates import PricingModel, Rates
from argosy.billing.usage import Finding, Usage

RATES = Rates(PricingModel.PER_INFERENCE, Decimal("0.0025"), {}, {"ml.m5.large": Decimal("0.5")}, free_trial_days=14)
USAGE = Usage(
    requests=1204,
    charged=1200,
    units=Decimal(34_567),
    stated=1199,
    faults=3,
    findings=(
        Finding(
            "requests.jsonl:7",
            "`X-Amzn-Inference-Metering: 3`: want an object with Dimension and ConsumedUnits alone; "
            "counted as one unit",
        ),
        Finding("requests.jsonl:9", "it is charged as 1, and 3 were expected"),
    ),
    errors=((400, 3), (424, 1)),
)


def whole() -> Bill:
    hours = [Hours("ml.m5.large", 2, Decimal("1.25"), is_batch=True), Hours("ml.m5.large", 1, Decimal(720))]
    return make("examples/shop", RATES, USAGE, hours, is_trial=False)
