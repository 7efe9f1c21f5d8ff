"""Health checks: quick, honest, for any Host header, while invocations run."""

import statistics
from typing import Final

from argosy.conformance.check import SAMPLE, Check, Evidence, Group, Status, Verdict, failed, passed, unknown
from argosy.conformance.clause import must, should
from argosy.conformance.probes import Exchange
from argosy.conformance.scenes.endpoint import Busy, Health, Honesty
from argosy.conformance.sources import SDK_ISSUES
from argosy.contract import ACCEPT_CONNECTION, HOSTING_PAGE, PING

_SLOW_CONNECTIONS: Final = 3
"""Fewer may be this machine's own hiccups."""
_ENOUGH_CONNECTIONS: Final = 5


def _ping(health: Health) -> Verdict:
    return _answered_in_time(health.pings, "")


def _busy(busy: Busy) -> Verdict:
    verdict = _answered_in_time(busy.pings, f" while {busy.clients} clients had {busy.answers}")
    if not busy.statuses or (verdict.status is Status.PASS and not busy.is_at_work):
        return unknown(_never_busy(busy), decide=SAMPLE)
    return verdict


def _never_busy(busy: Busy) -> str:
    return (
        f"the model was never busy: {busy.clients} clients had {busy.answers};"
        f" give a request that it takes with {SAMPLE}"
    )


def _answered_in_time(pings: tuple[Exchange, ...], meanwhile: str) -> Verdict:
    wrong = [exchange for exchange in pings if exchange.status != 200]
    if wrong:
        return failed(f"{len(wrong)} of {len(pings)} were not answered with 200{meanwhile}", *_evidence(wrong[:3]))
    slowest = max(pings, key=lambda exchange: exchange.total_s)
    if slowest.total_s > PING.value:
        sentence = f"one took {slowest.total_s:.1f} s, want at most {PING.value:g} s{meanwhile}"
        return failed(sentence, slowest.evidence)
    return passed(f"{len(pings)} times 200, the slowest after {slowest.total_s * 1000:.0f} ms{meanwhile}")


def _honest(honesty: Honesty) -> Verdict:
    unready = [exchange for exchange in honesty.start.pings if exchange.status not in (200, None)]
    if unready:
        return passed(f"{unready[0].status} was answered until the model was loaded", unready[0].evidence)
    bare, again, baseline = honesty.bare, honesty.bare_invocation, honesty.baseline
    if bare is None or baseline is None:
        return unknown(
            "it is 200 as soon as the server listens; give --model-data and a --sample that is answered with 2xx,"
            " then it is tried without the artifacts",
            decide=f"--model-data FILE {SAMPLE}",
        )
    if not bare.is_healthy:
        return passed("without artifacts it is not healthy", *_evidence(bare.pings[-1:]))
    if again is None or again.is_success:
        return unknown("without artifacts it is 200, and so is the invocation: it may not need them")
    return failed(
        "without artifacts it is still 200, but the invocation fails: the answer is static",
        Evidence("GET /ping with an empty /opt/ml/model", "200"),
        again.evidence,
    )


def _any_host(health: Health) -> Verdict:
    wrong = [exchange for exchange in health.hosts if exchange.status != 200]
    if wrong:
        hosts = ", ".join(dict(exchange.request.headers).get("Host", "") for exchange in wrong)
        return failed(f"refused with Host {hosts}", *_evidence(wrong))
    return passed("200 for the hosts and user agents of endpoints and transform jobs")


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


def _evidence(exchanges: tuple[Exchange, ...] | list[Exchange]) -> tuple[Evidence, ...]:
    return tuple(exchange.evidence for exchange in exchanges)


_HEALTH: Final[Group[Health]] = Group("health", Health, needs=("start-healthy",))
_HONESTY: Final[Group[Honesty]] = Group("health", Honesty, needs=("start-healthy",))
# Invocations that fail are another clause, and may keep a server busier than any that it answers.
_BUSY: Final[Group[Busy]] = Group("health", Busy, needs=("start-healthy",), causes=("invocations",))

CHECKS: Final[tuple[Check[Health] | Check[Honesty] | Check[Busy], ...]] = (
    _HEALTH.check(
        must(
            "ping",
            HOSTING_PAGE,
            "Every GET /ping is answered with 200 within 2 seconds.",
            "answer /ping outside the process that loads and runs the model",
            rows="C05 F04",
        ),
        _ping,
    ),
    _HONESTY.check(
        should(
            "ping-honest",
            HOSTING_PAGE,
            "GET /ping says whether the model can be invoked, and is no static 200.",
            "answer /ping with 503 until the model is loaded and whenever it cannot predict",
            rows="C07 F05",
        ),
        _honest,
    ),
    _HEALTH.check(
        must(
            "ping-any-host",
            f"{SDK_ISSUES}/1554",
            "GET /ping is answered whatever the Host header;"
            " SageMaker sends model.aws.local:8080 and 169.254.255.131:8080.",
            "allow every host (Django: ALLOWED_HOSTS = ['*']; Starlette: no TrustedHostMiddleware)",
            rows="C12 F04",
        ),
        _any_host,
    ),
    _BUSY.check(
        must(
            "ping-busy",
            HOSTING_PAGE,
            "GET /ping is answered within 2 seconds while invocations run.",
            "serve with more than one thread or process, or answer /ping in front of the model",
            rows="C10",
        ),
        _busy,
        "ping",
    ),
    _BUSY.check(
        must(
            "accept-connection",
            HOSTING_PAGE,
            ACCEPT_CONNECTION.sentence,
            "never block the accepting thread; give the listening socket a backlog",
            rows="C09",
        ),
        _accepted,
    ),
)
