"""Terms as the two APIs show them."""

from decimal import Decimal
from typing import Any

from argosy.deployment.purchase.terms import read_terms


def usage(**prices: str) -> dict[str, Any]:
    card = [{"dimensionKey": key.replace("_", "."), "price": price} for key, price in prices.items()]
    return {"usageBasedPricingTerm": {"id": "term-1", "currencyCode": "EUR", "rateCards": [{"rateCard": card}]}}


def test_prices_by_mode_and_instance_type() -> None:
    terms = read_terms([usage(ml_m5_large_m_i_r="0.5", ml_m5_large_m_i_b="0.7", ml_c5_large_a_t="9")])
    assert terms.hourly == {("realtime", "ml.m5.large"): "0.5", ("transform", "ml.m5.large"): "0.7"}
    assert list(terms.price_list()) == [
        "0.5 EUR an hour of ml.m5.large at an endpoint",
        "0.7 EUR an hour of ml.m5.large in a transform job",
    ]


def test_both_spellings_of_an_inference() -> None:
    assert read_terms([usage(m_i_c="0.1")]).inference == "0.1"
    assert read_terms([usage(inference_count_m_i_c="0.2")]).inference == "0.2"


def test_a_trial_can_be_left_out_and_what_is_due_at_once_is_added_up() -> None:
    trial = {"freeTrialPricingTerm": {"id": "term-2", "duration": "P14D", "grants": []}}
    upfront = {"fixedUpfrontPricingTerm": {"id": "term-3", "price": "100.50", "currencyCode": "USD", "grants": []}}
    terms = read_terms([usage(), trial, upfront])
    assert (terms.trial, terms.without_trial()) == ("P14D", ["term-1", "term-3"])
    assert terms.upfront == Decimal("100.50")


def test_terms_that_want_more_than_a_yes_are_named() -> None:
    assert read_terms([{"configurableUpfrontPricingTerm": {"id": "t"}}]).unconfigured == (
        "configurableUpfrontPricingTerm",
    )


def test_no_terms_are_no_prices() -> None:
    assert list(read_terms([]).price_list()) == []
