"""Each server of `tests/projects/starts` has one defect that shows only in a start of its own, and fails its clause."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from argosy.conformance.case import Case
from argosy.conformance.catalogue import ACTS
from argosy.conformance.check import Status
from argosy.conformance.finding import Finding
from argosy.conformance.observing import endpoint, honesty
from argosy.conformance.observing.act import Act, observe
from argosy.conformance.observing.bench import Bench
from argosy.conformance.observing.trial import Trial
from argosy.conformance.probes import invocation
from argosy.conformance.profile import Profile
from argosy.conformance.run import asked_by, judge
from argosy.conformance.scenes.batch import ValidationJob
from argosy.conformance.scenes.endpoint import Invocations, Start
from argosy.conformance.starts import instance, validation
from tests.conformance.servers import SERVERS, Launcher, failed_clauses, of_acts, reasons

Findings = Mapping[str, Finding]

SCRIPTS = SERVERS.parent / "starts"
DEFECTS: Mapping[str, Mapping[str, str]] = {
    Profile.SAGEMAKER: {
        "batch_variables": "batch-start",
        "endpoint_only": "batch-objects",
        "header_line": "batch-records",
        "first_record": "batch-multi-record",
        "shared_rows": "batch-order",
        "whole_bodies": "batch-chunked",
        "bad_record": "batch-bad-record",
        "hesitant": "batch-retries",
        "writes_root": "read-only-root",
        "left_pid_file": "second-start",
    },
    Profile.SERVERLESS: {
        "wants_root": "serverless-user",
        "wants_gpu": "serverless-no-gpu",
        "wants_memory": "serverless-memory",
    },
    Profile.MULTI_MODEL: {
        "models_single": "models-start",
        "models_created": "models-load",
        "models_reload": "models-load-again",
        "models_blind": "models-load-missing",
        "models_first_page": "models-list",
        "models_undescribed": "models-describe",
        "models_uninvoked": "models-invoke",
        "models_bad_request": "models-unknown",
        "models_kept": "models-unload",
    },
    Profile.PIPELINE: {
        "fixed_port": "bind-to-port",
        "second_port": "safe-port-range",
        "unnamed_answers": "response-content-type",
        "numbers_out": "pipeline-hand-over",
    },
}
CLEAN: Mapping[str, str] = dict.fromkeys(DEFECTS, "clean") | {Profile.MULTI_MODEL: "many_models"}


def _play_shortly(bench: Bench, case: Case) -> Case:
    """A start and two invocations, in place of the endpoint's whole life: these servers break nothing there."""
    with Trial(bench) as trial:
        start = trial.start()
        probes = (invocation("application/json", b"[[1, 2]]", "JSON"), invocation("text/csv", b"1,2,3,4\n", "CSV"))
        answers = tuple(trial.send(request) for request in probes) if start.is_healthy else ()
    return Case.of(start, Invocations((), answers))


SHORT = Act("short endpoint", (Start, Invocations), _play_shortly, is_alone=True, needs_healthy=False)
OTHERS = tuple(act for act in ACTS if act not in (endpoint.ACT, honesty.ACT) and not act.is_drill)
SCENES = {scene for act in OTHERS for scene in act.scenes} | {Start, Invocations}


def judge_start(server: str, profile: Profile, model_dir: Path) -> Findings:
    script = SCRIPTS / f"{server}.py" if server != "clean" else SERVERS / "clean.py"
    bench = Bench(
        Launcher(script),
        is_read_only=True,
        model_dir=model_dir,
        has_artifacts=True,
        startup_s=6.0,
        is_offline=lambda container: True,
        is_confined=lambda container: True,
    )
    checks = [check for check in asked_by(profile) if check.scene in SCENES]
    case = observe(bench, (SHORT, *OTHERS), {check.scene for check in checks})
    return {finding.clause.id: finding for finding in judge(case, checks, profile)}


@pytest.fixture(scope="module")
def judged(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[tuple[str, str], "Future[Findings]"]]:
    """The findings of every server that a chosen test asks for; they mostly wait, so some run at once."""
    artifacts = tmp_path_factory.mktemp("model")
    (artifacts / "bias.txt").write_text("0")
    wanted = {(CLEAN[profile], profile) for profile in DEFECTS}
    wanted |= {(server, profile) for profile, defects in DEFECTS.items() for server in defects}
    with ThreadPoolExecutor(8) as pool:
        yield {
            (server, profile): pool.submit(judge_start, server, Profile(profile), artifacts)
            for server, profile in sorted(wanted)
        }


@pytest.mark.parametrize("profile", sorted(DEFECTS))
def test_a_clean_server_fails_nothing(profile: str, judged: Mapping[tuple[str, str], "Future[Findings]"]) -> None:
    findings = judged[CLEAN[profile], profile].result()
    assert failed_clauses(findings) == set(), reasons(findings)
    # Nobody named an instance type or a project; what else these acts play is there to be judged.
    played = of_acts(findings, *(act for act in OTHERS if act not in (instance.ACT, validation.ACT)))
    not_passed = {clause_id: found.status for clause_id, found in played.items() if found.status is not Status.PASS}
    # Processes have this machine's network, all of them.
    shared = {"safe-port-range": Status.UNKNOWN}
    assert not_passed == (shared if profile == Profile.PIPELINE else {})


@pytest.mark.parametrize(
    ("server", "profile"), [(server, profile) for profile, defects in DEFECTS.items() for server in defects]
)
def test_a_defect_fails_exactly_its_own_clause(
    server: str, profile: str, judged: Mapping[tuple[str, str], "Future[Findings]"]
) -> None:
    findings = judged[server, profile].result()
    clause_id = DEFECTS[profile][server]
    assert failed_clauses(findings) == {clause_id}, reasons(findings)
    assert findings[clause_id].verdict.evidence


def test_every_server_is_named_here() -> None:
    named = {server for defects in DEFECTS.values() for server in defects}
    assert {path.stem for path in SCRIPTS.glob("*.py")} == named | {"many_models"}


def test_every_clause_of_these_starts_has_a_server_that_breaks_it_or_a_test_elsewhere() -> None:
    played = SCENES - {Start, Invocations, ValidationJob}
    clauses = {check.clause.id for profile in DEFECTS for check in asked_by(Profile(profile)) if check.scene in played}
    broken = {clause_id for defects in DEFECTS.values() for clause_id in defects.values()}
    # Real limits are in `test_starts_in_sandbox.py`, and three minutes pass on a scene of `test_starts_checks.py`.
    assert clauses - broken == {"instance-type-memory", "instance-type-disk", "serverless-start"}
