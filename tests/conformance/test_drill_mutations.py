"""Each foreign server has one weakness and fails exactly the drill that finds it; the clean ones fail none."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import pytest

from argosy.conformance.case import Case
from argosy.conformance.catalogue import CHECKS, CLAUSES
from argosy.conformance.check import Status
from argosy.conformance.drills import killed_worker
from argosy.conformance.drills.catalogue import DRILLS
from argosy.conformance.finding import Finding
from argosy.conformance.observing.act import Act, observe
from argosy.conformance.observing.bench import Bench
from argosy.conformance.observing.severity import Severity
from argosy.conformance.observing.trial import Trial
from argosy.conformance.probes import invocation
from argosy.conformance.run import judge
from argosy.conformance.scenes.endpoint import Invocations, Start
from argosy.simulator.containers.container import Container, Launch
from argosy.simulator.containers.process import Command, ProcessContainer
from tests.conformance.servers import SERVERS, Launcher, failed_clauses, of_acts, reasons

Findings = Mapping[str, Finding]

DEFECTS: Mapping[str, tuple[str, str]] = {  # server -> the drill that is played, and the one clause that it fails
    "drill_blind_ping": ("killed worker", "drill-worker-ping"),
    "drill_lone_worker": ("killed worker", "drill-worker-recovery"),
    "drill_dead_in_turn": ("killed worker", "drill-worker-requests"),
    "drill_quiet_stop": ("SIGTERM under load", "drill-stop-grace"),
    "drill_drops_others": ("SIGTERM under load", "drill-stop-drain"),
    "drill_hangs_at_end": ("SIGTERM under load", "drill-stop-refusal"),
    "drill_early_ping": ("slow start", "drill-slow-start"),
    "drill_late_port": ("slow start", "drill-slow-port"),
    "drill_memory_blind": ("out of memory", "drill-out-of-memory"),
    "drill_waits_for_readers": ("rough clients", "drill-silent-clients"),
    "drill_leaks_slots": ("rough clients", "drill-vanished-clients"),
    "drill_few_threads": ("rough clients", "drill-half-heads"),
    "drill_dies_of_bodies": ("large bodies", "drill-bodies-survival"),
    "drill_endpoint_bodies": ("large bodies", "drill-body-100-mb"),
    "drill_one_large_body": ("large bodies", "drill-bodies-at-once"),
    "drill_few_connections": ("connections", "drill-connections"),
    "drill_counts_connections": ("connections", "drill-connections-end"),
    "drill_dies_of_chunks": ("garbage", "drill-garbage"),
}
CLEAN = ("clean", "drill_forked")
SMALL = Severity(
    patience_s=2.0,
    clients=2,
    recovery_s=4.0,
    blind_s=1.5,
    held=3,
    grace_s=7.0,
    refusal_s=1.5,
    cpus=0.25,
    slow_start_s=20.0,
    late_port_s=1.5,
    silent=12,
    vanished=12,
    half_heads=12,
    body_bytes=(25 * 2**20, 25 * 2**20 + 1, 31 * 2**20),
    bodies_at_once=3,
    connections=80,
)


class LimitedContainer(ProcessContainer):
    """Says that it is limited, as a sandbox is: its server is told the limits, and imitates what they do."""

    @property
    def kind(self) -> str:
        return "sandbox"


def launch_limited(server: str, launch: Launch) -> Container:
    command: Command = Launcher(SERVERS / f"{server}.py").command(launch)
    limits = {"CPUS": launch.cpus, "MEMORY_BYTES": launch.memory_bytes}
    told = {name: str(limit) for name, limit in limits.items() if limit is not None}
    return LimitedContainer(replace(command, environment={**command.environment, **told}))


def _start(bench: Bench, case: Case) -> Case:
    """All that a drill must know: that a container gets healthy, and what it answers."""
    request = invocation("application/json", b"[[1, 2]]", "rows")
    with Trial(bench) as trial:
        start = trial.start()
        return Case.of(start, Invocations((trial.send(request),), ()))


def _judge(server: str, drills: set[str]) -> Findings:
    played = [act for act in DRILLS if act.name in drills]
    scenes = {scene for act in played for scene in act.scenes}
    own = {check.clause.id: check for check in CHECKS if check.scene in scenes}
    # Without the clauses of a whole examination that they build on, and those of other drills.
    checks = [replace(check, needs=tuple(need for need in check.needs if need in own)) for check in own.values()]
    bench = Bench(lambda launch: launch_limited(server, launch), is_read_only=True, startup_s=20.0, drills=SMALL)
    case = observe(bench, (Act("start", (Start, Invocations), _start), *played), scenes)
    return {finding.clause.id: finding for finding in judge(case, checks)}


@pytest.fixture(scope="module")
def judged(request: pytest.FixtureRequest) -> Iterator[Mapping[str, "Future[Findings]"]]:
    """The findings of every server that a chosen test asks for; they mostly wait, so some run at once."""
    every = {act.name for act in DRILLS}
    wanted = {server for item in request.session.items if (server := _server_of(item)) in (*CLEAN, *DEFECTS)}
    with ThreadPoolExecutor(10) as pool:
        played = {server: {DEFECTS[server][0]} if server in DEFECTS else every for server in wanted}
        longest_first = sorted(wanted, key=lambda server: server in DEFECTS)
        yield {server: pool.submit(_judge, server, played[server]) for server in longest_first}


def _server_of(item: pytest.Item) -> str:
    callspec = getattr(item, "callspec", None)
    return "" if callspec is None else str(callspec.params.get("server"))


@pytest.mark.parametrize("server", CLEAN)
def test_a_clean_server_passes_every_drill(server: str, judged: Mapping[str, "Future[Findings]"]) -> None:
    findings = judged[server].result()
    assert failed_clauses(findings) == set(), reasons(findings)
    skipped = {clause_id for clause_id, finding in findings.items() if finding.status is Status.SKIP}
    # One process has no workers that could be killed.
    assert skipped == (set(of_acts(findings, killed_worker.ACT)) if server == "clean" else set())
    assert {finding.status for finding in findings.values()} <= {Status.PASS, Status.SKIP}
    assert all("(drill: " in finding.verdict.reason for finding in findings.values() if finding.status is Status.PASS)


@pytest.mark.parametrize("server", sorted(DEFECTS))
def test_a_weakness_fails_exactly_its_own_drill(server: str, judged: Mapping[str, "Future[Findings]"]) -> None:
    findings = judged[server].result()
    assert failed_clauses(findings) == {DEFECTS[server][1]}, reasons(findings)
    assert findings[DEFECTS[server][1]].verdict.evidence


def test_every_drill_has_a_server_that_fails_it_and_every_server_is_named_here() -> None:
    assert {path.stem for path in SERVERS.glob("drill_*.py")} == {*DEFECTS, "drill_forked"}
    assert {clause for clause in CLAUSES if clause.startswith("drill-")} == {clause for _, clause in DEFECTS.values()}
