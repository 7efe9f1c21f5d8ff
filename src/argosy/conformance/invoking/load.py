"""Many requests at once: health checks meanwhile, answers that belong to their requests, clients that leave."""

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from argosy.conformance.observing.trial import PATIENCE_S, POLL_S, Trial
from argosy.conformance.probes import Exchange, Held, Request, ping
from argosy.conformance.scenes.endpoint import Abandoned, Busy, Concurrency, Invocations
from argosy.contract import ACCEPT_CONNECTION, PING

_CLIENTS: Final = 4
_AT_ONCE: Final = 8
_DISTINCT: Final = 4
_QUICK_S: Final = 0.5
_LEAVING: Final = 4
_RECOVERY_S: Final = 4.0
_FEWEST: Final = 6
"""Health checks that are wanted however short the time is."""


def busy(trial: Trial, request: Request, busy_s: float) -> Busy:
    """Health checks while clients invoke for `busy_s`; once more when some were late: that may be this machine."""
    seen = _busy(trial, request, busy_s)
    return seen if all(map(_is_in_time, seen.pings)) else _busy(trial, request, busy_s)


def concurrency(trial: Trial, invocations: Invocations) -> Concurrency | None:
    """Each request that was answered with 2xx a second time, and then all of them at once, several times.

    None where no request was, or answers take so long that this would.
    """
    known = [exchange for exchange in invocations.succeeded if exchange.total_s < _QUICK_S][:_DISTINCT]
    if not known:
        return None
    serial = tuple((exchange, trial.send(exchange.request)) for exchange in known)
    wanted = [known[place % len(known)].request for place in range(_AT_ONCE)] * 2
    return Concurrency(serial, _at_once(trial, wanted), _AT_ONCE)


def abandoned(trial: Trial, baseline: Exchange) -> Abandoned:
    """Leave some invocations before they are answered, as a platform does whose patience is over; then ask again."""
    count = _LEAVING if baseline.total_s < _QUICK_S else 1
    for _ in range(count):
        Held(trial.container.url, baseline.request, PATIENCE_S).abandon()
    # It may still be at work for them, and refuse meanwhile.
    deadline = time.monotonic() + _RECOVERY_S + 2 * count * baseline.total_s
    found = Abandoned(baseline, count, trial.send(baseline.request))
    while found.is_broken and trial.is_alive() and time.monotonic() < deadline:
        time.sleep(_QUICK_S)
        found = Abandoned(baseline, count, trial.send(baseline.request))
    return found


def _busy(trial: Trial, request: Request, busy_s: float) -> Busy:
    over = threading.Event()

    def invoke_until_over() -> Counter[int]:
        answered: Counter[int] = Counter()
        while not over.is_set():
            exchange = trial.exchange(request)
            if exchange.status is None:
                break
            answered[exchange.status] += 1
        return answered

    pings: list[Exchange] = []
    with ThreadPoolExecutor(_CLIENTS) as pool:
        clients = [pool.submit(invoke_until_over) for _ in range(_CLIENTS)]
        begun = time.monotonic()
        try:
            while time.monotonic() - begun < busy_s or (len(pings) < _FEWEST and all(map(_is_in_time, pings))):
                time.sleep(POLL_S)
                pings.append(trial.exchange(ping(), PATIENCE_S))
        finally:
            over.set()  # the pool waits for them, after Ctrl-C too
        answered = sum((client.result() for client in clients), Counter())
    return Busy(tuple(pings), tuple(answered.most_common()), _CLIENTS)


def _is_in_time(exchange: Exchange) -> bool:
    is_accepted = exchange.connect_s is not None and exchange.connect_s <= ACCEPT_CONNECTION.value
    return is_accepted and exchange.status == 200 and exchange.total_s <= PING.value


def _at_once(trial: Trial, wanted: Sequence[Request]) -> tuple[Exchange, ...]:
    together = threading.Barrier(_AT_ONCE)

    def invoke(requests: Sequence[Request]) -> list[Exchange]:
        with contextlib.suppress(threading.BrokenBarrierError):  # a thread that could not start may not stop the others
            together.wait(PATIENCE_S)
        return [trial.exchange(request) for request in requests]

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        clients = [pool.submit(invoke, wanted[place::_AT_ONCE]) for place in range(_AT_ONCE)]
        return tuple(exchange for client in clients for exchange in client.result())
