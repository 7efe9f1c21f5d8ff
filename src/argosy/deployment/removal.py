"""The end of what a deployment made: its endpoint first, then the configs, then the models; nothing without its tag."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from argosy.aws.api import Reader
from argosy.aws.call import Call
from argosy.deployment.endpoint import ARN
from argosy.deployment.endpoint import KEY as ENDPOINT_KEY
from argosy.deployment.ownership import ABSENT, MODEL, Sort, insist, owned, reads_of, tags_call
from argosy.deployment.settling import DELETING, describe_call, described, settled
from argosy.errors import PlanError
from argosy.planning.step import Change, Consent, Kind, Later, Outputs, Risk, Work, output


@dataclass(frozen=True, slots=True)
class RemoveEndpointStep:
    """No endpoint any more.

    Attributes:
        deployment: Its name, and the deployment's.
        region: Where.
    """

    deployment: str
    region: str
    key: str = ENDPOINT_KEY

    def look(self, reader: Reader, known: Outputs) -> Change:
        """Whether it is there.

        Raises:
            AwsError: AWS refuses or does not answer.
            PlanError: Somebody else's has its name.
        """
        found = described(reader, self.region, self.deployment)
        if found:
            insist(reader, self.region, self.deployment, found, ARN)
        kind = Kind.NOTHING if not found else Kind.WAIT if found["EndpointStatus"] == DELETING else Kind.DELETE
        delete = Call("sagemaker", "DeleteEndpoint", self.region, {"EndpointName": self.deployment})
        pattern = f"arn:aws:sagemaker:{self.region}:*:endpoint/{self.deployment.lower()}"
        sentence = f"endpoint {self.deployment} in {self.region} answers nobody any more"
        return Change(
            self.key,
            f"endpoint {self.deployment} in {self.region}",
            kind,
            writes=(delete,) if kind is Kind.DELETE else (),
            reads=(describe_call(self.region, self.deployment), tags_call(self.region, pattern)),
            possible=(delete,),
            consent=Consent(Risk.LOSS, sentence) if kind is Kind.DELETE else None,
        )

    def apply(self, change: Change, work: Work) -> Mapping[str, str]:
        """Delete it when nothing moves any more, and wait until it is gone.

        Raises:
            AwsError: AWS refuses or does not answer.
            PlanError: It is still there.
        """
        if settled(work.api, self.region, self.deployment, work.report):
            for call in change.possible:
                work.api.write(call, ABSENT)
        if found := settled(work.api, self.region, self.deployment, work.report):
            raise PlanError(
                f"the endpoint is {found['EndpointStatus']} and not gone",
                got=found.get("FailureReason"),
                where=f"endpoint {self.deployment}",
                hint=f"argosy destroy {self.deployment}",
            )
        return {}


@dataclass(frozen=True, slots=True)
class RemoveStep:
    """No resources of a sort any more, but for one.

    Attributes:
        sort: Configs or models.
        deployment: Whose.
        region: Where.
        kept: Key of the step whose output `name` names the one that stays; None: none does.
    """

    sort: Sort
    deployment: str
    region: str
    kept: str | None = None

    @property
    def key(self) -> str:
        """Its name in the plan."""
        return f"no {'other ' if self.kept else ''}{self.sort.noun}"

    def look(self, reader: Reader, known: Outputs) -> Change:
        """Which are there. A model stays as long as a transform job may need it.

        Raises:
            AwsError: AWS refuses or does not answer.
        """
        kept = None if self.kept is None else output(known, self.kept, "name")
        reads = reads_of(self.region, self.deployment, self.sort)
        found: list[str] = []
        if not isinstance(kept, Later):
            named = (str(one[self.sort.name]) for one in owned(reader, self.region, self.deployment, self.sort))
            found = [name for name in named if name != kept]
        jobs: Sequence[str] = ()
        if self.sort is MODEL:
            reads = (*reads, self._jobs_call())
            jobs = self._jobs(reader) if found else ()
        gone = () if jobs else tuple(self._delete(name) for name in found)
        notes = (f"kept while transform jobs are under way: {', '.join(jobs)}",) if jobs else ()
        title = f"{'older ' if self.kept else ''}{self.sort.noun}s of {self.deployment} in {self.region}"
        is_final = self.kept is None and bool(gone)
        return Change(
            self.key,
            title,
            Kind.DELETE if gone else Kind.NOTHING,
            writes=gone,
            reads=reads,
            possible=(self._delete(f"{self.deployment}-*"),),
            consent=Consent(Risk.LOSS, f"{title}: {', '.join(found)}") if is_final else None,
            notes=notes,
        )

    def apply(self, change: Change, work: Work) -> Mapping[str, str]:
        """Delete them; they are gone at once.

        Raises:
            AwsError: AWS refuses or does not answer.
        """
        for call in change.writes:
            work.api.write(call, ABSENT)
            work.report(f"{self.sort.noun} {call.parameters[self.sort.name]}: gone")
        return {}

    def _delete(self, name: str) -> Call:
        return Call("sagemaker", self.sort.deletion, self.region, {self.sort.name: name})

    def _jobs_call(self) -> Call:
        wanted = {"NameContains": f"{self.deployment}-", "StatusEquals": "InProgress"}
        return Call("sagemaker", "ListTransformJobs", self.region, wanted)

    def _jobs(self, reader: Reader) -> list[str]:
        """Transform jobs that are under way and may be of this deployment."""
        pages: Any = reader.pages(self._jobs_call())  # Any: JSON of the API
        found = [str(job["TransformJobName"]) for page in pages for job in page.get("TransformJobSummaries", ())]
        return [name for name in found if name.lower().startswith(f"{self.deployment.lower()}-")]
