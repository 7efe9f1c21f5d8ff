"""The contract's own demands on itself: unique ids, units, sources, dates."""

import re

import pytest

from argosy import contract
from argosy.contract import Limit, Variable

LIMITS = [value for value in vars(contract).values() if isinstance(value, Limit)]


def test_limit_ids_are_unique_kebab_case() -> None:
    ids = [limit.id for limit in LIMITS]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in ids)


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.id)
def test_a_limit_carries_unit_sentence_source_and_date(limit: Limit) -> None:
    assert limit.value > 0
    assert limit.unit in {"s", "bytes", "characters", "retries", "MB"}
    assert limit.sentence.endswith(".")
    assert limit.source.startswith("https://")
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", limit.read)


def test_a_megabyte_is_a_power_of_two() -> None:
    assert contract.megabytes(6) == contract.ENDPOINT_BODY_OLD.value


def test_the_servers_variables_are_all_ours() -> None:
    assert all(variable.value == f"ARGOSY_{variable.name}" for variable in Variable)
