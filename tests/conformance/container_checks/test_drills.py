"""The judgements on hurt containers that no server of `tests/projects` becomes."""

from dataclasses import replace

import pytest

from argosy.conformance.case import Case
from argosy.conformance.check import SAMPLE, Status
from argosy.conformance.container_checks import drills
from argosy.conformance.finding import Finding
from argosy.conformance.probes import Exchange
from argosy.conformance.run import judge
from argosy.conformance.scenes.drills import (
    Drill,
    KilledWorker,
    LoadedStop,
    OutOfMemory,
    Round,
    SlowStart,
    Starved,
    longest_lie,
)
from argosy.conformance.scenes.endpoint import Start
from tests.conformance.exchanges import exchange, ping_exchange

OK = exchange(200)
BROKEN = exchange(502)
LOST = exchange(None, error="connection reset")
HUNG = exchange(None, error="no answer within 10 s")
OWN = [
    replace(check, needs=tuple(need for need in check.needs if need.startswith("drill-"))) for check in drills.CHECKS
]


def finding(clause_id: str, scene: Drill) -> Finding:
    own = [check for check in OWN if isinstance(scene, check.scene)]
    return {found.clause.id: found for found in judge(Case.of(scene), own)}[clause_id]


def round_at(at: float, ping: int | None = 200, invocation: Exchange = OK) -> Round:
    """One that takes a second."""
    return Round(
        replace(ping_exchange(ping), ended_at=at + 0.01),
        replace(invocation, ended_at=at + 1.0),
        invocation.status == 200,
    )


def killed(*rounds: Round, baseline: Exchange = OK, **fields: object) -> KilledWorker:
    scene = KilledWorker(baseline, "process python3", killed_at=0.0, limit_s=30.0, blind_s=5.0, rounds=rounds)
    return replace(scene, **fields)  # type: ignore[arg-type]  # the fields of the scene


DEAD = tuple(round_at(at, 503, BROKEN) for at in range(9))
BLIND = tuple(round_at(at, 200, BROKEN) for at in range(9))


@pytest.mark.parametrize(
    ("rounds", "ping", "recovery"),
    [
        ((round_at(0.0), round_at(1.0)), Status.PASS, Status.PASS),
        (DEAD, Status.PASS, Status.FAIL),
        ((*DEAD, round_at(9.0)), Status.PASS, Status.PASS),
        (BLIND, Status.FAIL, Status.SKIP),
        ((*BLIND, round_at(9.0)), Status.FAIL, Status.SKIP),
        ((*BLIND[:3], round_at(3.0)), Status.PASS, Status.PASS),  # soon enough that the platform may not have asked
        ((round_at(0.0, 200, replace(HUNG, total_s=9.0)),), Status.PASS, Status.FAIL),  # one may be the last moment
    ],
)
def test_a_dead_worker_is_told_of_or_replaced(rounds: tuple[Round, ...], ping: Status, recovery: Status) -> None:
    scene = killed(*rounds)
    assert finding("drill-worker-ping", scene).status is ping
    assert finding("drill-worker-recovery", scene).status is recovery


def test_a_container_that_ends_with_its_worker_has_not_recovered() -> None:
    found = finding("drill-worker-recovery", killed(round_at(0.0, None, LOST), exit_code=1, log=("worker lost",)))
    assert found.status is Status.FAIL
    assert found.verdict.evidence[-1].received == "exit code 1"
    assert found.verdict.evidence[-1].log == ("worker lost",)


def test_a_server_of_one_process_below_a_shell_is_not_blamed_for_its_end() -> None:
    found = finding("drill-worker-recovery", killed(round_at(0.0, None, LOST), exit_code=137, is_lone=True))
    assert found.status is Status.SKIP


@pytest.mark.parametrize(
    ("later", "status"),
    [
        (replace(LOST, ended_at=5.0), Status.FAIL),
        (replace(BROKEN, ended_at=5.0), Status.FAIL),
        (replace(LOST, ended_at=0.5), Status.PASS),  # it may have reached the dead one
        (exchange(503), Status.PASS),  # a refusal
    ],
)
def test_what_did_not_touch_the_dead_worker_is_not_lost(later: Exchange, status: Status) -> None:
    scene = killed(*(round_at(at) for at in range(4)), load=(later,))
    assert finding("drill-worker-requests", scene).status is status


def test_a_request_that_is_refused_decides_nothing_about_a_worker() -> None:
    refused = exchange(400)
    scene = killed(*(replace(round_at(at), invocation=refused) for at in range(3)), baseline=refused)
    found = finding("drill-worker-ping", scene)
    assert (found.status, found.verdict.decide) == (Status.UNKNOWN, SAMPLE)


@pytest.mark.parametrize(
    ("held", "late", "exit_code", "statuses"),
    [
        ((OK, OK), (LOST, OK), 0, (Status.PASS, Status.PASS, Status.PASS)),
        ((OK, LOST), (LOST,), 0, (Status.PASS, Status.FAIL, Status.PASS)),
        ((OK, exchange(201)), (exchange(503),), 143, (Status.PASS, Status.PASS, Status.PASS)),
        ((OK,), (HUNG,), 0, (Status.PASS, Status.PASS, Status.FAIL)),
        ((OK,), (HUNG,), None, (Status.FAIL, Status.SKIP, Status.SKIP)),
    ],
)
def test_sigterm_under_load(
    held: tuple[Exchange, ...], late: tuple[Exchange, ...], exit_code: int | None, statuses: tuple[Status, ...]
) -> None:
    scene = LoadedStop(OK, held, late, exit_code, 1.0, 30.0)
    clauses = ("drill-stop-grace", "drill-stop-drain", "drill-stop-refusal")
    assert tuple(finding(clause, scene).status for clause in clauses) == statuses


@pytest.mark.parametrize(
    ("accepted_s", "healthy_s", "first", "ready", "port"),
    [
        (0.5, 20.0, OK, Status.PASS, Status.PASS),
        (19.0, 20.0, OK, Status.PASS, Status.FAIL),
        (2.0, 2.1, OK, Status.PASS, Status.PASS),
        (0.5, 0.6, BROKEN, Status.FAIL, Status.PASS),
        (0.5, None, None, Status.UNKNOWN, Status.UNKNOWN),
    ],
)
def test_a_slow_start(
    accepted_s: float, healthy_s: float | None, first: Exchange | None, ready: Status, port: Status
) -> None:
    start = Start(60.0, accepted_s=accepted_s, healthy_s=healthy_s)
    scene = SlowStart(OK, start, first, first is OK, cpus=0.2, late_port_s=10.0)
    assert finding("drill-slow-start", scene).status is ready
    assert finding("drill-slow-port", scene).status is port


HEALTHY = Start(20.0, healthy_s=1.0)


@pytest.mark.parametrize(
    ("starved", "status", "told"),
    [
        (Starved(2**20, "", Start(20.0), (), 137, "out of memory", 2**20), Status.PASS, "ended with exit code 137"),
        (Starved(2**20, "", Start(20.0), (), None, "", 2**20), Status.PASS, "did not get healthy within 20 s"),
        (Starved(2**20, "", HEALTHY, (round_at(0.0),), None, "", 2**20), Status.PASS, "worked in the end"),
        (Starved(2**20, "", HEALTHY, DEAD, None, "", 2**20), Status.PASS, "health checks told"),
        (Starved(2**20, "bodies", HEALTHY, BLIND, None, "", 2**20), Status.FAIL, "every health check was 200"),
    ],
)
def test_out_of_memory(starved: Starved, status: Status, told: str) -> None:
    found = finding("drill-out-of-memory", OutOfMemory(2**20, 5.0, (starved,)))
    assert found.status is status
    assert told in found.verdict.reason
    assert found.verdict.evidence[0].sent.startswith("a limit of 1.0 MB")


def test_the_longest_lie_is_found_among_others() -> None:
    rounds = (*BLIND[:1], round_at(1.0), *BLIND[2:5], round_at(5.0, 503, BROKEN), *BLIND[6:8])
    assert longest_lie(rounds) == BLIND[2:5]
    assert longest_lie(()) == ()


def test_a_reason_tells_how_long_the_drill_took() -> None:
    found = finding("drill-worker-ping", replace(killed(round_at(0.0)), seconds=12.3))
    assert found.verdict.reason.endswith("(drill: 12 s)")
