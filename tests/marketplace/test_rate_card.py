from typing import Any

import msgspec
import pytest

from argosy.marketplace.rate_card import legal_terms, pricing_terms, rates, shown_rates, support_terms
from argosy.marketplace.table import Instances, Pricing

INSTANCES = Instances(("ml.m5.large", "ml.c5.xlarge"), ("ml.m5.large",))
HOURS = {"realtime": {"ml.m5.large": "0.50", "ml.c5.xlarge": 0.8}, "batch": {"ml.m5.large": 1}}


def pricing(**fields: Any) -> Pricing:
    return msgspec.convert({"model": "hourly", **HOURS, **fields}, Pricing)


def test_each_type_has_a_price_in_both_modes() -> None:
    assert rates(pricing(), INSTANCES) == {
        "ml.m5.large.m.i.b": "1",
        "ml.m5.large.m.i.r": "0.50",
        "ml.c5.xlarge.m.i.r": "0.8",
    }


def test_endpoints_by_inference_have_one_price_and_jobs_theirs_by_the_hour() -> None:
    said = pricing(model="per-inference", per_inference=0.001)
    assert rates(said, INSTANCES) == {"m.i.c": "0.001", "ml.m5.large.m.i.b": "1"}
    assert next(iter(rates(said, INSTANCES, "inference.count.m.i.c"))) == "inference.count.m.i.c"
    chosen = pricing(model="per-inference", per_inference=1, inference_key="inference.count.m.i.c")
    assert "inference.count.m.i.c" in rates(chosen, INSTANCES)


def test_what_is_free_costs_nothing_in_each_mode_and_a_bought_license_has_no_rates() -> None:
    free = rates(Pricing(model="free"), INSTANCES)
    assert set(free.values()) == {"0.00"}
    assert len(free) == 3
    assert pricing_terms(Pricing(model="free"), free)["PricingModel"] == "Free"
    byol = Pricing(model="byol")
    assert pricing_terms(byol, rates(byol, INSTANCES)) == {
        "PricingModel": "Byol",
        "Terms": [{"Type": "ByolPricingTerm"}],
    }


def test_a_trial_grants_every_dimension() -> None:
    said = pricing(free_trial_days=14)
    terms = pricing_terms(said, rates(said, INSTANCES))["Terms"]
    assert terms[1]["Duration"] == "P14D"
    assert [grant["DimensionKey"] for grant in terms[1]["Grants"]] == list(shown_rates(terms))
    assert len(pricing_terms(said, rates(said, INSTANCES), has_trial=False)["Terms"]) == 1


@pytest.mark.parametrize(
    ("eula", "document"),
    [
        ("standard", {"Type": "StandardEula", "Version": "2022-07-14"}),
        ("https://example.com/eula.pdf", {"Type": "CustomEula", "Url": "https://example.com/eula.pdf"}),
    ],
)
def test_the_license(eula: str, document: dict[str, str]) -> None:
    assert legal_terms(Pricing(eula=eula))["Terms"][0]["Documents"] == [document]


def test_the_refunds() -> None:
    assert support_terms(Pricing(refund_policy=" none ")) == {
        "Terms": [{"Type": "SupportTerm", "RefundPolicy": "none"}]
    }
