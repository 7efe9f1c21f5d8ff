import pytest

from argosy.publishing.kit.wording import costs, subscription, summary
from tests.marketplace.offers import CLEAN, changed
from tests.publishing.kit.kits import kit


@pytest.mark.parametrize(
    ("pricing", "sentence"),
    [
        ({"model": "free"}, "The software is free. SageMaker charges"),
        ({"model": "byol"}, "page on AWS Marketplace says what the software costs."),
        ({"model": "hourly"}, "page on AWS Marketplace says what the software costs."),
        (
            {"model": "per-inference", "per_inference": "0.001", "batch": {"ml.m5.xlarge": 0.9}},
            "The software costs 0.001 US dollars for each inference, and 0.9 US dollars for an hour of `ml.m5.xlarge` "
            "in transform jobs; errors cost nothing.",
        ),
        (
            {"model": "hourly", "realtime": {"ml.m5.large": "2"}},
            "2 US dollars for an hour of `ml.m5.large` as an endpoint",
        ),
        ({"model": "free", "free_trial_days": 14}, "A new subscription is free for 14 days."),
    ],
)
def test_what_it_costs_is_said_as_argosy_toml_says_it(pricing: dict[str, object], sentence: str) -> None:
    assert sentence in costs(kit({**CLEAN, "pricing": pricing}))


def test_a_subscription_costs_nothing_where_use_is_charged() -> None:
    assert "costs nothing while nothing runs" in subscription(kit())
    assert "costs nothing" not in subscription(kit({**CLEAN, "pricing": {"model": "byol"}}))


def test_a_summary_is_a_sentence() -> None:
    assert summary(kit(changed("listing/short_description", "Finds  cars\nand lorries"))) == "Finds cars and lorries."
