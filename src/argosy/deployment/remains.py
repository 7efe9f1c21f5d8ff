"""What still costs money, or does not, when a deployment is gone: read, and told."""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from argosy.aws.api import Reader
from argosy.aws.call import Call
from argosy.deployment.endpoint import ARN
from argosy.deployment.ownership import owner, tags_call
from argosy.deployment.purchase import agreements
from argosy.errors import AwsError
from argosy.planning.step import Change, Kind, Outputs, Work

KEY: Final = "remains"
_MOST: Final = 100
"""Endpoints and jobs that are looked at: each takes a call or two."""

_S3: Final = re.compile(r"s3://(?P<bucket>[^/]+)/?(?P<prefix>.*)")


@dataclass(frozen=True, slots=True)
class RemainsStep:
    """Tells of other endpoints, of results in S3, and of subscriptions; what cannot be read is told as unknown.

    Attributes:
        deployment: The one that goes.
        region: Where.
    """

    deployment: str
    region: str
    key: str = KEY

    def look(self, reader: Reader, known: Outputs) -> Change:
        """Sentences, as notes and as outputs."""
        lines: list[str] = []
        for subject, sentences in (
            ("other endpoints", self._endpoints),
            ("results of transform jobs", self._results),
            ("subscriptions", self._subscriptions),
        ):
            try:
                lines += sentences(reader)
            except AwsError as error:
                lines.append(f"{subject}: not known, {error.message}")
        outputs = {str(number): line for number, line in enumerate(lines, start=1)}
        title = f"what is left beside {self.deployment}"
        return Change(KEY, title, Kind.NOTHING, reads=self._reads(), notes=tuple(lines), outputs=outputs)

    def apply(self, change: Change, work: Work) -> Mapping[str, str]:
        """Nothing: it is read only."""
        return {}

    def _reads(self) -> tuple[Call, ...]:
        arns = f"arn:aws:sagemaker:{self.region}:*"
        return (
            self._call("ListEndpoints", {}),
            tags_call(self.region, f"{arns}:endpoint/*"),
            self._jobs_call(),
            tags_call(self.region, f"{arns}:transform-job/{self.deployment.lower()}-*"),
            self._call("DescribeTransformJob", {"TransformJobName": f"{self.deployment}-*"}),
            Call("s3", "ListObjectsV2", self.region, {"Bucket": "*", "Prefix": ""}),
            agreements.search_call("ResourceType", "MachineLearningProduct"),
        )

    def _endpoints(self, reader: Reader) -> Iterator[str]:
        """Other deployments' endpoints, which are billed by the hour."""
        others = []
        for number, found in enumerate(_items(reader, self._call("ListEndpoints", {}), "Endpoints")):
            if number == _MOST:
                yield f"other endpoints: only the first {_MOST} were looked at"
                break
            name = str(found["EndpointName"])
            if name != self.deployment and owner(reader, self.region, str(found[ARN])) is not None:
                others.append(name)
        for name in others:
            yield f"costs by the hour: endpoint {name} in {self.region} (argosy destroy {name} --region {self.region})"
        if not others:
            yield f"costs nothing: no other endpoint of argosy's is in {self.region}"

    def _results(self, reader: Reader) -> Iterator[str]:
        """Where this deployment's transform jobs wrote, and how much is there."""
        places: dict[str, None] = {}
        for number, found in enumerate(_items(reader, self._jobs_call(), "TransformJobSummaries")):
            name = str(found["TransformJobName"])
            if number == _MOST:
                yield f"results of transform jobs: only the newest {_MOST} jobs were looked at"
                break
            if owner(reader, self.region, str(found["TransformJobArn"])) != self.deployment:
                continue
            job: Any = reader.ask(self._call("DescribeTransformJob", {"TransformJobName": name}))
            places[str(job["TransformOutput"]["S3OutputPath"])] = None
            source = str(job["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"])
            if self._is_staged(source):
                places[source] = None
        for place in places:
            named = _S3.fullmatch(place)
            if named is None:
                continue
            wanted = {"Bucket": named["bucket"], "Prefix": named["prefix"]}
            listed = _items(reader, Call("s3", "ListObjectsV2", self.region, wanted), "Contents")
            sizes = [int(one["Size"]) for one in listed]
            if sizes:
                amount = f"{len(sizes)} objects, {sum(sizes) / 1e6:.1f} MB, at {place}"
                how = (
                    f"aws s3 rm --recursive {shlex.quote(place)}"
                    if self._is_staged(place)
                    else "results, and whatever else is there"
                )
                yield f"costs by the month: {amount} ({how})"

    def _is_staged(self, place: str) -> bool:
        """Whether `argosy transform` chose a place by itself, so that nobody else's objects are there."""
        name = re.escape(self.deployment)
        return re.search(rf"/{name}/({name}-[0-9a-f]+(-\d+)?/output|[0-9a-f]{{32}}/input)/$", place) is not None

    def _subscriptions(self, reader: Reader) -> Iterator[str]:
        """Products that this account may use."""
        call = agreements.search_call("ResourceType", "MachineLearningProduct")
        for found in _items(reader, call, "agreementViewSummaries"):
            if found.get("status") == "ACTIVE":
                products = [str(one.get("id")) for one in found.get("proposalSummary", {}).get("resources", ())]
                yield (
                    f"kept: the subscription to {', '.join(products)} ({found['agreementId']}); where use is paid "
                    "for, it costs nothing by itself"
                )

    def _call(self, operation: str, parameters: Mapping[str, Any]) -> Call:
        return Call("sagemaker", operation, self.region, parameters)

    def _jobs_call(self) -> Call:
        wanted = {"NameContains": f"{self.deployment}-", "SortBy": "CreationTime", "SortOrder": "Descending"}
        return self._call("ListTransformJobs", wanted)


def _items(reader: Reader, call: Call, member: str) -> Iterator[Any]:
    """What a listing lists. Any: JSON of the API."""
    for page in reader.pages(call):
        yield from page.get(member, ())
