"""The input of a transform job: objects that are there, or files that are staged under the digest of what they hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from argosy.aws.api import Reader
from argosy.aws.call import Call
from argosy.aws.upload import LocalFile
from argosy.deployment.batch.place import Listed, Objects, Uri, list_call, listed
from argosy.deployment.names import digest_of
from argosy.errors import PlanError
from argosy.planning.step import Change, Kind, Outputs, Work

KEY: Final = "input"


@dataclass(frozen=True, slots=True)
class GivenInputStep:
    """Objects that are in S3 already.

    Attributes:
        place: A prefix, or the key of a manifest.
        region: Where the job runs.
    """

    place: Uri
    region: str
    key: str = KEY

    def look(self, reader: Reader, known: Outputs) -> Change:
        """What is there: a job over other objects is another job.

        Raises:
            AwsError: AWS refuses or does not answer.
            PlanError: Nothing is there.
        """
        found = listed(reader, self.region, self.place)
        if found is not None and not found:
            raise PlanError("there is no input", where=str(self.place), hint=f"aws s3 ls {self.place}")
        given = {"uri": str(self.place)}
        notes: tuple[str, ...] = ()
        if found is not None:
            given["digest"] = digest_of([(one.name, one.size, one.etag) for one in found])
            notes = (_amount([one.size for one in found]),)
        reads = (list_call(self.region, self.place),)
        return Change(KEY, f"input at {self.place}", Kind.NOTHING, reads=reads, notes=notes, outputs=given)

    def apply(self, change: Change, work: Work) -> Mapping[str, str]:
        """Nothing: it is read only."""
        return {}


@dataclass(frozen=True, slots=True)
class StagedInputStep:
    """Files of this machine, stored in S3 below the digest of their names and what they hold.

    Attributes:
        files: The files.
        staging: Where a deployment's objects go.
        region: Where the job runs.
        objects: What carries them.
    """

    files: tuple[LocalFile, ...]
    staging: Uri
    region: str
    objects: Objects
    key: str = KEY

    @property
    def digest(self) -> str:
        """Of the names and of what they hold."""
        return digest_of([(file.name, file.sha256) for file in self.files])

    @property
    def place(self) -> Uri:
        """Where they go."""
        return self.staging.below(self.digest, "input")

    def look(self, reader: Reader, known: Outputs) -> Change:
        """Which are not there yet, whole.

        Raises:
            AwsError: AWS refuses or does not answer.
        """
        missing = self._missing(listed(reader, self.region, self.place) or ())
        return Change(
            KEY,
            f"input at {self.place}",
            Kind.CREATE if missing else Kind.NOTHING,
            writes=tuple(self._call(file) for file in missing),
            reads=(list_call(self.region, self.place),),
            notes=(_amount([file.size for file in missing]),) if missing else (),
            outputs={"uri": str(self.place), "digest": self.digest},
        )

    def apply(self, change: Change, work: Work) -> Mapping[str, str]:
        """Store those that are missing.

        Raises:
            AwsError: AWS refuses or does not answer.
            StorageError: S3 refuses an object.
        """
        missing = self._missing(listed(work.api, self.region, self.place) or ())
        for number, file in enumerate(missing, start=1):
            with file.path.open("rb") as stream:
                self.objects.upload(self.place.bucket, self.place.key + file.name, stream)
            work.report(f"input {number} of {len(missing)}: {file.name}, {file.size / 1e6:.1f} MB")
        return change.outputs

    def _missing(self, there: Sequence[Listed]) -> Sequence[LocalFile]:
        sizes = {one.name: one.size for one in there}
        return [file for file in self.files if sizes.get(file.name) != file.size]

    def _call(self, file: LocalFile) -> Call:
        wanted: dict[str, Any] = {"Bucket": self.place.bucket, "Key": self.place.key + file.name}
        return Call("s3", "PutObject", self.region, {**wanted, "Body": f"({file.size} bytes of {file.path})"})


def _amount(sizes: Sequence[int]) -> str:
    return f"{len(sizes)} objects, {sum(sizes) / 1e6:.1f} MB"
