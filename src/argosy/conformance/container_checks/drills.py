"""What becomes of a container when its processes are killed, its time is short, or its memory: `--drills`."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeVar

from argosy.conformance.check import SAMPLE, Check, Evidence, Group, Status, Verdict, failed, passed, skipped, unknown
from argosy.conformance.clause import fact, must, should
from argosy.conformance.probes import Exchange, size
from argosy.conformance.scenes.drills import (
    Drill,
    KilledWorker,
    LoadedStop,
    OutOfMemory,
    Round,
    SlowStart,
    Starved,
    begun_at,
    duration,
    longest_lie,
)
from argosy.conformance.sources import EXAMPLES_ISSUES, SDK_ISSUES
from argosy.contract import HOSTING_PAGE

NAME: Final = "drills"
"""The heading of all drills."""

_DYING_S: Final = 1.0
"""A request that was begun so soon after the end of a process may have reached it."""
_LIES: Final = 2
"""One round may be the last moment before the health check told."""

Scene = TypeVar("Scene", bound=Drill)


def timed(examine: Callable[[Scene], Verdict]) -> Callable[[Scene], Verdict]:
    """The same judgement; its reason ends with how long the drill took."""

    def examine_timed(scene: Scene) -> Verdict:
        verdict = examine(scene)
        return replace(verdict, reason=f"{verdict.reason} (drill: {scene.seconds:.0f} s)")

    return examine_timed


def _worker_ping(killed: KilledWorker) -> Verdict:
    lie = longest_lie(killed.rounds)
    if len(lie) >= _LIES and duration(lie) > killed.blind_s:
        sentence = f"for {duration(lie):.0f} s every health check was 200 and no invocation was answered as before"
        return failed(sentence, _kill(killed), *_round(lie[0]), *_round(lie[-1]))
    told = [one.ping for one in killed.rounds if one.ping.status != 200]
    meanwhile = f"{len(told)} of {len(killed.rounds)} health checks told" if told else "invocations went on"
    return _decided(killed.baseline, passed(f"{killed.victim}, was killed: {meanwhile}"))


def _worker_recovery(killed: KilledWorker) -> Verdict:
    if killed.exit_code is not None and killed.is_lone:
        return skipped(f"{killed.victim}, was the whole server: the container ended, and SageMaker starts another")
    if killed.exit_code is not None:
        end = Evidence("wait", f"exit code {killed.exit_code}", None, killed.log)
        return failed(f"the whole container ended when {killed.victim}, was killed", _kill(killed), end)
    recovered_at = killed.recovered_at
    if recovered_at is None:
        last = _round(killed.rounds[-1]) if killed.rounds else ()
        return failed(f"no invocation was answered within {killed.limit_s:g} s", _kill(killed), *last)
    seconds = recovered_at - killed.killed_at
    return _decided(killed.baseline, passed(f"invocations were answered again {seconds:.1f} s after the kill"))


def _worker_requests(killed: KilledWorker) -> Verdict:
    since = max(killed.killed_at + _DYING_S, killed.recovered_at or 0.0)
    later = [exchange for exchange in killed.load if begun_at(exchange) > since]
    later += [one.invocation for one in killed.rounds if one.begun_at > since]
    lost = [exchange for exchange in later if _is_lost(exchange)]
    if lost:
        sentence = f"{len(lost)} of {len(later)} invocations were lost that were begun after it had recovered"
        return failed(sentence, _kill(killed), *(exchange.evidence for exchange in lost[:3]))
    if not later:
        return unknown("no invocation was begun after it had recovered")
    return _decided(killed.baseline, passed(f"none of {len(later)} invocations after that was lost"))


def _is_lost(exchange: Exchange) -> bool:
    """A 503 is a refusal."""
    return exchange.status is None or (exchange.is_server_error and exchange.status != 503)


def _kill(killed: KilledWorker) -> Evidence:
    return Evidence(f"SIGKILL to {killed.victim}", "it is gone", None, killed.log)


def _stop_grace(stop: LoadedStop) -> Verdict:
    if stop.exit_code is None:
        end = Evidence("SIGTERM", f"still runs after {stop.limit_s:g} s", round(stop.stopped_s, 1), stop.log)
        return failed(f"with {len(stop.held)} requests under way it did not end, twice, and had to be killed", end)
    return passed(f"with {len(stop.held)} requests under way it ended {stop.stopped_s:.1f} s after SIGTERM")


def _stop_drain(stop: LoadedStop) -> Verdict:
    lost = [one for one in stop.held if one.status != stop.baseline.status and not _is_both_success(one, stop.baseline)]
    if lost:
        sentence = f"{len(lost)} of {len(stop.held)} requests that were under way were not answered as before"
        return failed(sentence, *(exchange.evidence for exchange in lost[:3]))
    return _decided(stop.baseline, passed(f"all {len(stop.held)} requests that were under way were answered"))


def _is_both_success(one: Exchange, other: Exchange) -> bool:
    return one.is_success and other.is_success


def _stop_refusal(stop: LoadedStop) -> Verdict:
    hung = [exchange for exchange in stop.late if exchange.error.startswith("no answer")]
    if hung:
        sentence = f"{len(hung)} of {len(stop.late)} requests that came after SIGTERM hung"
        return failed(sentence, *(exchange.evidence for exchange in hung[:2]))
    outcomes = sorted({str(exchange.status or exchange.error) for exchange in stop.late})
    return passed(f"requests that came after SIGTERM: {', '.join(outcomes)}")


def _slow_start(slow: SlowStart) -> Verdict:
    start, first = slow.start, slow.first
    if first is None or start.healthy_s is None:
        return unknown(f"with {slow.cpus:g} processors it did not get healthy within {start.limit_s:g} s")
    if not slow.is_as_before:
        ping = Evidence("GET /ping", "200", round(start.healthy_s, 1))
        return failed(
            f"the first health check with 200 was followed by {first.status or first.error}", ping, first.evidence
        )
    sentence = f"with {slow.cpus:g} processors 200 after {start.healthy_s:.1f} s, and then it answers"
    return _decided(slow.baseline, passed(sentence))


def _slow_port(slow: SlowStart) -> Verdict:
    accepted_s, healthy_s = slow.start.accepted_s, slow.start.healthy_s
    if accepted_s is None or healthy_s is None:
        return unknown(f"with {slow.cpus:g} processors it did not get healthy within {slow.start.limit_s:g} s")
    sentence = (
        f"with {slow.cpus:g} processors the port opened after {accepted_s:.1f} s, 200 came after {healthy_s:.1f} s"
    )
    is_late = accepted_s > slow.late_port_s and healthy_s - accepted_s < healthy_s / 4
    return failed(sentence, Evidence("connect", "taken", round(accepted_s, 1))) if is_late else passed(sentence)


def _out_of_memory(memory: OutOfMemory) -> Verdict:
    for starved in memory.starved:
        lie = longest_lie(starved.rounds)
        if len(lie) >= _LIES and duration(lie) > memory.blind_s:
            sentence = (
                f"with {size(starved.limit_bytes)} every health check was 200 for {duration(lie):.0f} s,"
                " and no invocation was answered as before"
            )
            return failed(sentence, _limit(starved), *_round(lie[-1]))
    told = "; ".join(f"with {size(starved.limit_bytes)} {_became(starved)}" for starved in memory.starved)
    evidence = (_limit(starved) for starved in memory.starved)
    return passed(f"idle it uses {size(memory.idle_bytes)}; {told}", *evidence)


def _became(starved: Starved) -> str:
    if starved.exit_code is not None:
        return f"it ended with exit code {starved.exit_code}"
    if not starved.start.is_healthy:
        return f"it did not get healthy within {starved.start.limit_s:g} s"
    return "it worked in the end" if starved.rounds and starved.rounds[-1].is_fine else "health checks told"


def _limit(starved: Starved) -> Evidence:
    work = f" and {starved.work}" if starved.work else ""
    seen = f"{_became(starved)}; the most that was seen is {size(starved.peak_bytes)}"
    kills = f"; {starved.kills}" if starved.kills else ""
    return Evidence(f"a limit of {size(starved.limit_bytes)}{work}", f"{seen}{kills}")


def _round(one: Round) -> tuple[Evidence, Evidence]:
    return one.ping.evidence, one.invocation.evidence


def _decided(baseline: Exchange, verdict: Verdict) -> Verdict:
    """A request that is refused may never have reached the model: then nothing is decided."""
    if verdict.status is not Status.PASS or baseline.is_success:
        return verdict
    sentence = (
        f"{verdict.reason}, with {baseline.status} as before: nothing was predicted; give a request with {SAMPLE}"
    )
    return unknown(sentence, *verdict.evidence, decide=SAMPLE)


_NEEDS: Final = ("start-healthy", "ping", "invocations")
_WORKER: Final[Group[KilledWorker]] = Group(NAME, KilledWorker, _NEEDS)
_STOP: Final[Group[LoadedStop]] = Group(NAME, LoadedStop, _NEEDS)
_SLOW: Final[Group[SlowStart]] = Group(NAME, SlowStart, _NEEDS)
_MEMORY: Final[Group[OutOfMemory]] = Group(NAME, OutOfMemory, _NEEDS)

CHECKS: Final[tuple[Check[KilledWorker] | Check[LoadedStop] | Check[SlowStart] | Check[OutOfMemory], ...]] = (
    _WORKER.check(
        should(
            "drill-worker-ping",
            HOSTING_PAGE,
            "When a process of the container is killed, GET /ping is not 200 while no invocation can be answered.",
            "answer /ping from what is known of the workers: 503 while none of them lives",
            rows="C07 F05 F07",
        ),
        timed(_worker_ping),
    ),
    _WORKER.check(
        should(
            "drill-worker-recovery",
            f"{EXAMPLES_ISSUES}/3148",
            "When a process of the container is killed, invocations are answered again within 30 seconds.",
            "have the workers supervised (gunicorn's master, your own loop) and the dead replaced",
            rows="F06 F07",
        ),
        timed(_worker_recovery),
        "drill-worker-ping",
    ),
    _WORKER.check(
        should(
            "drill-worker-requests",
            f"{EXAMPLES_ISSUES}/3148",
            "No invocation goes to a worker that is dead.",
            "take a worker out of the rotation when its connection or its process ends",
            rows="F06 F07",
        ),
        timed(_worker_requests),
        "drill-worker-ping",
        "drill-worker-recovery",
    ),
    _STOP.check(
        must(
            "drill-stop-grace",
            HOSTING_PAGE,
            "The container ends within 30 seconds of SIGTERM, also with several requests under way.",
            "on SIGTERM stop accepting, and wait for what is under way no longer than 25 seconds",
            rows="C13 S10",
        ),
        timed(_stop_grace),
        "stop-grace",
    ),
    _STOP.check(
        should(
            "drill-stop-drain",
            HOSTING_PAGE,
            "All requests that are under way when SIGTERM comes are still answered.",
            "on SIGTERM stop accepting, finish what every worker has, then end",
            rows="C13 S10",
        ),
        timed(_stop_drain),
        "stop-drain",
        "drill-stop-grace",
    ),
    _STOP.check(
        should(
            "drill-stop-refusal",
            HOSTING_PAGE,
            "A request that comes after SIGTERM is answered or refused, and does not hang.",
            "close the listening socket on SIGTERM, or answer 503",
            rows="C13",
        ),
        timed(_stop_refusal),
        "drill-stop-grace",
    ),
    _SLOW.check(
        should(
            "drill-slow-start",
            HOSTING_PAGE,
            "On a slow machine too GET /ping is not 200 before invocations are answered.",
            "answer /ping with 503 until every worker that may get an invocation has loaded the model",
            rows="C06 C07 F04 F05 S07",
        ),
        timed(_slow_start),
        "ping-honest",
    ),
    _SLOW.check(
        fact(
            "drill-slow-port",
            f"{SDK_ISSUES}/1554",
            "On a slow machine the port takes connections well before the model is loaded.",
            "listen first, load the model in another thread or process, and answer /ping with 503 meanwhile",
            rows="F04 S06",
        ),
        timed(_slow_port),
    ),
    _MEMORY.check(
        should(
            "drill-out-of-memory",
            f"{EXAMPLES_ISSUES}/3148",
            "Out of memory the container ends or GET /ping tells: it is not 200 while no invocation can be answered.",
            "let the server see that a worker was killed: replace it, or answer /ping with 503; load the model once",
            rows="C07 F07",
        ),
        timed(_out_of_memory),
    ),
)
