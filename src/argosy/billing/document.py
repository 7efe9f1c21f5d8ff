"""A bill for programs: one object, whose schema is published as docs/reference/bill.schema.json.

What a field means, and that it is there, holds for as long as `schema` names the same version; fields may be added.
Amounts and quantities are decimals as texts: no number of JSON keeps them exact in every language.
"""

from decimal import Decimal
from typing import Any, Final, Literal

import msgspec

from argosy.billing.bill import Bill, Unit
from argosy.billing.rates import PricingModel
from argosy.billing.usage import Usage

SCHEMA: Final = "argosy-bill-1"
"""The version of the document."""


class FindingEntry(msgspec.Struct, frozen=True):
    """Something about one request that somebody should look at.

    Attributes:
        place: Where the request comes from: file and line, or the sample.
        sentence: What it is.
    """

    place: str
    sentence: str


class ErrorEntry(msgspec.Struct, frozen=True):
    """Answers that were no success.

    Attributes:
        status: Their HTTP status; 424 where the container gave no answer that an endpoint passes on.
        count: How many there were.
    """

    status: int
    count: int


class UsageEntry(msgspec.Struct, frozen=True):
    """What the requests come to.

    Attributes:
        requests: How many were sent.
        charged: How many were answered with 2xx.
        units: What these are charged as together, a decimal.
        stated: How many of these said their units in a header.
        errors: The others, by status.
        faults: How many findings there are.
        findings: The first hundred of them.
    """

    requests: int
    charged: int
    units: str
    stated: int
    errors: tuple[ErrorEntry, ...]
    faults: int
    findings: tuple[FindingEntry, ...]


class LineEntry(msgspec.Struct, frozen=True):
    """What is paid for one dimension.

    Attributes:
        dimension: Of the rate card, or of the metering header.
        quantity: How much was used, a decimal.
        unit: What it is counted in.
        price: US dollars for one inference, or for one hour of one instance; a decimal.
        free: How much of the quantity lies in the free trial, a decimal.
        amount: US dollars, a decimal.
    """

    dimension: str
    quantity: str
    unit: Unit
    price: str
    free: str
    amount: str


class Document(msgspec.Struct, frozen=True):
    """What `argosy bill --json` prints.

    Attributes:
        schema: The version of this document.
        product: The project or image, as it was named.
        model: How it is sold.
        currency: Of all amounts.
        lines: One for each dimension.
        total: All of them together, a decimal.
        usage: What the requests come to, null where none were sent.
        notes: What a reader should know, a sentence each.
    """

    schema: Literal["argosy-bill-1"]
    product: str
    model: PricingModel
    currency: Literal["USD"]
    lines: tuple[LineEntry, ...]
    total: str
    usage: UsageEntry | None
    notes: tuple[str, ...]


def to_json(bill: Bill) -> bytes:
    """The bill for programs, indented."""
    lines = tuple(
        LineEntry(line.dimension, *(_text(line.quantity), line.unit), *map(_text, (line.price, line.free, line.amount)))
        for line in bill.lines
    )
    usage = None if bill.usage is None else _usage(bill.usage)
    document = Document(SCHEMA, bill.product, bill.model, "USD", lines, _text(bill.total), usage, bill.notes)
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def schema() -> dict[str, Any]:
    """The JSON schema of the document, as docs/reference publishes it."""
    return msgspec.json.schema(Document)


def _usage(usage: Usage) -> UsageEntry:
    return UsageEntry(
        usage.requests,
        usage.charged,
        _text(usage.units),
        usage.stated,
        tuple(ErrorEntry(*one) for one in usage.errors),
        usage.faults,
        tuple(FindingEntry(one.place, one.sentence) for one in usage.findings),
    )


def _text(number: Decimal) -> str:
    """A decimal without an exponent and without zeros at its end.

    >>> _text(Decimal("0.500000000000")), _text(Decimal("1E+3"))
    ('0.5', '1000')
    """
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
