"""Why a model package has failed: what it says itself, what its transform job says, and the end of that job's log.

The job is known by where it was to write, whatever it is called: the names of such jobs are UNSURE. Where the account
lists no such job, the log streams are read whose names begin with the package's.

Source: SageMaker Developer Guide, "Log groups and streams"; API reference, ListTransformJobs (read 2026-11-23).
"""

from collections.abc import Mapping
from typing import Any, Final

from argosy.aws import logs
from argosy.aws.api import Api
from argosy.aws.call import Call
from argosy.aws.refusals import explain
from argosy.errors import AwsError, PlanError
from argosy.marketplace.model_package import Places, package_name
from argosy.planning.step import Later, Work
from argosy.publishing.registration import described
from argosy.publishing.registration.offering import Offering

_MOST_JOBS: Final = 20


def reads_of_failure(offering: Offering, step: str) -> tuple[Call, ...]:
    """What explaining a failure asks.

    Args:
        offering: Whose package it is.
        step: Key of the step that makes it.
    """
    job = Later(step, "job")
    return (_jobs(offering, {}), _job(offering, job), logs.log_call(offering.region, logs.TRANSFORM_JOBS))


def explained(work: Work, offering: Offering, package: Mapping[str, Any]) -> PlanError:
    """The error of a package that has failed; the end of the log is reported line by line.

    Args:
        work: AWS, and who is told.
        offering: Whose package it is.
        package: As SageMaker describes it. Any: JSON.
    """
    reasons = described.failure_reasons(package)
    name = ""
    try:
        job = _found_job(work.api, offering, package)
        name = str(job["TransformJobName"]) if job is not None else ""
        if job is not None and (reason := job.get("FailureReason")):
            reasons.append(f"transform job {name}: {reason}")
    except AwsError as error:  # the package's own reasons are known, and say more than this
        work.report(f"the transform job cannot be read: {error.message}")
    since_ms = int(package["CreationTime"].timestamp() * 1000) if package.get("CreationTime") else 0
    streams = f"{name}/" if name else package_name(offering.table)
    lines = logs.last_lines(work.api, logs.log_call(offering.region, logs.TRANSFORM_JOBS, streams, since_ms))
    if lines:
        work.report(f"the last lines of {logs.TRANSFORM_JOBS}:")
        for line in lines:
            work.report(f"    {line}")
    known = explain("", " ".join([*reasons, *lines]))
    return PlanError(
        "SageMaker did not accept the model package",
        got="; ".join(reasons) + (f" ({known.cause})" if known.cause else "") or "no reason given",
        where=package.get("ModelPackageArn"),
        hint=f"{known.remedy or 'argosy check .  (it runs the same job here)'}; then raise [marketplace] version, or "
        "argosy register again, which deletes the failed package first",
    )


def _found_job(api: Api, offering: Offering, package: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The latest job that was to write where the validation writes."""
    since = {"CreationTimeAfter": package["CreationTime"]} if package.get("CreationTime") else {}
    results = Places.of(offering.table).results
    answer = api.ask(_jobs(offering, since))
    for listed in answer.get("TransformJobSummaries", ()):
        job: Mapping[str, Any] = api.ask(_job(offering, listed["TransformJobName"]))
        if str(job.get("TransformOutput", {}).get("S3OutputPath", "")).startswith(results.rstrip("/")):
            return job
    return None


def _jobs(offering: Offering, since: Mapping[str, Any]) -> Call:
    wanted = {"SortBy": "CreationTime", "SortOrder": "Descending", "MaxResults": _MOST_JOBS, **since}
    return Call("sagemaker", "ListTransformJobs", offering.region, wanted)


def _job(offering: Offering, name: str | Later) -> Call:
    return Call("sagemaker", "DescribeTransformJob", offering.region, {"TransformJobName": name})
