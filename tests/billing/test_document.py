import json
from pathlib import Path

import jsonschema

from argosy.billing import document
from argosy.billing.bill import make
from tests.billing.bills import RATES, whole

ROOT = Path(__file__).parent.parent.parent
GOLDEN = ROOT / "tests/golden/bill.json"
SCHEMA = json.loads((ROOT / "docs/reference/bill.schema.json").read_text())


def test_the_document_is_as_it_always_was() -> None:
    assert document.to_json(whole()).decode() == GOLDEN.read_text()


def test_each_document_keeps_the_published_schema() -> None:
    for bill in (whole(), make("shop", RATES, None, [], is_trial=True)):
        jsonschema.validate(json.loads(document.to_json(bill)), SCHEMA)


def test_amounts_are_texts_that_lose_nothing() -> None:
    told = json.loads(document.to_json(whole()))
    assert told["total"] == "87.6675"
    assert [line["amount"] for line in told["lines"]] == ["86.4175", "1.25"]
