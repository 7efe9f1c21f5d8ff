"""A transform job: its name is made of all that it does, so that a run after one that was killed finds it again.

Source: API reference of SageMaker, CreateTransformJob and DescribeTransformJob: a name is taken for good (read
2026-11-23).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from argosy.aws import logs
from argosy.aws.api import Reader
from argosy.aws.call import Call
from argosy.aws.refusals import explain
from argosy.deployment import quotas
from argosy.deployment.batch.place import Uri, list_call, listed, uri
from argosy.deployment.batch.source import KEY as INPUT_KEY
from argosy.deployment.making import make_on_instances
from argosy.deployment.names import name_of
from argosy.deployment.ownership import tags
from argosy.deployment.package import MODEL_KEY, instance_type, supported
from argosy.deployment.purchase.prices import cost
from argosy.deployment.purchase.terms import TRANSFORM
from argosy.errors import PlanError
from argosy.planning.polling import Telling, poll
from argosy.planning.step import Change, Consent, Kind, Later, Outputs, Risk, Work, output, resolved

KEY: Final = "job"
_ABSENT: Final = ("ValidationException", "ResourceNotFound")
_UNDER_WAY: Final = frozenset({"InProgress", "Stopping"})
_MOST_ATTEMPTS: Final = 99
_LIMIT_S: Final = 28 * 24 * 3600.0
_OUT: Final = ".out"
_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Resources:
    """What a job runs on: the instance type, None for the package's own, and how many."""

    type: str | None
    count: int = 1


@dataclass(frozen=True, slots=True)
class JobStep:
    """One job, Completed.

    Attributes:
        deployment: Whose it is.
        region: Where.
        resources: On what.
        request: The rest of the request, without names and places. Any: JSON.
        target: Where results go; where they are staged, each job has a folder of its own there.
        is_staged: Whether they are staged.
    """

    deployment: str
    region: str
    resources: Resources
    request: Mapping[str, Any]
    target: Uri
    is_staged: bool
    key: str = KEY

    def look(self, reader: Reader, known: Outputs) -> Change:
        """Whether this very job was done, or is under way; one that failed is followed by another.

        Raises:
            AwsError: AWS refuses or does not answer.
            PlanError: The package does not run on the instance type, or it has failed too often.
        """
        kind = instance_type(known, TRANSFORM, self.resources.type)
        digest = output(known, INPUT_KEY, "digest")
        model = output(known, MODEL_KEY, "name")
        if isinstance(digest, Later) or isinstance(kind, Later) or isinstance(model, Later):
            name, found = f"{self.deployment}-*", None
        else:
            content = [model, kind, self.resources.count, dict(self.request), known[INPUT_KEY]["uri"], digest]
            name, found = self._find(reader, name_of(self.deployment, [*content, str(self.target)]))
        place = self._place(name)
        status = found["TransformJobStatus"] if found else None
        due = Kind.CREATE if status is None else Kind.WAIT if status in _UNDER_WAY else Kind.NOTHING
        call = self._create(name, model, kind, output(known, INPUT_KEY, "uri"))
        consent = Consent(Risk.COST, f"transform job {name}, {cost(known, TRANSFORM, kind, self.resources.count)}")
        return Change(
            KEY,
            f"transform job {name} in {self.region}",
            due,
            writes=(call,) if due is Kind.CREATE else (),
            reads=(self._describe(name), self._log(name), list_call(self.region, place), *self._input_reads(known)),
            consent=consent if due is Kind.CREATE else None,
            outputs={"name": name, "results": str(place)},
        )

    def apply(self, change: Change, work: Work) -> Mapping[str, str]:
        """Begin it, and wait until it has ended.

        Raises:
            AwsError: AWS refuses, as where a quota is used up, or does not answer.
            PlanError: It failed, or was stopped.
        """
        name = change.outputs["name"]
        for call in change.writes:
            self._write(Call(call.service, call.operation, call.region, resolved(call.parameters, work.known)), work)
        hint = f"aws sagemaker stop-transform-job --region {self.region} --transform-job-name {name}"
        work.report(f"transform job {name} is under way; Ctrl-C does not end it, this does: {hint}")
        telling = Telling(work.report)
        found = poll(lambda: self._seen(name, work, telling), _is_over, f"transform job {name}", _LIMIT_S)
        if found["TransformJobStatus"] != "Completed":
            self._fail(name, found, work)
        return change.outputs

    def _find(self, reader: Reader, first: str) -> tuple[str, Any]:
        """The name to take, and the job that has it already, unless it failed. Any: JSON of the API."""
        for attempt in range(1, _MOST_ATTEMPTS + 1):
            name = first + (f"-{attempt}" if attempt > 1 else "")
            found = reader.ask(self._describe(name), _ABSENT)
            if not found:
                return name, None
            if found["TransformJobStatus"] not in ("Failed", "Stopped"):
                return name, found
        raise PlanError("this job has failed too often", got=_MOST_ATTEMPTS, where=self.deployment)

    def _place(self, name: str) -> Uri:
        return self.target.below(name, "output") if self.is_staged else self.target

    def _create(self, name: str, model: str | Later, kind: str | Later, source: str | Later) -> Call:
        given = {**self.request["TransformInput"]}
        data = {"S3DataSource": {**given.pop("S3DataSource"), "S3Uri": source}}
        target = {**self.request["TransformOutput"], "S3OutputPath": str(self._place(name))}
        request = {
            **self.request,
            "TransformJobName": name,
            "ModelName": model,
            "TransformInput": {"DataSource": data, **given},
            "TransformOutput": target,
            "TransformResources": {"InstanceType": kind, "InstanceCount": self.resources.count},
            "Tags": tags(self.deployment),
        }
        return Call("sagemaker", "CreateTransformJob", self.region, request)

    def _describe(self, name: str) -> Call:
        return Call("sagemaker", "DescribeTransformJob", self.region, {"TransformJobName": name})

    def _log(self, name: str) -> Call:
        return logs.log_call(self.region, logs.TRANSFORM_JOBS, f"{name}/")

    def _input_reads(self, known: Outputs) -> tuple[Call, ...]:
        source = output(known, INPUT_KEY, "uri")
        listing = () if isinstance(source, Later) else (list_call(self.region, uri(source)),)
        return (*listing, quotas.quotas_call(self.region))

    def _write(self, call: Call, work: Work) -> None:
        make_on_instances(work.api, call, lambda: self._advice(work))

    def _advice(self, work: Work) -> str:
        return quotas.advice(work.api, self.region, quotas.TRANSFORM_JOB, supported(work.known, TRANSFORM))

    def _seen(self, name: str, work: Work, telling: Telling) -> Any:
        """The job, whose progress is told. Any: JSON of the API."""
        found: Any = work.api.ask(self._describe(name))
        done = sum(one.name.endswith(_OUT) for one in listed(work.api, self.region, self._place(name)) or ())
        telling.tell(f"transform job {name}: {found['TransformJobStatus']}, {done} results")
        return found

    def _fail(self, name: str, found: Any, work: Work) -> NoReturn:
        """Tell why: AWS's reason, what that means, the log's last lines, the objects without a result. Any: JSON."""
        reason = str(found.get("FailureReason") or "AWS gives no reason")
        for line in logs.last_lines(work.api, self._log(name)):
            work.report(f"log: {line}")
        refusal = explain("AlgorithmError" if "AlgorithmError" in reason else "TransformJobFailed", reason)
        failed = self._failed_objects(name, work)
        shown = ", ".join(failed[:_SHOWN]) + (f" and {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else "")
        hint = self._advice(work) if quotas.is_shortage(reason) else refusal.remedy
        status = found["TransformJobStatus"]
        raise PlanError(
            f"the transform job is {status}" + (f"; without a result: {shown}" if failed else ""),
            got=f"{refusal.sentence}{f' ({refusal.cause})' if refusal.cause else ''}",
            where=f"transform job {name}",
            hint="; ".join(one for one in (hint, f"the other results are at {self._place(name)}") if one),
        )

    def _failed_objects(self, name: str, work: Work) -> Sequence[str]:
        """The objects of the input that have no result."""
        there = {one.name for one in listed(work.api, self.region, self._place(name)) or ()}
        source = listed(work.api, self.region, uri(work.known[INPUT_KEY]["uri"])) or ()
        return [one.name for one in source if f"{one.name}{_OUT}" not in there]


def _is_over(found: Any) -> bool:
    return found["TransformJobStatus"] not in _UNDER_WAY
