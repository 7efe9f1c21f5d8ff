"""The judgements on servers that had rough clients, where no server of `tests/projects` becomes so."""

from dataclasses import replace

import pytest

from argosy.conformance.case import Case
from argosy.conformance.check import Status
from argosy.conformance.container_checks import rough_clients
from argosy.conformance.finding import Finding
from argosy.conformance.probes import Exchange
from argosy.conformance.run import judge
from argosy.conformance.scenes.drills import Aftermath, Connections, Drill, Garbage, LargeBodies, RoughClients, Round
from tests.conformance.exchanges import exchange, ping_exchange

OK = exchange(200)
LOST = exchange(None, error="connection reset")
WAITING = exchange(None, error="no answer within 60 s")
FINE = Aftermath("all that", (Round(ping_exchange(200), OK, True),))
LATE = Aftermath("all that", (Round(ping_exchange(None), LOST, False), *FINE.rounds))
DEAF = Aftermath("all that", (Round(ping_exchange(200), LOST, False),), log=("worker lost",))
ENDED = Aftermath("all that", (Round(ping_exchange(None), LOST, False),), exit_code=1, log=("killed",))
OWN = [
    replace(check, needs=tuple(need for need in check.needs if need == "drill-bodies-survival"))
    for check in rough_clients.CHECKS
]


def finding(clause_id: str, scene: Drill) -> Finding:
    own = [check for check in OWN if isinstance(scene, check.scene)]
    return {found.clause.id: found for found in judge(Case.of(scene), own)}[clause_id]


@pytest.mark.parametrize(
    ("after", "status", "told"),
    [
        (FINE, Status.PASS, "are answered"),
        (LATE, Status.PASS, "are answered"),  # once is this machine's hiccup
        (DEAF, Status.FAIL, "/ping is 200, the invocation: connection reset"),
        (ENDED, Status.FAIL, "the container ended"),
    ],
)
def test_what_a_server_still_answers(after: Aftermath, status: Status, told: str) -> None:
    found = finding("drill-silent-clients", RoughClients(after, FINE, FINE))
    assert found.status is status
    assert told in found.verdict.reason
    assert status is Status.PASS or found.verdict.evidence[-1].log == after.log


@pytest.mark.parametrize(
    ("opened", "note", "during", "status"),
    [
        (1000, "", FINE, Status.PASS),
        (1000, "", DEAF, Status.FAIL),
        (400, "", FINE, Status.FAIL),
        (400, "this machine has no more", FINE, Status.UNKNOWN),
        (400, "this machine has no more", DEAF, Status.FAIL),
    ],
)
def test_connections(opened: int, note: str, during: Aftermath, status: Status) -> None:
    assert finding("drill-connections", Connections(1000, opened, note, during, FINE)).status is status


def bodies(*alone: Exchange, at_once: tuple[Exchange, ...] = (OK,), after: Aftermath = FINE) -> LargeBodies:
    return LargeBodies(OK, alone, at_once, after, peak_bytes=2**20)


@pytest.mark.parametrize(
    ("scene", "statuses"),
    [
        (bodies(OK, OK), (Status.PASS, Status.PASS, Status.PASS)),
        (bodies(OK, exchange(413)), (Status.PASS, Status.FAIL, Status.PASS)),
        (bodies(OK, exchange(400)), (Status.PASS, Status.PASS, Status.PASS)),
        (bodies(OK, exchange(500)), (Status.PASS, Status.FAIL, Status.PASS)),
        (bodies(OK, LOST, at_once=()), (Status.PASS, Status.FAIL, Status.UNKNOWN)),
        (bodies(OK, WAITING, at_once=()), (Status.PASS, Status.UNKNOWN, Status.UNKNOWN)),
        (bodies(OK, WAITING, at_once=(), after=DEAF), (Status.UNKNOWN, Status.UNKNOWN, Status.UNKNOWN)),
        (bodies(OK, OK, at_once=(OK, LOST)), (Status.PASS, Status.PASS, Status.FAIL)),
        (bodies(OK, OK, at_once=(OK, exchange(503))), (Status.PASS, Status.PASS, Status.PASS)),
        (bodies(OK, OK, at_once=(OK, WAITING)), (Status.PASS, Status.PASS, Status.UNKNOWN)),
        (bodies(OK, LOST, after=ENDED), (Status.FAIL, Status.SKIP, Status.SKIP)),
        (bodies(OK, LOST, after=replace(ENDED, exit_code=137)), (Status.UNKNOWN, Status.FAIL, Status.PASS)),
        (replace(bodies(OK, exchange(413)), announced_mb=6), (Status.PASS, Status.PASS, Status.PASS)),
        (replace(bodies(OK, exchange(413)), announced_mb=100), (Status.PASS, Status.FAIL, Status.PASS)),
        (replace(bodies(OK), is_complete=False, at_once=()), (Status.PASS, Status.UNKNOWN, Status.UNKNOWN)),
    ],
)
def test_large_bodies(scene: LargeBodies, statuses: tuple[Status, ...]) -> None:
    clauses = ("drill-bodies-survival", "drill-body-100-mb", "drill-bodies-at-once")
    own = [check for check in OWN if check.clause.id in clauses]
    found = judge(Case.of(scene), own)
    assert tuple(one.status for one in found) == statuses
    assert "its memory grew" in found[0].verdict.reason or found[0].status is Status.UNKNOWN


def test_garbage_that_breaks_a_server_is_named() -> None:
    assert finding("drill-garbage", Garbage(("zero bytes",), ())).status is Status.PASS
    found = finding("drill-garbage", Garbage(("zero bytes",), (replace(ENDED, what="zero bytes"),)))
    assert found.status is Status.FAIL
    assert "zero bytes" in found.verdict.reason
