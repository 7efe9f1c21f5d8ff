"""A second container, told of a transform job: small jobs over what the first one answered, and a start once more.

The jobs are the simulator's own: it lists, splits, sends, retries and assembles as for `argosy simulate transform`.
"""

import math
import time
from typing import Final

from argosy import media_type
from argosy.conformance import requests
from argosy.conformance.case import Case
from argosy.conformance.observing.act import Act
from argosy.conformance.observing.bench import Bench
from argosy.conformance.observing.trial import Trial
from argosy.conformance.probes import Exchange
from argosy.conformance.scenes.batch import BatchStart, Job, Jobs
from argosy.conformance.scenes.endpoint import Invocations, Start
from argosy.conformance.scenes.starts import SecondStart
from argosy.conformance.starts.jobs import NOT_READY, Plan, is_ready, run
from argosy.contract import BATCH_PAYLOAD_MB, DEFAULT_MAX_PAYLOAD_MB, megabytes
from argosy.simulator.containers.container import Launch
from argosy.simulator.transform.split import BatchStrategy, SplitType

_RECORDS: Final = 4
_AT_ONCE: Final = 4
_ENOUGH_S: Final = 8.0
"""A slow model is spared the jobs that would begin later than this."""

LINE_TYPES: Final = (
    *("text/csv", "application/jsonlines", "application/x-jsonlines", "application/jsonl", "application/x-ndjson"),
    *("text/libsvm", "text/x-libsvm"),
)
"""The media types whose lines are records."""
_GENERIC_RECORDS: Final = tuple(b"%d.0,%d.0,%d.0,%d.0" % (n, n + 1, n + 2, n + 3) for n in range(1, _RECORDS + 1))
"""Like the row of the generic request in CSV, and told apart by any model that looks at its input."""
_VARIABLES: Final = Plan(
    *({}, requests.CSV, 0),
    strategy=BatchStrategy.MULTI_RECORD,
    concurrent=_AT_ONCE,
    max_payload_mb=DEFAULT_MAX_PAYLOAD_MB,
).definition.container_environment


def play(bench: Bench, case: Case) -> Case:
    """Start a container with the variables of a job, run jobs over it, and start it once more.

    Raises:
        EngineError: The container engine is missing or failed.
    """
    first, invocations = case.find(Start), case.find(Invocations)
    if first is None:
        return Case()
    with Trial(bench.patient(first), Launch(environment=_VARIABLES, model_dir=bench.model_dir)) as trial:
        start = trial.start()
        found = Case.of(BatchStart(start, _VARIABLES))
        if not start.is_healthy:
            return found
        if is_ready(trial):
            found = found.joined(Case.of(_jobs(trial, invocations)))
        else:
            found = found.without((Jobs,), NOT_READY)
        kind, second = trial.container.kind, trial.restart() if trial.container.can_restart else None
    return found.joined(Case.of(SecondStart(kind, start, second)))


def _jobs(trial: Trial, invocations: Invocations | None) -> Jobs:
    taken = [exchange for exchange in invocations.all if _is_taken(exchange)] if invocations else []
    if not taken:
        return Jobs(None)
    baseline = taken[0]
    lines = next((exchange for exchange in taken if _has_lines(exchange)), None)
    until = time.monotonic() + _ENOUGH_S
    whole = _again_if_failed(_whole(baseline), trial)
    jobs: dict[str, Job] = {"whole": whole}
    if whole.is_completed:
        jobs |= _of_lines(trial, lines, until, is_sample=invocations is not None and lines in invocations.samples)
        if time.monotonic() < until:
            body = {"chunked": baseline.request.body or b""}
            jobs["chunked"] = run(Plan(body, baseline.request.content_type, 1, max_payload_mb=0), trial.container)
        if time.monotonic() < until:
            jobs["poisoned"] = run(_poisoned(baseline), trial.container)
    return Jobs(baseline, lines, exit_code=trial.container.exit_code(), **jobs)


def _whole(baseline: Exchange) -> Plan:
    body = baseline.request.body or b""
    objects = {"one": body, "below/two": body, "below/three": body}
    return Plan(objects, baseline.request.content_type, 3, max_payload_mb=_room(body))


def _poisoned(baseline: Exchange) -> Plan:
    body = baseline.request.body or b""
    objects = {"1": body, "2": requests.GARBAGE, "3": body}
    return Plan(objects, baseline.request.content_type, 3, max_payload_mb=_room(body))


def _room(body: bytes) -> int:
    """A limit in MB that lets a body pass, whatever the container asks for."""
    return max(DEFAULT_MAX_PAYLOAD_MB, math.ceil(len(body) / megabytes(1)))


def _again_if_failed(plan: Plan, trial: Trial) -> Job:
    """The job, and when it failed once more: a machine that is busy shall be no finding."""
    job = run(plan, trial.container)
    return job if job.is_completed or trial.container.exit_code() is not None else run(plan, trial.container)


def _of_lines(trial: Trial, lines: Exchange | None, until: float, *, is_sample: bool) -> dict[str, Job]:
    """The jobs that divide an object into records, as far as there is time."""
    if lines is None or time.monotonic() >= until:
        return {}
    container, content_type = trial.container, lines.request.content_type
    own = [line for line in (lines.request.body or b"").splitlines() if line.strip()]
    repeated = [own[number % len(own)] for number in range(_RECORDS)]
    records = repeated if is_sample or content_type != requests.CSV else list(_GENERIC_RECORDS)
    single = run(_single(records, content_type), container)
    if not single.is_completed and records != repeated:  # the model may know only some numbers
        records = repeated
        single = run(_single(records, content_type), container)
    jobs = {"single": single}
    if time.monotonic() < until:
        body = b"\n".join(records) + b"\n"
        plan = Plan(
            {"records.gz": body, "more/records.gz": body},
            *(content_type, 2 * _RECORDS, SplitType.LINE, BatchStrategy.MULTI_RECORD),
            is_compressed=True,
        )
        jobs["multiple"] = run(plan, container)
    if single.is_completed and time.monotonic() < until:
        jobs["concurrent"] = run(_single(records, content_type, _AT_ONCE), container)
        if jobs["concurrent"].results != single.results:
            jobs["repeated"] = run(_single(records, content_type), container)
    return jobs


def _single(records: list[bytes], content_type: str, concurrent: int = 1) -> Plan:
    objects = {"records": b"\n".join(records) + b"\n"}
    return Plan(objects, content_type, len(records), SplitType.LINE, BatchStrategy.SINGLE_RECORD, concurrent)


def _is_taken(exchange: Exchange) -> bool:
    return exchange.is_success and len(exchange.request.body or b"") <= megabytes(int(BATCH_PAYLOAD_MB.value))


def _has_lines(exchange: Exchange) -> bool:
    parsed = media_type.parse(exchange.request.content_type)
    return parsed is not None and parsed.essence in LINE_TYPES and bool((exchange.request.body or b"").strip())


ACT: Final = Act("transform jobs", (BatchStart, Jobs, SecondStart), play)
