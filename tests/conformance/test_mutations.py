"""Each foreign server has one defect and fails exactly the clause that names it; a clean one fails none."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from argosy.conformance.catalogue import CLAUSES
from argosy.conformance.check import SAMPLE, Status
from argosy.conformance.finding import Finding
from argosy.conformance.observing import endpoint, honesty
from argosy.conformance.probes import invocation
from argosy.conformance.profile import Profile
from argosy.conformance.run import asked_by
from argosy.contract import LABEL_BIDIRECTIONAL, Level
from tests.conformance.servers import (
    SERVERS,
    Circumstances,
    failed_clauses,
    judge_server,
    reasons,
)

Findings = Mapping[str, Finding]

DEFECTS: Mapping[str, set[str]] = {
    "never_listens": {"start-port"},
    "loopback_only": {"start-port"},
    "never_ready": {"start-healthy"},
    "missing_module": {"start-healthy"},
    "missing_file": {"start-healthy"},
    "wants_network": {"start-offline"},
    "writes_model": {"start-read-only-model"},
    "full_shared_memory": {"start-shared-memory"},
    "slow_ping": {"ping"},
    "static_ping": {"ping-honest"},
    "foreign_host": {"ping-any-host"},
    "one_at_a_time": {"ping-busy"},
    "no_invocations": {"invocations"},
    "strict_headers": {"invocation-headers"},
    "raw_content_type": {"media-type-parameters"},
    "small_bodies": {"large-body"},
    "execution_parameters": {"execution-parameters"},
    # Whoever answers 200 to an error does not answer it with 4xx either.
    "paid_errors": {"error-status", "error-client"},
    "crashing_decoder": {"error-client"},
    # Whether it would serve what its model understands is not known: see the tests below.
    "always_fails": {"error-client"},
    "telltale": {"error-traceback"},
    "dies_on_garbage": {"error-survival"},
    "lazy_loading": {"ping-steady"},
    "get_only_ping": {"ping-post"},
    "chatty_ping": {"ping-body"},
    "slow_sample": {"invocation-time"},
    "worker_timeout": {"worker-timeout"},
    "unheard_session": {"session-id"},
    "kept_attributes": {"custom-attributes"},
    "foreign_host_invocations": {"invocation-any-host"},
    "ignores_accept": {"response-media-type"},
    "undeclared_type": {"response-content-type"},
    "length_only": {"chunked-body"},
    "no_expectations": {"expect-continue"},
    "endpoint_bodies": {"batch-body"},
    "drops_empty": {"empty-body"},
    "shared_state": {"concurrency"},
    "leaks_workers": {"abandoned-invocations"},
    "withheld_events": {"streaming"},
    "deaf_socket": {"bidirectional-stream"},
    "unlabelled_socket": {"bidirectional-label"},
    "silent_errors": {"log-errors"},
    "quotes_bodies": {"log-bodies"},
    "metered_text": {"metering-syntax"},
    "metered_tokens": {"metering-dimension"},
    "metered_halves": {"metering-units"},
    "metered_requests": {"metering-records"},
    "metered_errors": {"metering-errors"},
    "ignores_sigterm": {"stop-grace"},
    "drops_requests": {"stop-drain"},
    "exit_code": {"stop-exit-code"},
}
SCENES = {*endpoint.ACT.scenes, *honesty.ACT.scenes}
ENDPOINT = {check.clause.id for check in asked_by(Profile.SAGEMAKER) if check.scene in SCENES}
"""The clauses on a container as an endpoint has it; `test_starts.py` has those on all others."""
SOUND: Mapping[str, set[str]] = {
    "clean": set(),
    "events": {"streaming"},
    "web_socket": {"bidirectional-stream"},
    "metered": {"metering-syntax", "metering-dimension", "metering-units", "metering-records", "metering-errors"},
}
"""Servers that fail nothing, and the clauses that only they are asked for."""

WHERE_CLAIMED = set().union(*SOUND.values()) | {"response-media-type", "metering-log"}
ROWS = b"[[77.0, 1.0]]"
EVENTS = Circumstances(samples=(invocation("application/json", ROWS, "sample", "text/event-stream"),))
CONVERSING = Circumstances(labels={LABEL_BIDIRECTIONAL: "true"})
LONG = ("deaf_socket", "ignores_sigterm", "leaks_workers", "one_at_a_time", "slow_ping", "slow_sample")
"""Servers that are mostly waited for, and keep no other one from being judged meanwhile."""
GIVEN: Mapping[str, Circumstances] = {
    "never_listens": Circumstances(startup_s=3.0),
    "never_ready": Circumstances(startup_s=3.0),
    "slow_sample": Circumstances((invocation("application/json", ROWS, "sample"),), invocation_s=2.0),
    "ignores_accept": Circumstances((invocation("text/csv", b"77.0,1.0\n", "sample", "text/csv"),)),
    "events": EVENTS,
    "withheld_events": EVENTS,
    "web_socket": CONVERSING,
    "deaf_socket": CONVERSING,
}


@pytest.fixture(scope="module")
def judged(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, "Future[Findings]"]]:
    """The findings of every server that a chosen test asks for; they mostly wait, so some run at once."""
    artifacts = tmp_path_factory.mktemp("model")
    (artifacts / "bias.txt").write_text("0")
    (artifacts / "unpacked").touch()
    wanted = {server for item in request.session.items if (server := _server_of(item))}
    with ThreadPoolExecutor(len(LONG)) as waiting, ThreadPoolExecutor(6) as pool:
        yield {
            server: (waiting if server in LONG else pool).submit(_judge, server, artifacts)
            for server in sorted({*wanted, "clean"})
        }


def _server_of(item: pytest.Item) -> str | None:
    callspec = getattr(item, "callspec", None)
    return None if callspec is None else callspec.params.get("server")


def _judge(server: str, artifacts: Path) -> Findings:
    return judge_server(server, GIVEN.get(server, Circumstances(startup_s=30.0)), artifacts)


@pytest.mark.usefixtures("judged")  # they are at work meanwhile
def test_a_sample_that_is_answered_with_5xx_decides() -> None:
    findings = judge_server("always_fails", Circumstances((invocation("text/csv", b"1,2\n", "sample"),)))
    assert failed_clauses(findings, Level.MUST) == {"invocations"}, reasons(findings)
    assert findings["invocations"].verdict.evidence[0].received.startswith("500")


@pytest.mark.parametrize("server", sorted(SOUND))
def test_a_sound_server_fails_nothing(server: str, judged: Mapping[str, "Future[Findings]"]) -> None:
    findings = judged[server].result()
    assert failed_clauses(findings) == set(), reasons(findings)
    open_ = {clause_id for clause_id in ENDPOINT if findings[clause_id].status is not Status.PASS}
    assert open_ - WHERE_CLAIMED == set()
    assert not open_ & SOUND[server]


@pytest.mark.parametrize("server", sorted(DEFECTS))
def test_a_defect_fails_exactly_its_own_clause(server: str, judged: Mapping[str, "Future[Findings]"]) -> None:
    findings = judged[server].result()
    assert failed_clauses(findings) == DEFECTS[server], reasons(findings)
    for clause_id in DEFECTS[server]:
        finding = findings[clause_id]
        assert finding.verdict.reason
        assert finding.verdict.evidence or clause_id == "execution-parameters"


@pytest.mark.parametrize("server", ["always_fails"])
def test_what_needs_a_prediction_is_undecided_where_there_was_none(
    server: str, judged: Mapping[str, "Future[Findings]"]
) -> None:
    findings = judged[server].result()
    undecided = {clause_id for clause_id, finding in findings.items() if finding.status is Status.UNKNOWN}
    assert undecided >= {"invocations", "ping-busy", "accept-connection", "large-body", "stop-drain"}
    for clause_id in undecided - {"ping-honest"}:
        assert findings[clause_id].verdict.decide == SAMPLE
    assert "500 to CSV of one row" in findings["invocations"].verdict.reason
    assert "answered with 500" in findings["ping-busy"].verdict.reason


def test_every_server_is_named_here() -> None:
    named = {path.stem for path in SERVERS.glob("*.py") if not path.stem.startswith("drill_")}
    assert named == {*DEFECTS, *SOUND}  # the others: test_drill_mutations.py


def test_every_clause_that_a_running_container_can_break_has_a_server_that_breaks_it() -> None:
    broken = set().union(*DEFECTS.values())
    # A backlog that is full cannot be made with three clients on one machine, and nobody waits four minutes for a
    # start: these are judged on their scenes.
    on_scenes = {"accept-connection", "start-soon", "start-port-early", "invocation-time-margin", "metering-log"}
    assert ENDPOINT - broken == on_scenes


def test_no_defect_fails_a_must_that_is_not_its_own(judged: Mapping[str, "Future[Findings]"]) -> None:
    must = {clause_id for clause_id, clause in CLAUSES.items() if clause.level is Level.MUST}
    for server, clauses in DEFECTS.items():
        if server in judged:
            findings = judged[server].result()
            assert failed_clauses(findings, Level.MUST) == clauses & must, reasons(findings)
