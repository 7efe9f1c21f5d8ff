"""What a series of invocations is charged as: units, counted answer by answer. Two series add up to one."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from argosy.billing.assumptions import Assumptions, Counted
from argosy.billing.request_file import Recorded
from argosy.contract import HEADER_METERING
from argosy.marketplace.metering import parse
from argosy.marketplace.table import INFERENCE_COUNT

_MOST_FINDINGS: Final = 100
_SHOWN_HEADER: Final = 120
_ONE: Final = Decimal(1)


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer, as far as the bill depends on it.

    Attributes:
        status: What the container answered; 424 where it gave no answer that an endpoint passes on, 413 where the
            endpoint did not ask it.
        metering: The value of the container's metering header; None when there is none.
        note: What went wrong, as a clause; empty when nothing did.
    """

    status: int
    metering: str | None = None
    note: str = ""

    @property
    def is_success(self) -> bool:
        """Whether it is 2xx, and so charged."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about one request that somebody should look at.

    Attributes:
        place: Where the request comes from.
        sentence: What it is.
    """

    place: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What some invocations come to.

    Attributes:
        requests: How many were sent.
        charged: How many were answered with 2xx.
        units: What these are charged as together.
        stated: How many of these said their units in a header; each other one is one unit, or as assumed.
        faults: How many findings there are.
        findings: The first hundred of them.
        errors: Status -> how many answers with it were no success, in order.
    """

    requests: int = 0
    charged: int = 0
    units: Decimal = Decimal(0)
    stated: int = 0
    faults: int = 0
    findings: tuple[Finding, ...] = ()
    errors: tuple[tuple[int, int], ...] = ()

    def __add__(self, other: "Usage") -> "Usage":
        counts = dict(self.errors)
        for status, count in other.errors:
            counts[status] = counts.get(status, 0) + count
        return Usage(
            self.requests + other.requests,
            self.charged + other.charged,
            self.units + other.units,
            self.stated + other.stated,
            self.faults + other.faults,
            (*self.findings, *other.findings)[:_MOST_FINDINGS],
            tuple(sorted(counts.items())),
        )


def usage_of(request: Recorded, seen: Seen, assumptions: Assumptions) -> Usage:
    """What one invocation is charged as: nothing but 2xx is charged, and that as its header says, else as one unit.

    Args:
        request: What was sent.
        seen: What came back.
        assumptions: How it is counted where AWS does not say it.
    """
    units, is_stated, faults = Decimal(0), False, []
    if seen.is_success:
        units, is_stated, fault = _units(seen.metering, assumptions)
        faults += [fault] if fault else []
    elif seen.metering is not None:
        faults.append(f"an answer with {seen.status} has `{HEADER_METERING}`, which is not charged")
    if request.expected is not None and units != request.expected:
        told = f"it is charged as {units}, and {request.expected} were expected"
        faults.append(told if seen.is_success else f"{told}: it was answered with {_named(seen)}")
    return Usage(
        1,
        int(seen.is_success),
        units,
        int(is_stated),
        len(faults),
        tuple(Finding(request.place, fault) for fault in faults),
        () if seen.is_success else ((seen.status, 1),),
    )


def _units(value: str | None, assumptions: Assumptions) -> tuple[Decimal, bool, str]:
    """The units of a success, whether its header says them, and what is wrong with that header."""
    if value is None:
        return _ONE, False, ""
    found = parse(value)
    if isinstance(found, str):
        fault = found
    elif found.dimension != INFERENCE_COUNT:
        fault = f"its dimension is `{found.dimension}`, and only `{INFERENCE_COUNT}` is documented"
    elif found.consumed == 0:
        counted = Decimal(0) if assumptions.zero is Counted.NOTHING else _ONE
        return counted, True, f"ConsumedUnits is 0: nobody wrote down whether AWS takes that; here {_as(counted)}"
    else:
        fault = found.fault
        if not fault:
            return found.consumed.to_integral_value(), True, ""
    counted = _ONE if assumptions.malformed is Counted.ONE_UNIT else Decimal(0)
    return counted, False, f"`{HEADER_METERING}: {value[:_SHOWN_HEADER]}`: {fault}; counted as {_as(counted)}"


def _as(units: Decimal) -> str:
    return "one unit" if units else "nothing"


def _named(seen: Seen) -> str:
    return f"{seen.status}, {seen.note}" if seen.note else str(seen.status)
