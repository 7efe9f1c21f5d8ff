"""Metered answers: how many units a buyer is to pay for."""

from dataclasses import dataclass

from argosy.conformance.probes import Exchange


@dataclass(frozen=True, slots=True)
class Metering:
    """Every answer that carries the metering header.

    Attributes:
        metered: All of them, whatever their status.
        single: One that is 2xx and whose request can be multiplied; None when there is none.
        several: The same request with its records `times` over.
        times: How often.
        log: Lines of the log in CloudWatch's embedded metric format.
    """

    metered: tuple[Exchange, ...]
    single: Exchange | None = None
    several: Exchange | None = None
    times: int = 1
    log: tuple[str, ...] = ()
