from decimal import Decimal
from pathlib import Path

from argosy.billing import text
from argosy.billing.bill import Hours, make
from argosy.billing.usage import Usage
from tests.billing.bills import RATES, whole

GOLDEN = Path(__file__).parent.parent / "golden/bill.txt"


def test_the_bill_reads_as_it_always_did() -> None:
    assert text.to_text(whole()) == GOLDEN.read_text()


def test_no_line_is_wider_than_80_columns_whatever_the_numbers() -> None:
    usage = Usage(1, 1, Decimal(2**63 - 1), findings=(), faults=0)
    hours = [Hours("ml.m5.large", 9999, Decimal(999_999), is_batch=True)]
    shown = text.to_text(make("shop", RATES, usage, hours, is_trial=True))
    assert max(map(len, shown.splitlines())) <= text.WIDTH
    assert "in the free trial" in shown
