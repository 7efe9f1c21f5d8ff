"""The model package: made once, waited for until SageMaker has validated it, and never changed.

Source: SageMaker API reference, CreateModelPackage and DeleteModelPackage; AWS Marketplace seller guide, "Creating your
Amazon SageMaker resource" (read 2026-11-23). A name is taken until the package is deleted, also when it has failed. The
same ClientToken with the same request is the same package, so that a request whose answer was lost can be sent again.
UNSURE whether the token of a deleted package makes a new one: the token of one that takes its place is another.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from argosy.aws.api import Reader
from argosy.aws.call import Call
from argosy.marketplace.model_package import create_request, package_name, recommended
from argosy.planning.polling import Telling, poll
from argosy.planning.step import Change, Consent, Kind, Obstacle, Outputs, Risk, Work, output, resolved
from argosy.publishing.registration import described
from argosy.publishing.registration.failed_validation import explained, reads_of_failure
from argosy.publishing.registration.offering import Offering

_REPLACES: Final = "replaces"
_LONGEST_TOKEN: Final = 36
_VALIDATION_LIMIT_S: Final = 6 * 3600.0
_DELETION_LIMIT_S: Final = 900.0
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class ModelPackage:
    """The package; gives its `arn`, and the `image` that it is made of.

    Attributes:
        offering: What is brought.
    """

    offering: Offering

    @property
    def key(self) -> str:
        """See `Step`."""
        return self.offering.key("package")

    def look(self, reader: Reader, known: Outputs) -> Change:
        """See `Step`.

        Raises:
            AwsError: AWS refuses or does not answer.
        """
        title = f"model package {self._name} in {self.offering.region}"
        asked, request = described.describe(self.offering), self._request(known)
        reads = (asked, *reads_of_failure(self.offering, self.key))
        create = self._call("CreateModelPackage", **request)
        found = described.found_package(reader, self.offering)
        if found is None:
            return Change(self.key, title, Kind.CREATE, (create,), reads, consent=self._cost())
        now = described.status(found)
        if now == described.DELETING:
            notes = ("one of this name is being deleted, which is waited for",)
            return Change(self.key, title, Kind.CREATE, (create,), reads, consent=self._cost(), notes=notes)
        if now == described.FAILED:
            return self._replaced(title, found, create, reads)
        outputs = self._outputs(found)
        if fault := self._fault(request, found):
            return Change(self.key, title, Kind.NOTHING, reads=(asked,), outputs=outputs, obstacle=fault)
        if now == described.COMPLETED:
            return Change(self.key, title, Kind.NOTHING, reads=(asked,), outputs=outputs)
        return Change(self.key, title, Kind.WAIT, reads=reads, notes=(described.progress(found),), outputs=outputs)

    def apply(self, change: Change, work: Work) -> Mapping[str, str]:
        """See `Step`.

        Raises:
            AwsError: AWS refuses or does not answer.
            PlanError: SageMaker did not accept the package, or is not done with it after hours.
        """
        if change.kind is not Kind.WAIT:
            self._create(change.writes[-1], work, self._clear_name(change, work))
        telling = Telling(work.report)

        def seen() -> Mapping[str, Any] | None:
            package = described.found_package(work.api, self.offering)
            if package is not None:
                telling.tell(f"{change.title}: {described.progress(package)}")
            return package

        over = (described.COMPLETED, described.FAILED)
        package = poll(
            seen, lambda one: one is not None and described.status(one) in over, change.title, _VALIDATION_LIMIT_S
        )
        outputs = self._outputs(package or {})
        work.note(outputs)
        if described.status(package or {}) == described.FAILED:
            raise explained(work, self.offering, package or {})
        return {**outputs, _REPLACES: ""}

    @property
    def _name(self) -> str:
        return package_name(self.offering.table)

    def _request(self, known: Outputs) -> dict[str, Any]:
        """The request; the image is known once it is known whose account it is. Any: JSON."""
        image = output(known, self.offering.key("image"), "reference")
        has_archive = self.offering.archive is not None
        request = create_request(self.offering.table, self.offering.types, str(image), has_archive)
        request["InferenceSpecification"]["Containers"][0]["Image"] = image
        return request

    def _replaced(self, title: str, found: Mapping[str, Any], create: Call, reads: tuple[Call, ...]) -> Change:
        """What is done about a package that has failed: its name is taken until it is deleted."""
        why = described.failure_reasons(found) or ["no reason given"]
        sentence = f"deletes {title}, which has failed ({why[0]}), and makes it again; {self._cost().sentence}"
        delete = self._call("DeleteModelPackage", ModelPackageName=self._name)
        notes = tuple(f"it has failed: {reason}" for reason in why)
        return Change(self.key, title, Kind.UPDATE, (delete, create), reads, found, Consent(Risk.LOSS, sentence), notes)

    def _clear_name(self, change: Change, work: Work) -> str:
        """Delete a failed package and wait until the name is free; when the package was made whose place is taken."""
        found = described.found_package(work.api, self.offering)
        if found is None:
            return work.known.get(self.key, {}).get(_REPLACES, "")
        replaces = str(found.get("CreationTime", ""))
        work.note({_REPLACES: replaces})
        for call in change.writes[:-1]:
            work.api.write(call, described.ABSENT)
            work.report(f"deleted {change.title}")
        poll(
            lambda: described.found_package(work.api, self.offering),
            lambda package: package is None,
            f"the deletion of the {change.title}",
            _DELETION_LIMIT_S,
        )
        return replaces

    def _create(self, call: Call, work: Work, replaces: str) -> None:
        request = resolved(call.parameters, work.known)
        token = self._token(request, replaces)
        work.api.write(Call(call.service, call.operation, call.region, {**request, "ClientToken": token}))
        work.report(f"made {self._name} in {call.region}, which SageMaker validates now: minutes to hours")

    def _token(self, request: Mapping[str, Any], replaces: str) -> str:
        """The same for the same content; another one in the place of a package that was deleted."""
        archive = self.offering.archive
        content = [request, self.offering.region, archive.sha256 if archive else "", replaces]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:_LONGEST_TOKEN]

    def _fault(self, request: Mapping[str, Any], found: Mapping[str, Any]) -> Obstacle | None:
        """Why the package that is there is another one. Any: JSON."""
        others = list(described.differences(request, found))
        if not others:
            return None
        more = f"; and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
        return Obstacle(
            f"another one of this name is there, and a package cannot be changed: {'; '.join(others[:_SHOWN])}{more}",
            'argosy.toml, [marketplace]: a new version = "..."',
        )

    def _cost(self) -> Consent:
        table = self.offering.table
        kind = table.validation.instance_type or recommended(table.instances)[1]
        where = f"on one {kind} in {self.offering.region}"
        return Consent(Risk.COST, f"SageMaker runs a transform job over the samples {where}: some minutes of its price")

    def _outputs(self, found: Mapping[str, Any]) -> dict[str, str]:
        containers = (found.get("InferenceSpecification") or {}).get("Containers") or [{}]
        return {"arn": str(found.get("ModelPackageArn", "")), "image": str(containers[0].get("Image", ""))}

    def _call(self, operation: str, **wanted: Any) -> Call:  # the members of either request
        return Call("sagemaker", operation, self.offering.region, wanted)
