"""The repository in ECR: made with tags that stay where they are, a scan of each image that comes, and encryption.

Source: Amazon ECR API reference, CreateRepository (read 2026-11-23).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from argosy.aws.api import Reader, judge
from argosy.aws.call import Call
from argosy.planning.step import Change, Kind, Outputs, Work
from argosy.publishing.registration.offering import Offering

TAGS: Final = {"created-by": "argosy"}
"""What marks the things that Argosy has made."""

_ABSENT: Final = ("RepositoryNotFoundException",)
_THERE: Final = ("RepositoryAlreadyExistsException",)


@dataclass(frozen=True, slots=True)
class Repository:
    """The repository of the image. One that is there stays as it is."""

    offering: Offering

    @property
    def key(self) -> str:
        """See `Step`."""
        return self.offering.key("repository")

    def look(self, reader: Reader, known: Outputs) -> Change:
        """See `Step`.

        Raises:
            AwsError: AWS refuses or does not answer.
            InvalidCallError: ECR would not take the name.
        """
        name, region = self.offering.repository, self.offering.region
        title = f"repository {name} in {region}"
        asked = Call("ecr", "DescribeRepositories", region, {"repositoryNames": [name]})
        answer = reader.ask(asked, _ABSENT)
        if answer is None:
            made = self._create()
            judge(made)
            return Change(self.key, title, Kind.CREATE, (made,), (asked,), outputs={"name": name})
        tags_move = any(one.get("imageTagMutability") == "MUTABLE" for one in answer.get("repositories", ()))
        notes = ("its tags may be moved; the package names the image by its digest",) if tags_move else ()
        return Change(self.key, title, Kind.NOTHING, reads=(asked,), notes=notes, outputs={"name": name})

    def apply(self, change: Change, work: Work) -> Mapping[str, str]:
        """See `Step`."""
        for call in change.writes:
            work.api.write(call, _THERE)
        work.report(f"made {change.title}")
        return change.outputs

    def _create(self) -> Call:
        wanted = {
            "repositoryName": self.offering.repository,
            "imageTagMutability": "IMMUTABLE",
            "imageScanningConfiguration": {"scanOnPush": True},
            "encryptionConfiguration": {"encryptionType": "AES256"},
            "tags": [{"Key": name, "Value": value} for name, value in TAGS.items()],
        }
        return Call("ecr", "CreateRepository", self.offering.region, wanted)
