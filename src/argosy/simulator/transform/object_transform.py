"""One object of a transform job: its mini-batches go out, the answers come back in order, and one result is written."""

import io
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, BinaryIO, Final

from argosy.errors import RecordError, StorageError, TransformError
from argosy.simulator.connection import Body
from argosy.simulator.storage.objects import ObjectStore, Upload
from argosy.simulator.transform.content import Made, Plain, Readable, follower, gunzip
from argosy.simulator.transform.data_processing import RecordProcessing
from argosy.simulator.transform.definition import CompressionType, TransformJobDefinition
from argosy.simulator.transform.execution_parameters import ExecutionParameters
from argosy.simulator.transform.framing import JOINT
from argosy.simulator.transform.json_path import SliceEnd
from argosy.simulator.transform.listing import InputObject
from argosy.simulator.transform.split import AssembleWith, MiniBatch, mini_batches

CLIENT_ERROR: Final = "ClientError"
ALGORITHM_ERROR: Final = "AlgorithmError"
INTERNAL_ERROR: Final = "InternalServerError"
_PART_BYTES: Final = 2**18
_SHORT_BYTES: Final = 2**16  # bodies up to here are read many at a time
_LOGGED_BODY_BYTES: Final = 2048
_MOST_BATCHES: Final = 256  # taken at a time, so that going to a thread for them costs next to nothing

IN_MEMORY_BYTES: Final = 2**20
"""Up to here an answer waits for its turn in memory, a longer one in a nameless file."""
Answer = bytes | IO[bytes]


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an object failed.

    Attributes:
        kind: `ClientError`, `AlgorithmError` or `InternalServerError`, as the job's failure reason begins.
        lines: What the data log says about it.
        status: What the container answered; 0 when it is not about an answer.
    """

    kind: str
    lines: tuple[str, ...]
    status: int = 0


@dataclass(frozen=True, slots=True)
class Work:
    """What all objects of a job share.

    Attributes:
        job: The job.
        store: Where its buckets are.
        scratch: The folder of nameless files, for what is too long for memory.
        slice_end: Whether the end of a slice belongs to it.
        started: When the job began, as in `2022-08-30T00:49:15Z`.
    """

    job: TransformJobDefinition
    store: ObjectStore
    scratch: Path
    slice_end: SliceEnd
    started: str


def bad_status(status: int, body: bytes) -> Fault:
    """The container answered an invocation with another status than 2xx.

    Source:
        Data logs in https://github.com/aws/sagemaker-tensorflow-serving-container/issues/93 and
        https://github.com/aws/amazon-sagemaker-examples/issues/898 (read 2026-11-22).
    """
    message = body[:_LOGGED_BODY_BYTES].decode(errors="replace").splitlines()
    if 400 <= status < 500:
        return Fault(CLIENT_ERROR, (f"ClientError: {status}", "", "Message:", *message), status)
    lines = (f"Bad HTTP status received from algorithm: {status}", "", "Message:", *message)
    return Fault(ALGORITHM_ERROR, lines, status)


def no_answer(reason: str) -> Fault:
    """The container did not answer an invocation: the service's words, and why it was so here."""
    return Fault(ALGORITHM_ERROR, ("Unable to get response from algorithm", reason))


def discard(answer: Answer | None) -> None:
    """Give up what an answer holds."""
    if answer is not None and not isinstance(answer, bytes):
        answer.close()


def parts_of(file: IO[bytes]) -> Iterator[bytes]:
    """A file from its beginning, part by part."""
    file.seek(0)
    while part := file.read(_PART_BYTES):
        yield part


class Assembler:
    """Writes one output object.

    `None` concatenates the answers. `Line` ends each with a newline, unless it ends with one already: whether SageMaker
    doubles it there nobody wrote down; an empty line after every record would break what AWS recommends `Line` for
    (JSON Lines, CSV).

    Args:
        output: Where the object goes, from its beginning.
        assemble_with: What is put between answers.
    """

    def __init__(self, output: BinaryIO, assemble_with: AssembleWith) -> None:
        self._output = output
        self._assemble_with = assemble_with
        self._last = b""

    def write(self, part: bytes) -> None:
        """Add a part of the present answer."""
        if part:
            self._output.write(part)
            self._last = part[-1:]

    def end_answer(self) -> None:
        """The present answer is whole."""
        if self._assemble_with is AssembleWith.LINE and self._last != b"\n":
            self._output.write(b"\n")
        self._last = b""


class ObjectTransform:
    """What becomes of one object. Its methods block, and are called on any thread.

    `take` runs beside the others: what is written was taken before. `write`, `settle` and `end` are called one after
    the other, `end` when everything else is over.

    Args:
        source: The object.
        work: What all objects share.
        parameters: Those that count.
    """

    def __init__(self, source: InputObject, work: Work, parameters: ExecutionParameters) -> None:
        self.source = source
        self.fault: Fault | None = None
        self.is_taken = False
        self.records = 0
        self.settled_bytes = 0
        self.headers: Mapping[str, str] = work.job.headers
        self._work = work
        self._parameters = parameters
        self._content: Readable | None = None
        self._opened: list[Readable] = []
        self._upload: Upload | None = None
        self._assembler: Assembler | None = None
        self._batches: Iterator[MiniBatch] = iter(())
        self._processing: RecordProcessing | None = None
        self._inputs: Iterator[bytes] | None = None

    def _open(self) -> None:
        """Open the object and its result; a fault is noted."""
        job, strategy = self._work.job, self._parameters.batch_strategy
        try:
            content: Readable = self._stored()
            if job.transform_input.compression_type is CompressionType.GZIP:
                content = self._made(gunzip(content))
            processing = RecordProcessing(job, self._work.slice_end, strategy, self._work.started)
            if processing.changes_output:
                self._processing = processing
                self._inputs = processing.records(follower(content)) if processing.joins else None
            if processing.changes_input:
                content = self._made(processing.filtered(content.read))
            self._content = content
            self._upload = self._work.store.create(self.source.output)
            self._assembler = Assembler(self._upload.stream, job.transform_output.assemble_with)
            limit = self._parameters.limit_bytes
            batches = mini_batches(content, job.transform_input.split_type, strategy, limit)
            self._batches = batches if self.source.size else iter((MiniBatch(0, 0, 1),))
        except (TransformError, StorageError, OSError) as error:
            self._failed(error)

    def take(self) -> list[tuple[MiniBatch, bytes | None]]:
        """Some of the next mini-batches, as many as one look at the object gives; opens it first.

        Short ones come with their bodies, others have None. There are none when the object has failed. `is_taken` says
        whether these were the last.
        """
        if self._content is None and self.fault is None:
            self._open()
        taken: list[MiniBatch] = []
        length = 0
        try:
            while self.fault is None and len(taken) < _MOST_BATCHES and length < IN_MEMORY_BYTES:
                batch = next(self._batches, None)
                if batch is None:
                    self.is_taken = True
                    break
                taken.append(batch)
                length += batch.length
            bodies = self._bodies(taken)
        except (TransformError, StorageError, OSError) as error:
            self._failed(error)
        if self.fault is not None:
            self.is_taken = True
            return []
        return list(zip(taken, bodies, strict=True))

    def request(self, batch: MiniBatch) -> tuple[Mapping[str, str], Body]:
        """Header fields and body of an invocation, each time anew.

        Short bodies are read at once, long ones while they are sent. Without a payload limit a body goes in chunks.

        Raises:
            TransformError: The object became shorter meanwhile.
        """
        if self._parameters.limit_bytes is None:
            return self.headers, self._parts(batch)
        if batch.body_length > IN_MEMORY_BYTES:
            return {**self.headers, "Content-Length": str(batch.body_length)}, self._parts(batch)
        return self.headers, b"".join(self._blocks(batch))

    def answer_file(self) -> IO[bytes]:
        """Where a long answer waits for its turn."""
        return tempfile.TemporaryFile(dir=self._work.scratch)

    def is_slow_to_write(self, answer: Answer) -> bool:
        """Whether writing an answer is a thread's work."""
        return self._processing is not None or not isinstance(answer, bytes)

    def write(self, answer: Answer, batch: MiniBatch) -> None:
        """Add the next answer in order; nothing happens when the object has failed."""
        if self.fault is not None or self._assembler is None:
            return
        try:
            if self._processing is None:
                for part in (answer,) if isinstance(answer, bytes) else parts_of(answer):
                    self._assembler.write(part)
                self._assembler.end_answer()
            else:
                file = io.BytesIO(answer) if isinstance(answer, bytes) else answer
                file.seek(0)
                inputs = None if self._inputs is None else islice(self._inputs, batch.records)
                for record in self._processing.results(inputs, file.read):
                    self._assembler.write(record)
                    self._assembler.end_answer()
            self.records += batch.records
        except RecordError as error:
            self._failed(error)
        except (TransformError, OSError) as error:
            self._failed(error)

    def settle(self, batch: MiniBatch) -> int:
        """A mini-batch is done; returns the bytes of the stored object that are done by it."""
        done = batch.length if self._content is self._opened[0] else 0
        self.settled_bytes += done
        return done

    def fail(self, fault: Fault) -> None:
        """The object has failed; the first reason stays."""
        self.fault = self.fault or fault

    def end(self) -> None:
        """Close the object, and store the result, or leave nothing of it when the object has failed or was changed."""
        opened, self._opened = self._opened, []
        if any(isinstance(content, Plain) and not content.is_unchanged for content in opened):
            self._failed(_changed())
        for content in opened:
            content.close()
        upload, self._upload = self._upload, None
        if upload is None:
            return
        if self.fault is not None:
            upload.discard()
            return
        try:
            upload.finish()
        except (StorageError, OSError) as error:
            self._failed(error)
            upload.discard()

    def _stored(self) -> Plain:
        """The object, opened; it is the one that was listed.

        Raises:
            StorageError: It is not there, or is another one meanwhile.
        """
        content = Plain(self._work.store.open(self.source.uri))
        self._opened.append(content)
        found = self._work.store.find(self.source.uri)
        if found is None or found.etag != self.source.etag:
            raise _changed()
        return content

    def _made(self, parts: Iterator[bytes]) -> Made:
        made = Made(parts, self._work.scratch)
        self._opened.append(made)
        return made

    def _failed(self, error: Exception) -> None:
        """What an exception means for the object, in the service's words where they are known."""
        if isinstance(error, RecordError):
            self.fail(bad_status(400, error.message.encode()))
        elif isinstance(error, TransformError):
            self.fail(Fault(CLIENT_ERROR, (error.message,)))
        else:
            reason = error.message if isinstance(error, StorageError) else str(error)
            self.fail(Fault(INTERNAL_ERROR, (f"the object cannot be read or its result not be stored: {reason}",)))

    def _bodies(self, taken: Sequence[MiniBatch]) -> list[bytes | None]:
        """The bodies of the short ones among some mini-batches, read in one go, and None for the others."""
        short = [batch for batch in taken if batch.length <= _SHORT_BYTES]
        if not short or self._content is None or self._parameters.limit_bytes is None:
            return [None] * len(taken)
        begin, end = short[0].start, short[-1].start + short[-1].length
        block = self._content.at(begin, end - begin)
        if len(block) < end - begin:  # a file gives less when it became shorter: `request` tells
            return [None] * len(taken)
        return [
            None
            if batch.length > _SHORT_BYTES
            else JOINT.join([block[start - begin : start - begin + length] for start, length in batch.spans])
            for batch in taken
        ]

    def _blocks(self, batch: MiniBatch) -> Iterator[bytes]:
        """The body of a mini-batch, block by block."""
        for number, (start, length) in enumerate(batch.spans):
            if number:
                yield JOINT
            end = start + length
            while start < end:
                part = b"" if self._content is None else self._content.at(start, min(_PART_BYTES, end - start))
                if not part:
                    raise TransformError("the object became shorter while it was read", where=self.source.name)
                start += len(part)
                yield part

    async def _parts(self, batch: MiniBatch) -> AsyncIterator[bytes]:
        for part in self._blocks(batch):
            yield part


def _changed() -> StorageError:
    """UNSURE: what SageMaker makes of an object that is written to while a job reads it; here it fails."""
    return StorageError("the object changed while it was read")
