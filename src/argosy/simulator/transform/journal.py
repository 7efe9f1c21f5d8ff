"""What earlier runs of the very same job have done, so that a second run does the rest.

A journal is one file, named by the digest of all that decides what results look like: the definition, the assumptions,
the model. It has a line for every object that a run has begun with, and one for every result that was stored, with the
entity tags of the object and of the result. A run believes the latter only when both are still the same; by the former
it knows its own results, which may lie among its input.
"""

import fcntl
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from argosy.errors import StorageError, UsageError
from argosy.simulator.storage.objects import ObjectStore, ObjectUri, StoredObject
from argosy.simulator.transform.definition import Assumptions, TransformJobDefinition
from argosy.simulator.transform.listing import InputObject

_FORMAT: Final = 1


class _Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """An object of the input; with entity tags when its result was stored."""

    uri: str
    output: str
    etag: str = ""
    output_etag: str = ""


class Journal:
    """The journal of one job; only one run at a time has it.

    Args:
        folder: Where journals are kept; made.
        job: The job; its name does not count.
        assumptions: Those that it is run with.
        identity: What else decides: digests of the image and the artifacts, and where the buckets are.

    Raises:
        UsageError: The job runs already.
        StorageError: The journal cannot be read or written.
    """

    def __init__(self, folder: Path, job: TransformJobDefinition, assumptions: Assumptions, identity: str) -> None:
        request = {**job.to_request(), "TransformJobName": "", "Tags": None, "ExperimentConfig": None}
        said = msgspec.json.encode([_FORMAT, request, assumptions, identity], order="sorted")
        path = folder / f"{hashlib.sha256(said).hexdigest()}.jsonl"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+b")
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise UsageError("this very transform job runs already", where=path) from error
        except OSError as error:
            raise StorageError("the record of what was transformed cannot be kept", got=error, where=path) from error
        self._file.seek(0)
        whole = self._file.read().rpartition(b"\n")[0]
        self._file.truncate(len(whole) + 1 if whole else 0)  # the last line of a run that was killed may be cut
        entries = map(_read, whole.splitlines())
        self._entries = {entry.uri: entry for entry in entries if entry is not None}

    def forget_results(self) -> None:
        """Let everything be done again; which objects are results of this job is still known.

        Raises:
            StorageError: The journal cannot be written.
        """
        self._entries = {uri: _Entry(uri, entry.output) for uri, entry in self._entries.items()}
        self._file.truncate(0)
        self._write(self._entries.values())

    def begin(self, listed: Sequence[InputObject]) -> Sequence[InputObject]:
        """Keep what a run is about to transform; blocks.

        Returns:
            The objects without the results of earlier runs. What was there before the first run stays input, even if it
            is called like a result.

        Raises:
            StorageError: That cannot be noted.
        """
        results = {entry.output for entry in self._entries.values()}
        objects = [one for one in listed if (uri := _text(one.uri)) in self._entries or uri not in results]
        texts = ((_text(one.uri), _text(one.output)) for one in objects)
        added = {uri: _Entry(uri, output) for uri, output in texts if uri not in self._entries}
        self._entries |= added
        self._write(added.values())
        return objects

    def has(self, source: InputObject, store: ObjectStore) -> bool:
        """Whether the result of an object is there, just as this job makes it; blocks."""
        entry = self._entries.get(_text(source.uri))
        if entry is None or entry.etag != source.etag or entry.output != _text(source.output):
            return False
        try:
            found = store.find(source.output)
        except StorageError:  # the whole bucket may be gone
            return False
        return found is not None and found.etag == entry.output_etag

    def note(self, source: InputObject, result: StoredObject) -> None:
        """The result of an object is stored; blocks.

        Raises:
            StorageError: That cannot be noted.
        """
        self._write([_Entry(_text(source.uri), _text(source.output), source.etag, result.etag)])

    def _write(self, entries: Iterable[_Entry]) -> None:
        try:
            self._file.writelines(msgspec.json.encode(entry) + b"\n" for entry in entries)
            self._file.flush()
        except OSError as error:
            raise StorageError("the record of what was transformed cannot be kept", got=error) from error

    def close(self) -> None:
        """Let another run have it."""
        self._file.close()


def _read(line: bytes) -> _Entry | None:
    """What a line says; None for one that was damaged: what it noted is done again."""
    try:
        return msgspec.json.decode(line, type=_Entry)
    except msgspec.DecodeError:
        return None


def _text(uri: ObjectUri) -> str:
    """A URI as JSON can hold it: names of files need not be Unicode."""
    return str(uri).encode(errors="surrogateescape").decode("latin-1")
