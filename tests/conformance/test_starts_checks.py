"""The judgements on scenes of further starts that no server of `tests/projects` plays."""

import pytest

from argosy.conformance.case import Case
from argosy.conformance.catalogue import CHECKS
from argosy.conformance.check import SAMPLE, Status
from argosy.conformance.finding import Finding
from argosy.conformance.probes import Exchange
from argosy.conformance.profile import Profile
from argosy.conformance.run import judge
from argosy.conformance.scenes.batch import BatchStart, Job, Jobs, ValidationJob, counted
from argosy.conformance.scenes.endpoint import ExecutionParameters, Invocations, Start
from argosy.conformance.scenes.models import Listing, Loading, ModelInvocations, ModelsStart
from argosy.conformance.scenes.pipeline import HandOver, PipelineStart
from argosy.conformance.scenes.starts import Confined, OnInstance, OtherUser, ReadOnlyRoot, SecondStart
from argosy.simulator.transform.execution_parameters import ExecutionParameters as Resolved
from argosy.simulator.transform.progress import Outcome, Progress
from argosy.simulator.transform.progress import Status as JobStatus
from argosy.simulator.transform.split import BatchStrategy
from tests.conformance.exchanges import exchange, ping_exchange

HEALTHY = Start(limit_s=9.0, accepted_s=0.1, healthy_s=0.2, waited_s=0.2, pings=(ping_exchange(200),))
ENDED = Start(limit_s=9.0, waited_s=0.2, exit_code=1)
WAITING = Start(limit_s=180.0, accepted_s=0.1, waited_s=180.0, pings=(ping_exchange(503),))
UNDERSTOOD = exchange(200, content_type="text/csv", sent=b"1,2\n")
REFUSED = exchange(400)
ASKED = (BatchStart(HEALTHY, {}), Invocations((), (UNDERSTOOD,)))


def finding(clause_id: str, *scenes: object) -> Finding:
    """The finding on one clause; what it builds on holds."""
    case = Case.of(HEALTHY, *scenes)
    (check,) = (check for check in CHECKS if check.clause.id == clause_id)
    (found,) = judge(case, (check,))
    return found


def job(
    *results: bytes, status: JobStatus = JobStatus.COMPLETED, records: int = 4, retries: int = 0, single: bool = False
) -> Job:
    strategy = BatchStrategy.SINGLE_RECORD if single else BatchStrategy.MULTI_RECORD
    progress = Progress(objects=len(results), objects_total=len(results), requests=4 + retries, retries=retries)
    reason = None if status is JobStatus.COMPLETED else "ClientError: See job logs for more information"
    outcome = Outcome(status, reason, progress, 0.1, Resolved(batch_strategy=strategy))
    return Job("a job", records, outcome, {f"{number}.out": result for number, result in enumerate(results, 1)})


FAILED = job(status=JobStatus.FAILED)
FOUR = job(b"1\n2\n3\n4\n")


@pytest.mark.parametrize(
    ("result", "records", "is_certain"),
    [
        (b"", 0, True),
        (b"0.1,0.2\n\n0.3,0.4\n", 2, True),
        (b"[1, 2, 3]", 3, True),
        (b'{"predictions": [[1], [2]]}\n{"predictions": [[3]]}', 3, True),
        (b'{"labels": ["a", "b"], "scores": [1, 2]}', 2, True),
        (b'{"model": {"predictions": [1]}}', 1, True),
        (b'{"labels": ["a"], "scores": [1, 2]}', 1, False),
        (b'{"score": 0.5}\n{"score": 0.6}\n', 2, False),
        (b"\xff\xfe", 1, True),
    ],
)
def test_records_of_an_answer_are_counted(result: bytes, records: int, is_certain: bool) -> None:
    count = counted(result)
    assert (count.records, count.is_certain) == (records, is_certain)


@pytest.mark.parametrize(
    ("clause_id", "jobs", "status"),
    [
        ("batch-objects", Jobs(None), Status.UNKNOWN),
        ("batch-objects", Jobs(UNDERSTOOD, whole=FAILED), Status.FAIL),
        ("batch-objects", Jobs(UNDERSTOOD, whole=FOUR), Status.PASS),
        ("batch-records", Jobs(UNDERSTOOD, whole=FOUR), Status.UNKNOWN),
        ("batch-records", Jobs(UNDERSTOOD, UNDERSTOOD, whole=FOUR, single=FAILED), Status.FAIL),
        ("batch-multi-record", Jobs(UNDERSTOOD, UNDERSTOOD, whole=FOUR, single=FOUR), Status.UNKNOWN),
        ("batch-multi-record", Jobs(UNDERSTOOD, UNDERSTOOD, FOUR, FOUR, job(b"1\n2\n3\n4")), Status.PASS),
        ("batch-multi-record", Jobs(UNDERSTOOD, UNDERSTOOD, FOUR, FOUR, job(b"1\n")), Status.FAIL),
        ("batch-multi-record", Jobs(UNDERSTOOD, UNDERSTOOD, FOUR, FOUR, job(b"1\n2\n3\n")), Status.UNKNOWN),
        ("batch-multi-record", Jobs(UNDERSTOOD, UNDERSTOOD, FOUR, FOUR, job(b'{"score": 1}')), Status.UNKNOWN),
        ("batch-multi-record", Jobs(UNDERSTOOD, UNDERSTOOD, FOUR, FOUR, FAILED), Status.FAIL),
        ("batch-multi-record", Jobs(UNDERSTOOD, UNDERSTOOD, job(b"1", single=True), FOUR, FAILED), Status.PASS),
        ("batch-order", Jobs(UNDERSTOOD, UNDERSTOOD, FOUR, FOUR, concurrent=FOUR), Status.PASS),
        ("batch-order", Jobs(UNDERSTOOD, UNDERSTOOD, FOUR, FOUR, concurrent=FAILED), Status.FAIL),
        (
            "batch-order",
            Jobs(UNDERSTOOD, UNDERSTOOD, FOUR, FOUR, concurrent=job(b"4\n"), repeated=job(b"5\n")),
            Status.UNKNOWN,
        ),
        ("batch-order", Jobs(UNDERSTOOD, UNDERSTOOD, FOUR, FOUR, concurrent=job(b"4\n"), repeated=FOUR), Status.FAIL),
        ("batch-chunked", Jobs(UNDERSTOOD, whole=FOUR), Status.UNKNOWN),
        ("batch-chunked", Jobs(None), Status.UNKNOWN),
        ("batch-bad-record", Jobs(UNDERSTOOD, whole=FOUR, poisoned=job(b"1", b"2", b"3")), Status.PASS),
        ("batch-bad-record", Jobs(UNDERSTOOD, whole=FOUR, poisoned=job(b"1", b"2")), Status.FAIL),
        ("batch-retries", Jobs(UNDERSTOOD, whole=FAILED), Status.SKIP),
        ("batch-retries", Jobs(UNDERSTOOD, whole=job(b"1", retries=1)), Status.UNKNOWN),
        ("batch-retries", Jobs(UNDERSTOOD, whole=job(b"1", retries=2)), Status.FAIL),
        (
            "batch-retries",
            Jobs(UNDERSTOOD, UNDERSTOOD, job(b"1", retries=1), concurrent=job(b"1", retries=1)),
            Status.FAIL,
        ),
    ],
)
def test_jobs_are_judged(clause_id: str, jobs: Jobs, status: Status) -> None:
    assert finding(clause_id, *ASKED, jobs).status is status


@pytest.mark.parametrize("clause_id", ["batch-objects", "batch-records", "batch-order", "batch-chunked"])
def test_jobs_without_a_prediction_ask_for_a_sample(clause_id: str) -> None:
    assert finding(clause_id, *ASKED, Jobs(None)).verdict.decide == SAMPLE


def test_jobs_of_a_slow_model_say_that_it_is_slow() -> None:
    for clause_id in ("batch-records", "batch-multi-record", "batch-order", "batch-chunked", "batch-bad-record"):
        verdict = finding(clause_id, *ASKED, Jobs(UNDERSTOOD, UNDERSTOOD, whole=FOUR)).verdict
        assert (verdict.status, verdict.decide) == (Status.UNKNOWN, "")
        assert "slow" in verdict.reason


def test_jobs_without_lines_tell_which_sample_would_decide() -> None:
    found = finding("batch-records", *ASKED, Jobs(exchange(200), whole=FOUR))
    assert found.verdict.decide == "--sample FILE --content-type text/csv"
    assert "application/json" in found.verdict.reason


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"MaxConcurrentTransforms": 1, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 0}', Status.PASS),
        (b'{"MaxConcurrentTransforms": 0, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6}', Status.FAIL),
        (b'{"MaxConcurrentTransforms": 1, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": -1}', Status.FAIL),
        (b'{"MaxConcurrentTransforms": 20, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6}', Status.FAIL),
        (b'{"MaxConcurrentTransforms": 1, "BatchStrategy": "MultiRecord", "MaxPayloadInMB": 6}', Status.FAIL),
        (b"{}", Status.FAIL),
        (b"garbage", Status.FAIL),
    ],
)
def test_execution_parameters_are_numbers_that_a_job_can_have(body: bytes, status: Status) -> None:
    assert finding("execution-parameters", ExecutionParameters(exchange(200, body))).status is status


@pytest.mark.parametrize("status", [500, None])
def test_execution_parameters_that_fail_are_a_finding(status: int | None) -> None:
    scene = ExecutionParameters(exchange(status, error="" if status else "no answer within 10 s"))
    assert finding("execution-parameters", scene).status is Status.FAIL
    assert finding("execution-parameters", ExecutionParameters(exchange(404))).status is Status.PASS


def confined(start: Start, *log: str, again: int | None = 200, memory: str = "", enforced: bool = True) -> Confined:
    answer = exchange(again) if start.is_healthy else None
    return Confined("sandbox", enforced, HEALTHY, start, UNDERSTOOD, answer, log, memory)


@pytest.mark.parametrize(
    ("scene", "failed"),
    [
        (confined(HEALTHY), set()),
        (confined(HEALTHY, "MemoryError"), set()),
        (confined(HEALTHY, again=500), {"serverless-user"}),
        (confined(ENDED, "Permission denied: '/root/.cache'"), {"serverless-user"}),
        (confined(ENDED), {"serverless-user"}),
        (confined(WAITING), {"serverless-start"}),
        (confined(WAITING, "EACCES: /var/lib/nginx"), {"serverless-user"}),
        (confined(ENDED, "RuntimeError: No CUDA GPUs are available"), {"serverless-no-gpu"}),
        (confined(ENDED, "No CUDA GPUs are available", memory="out of memory"), {"serverless-memory"}),
        (confined(HEALTHY, memory="out of memory, the kernel killed one of its processes"), {"serverless-memory"}),
    ],
)
def test_one_cause_has_one_finding_on_a_serverless_endpoint(scene: Confined, failed: set[str]) -> None:
    case = Case.of(HEALTHY, OtherUser(scene, 54321, 2048, 180.0))
    checks = [check for check in CHECKS if check.scene is OtherUser]
    found = judge(case, checks, Profile.SERVERLESS)
    assert {each.clause.id for each in found if each.status is Status.FAIL} == failed
    assert all(each.status in (Status.FAIL, Status.SKIP, Status.PASS) for each in found)


def test_what_a_process_cannot_be_denied_is_unknown() -> None:
    scene = confined(HEALTHY, enforced=False)
    for clause_id, denied, decide in (
        ("read-only-root", ReadOnlyRoot(scene), "--container sandbox"),
        ("instance-type-memory", OnInstance(scene, "ml.m5.large", 2**33, 30 * 10**9), "--container sandbox"),
        ("instance-type-disk", OnInstance(scene, "ml.m5.large", 2**33, 30 * 10**9), "--container sandbox"),
        ("serverless-user", OtherUser(scene, 54321, 2048, 180.0), "--container docker"),
    ):
        verdict = finding(clause_id, denied).verdict
        assert (verdict.status, verdict.decide) == (Status.UNKNOWN, decide)


@pytest.mark.parametrize(
    ("scene", "memory", "disk"),
    [
        (confined(HEALTHY), Status.PASS, Status.PASS),
        (confined(HEALTHY, "No space left on device"), Status.PASS, Status.PASS),
        (confined(ENDED, memory="out of memory"), Status.FAIL, Status.SKIP),
        (confined(ENDED, "Worker (pid:7) was sent SIGKILL! Perhaps out of memory?"), Status.FAIL, Status.SKIP),
        (confined(ENDED, "OSError: [Errno 28] No space left on device"), Status.SKIP, Status.FAIL),
        (confined(HEALTHY, "ENOSPC: write", again=500), Status.SKIP, Status.FAIL),
        (confined(ENDED), Status.SKIP, Status.SKIP),
    ],
)
def test_what_an_instance_type_lacks_is_told_apart(scene: Confined, memory: Status, disk: Status) -> None:
    there = OnInstance(scene, "ml.m5.large", 2**33, 30 * 10**9, (("gunicorn", 3 * 2**30), ("gunicorn", 2 * 2**30)))
    assert finding("instance-type-memory", there).status is memory
    assert finding("instance-type-disk", there).status is disk
    if memory is Status.FAIL:
        shown = [seen.received for seen in finding("instance-type-memory", there).verdict.evidence]
        assert "2 with 5 GiB together: gunicorn 3 GiB, gunicorn 2 GiB" in shown


def test_a_disk_that_is_not_limited_decides_nothing() -> None:
    docker = Confined("docker", True, HEALTHY, HEALTHY, UNDERSTOOD, UNDERSTOOD)
    assert finding("instance-type-disk", OnInstance(docker, "ml.m5.large", 2**33, 30 * 10**9)).status is Status.UNKNOWN


def test_a_read_only_root_without_a_prediction_decides_nothing() -> None:
    scene = Confined("sandbox", True, HEALTHY, HEALTHY, REFUSED, REFUSED)
    verdict = finding("read-only-root", ReadOnlyRoot(scene)).verdict
    assert (verdict.status, verdict.decide) == (Status.UNKNOWN, SAMPLE)


@pytest.mark.parametrize(("second", "status"), [(HEALTHY, Status.PASS), (ENDED, Status.FAIL), (None, Status.UNKNOWN)])
def test_a_second_start_is_judged(second: Start | None, status: Status) -> None:
    assert finding("second-start", SecondStart("docker", HEALTHY, second)).status is status


@pytest.mark.parametrize(
    ("validation", "status", "results"),
    [
        (ValidationJob(HEALTHY, refusal="MaxPayloadInMB is out of range"), Status.FAIL, Status.SKIP),
        (ValidationJob(ENDED), Status.FAIL, Status.SKIP),
        (ValidationJob(HEALTHY, FAILED), Status.FAIL, Status.SKIP),
        (ValidationJob(HEALTHY, job(b"1", b" \n")), Status.FAIL, Status.SKIP),
        (ValidationJob(HEALTHY, job(b"1")), Status.PASS, Status.SKIP),
        (ValidationJob(HEALTHY, job(b"0.33333331\n"), expected={"1.out": b"0.3333333"}), Status.PASS, Status.PASS),
        (ValidationJob(HEALTHY, job(b"0.5"), expected={"1.out": b"0.3333333"}), Status.PASS, Status.FAIL),
        (ValidationJob(HEALTHY, job(b"a b"), expected={"1.out": b"a"}), Status.PASS, Status.FAIL),
        (ValidationJob(HEALTHY, job(b"a"), expected={"2.out": b"a"}), Status.PASS, Status.FAIL),
    ],
)
def test_the_validation_s_job_is_judged(validation: ValidationJob, status: Status, results: Status) -> None:
    case = Case.of(HEALTHY, validation)
    found = judge(case, [check for check in CHECKS if check.scene is ValidationJob], Profile.MARKETPLACE)
    assert found[0].status is status
    assert found[1].status is results


def test_a_second_model_for_which_there_is_no_memory_is_honest() -> None:
    loads = (exchange(200), exchange(507))
    scene = Loading(("a", "b"), loads, exchange(409), exchange(400))
    assert finding("models-load", ModelsStart(HEALTHY), scene).status is Status.PASS


@pytest.mark.parametrize("body", [b"[]", b"nothing", b'{"models": "a, b"}', b'{"models": [{"name": "a"}]}'])
def test_a_list_of_models_has_their_names(body: bytes) -> None:
    scene = Listing(("a", "b"), (exchange(200, body),), exchange(200))
    assert finding("models-list", scene).status is Status.FAIL


@pytest.mark.parametrize(
    ("samples", "probes", "status"),
    [
        ((), (exchange(404), exchange(405)), Status.FAIL),
        ((), (exchange(400), exchange(415)), Status.UNKNOWN),
        ((), (exchange(400), exchange(200)), Status.PASS),
        ((exchange(400),), (exchange(400),), Status.FAIL),
    ],
)
def test_a_model_is_invoked(samples: tuple[Exchange, ...], probes: tuple[Exchange, ...], status: Status) -> None:
    scene = ModelInvocations(Invocations(samples, probes))
    assert finding("models-invoke", scene).status is status


def test_two_containers_that_have_no_network_in_common_decide_nothing() -> None:
    scene = PipelineStart("podman", ("1", "2"), ("3-4", "5-6"), HEALTHY, HEALTHY, shares_network=False)
    assert finding("safe-port-range", scene).status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("answer", "following", "status"),
    [
        (exchange(200), exchange(200), Status.PASS),
        (exchange(200), exchange(400), Status.PASS),
        (exchange(200), exchange(415), Status.FAIL),
        (exchange(200), exchange(500), Status.FAIL),
        (exchange(200), None, Status.UNKNOWN),
        (exchange(503), None, Status.UNKNOWN),
    ],
)
def test_what_is_handed_over_is_judged(answer: Exchange, following: Exchange | None, status: Status) -> None:
    assert finding("pipeline-hand-over", HandOver(answer, following)).status is status
