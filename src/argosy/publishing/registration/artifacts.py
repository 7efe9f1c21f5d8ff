"""model.tar.gz in S3: uploaded unless the very same bytes are there."""

from collections.abc import Mapping
from dataclasses import dataclass

from argosy.aws.api import Reader
from argosy.aws.upload import LocalFile, State, Upload
from argosy.marketplace.model_package import Places
from argosy.planning.step import Change, Kind, Obstacle, Outputs, Work
from argosy.publishing.registration.described import describe, is_registered
from argosy.publishing.registration.offering import Offering
from argosy.registry.progress import Progress, transferring_file

_UPLOAD, _OF, _AT = "upload", "of", "at"
"""What is noted of an upload in parts that was begun: its id, the SHA-256 of the file, and where it goes."""


@dataclass(frozen=True, slots=True)
class Artifacts:
    """The archive; gives its `uri` and `sha256`.

    Attributes:
        offering: What is brought.
        archive: The offering's.
        progress: Told how far it is on its way.
    """

    offering: Offering
    archive: LocalFile
    progress: Progress

    @property
    def key(self) -> str:
        """See `Step`."""
        return self.offering.key("artifacts")

    def look(self, reader: Reader, known: Outputs) -> Change:
        """See `Step`.

        Raises:
            AwsError: AWS refuses or does not answer.
        """
        upload = self._upload()
        title = f"artifacts {upload.uri}"
        outputs = {"uri": upload.uri, "sha256": self.archive.sha256}
        state, found = upload.state(reader)
        if state is State.SAME:
            return Change(self.key, title, Kind.NOTHING, reads=(upload.head,), outputs=outputs)
        reads = (upload.head, *upload.reads)
        notes = (f"{self.archive.size / 1e6:,.1f} MB",)
        if state is State.ABSENT:
            return Change(self.key, title, Kind.CREATE, (upload.put,), reads, notes=notes, outputs=outputs)
        reads = (*reads, describe(self.offering))
        if is_registered(reader, self.offering):
            fault = Obstacle(
                "the artifacts are others than those of the model package, which cannot be changed",
                'argosy.toml, [marketplace]: a new version = "..."',
            )
            return Change(self.key, title, Kind.NOTHING, reads=reads, outputs=outputs, obstacle=fault)
        before = {"Metadata": {"sha256": found}} if found else {}
        return Change(self.key, title, Kind.UPDATE, (upload.put,), reads, before, notes=notes, outputs=outputs)

    def apply(self, change: Change, work: Work) -> Mapping[str, str]:
        """See `Step`.

        Raises:
            StorageError: The archive has changed since it was packed.
        """
        upload, noted = self._upload(), work.known.get(self.key, {})
        begun, at = noted.get(_UPLOAD, ""), noted.get(_AT, "")
        if begun and at != upload.uri:  # of a version that was given up
            upload.abandon(work.api, at, begun)

        def begin(id_: str) -> None:
            work.note({_UPLOAD: id_, _OF: self.archive.sha256, _AT: upload.uri})

        goes_on = (noted.get(_OF), at) == (self.archive.sha256, upload.uri)
        with transferring_file(self.progress, self.archive.name, self.archive.size) as transfer:
            upload.send(work.api, begun if goes_on else "", begin, transfer.advance)
            transfer.end("sent")
        work.report(f"stored {upload.uri}")
        return {**change.outputs, _UPLOAD: "", _OF: "", _AT: ""}

    def _upload(self) -> Upload:
        bucket, _, key = Places.of(self.offering.table).artifacts.removeprefix("s3://").partition("/")
        return Upload(self.archive, self.offering.region, bucket, key)
