import re
from dataclasses import replace

import pytest

from argosy.conformance.case import Case
from argosy.conformance.catalogue import ACTS, CHECKS, CLAUSES
from argosy.conformance.check import Group, Status, Verdict
from argosy.conformance.clause import Clause, must
from argosy.conformance.finding import Finding
from argosy.conformance.run import judge
from argosy.conformance.scenes.at_rest import Still
from argosy.conformance.scenes.endpoint import Isolation, Start
from argosy.contract import Level
from tests.conformance.exchanges import exchange, ping_exchange


def by_clause(case: Case) -> dict[str, Finding]:
    return {finding.clause.id: finding for finding in judge(case)}


def test_every_clause_has_one_check() -> None:
    assert sorted(check.clause.id for check in CHECKS) == sorted(CLAUSES)
    assert {clause.level for clause in CLAUSES.values()} >= {Level.MUST, Level.SHOULD}


@pytest.mark.parametrize("clause", CLAUSES.values(), ids=lambda clause: clause.id)
def test_a_clause_carries_sentence_source_remedy_and_date(clause: Clause) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", clause.id)
    assert clause.sentence.endswith(".")
    assert clause.source.startswith("https://")
    assert clause.remedy
    assert all(re.fullmatch(r"[A-Z]\d\d", row) for row in clause.rows)
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", clause.read)


def test_every_scene_that_is_played_is_judged_and_every_act_has_a_name() -> None:
    judged = {check.scene for check in CHECKS}
    assert [scene for act in ACTS for scene in act.scenes if scene not in judged] == []
    assert len({act.name for act in ACTS}) == len(ACTS)


def test_a_check_builds_only_on_clauses_that_come_before_it() -> None:
    seen: set[str] = set()
    for check in CHECKS:
        assert set(check.needs) <= seen
        seen.add(check.clause.id)


def test_what_was_not_observed_is_skipped_with_a_reason() -> None:
    findings = judge(Case(absent={Still: "there is no image"}))
    assert {finding.status for finding in findings} == {Status.SKIP}
    assert all(finding.verdict.reason for finding in findings)
    assert by_clause(Case(absent={Still: "there is no image"}))["image-root"].verdict.reason == "there is no image"


def test_what_builds_on_a_failed_clause_is_skipped_and_names_it() -> None:
    start = Start(limit_s=1.0, accepted_s=0.1, waited_s=1.0, pings=(ping_exchange(500),))
    findings = by_clause(Case.of(start))
    assert findings["start-healthy"].status is Status.FAIL
    assert findings["ping"].verdict.reason == "it builds on start-healthy, which failed"
    assert findings["stop-exit-code"].verdict.reason.startswith("it builds on start-healthy")


def test_a_check_that_breaks_decides_nothing() -> None:
    def broken(start: Start) -> Verdict:
        raise ZeroDivisionError("oops")

    check = Group("start", Start).check(must("x", "https://x.test", "X.", "x"), broken)
    (finding,) = judge(Case.of(Start(limit_s=1.0)), (check,))
    assert finding.status is Status.UNKNOWN
    assert "oops" in finding.verdict.reason


def test_what_a_process_cannot_prove_is_unknown() -> None:
    findings = by_clause(Case.of(Isolation("process", False, False, False, True, 0)))
    assert findings["start-offline"].status is Status.UNKNOWN
    assert findings["start-read-only-model"].status is Status.UNKNOWN
    assert findings["start-shared-memory"].status is Status.UNKNOWN
    undecided = ("start-offline", "start-read-only-model", "start-shared-memory")
    assert {findings[clause].verdict.decide for clause in undecided} == {"--container sandbox"}


def test_artifacts_in_the_image_cannot_be_made_read_only() -> None:
    finding = by_clause(Case.of(Isolation("docker", True, False, True, True, 0)))["start-read-only-model"]
    assert finding.status is Status.UNKNOWN
    assert "--model-data" in finding.verdict.reason


@pytest.mark.parametrize(
    ("line", "clause_id"),
    [
        ("OSError: [Errno 30] Read-only file system: '/opt/ml/model/cache'", "start-read-only-model"),
        ("mkdir: cannot create directory '/opt/ml/model/x': Permission denied", "start-read-only-model"),
        ("socket.gaierror: [Errno -3] Temporary failure in name resolution", "start-offline"),
        ("Error: getaddrinfo ENOTFOUND weights.example", "start-offline"),
        ("errno: 'ENOTFOUND'", "start-offline"),
        ("request failed, code EAI_AGAIN", "start-offline"),
        ("Error: EACCES: mkdir '/opt/ml/model/cache'", "start-read-only-model"),
        ("botocore.exceptions.NoCredentialsError: Unable to locate credentials", "start-offline"),
        ("OSError: [Errno 28] No space left on device: '/dev/shm/weights'", "start-shared-memory"),
        ("RuntimeError: unable to write to file </torch_1_2>: unable to mmap shared memory", "start-shared-memory"),
        (
            "ERROR: Unexpected bus error; this might be caused by insufficient shared memory (shm).",
            "start-shared-memory",
        ),
    ],
)
def test_the_cause_of_a_failed_start_is_blamed_and_not_the_start(line: str, clause_id: str) -> None:
    start = Start(limit_s=9.0, waited_s=1.0, exit_code=1, log=(line,))
    isolation = Isolation("docker", True, True, True, False, 0, (line,))
    findings = by_clause(Case.of(start, isolation))
    assert {name for name, finding in findings.items() if finding.status is Status.FAIL} == {clause_id}
    assert clause_id in findings["start-port"].verdict.reason
    assert findings[clause_id].verdict.evidence[0].log == (line,)


@pytest.mark.parametrize(
    "line",
    [
        "ModuleNotFoundError: No module named 'sklearn'",
        "FileNotFoundError: [Errno 2] No such file or directory: '/opt/ml/model/weights.bin'",
        "Error: failed to resolve module specifier 'express'",
        "com.acme.SpeciaccesError: /opt/ml/model/weights.bin",
    ],
)
def test_a_container_that_dies_of_something_else_is_blamed_for_its_start(line: str) -> None:
    start = Start(limit_s=9.0, waited_s=1.0, exit_code=1, log=(line,))
    findings = by_clause(Case.of(start, Isolation("docker", True, True, True, False, 0, (line,))))
    assert {name for name, finding in findings.items() if finding.status is Status.FAIL} == {"start-port"}
    assert findings["start-offline"].status is Status.SKIP


def test_a_complaint_of_a_container_that_works_is_no_failure() -> None:
    line = "could not resolve host: telemetry.example"
    case = Case.of(
        Start(limit_s=9.0, accepted_s=1.0, healthy_s=1.0),
        Isolation("docker", True, True, True, True, 0),
    )
    assert by_clause(case)["start-offline"].status is Status.PASS
    complaining = case.joined(Case.of(Isolation("docker", True, True, True, True, 0, (line,))))
    assert by_clause(complaining)["start-offline"].status is Status.PASS
    failing = case.joined(Case.of(Isolation("docker", True, True, True, True, 1, (line,))))
    assert by_clause(failing)["start-offline"].status is Status.FAIL


def test_a_container_that_cannot_be_started_fails_with_the_engines_words() -> None:
    start = Start(limit_s=9.0, failure='exec: "serve": executable file not found in $PATH')
    finding = by_clause(Case.of(start))["start-port"]
    assert finding.status is Status.FAIL
    assert "executable file not found" in finding.verdict.evidence[0].received


def test_an_answer_that_took_long_is_shown_with_its_time() -> None:
    slow = replace(exchange(200), total_s=1.2345)
    assert slow.evidence.seconds == 1.234
