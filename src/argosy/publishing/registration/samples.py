"""The input of the validation's job in S3: exactly the project's samples, and no object beside them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from argosy.aws.api import Reader
from argosy.aws.call import Call
from argosy.aws.upload import State, Upload
from argosy.marketplace.model_package import Places
from argosy.planning.step import Change, Consent, Kind, Outputs, Risk, Work
from argosy.publishing.registration.described import describe, is_registered
from argosy.publishing.registration.offering import Offering
from argosy.registry.progress import Progress, transferring_file

_ABSENT: Final = ("NoSuchBucket",)


@dataclass(frozen=True, slots=True)
class Samples:
    """The samples; gives the `uri` of their prefix.

    Attributes:
        offering: What is brought.
        progress: Told how far they are on their way.
    """

    offering: Offering
    progress: Progress

    @property
    def key(self) -> str:
        """See `Step`."""
        return self.offering.key("samples")

    def look(self, reader: Reader, known: Outputs) -> Change:
        """See `Step`.

        Raises:
            AwsError: AWS refuses or does not answer.
        """
        title = f"{len(self.offering.samples)} validation samples in {self._prefix}"
        outputs = {"uri": self._prefix}
        there, uploads = set(self._keys(reader)), self._uploads()
        states = {upload.key: upload.state(reader)[0] if upload.key in there else State.ABSENT for upload in uploads}
        due = [upload for upload in uploads if states[upload.key] is not State.SAME]
        strange = sorted(there - {upload.key for upload in uploads})
        reads: tuple[Call, ...] = (self._listed(), *(upload.head for upload in uploads))
        if not due and not strange:
            return Change(self.key, title, Kind.NOTHING, reads=reads, outputs=outputs)
        if there:
            reads = (*reads, describe(self.offering))
            if is_registered(reader, self.offering):
                note = "they are others by now; the package was validated, or is being, with those that are there"
                return Change(self.key, title, Kind.NOTHING, reads=reads, notes=(note,), outputs=outputs)
        reads = (*reads, *(call for upload in due for call in upload.reads))
        writes = (*(upload.put for upload in due), *map(self._delete, strange))
        kind = Kind.UPDATE if there else Kind.CREATE
        return Change(self.key, title, kind, writes, reads, consent=self._consent(strange), outputs=outputs)

    def apply(self, change: Change, work: Work) -> Mapping[str, str]:
        """See `Step`.

        Raises:
            StorageError: A sample has changed since it was read.
        """
        due = {call.parameters["Key"] for call in change.writes if call.operation != "DeleteObject"}
        for upload in self._uploads():
            if upload.key in due:
                with transferring_file(self.progress, upload.file.name, upload.file.size) as transfer:
                    upload.send(work.api, "", lambda _: None, transfer.advance)
                    transfer.end("sent")
        for call in change.writes:
            if call.operation == "DeleteObject":
                work.api.write(call)
        work.report(f"stored {change.title}")
        return change.outputs

    @property
    def _prefix(self) -> str:
        return Places.of(self.offering.table).samples

    def _uploads(self) -> list[Upload]:
        bucket, _, prefix = self._prefix.removeprefix("s3://").partition("/")
        return [Upload(file, self.offering.region, bucket, f"{prefix}{file.name}") for file in self.offering.samples]

    def _listed(self) -> Call:
        bucket, _, prefix = self._prefix.removeprefix("s3://").partition("/")
        return Call("s3", "ListObjectsV2", self.offering.region, {"Bucket": bucket, "Prefix": prefix})

    def _keys(self, reader: Reader) -> Iterator[str]:
        """What is below the prefix; nothing where there is no bucket."""
        call = self._listed()
        while True:
            page = reader.ask(call, _ABSENT) or {}
            yield from (str(found["Key"]) for found in page.get("Contents", ()))
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}
            call = Call(call.service, call.operation, call.region, {**self._listed().parameters, **more})

    def _delete(self, key: str) -> Call:
        return Call("s3", "DeleteObject", self.offering.region, {"Bucket": self.offering.bucket, "Key": key})

    def _consent(self, strange: list[str]) -> Consent | None:
        if not strange:
            return None
        names = ", ".join(f"s3://{self.offering.bucket}/{key}" for key in strange[:3])
        more = f" and {len(strange) - 3} more" if len(strange) > 3 else ""
        return Consent(
            Risk.LOSS, f"deletes {names}{more}, which the validation would read as a sample", "\n".join(strange)
        )
