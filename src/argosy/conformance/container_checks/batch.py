"""Transform jobs: the container starts for them, takes what they send, and one bad record costs one object."""

import json
from typing import Any, Final

from argosy.conformance.check import SAMPLE, Check, Evidence, Group, Verdict, failed, passed, skipped, unknown
from argosy.conformance.clause import fact, must, should
from argosy.conformance.container_checks.startup import endings
from argosy.conformance.scenes.batch import BatchStart, Jobs
from argosy.conformance.scenes.endpoint import ExecutionParameters
from argosy.conformance.sources import MODEL_PACKAGE_IMAGES
from argosy.contract import BATCH_PAGE, BATCH_PAYLOAD_MB, BATCH_TRANSFORM_PAGE, CREATE_TRANSFORM_JOB
from argosy.simulator.transform.split import BatchStrategy

_STRATEGIES: Final = tuple(BatchStrategy.__members__)
_RECORD_SAMPLE: Final = "--sample FILE --content-type text/csv"


def _start(batch: BatchStart) -> Verdict:
    start, told = batch.start, ", ".join(f"{name}={value}" for name, value in sorted(batch.variables.items()))
    if not start.is_healthy:
        sent = Evidence("start", f"with {told}")
        return failed(
            "it gets healthy without the variables of a transform job, and not with them", sent, *endings(start)
        )
    return passed(f"200 after {start.healthy_s:.1f} s with {told}")


def _execution_parameters(parameters: ExecutionParameters) -> Verdict:
    exchange = parameters.exchange
    if exchange.status in (404, 405):
        return passed(f"{exchange.status}: the defaults hold")
    if exchange.status != 200:
        return failed(f"got {exchange.status or exchange.error}, want 200 or 404", exchange.evidence)
    try:
        answer = json.loads(exchange.body)
    except ValueError:
        return failed("200, but not JSON", exchange.evidence)
    match answer:
        case {"MaxConcurrentTransforms": int(count), "BatchStrategy": str(strategy), "MaxPayloadInMB": int(payload)}:
            if strategy not in _STRATEGIES:
                return failed(f"BatchStrategy is `{strategy}`, want one of {', '.join(_STRATEGIES)}", exchange.evidence)
            if count < 1 or payload < 0:
                return failed(f"{count} at once and {payload} MB are no numbers of a job", exchange.evidence)
            if count * payload > BATCH_PAYLOAD_MB.value:
                return failed(f"{count} times {payload} MB is more than 100 MB", exchange.evidence)
            return passed(f"{count} at once, {strategy}, {payload} MB")
    return failed("200, but not with the three fields", exchange.evidence)


def _objects(jobs: Jobs) -> Verdict:
    job = jobs.whole
    if job is None:
        return _untried(jobs)
    if job.is_completed:
        return passed(f"{len(job.results)} objects, {len(job.results)} results", job.evidence)
    reason = job.outcome.failure_reason or str(job.outcome.status)
    return failed(f"what an endpoint answered with 2xx fails in a transform job: {reason}", job.evidence)


def _records(jobs: Jobs) -> Verdict:
    job = jobs.single
    if job is None:
        return _not_divided(jobs)
    if not job.is_completed:
        return failed("a line alone is refused; a header line is a record like any other", job.evidence)
    return passed(f"{job.records} lines, each in a request of its own, are answered", job.evidence)


def _many(jobs: Jobs) -> Verdict:
    job = jobs.multiple
    if job is None or jobs.single is None:
        return _not_divided(jobs)
    if _asks_for_single(jobs):
        return passed("/execution-parameters asks for SINGLE_RECORD, so no request has several")
    if not job.is_completed:
        return failed("requests with several records are refused, and they are the default of a job", job.evidence)
    alone, together = jobs.single.answers, job.answers
    per_record = alone.records / jobs.single.records
    if together.records in (job.records, per_record * job.records):
        return passed(f"{job.records} records in {len(job.results)} requests have {together.records} answers")
    sentence = f"{job.records} records in {len(job.results)} requests have {together.records} answers"
    if alone.is_certain and together.is_certain and together.records <= len(job.results) * per_record:
        return failed(f"{sentence}: only one of each request is answered", job.evidence)
    return unknown(f"{sentence}, one alone has {per_record:g}: the form of the answers does not tell", job.evidence)


def _order(jobs: Jobs) -> Verdict:
    alone, beside = jobs.single, jobs.concurrent
    if alone is None or beside is None:
        return _not_divided(jobs)
    if not beside.is_completed:
        return failed("four requests at a time fail, one after the other they do not", beside.evidence)
    if beside.results == alone.results:
        return passed("four requests at a time are answered as one after the other")
    if jobs.repeated is None or jobs.repeated.results != alone.results:
        return unknown("one after the other, the same requests have other answers each time")
    first, second = (next(iter(job.results.values()), b"")[:160].decode(errors="replace") for job in (alone, beside))
    differing = Evidence("the same job, one request after the other", first), Evidence("four at a time", second)
    return failed("four requests at a time have other answers than one after the other", *differing)


def _chunked(jobs: Jobs) -> Verdict:
    job = jobs.chunked
    if job is None:
        return _untried(jobs)
    if not job.is_completed:
        return failed("a body in chunks, without Content-Length, is not understood", job.evidence)
    return passed("a body in chunks is answered as one with Content-Length", job.evidence)


def _bad_record(jobs: Jobs) -> Verdict:
    job = jobs.poisoned
    if job is None:
        return _untried(jobs)
    lost = [key for key in ("1", "3") if f"{key}.out" not in job.results]
    if lost:
        end = f"; the container ended with exit code {jobs.exit_code}" if jobs.exit_code is not None else ""
        return failed(f"one bad object of three costs {len(lost)} good ones their results{end}", job.evidence)
    if job.is_completed:
        return passed(
            "bytes that nobody understands have an answer with 2xx, the other objects have theirs", job.evidence
        )
    return passed("the bad object fails, and with it the job; the other objects keep their results", job.evidence)


def _retries(jobs: Jobs) -> Verdict:
    completed = [
        job
        for job in (jobs.whole, jobs.single, jobs.multiple, jobs.concurrent, jobs.chunked)
        if job is not None and job.is_completed
    ]
    if not completed:
        return skipped("no job was completed")
    repeated = [job for job in completed if job.outcome.progress.retries]
    requests = sum(job.outcome.progress.requests for job in completed)
    if repeated:
        return failed(
            "a request failed at first, and was answered when it was repeated", *(job.evidence for job in repeated)
        )
    return passed(f"{requests} requests, each answered at once")


def _asks_for_single(jobs: Jobs) -> bool:
    parameters = jobs.whole.outcome.parameters if jobs.whole else None
    return parameters is not None and parameters.batch_strategy is BatchStrategy.SINGLE_RECORD


def _not_divided(jobs: Jobs) -> Verdict:
    """The verdict where no object was divided into lines."""
    if jobs.baseline is None or jobs.lines is not None:
        is_refused = jobs.single is not None and not jobs.single.is_completed
        return unknown("a line alone is refused: see batch-records") if is_refused else _untried(jobs)
    taken = jobs.baseline.request.content_type
    return unknown(f"{taken} is answered with 2xx, and no media type whose lines are records", decide=_RECORD_SAMPLE)


def _untried(jobs: Jobs) -> Verdict:
    """The verdict on what no job was run for."""
    if jobs.baseline is None:
        return unknown("no request was answered with 2xx, so nothing is known that a job could send", decide=SAMPLE)
    return unknown("the model is slow: there was no time for it")


_PARAMETERS: Final[Group[ExecutionParameters]] = Group(
    "transform jobs", ExecutionParameters, needs=("start-healthy",), causes=("ping-any-host",)
)
_BATCH_START: Final[Group[BatchStart]] = Group("transform jobs", BatchStart, needs=("start-healthy",))
# A server that a bad body ends loses the good ones that come after it, too.
_JOBS: Final[Group[Jobs]] = Group(
    "transform jobs", Jobs, needs=("batch-start", "invocations"), causes=("error-survival",)
)

CHECKS: Final[tuple[Check[Any], ...]] = (  # three scene types, hence Any
    _PARAMETERS.check(
        should(
            "execution-parameters",
            BATCH_PAGE,
            "GET /execution-parameters is 404, or JSON whose"
            " MaxConcurrentTransforms times MaxPayloadInMB is at most 100.",
            'answer {"MaxConcurrentTransforms": 1, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6}, or 404',
            rows="C17 B01 L02",
        ),
        _execution_parameters,
    ),
    _BATCH_START.check(
        should(
            "batch-start",
            BATCH_PAGE,
            "The container starts with the variables of a transform job (SAGEMAKER_BATCH and others) and without.",
            "read SAGEMAKER_BATCH, SAGEMAKER_MAX_PAYLOAD_IN_MB, SAGEMAKER_BATCH_STRATEGY and"
            " SAGEMAKER_MAX_CONCURRENT_TRANSFORMS with defaults, or not at all",
            rows="C18 B02",
        ),
        _start,
    ),
    _JOBS.check(
        must(
            "batch-objects",
            MODEL_PACKAGE_IMAGES,
            "What an endpoint answers with 2xx, a transform job gets a result for.",
            "serve transform jobs with the same code as endpoints: they send no Accept unless told, Host"
            " 169.254.255.131:8080, and every object under a key as a request of its own",
            rows="C08 B03 V07",
        ),
        _objects,
        "invocation-headers",
        "ping-any-host",
        causes=("invocation-any-host",),
    ),
    _JOBS.check(
        should(
            "batch-records",
            CREATE_TRANSFORM_JOB,
            "Each line of an object can be sent by itself (SplitType Line, BatchStrategy SingleRecord).",
            "take a body of one line, with its newline and without; a job knows no header line",
            rows="B03",
        ),
        _records,
        "batch-objects",
    ),
    _JOBS.check(
        should(
            "batch-multi-record",
            CREATE_TRANSFORM_JOB,
            "A request with several lines has an answer for each, unless /execution-parameters asks for SINGLE_RECORD.",
            'predict each line of the body, or answer /execution-parameters with "BatchStrategy": "SINGLE_RECORD"',
            rows="B03",
        ),
        _many,
        "batch-records",
    ),
    _JOBS.check(
        should(
            "batch-order",
            BATCH_PAGE,
            "Requests at the same time (MaxConcurrentTransforms) are answered each with its own answer.",
            "keep nothing of a request where another one can see it; lock what is not safe for threads",
            rows="B05 C21",
        ),
        _order,
        "batch-records",
    ),
    _JOBS.check(
        should(
            "batch-chunked",
            CREATE_TRANSFORM_JOB,
            "A body in chunks is understood: a job with MaxPayloadInMB 0 sends no other.",
            "read Transfer-Encoding: chunked (gunicorn, uvicorn and nginx do; http.server does not)",
            rows="B04",
        ),
        _chunked,
        "batch-objects",
    ),
    _JOBS.check(
        should(
            "batch-bad-record",
            BATCH_TRANSFORM_PAGE,
            "An object that makes no sense costs the others nothing.",
            "answer a body that makes no sense with 4xx, and go on; never end the process",
            rows="B07 F29",
        ),
        _bad_record,
        "batch-objects",
    ),
    _JOBS.check(
        fact(
            "batch-retries",
            CREATE_TRANSFORM_JOB,
            "No request of a transform job has to be repeated.",
            "look in the log for what failed the first time: a job repeats a request 3 times at most",
            rows="B06",
        ),
        _retries,
        "batch-objects",
    ),
)
