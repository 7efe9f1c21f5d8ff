"""The metering header: what a buyer pays for, where an answer carries it."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from argosy.conformance.check import Check, Evidence, Group, Verdict, failed, passed, skipped, unknown
from argosy.conformance.clause import fact, must, should
from argosy.conformance.probes import Exchange
from argosy.conformance.scenes.metering import Metering
from argosy.conformance.sources import MARKETPLACE_PRICING
from argosy.contract import HEADER_METERING
from argosy.marketplace.metering import Units, parse
from argosy.marketplace.table import INFERENCE_COUNT

_SHOWN: Final = 4


def _units(exchange: Exchange) -> Units | str:
    """What the header of an exchange says, or what is wrong with it."""
    return parse(exchange.header(HEADER_METERING) or "")


def _judged(metering: Metering, fault: Callable[[Units], str], right: str) -> Verdict:
    """Fails with the first header of a 2xx answer in which something is wrong."""
    for exchange in metering.metered:
        found = _units(exchange)
        wrong = found if isinstance(found, str) else fault(found)
        if exchange.is_success and wrong:
            return failed(wrong, _evidence(exchange))
    return passed(right)


def _syntax(metering: Metering) -> Verdict:
    return _judged(metering, lambda units: "", f"{len(metering.metered)} headers have both keys and nothing else")


def _dimension(metering: Metering) -> Verdict:
    found = sorted({units.dimension for units in map(_units, metering.metered) if isinstance(units, Units)})
    others = [dimension for dimension in found if dimension != INFERENCE_COUNT]
    if others:
        return failed(f"it is {', '.join(f'`{dimension}`' for dimension in others)}", _evidence(metering.metered[0]))
    return passed(f"it is {INFERENCE_COUNT}")


def _count(metering: Metering) -> Verdict:
    zero = [exchange for exchange in metering.metered if exchange.is_success and _consumed(exchange) == 0]
    if zero:
        return unknown("ConsumedUnits is 0: nobody wrote down whether AWS takes that", _evidence(zero[0]))
    return _judged(metering, lambda units: units.fault, "every ConsumedUnits is an integer above 0")


def _consumed(exchange: Exchange) -> Decimal | None:
    units = _units(exchange)
    return units.consumed if isinstance(units, Units) else None


def _records(metering: Metering) -> Verdict:
    single, several, times = metering.single, metering.several, metering.times
    if single is None or several is None:
        return unknown("no metered request is known whose records could be multiplied", decide=_WITH_RECORDS)
    one, many = _consumed(single), _consumed(several)
    if not several.is_success or one is None:
        sentence = f"the request with {times} times its records is answered with {several.status or several.error}"
        return unknown(sentence, several.evidence, decide=_WITH_RECORDS)
    if many == one * times:
        return passed(f"{one:g} units for a request, {many:g} with {times} times its records")
    evidence = (_evidence(single), _evidence(several))
    if many is None or many == one:
        stated = "no header" if many is None else f"{many:g} units"
        return failed(f"{one:g} units for a request, {stated} with {times} times its records", *evidence)
    return unknown(f"{one:g} units for a request, {many:g} with {times} times its records: what is counted?", *evidence)


def _on_errors(metering: Metering) -> Verdict:
    wrong = [exchange for exchange in metering.metered if not exchange.is_success]
    if wrong:
        listed = ", ".join(sorted({str(exchange.status) for exchange in wrong}))
        return failed(f"{len(wrong)} answers with {listed} carry it", *map(_evidence, wrong[:_SHOWN]))
    return passed("no error carries it")


def _in_log(metering: Metering) -> Verdict:
    if not metering.log:
        return skipped("the log has no line in CloudWatch's embedded metric format; none is demanded")
    return passed("the log has lines in CloudWatch's embedded metric format", Evidence("the log", metering.log[-1]))


def _evidence(exchange: Exchange) -> Evidence:
    header = f"{HEADER_METERING}: {exchange.header(HEADER_METERING)}"
    return Evidence(exchange.request.line, f"{exchange.status}, {header}", round(exchange.total_s, 3), exchange.log)


_WITH_RECORDS: Final = "--sample FILE --content-type text/csv"
_RIGHT: Final = f'{HEADER_METERING}: {{"Dimension": "{INFERENCE_COUNT}", "ConsumedUnits": 3}}'
_GROUP: Final[Group[Metering]] = Group("metering", Metering, needs=("start-healthy", "invocations"))

CHECKS: Final[tuple[Check[Metering], ...]] = (
    _GROUP.check(
        must(
            "metering-syntax",
            MARKETPLACE_PRICING,
            f"{HEADER_METERING} is one line of JSON with Dimension, a string, and ConsumedUnits, a number.",
            f"send {_RIGHT}",
            rows="M01",
        ),
        _syntax,
    ),
    _GROUP.check(
        should(
            "metering-dimension",
            MARKETPLACE_PRICING,
            f"The metered dimension is {INFERENCE_COUNT}.",
            f"send {_RIGHT}; other dimensions have to be agreed upon with AWS first",
            rows="M02",
        ),
        _dimension,
        "metering-syntax",
    ),
    _GROUP.check(
        must(
            "metering-units",
            MARKETPLACE_PRICING,
            "ConsumedUnits is an integer above 0.",
            "count the records of the request; send no header where an invocation is one unit",
            rows="M03",
        ),
        _count,
        "metering-syntax",
    ),
    _GROUP.check(
        should(
            "metering-records",
            MARKETPLACE_PRICING,
            "A request with several records is metered as that many.",
            "count the records of the request, not the requests",
            rows="M03",
        ),
        _records,
        "metering-dimension",
        "metering-units",
    ),
    _GROUP.check(
        must(
            "metering-errors",
            MARKETPLACE_PRICING,
            "An error is not metered.",
            f"send {HEADER_METERING} with 2xx only",
            rows="M04 R13",
        ),
        _on_errors,
    ),
    _GROUP.check(
        fact(
            "metering-log",
            MARKETPLACE_PRICING,
            "What is metered is in the log too, where CloudWatch counts it.",
            "print a line in the embedded metric format with the same number, for bills that are disputed",
            rows="M07",
        ),
        _in_log,
    ),
)
