"""Many requests at once: health checks and connections meanwhile, answers that are not mixed up, clients that leave."""

import re
import statistics
from itertools import chain
from typing import Final

from argosy.conformance.check import SAMPLE, Check, Evidence, Group, Status, Verdict, failed, passed, unknown
from argosy.conformance.clause import must, should
from argosy.conformance.container_checks.health import answered_in_time
from argosy.conformance.probes import Exchange
from argosy.conformance.scenes.endpoint import Abandoned, Busy, Concurrency
from argosy.contract import ACCEPT_CONNECTION, BATCH_PAGE, HOSTING_PAGE

_SLOW_CONNECTIONS: Final = 3
"""Fewer may be this machine's own hiccups."""
_ENOUGH_CONNECTIONS: Final = 5
_OVERLOADED: Final = (429, 503)
_NUMBER: Final = re.compile(rb"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_NEARLY: Final = 1e-3
"""Rows that are predicted together may differ in their last digits from rows that are predicted alone."""


def _busy(busy: Busy) -> Verdict:
    verdict = answered_in_time(busy.pings, f" while {busy.clients} clients had {busy.answers}")
    if not busy.statuses or (verdict.status is Status.PASS and not busy.is_at_work):
        return unknown(_never_busy(busy), decide=SAMPLE)
    return verdict


def _never_busy(busy: Busy) -> str:
    return (
        f"the model was never busy: {busy.clients} clients had {busy.answers};"
        f" give a request that it takes with {SAMPLE}"
    )


def _accepted(busy: Busy) -> Verdict:
    times = [exchange.connect_s for exchange in busy.pings if exchange.connect_s is not None]
    limit_s = ACCEPT_CONNECTION.value
    slow = sorted(seconds for seconds in times if seconds > limit_s)
    refused = [exchange for exchange in busy.pings if exchange.connect_s is None]
    if len(slow) + len(refused) >= _SLOW_CONNECTIONS:
        slowest = f"{slow[-1]:.2f} s" if slow else "never"
        sentence = f"{len(slow) + len(refused)} of {len(busy.pings)} took longer than {limit_s:g} s or were refused"
        return failed(sentence, Evidence("connections while invocations ran", f"the slowest {slowest}"))
    if slow or refused:
        return unknown(f"{len(slow) + len(refused)} of {len(busy.pings)} took long: this machine may have been busy")
    if len(times) < _ENOUGH_CONNECTIONS:
        return unknown(f"only {len(times)} were tried while invocations ran, want {_ENOUGH_CONNECTIONS}")
    if not busy.is_at_work:
        return unknown(_never_busy(busy), decide=SAMPLE)
    return passed(f"{len(times)} connections, median {statistics.median(times) * 1000:.1f} ms, all in time")


def _concurrency(concurrency: Concurrency) -> Verdict:
    steady = [first for first, second in concurrency.serial if second.is_success and _is_alike(first, second)]
    if not steady:
        return unknown(
            "one after the other, the same request has different answers too", concurrency.serial[0][1].evidence
        )
    alone = {exchange.request: exchange for exchange in steady}
    answers = [exchange for exchange in concurrency.parallel if exchange.request in alone]
    refused = [exchange for exchange in answers if exchange.status in _OVERLOADED]
    rest = [exchange for exchange in answers if exchange.status not in _OVERLOADED]
    lost = [exchange for exchange in rest if not exchange.is_success]
    if lost:
        sentence = f"{len(lost)} of {len(answers)} that {concurrency.clients} clients sent at once were lost"
        return failed(sentence, *(exchange.evidence for exchange in lost[:4]))
    mixed = [exchange for exchange in rest if not _is_alike(alone[exchange.request], exchange)]
    if mixed:
        sentence = f"{len(mixed)} of {len(answers)} that {concurrency.clients} clients sent at once have other answers"
        pairs = ((alone[exchange.request].evidence, exchange.evidence) for exchange in mixed[:2])
        return failed(f"{sentence} than one after the other", *chain.from_iterable(pairs))
    if not rest:
        return unknown(f"all {len(refused)} at once were refused as too many", refused[0].evidence)
    also = f", {len(refused)} were refused as too many" if refused else ""
    return passed(f"{len(rest)} answers to {concurrency.clients} clients at once are as one after the other{also}")


def _is_alike(one: Exchange, other: Exchange) -> bool:
    """Whether two bodies say the same, numbers up to their last digits."""
    if one.status != other.status:
        return False
    if one.body == other.body:
        return True
    if _NUMBER.sub(b"#", one.body) != _NUMBER.sub(b"#", other.body):
        return False
    numbers = zip(_NUMBER.findall(one.body), _NUMBER.findall(other.body), strict=True)
    return all(_is_near(float(left), float(right)) for left, right in numbers)


def _is_near(left: float, right: float) -> bool:
    return abs(left - right) <= _NEARLY * max(abs(left), abs(right), _NEARLY)


def _abandoned(abandoned: Abandoned) -> Verdict:
    baseline, after = abandoned.baseline, abandoned.after
    left = f"after {abandoned.count} clients left before they were answered"
    if baseline.is_server_error:
        return unknown(f"before and {left}: {baseline.status}, so nothing can be told", decide=SAMPLE)
    if abandoned.is_broken:
        sentence = f"{left}, the next has {after.status or after.error}, and had {baseline.status} before"
        return failed(sentence, after.evidence)
    return passed(f"{left}, the next is answered with {after.status}")


# Invocations that fail are another clause, and may keep a server busier than any that it answers.
_BUSY: Final[Group[Busy]] = Group("load", Busy, needs=("start-healthy", "worker-timeout"), causes=("invocations",))
_CONCURRENCY: Final[Group[Concurrency]] = Group("load", Concurrency, needs=("start-healthy", "invocations"))
_ABANDONED: Final[Group[Abandoned]] = Group("load", Abandoned, needs=("start-healthy",))

CHECKS: Final[tuple[Check[Busy] | Check[Concurrency] | Check[Abandoned], ...]] = (
    _BUSY.check(
        must(
            "ping-busy",
            HOSTING_PAGE,
            "GET /ping is answered within 2 seconds while invocations run.",
            "serve with more than one thread or process, or answer /ping in front of the model",
            rows="C05 C10 S11",
        ),
        _busy,
        "ping",
        "ping-steady",
    ),
    _BUSY.check(
        must(
            "accept-connection",
            HOSTING_PAGE,
            ACCEPT_CONNECTION.sentence,
            "never block the accepting thread; give the listening socket a backlog",
            rows="C09 S10",
        ),
        _accepted,
    ),
    _CONCURRENCY.check(
        should(
            "concurrency",
            BATCH_PAGE,
            "Invocations that come at once have the answers that they have one after the other.",
            "keep nothing of a request in what all requests share; a model that is not thread-safe needs a lock",
            rows="C21 R07",
        ),
        _concurrency,
    ),
    _ABANDONED.check(
        must(
            "abandoned-invocations",
            HOSTING_PAGE,
            "The server goes on when clients leave unanswered: SageMaker closes the connection when its time is over.",
            "release what a request holds (a worker, a lock, a place in the queue) whatever becomes of its client",
            rows="F09 R09",
        ),
        _abandoned,
    ),
)
