"""A bill for people: a table that fits 80 columns."""

import textwrap
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from argosy.billing.bill import Bill, Line, Unit
from argosy.billing.usage import Usage

WIDTH: Final = 80
_CENTS: Final = 2
_HOUR: Final = Decimal(60)


def to_text(bill: Bill) -> str:
    """What was sent, what each dimension costs, the total, what one should know, and what one should look at."""
    return "".join(f"{line}\n" for line in _lines(bill))


def money(amount: Decimal) -> str:
    """US dollars with all their decimals, at least the cents.

    >>> money(Decimal("0.5")), money(Decimal("0.000100")), money(Decimal("1200"))
    ('0.50', '0.0001', '1,200.00')
    """
    whole, _, decimals = f"{amount:,f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(_CENTS, '0')}"


def _lines(bill: Bill) -> Iterator[str]:
    yield f"{bill.product}: sold as {bill.model}"
    if bill.usage is not None:
        yield from _wrapped(_counts(bill.usage), "  ")
    if bill.lines:
        yield ""
        yield from _table(bill)
    yield ""
    for note in bill.notes:
        yield from _wrapped(note, "  ")
    if bill.usage is not None and bill.usage.faults:
        yield ""
        yield f"to be looked at: {bill.usage.faults}"
        for finding in bill.usage.findings:
            yield from _wrapped(f"{finding.place}: {finding.sentence}", "  ")
        if bill.usage.faults > len(bill.usage.findings):
            yield f"  and {bill.usage.faults - len(bill.usage.findings)} more"


def _counts(usage: Usage) -> str:
    counted = f"{_number(usage.requests, 'request')}, {usage.charged} answered with 2xx and charged"
    if usage.charged:
        counted += f": {usage.stated} as the header says, {usage.charged - usage.stated} without one"
    if usage.errors:
        counted += f"; not charged: {', '.join(f'{count} with {status}' for status, count in usage.errors)}"
    return f"{counted}."


def _table(bill: Bill) -> Iterator[str]:
    rows = [("dimension", "quantity", "USD each", "USD")]
    rows += [(line.dimension, _quantity(line), money(line.price), money(line.amount)) for line in bill.lines]
    rows.append(("total", "", "", money(bill.total)))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        cells = (row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)))
        whole = "  " + "  ".join(cells)
        if len(whole) <= WIDTH:
            yield whole
        else:  # numbers of many digits: a row of two lines
            yield f"  {row[0]}"
            yield ("  ".join(cell for cell in row[1:] if cell)).rjust(WIDTH)
    for line in bill.lines:
        if line.free:
            yield f"  {line.dimension}: {_amount(line, line.free)} in the free trial"


def _quantity(line: Line) -> str:
    return _amount(line, line.quantity)


def _amount(line: Line, quantity: Decimal) -> str:
    if line.unit is Unit.INFERENCE:
        return f"{quantity:,f} inference{'' if quantity == 1 else 's'}"
    hours, minutes = divmod(quantity, _HOUR)
    return f"{hours:,f} h {minutes:f} min" if minutes else f"{hours:,f} h"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=f"{indent}  ", break_on_hyphens=False)
