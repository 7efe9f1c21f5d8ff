"""One object of a transform job: its mini-batches go out, the answers come back in order, and one result is written."""

import os
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final

from argosy.errors import TransformError
from argosy.simulator.connection import Body
from argosy.simulator.transform.assemble import Assembler
from argosy.simulator.transform.execution_parameters import ExecutionParameters, TransformOptions
from argosy.simulator.transform.files import InputObject, OutputFile
from argosy.simulator.transform.split import MiniBatch, mini_batches

CLIENT_ERROR: Final = "ClientError"
ALGORITHM_ERROR: Final = "AlgorithmError"
INTERNAL_ERROR: Final = "InternalServerError"
_PART_BYTES: Final = 2**18
_IN_MEMORY_BYTES: Final = 2**20
_LOGGED_BODY_BYTES: Final = 2048

AnswerBuffer = tempfile.SpooledTemporaryFile[bytes]


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an object failed.

    Attributes:
        kind: `ClientError`, `AlgorithmError` or `InternalServerError`, as the job's failure reason begins.
        lines: What the data log says about it.
    """

    kind: str
    lines: tuple[str, ...]


def bad_status(status: int, body: bytes) -> Fault:
    """The container answered an invocation with another status than 2xx.

    Source:
        Data logs in https://github.com/aws/sagemaker-tensorflow-serving-container/issues/93 and
        https://github.com/aws/amazon-sagemaker-examples/issues/898 (read 2026-11-22).
    """
    message = body[:_LOGGED_BODY_BYTES].decode(errors="replace").splitlines()
    if 400 <= status < 500:
        return Fault(CLIENT_ERROR, (f"ClientError: {status}", "", "Message:", *message))
    return Fault(ALGORITHM_ERROR, (f"Bad HTTP status received from algorithm: {status}", "", "Message:", *message))


def no_answer(reason: str) -> Fault:
    """The container did not answer an invocation: the service's words, and why it was so here."""
    return Fault(ALGORITHM_ERROR, ("Unable to get response from algorithm", reason))


class ObjectTransform:
    """What becomes of one object.

    Args:
        source: The object.
        options: The job's.
        parameters: Those that count.
    """

    def __init__(self, source: InputObject, options: TransformOptions, parameters: ExecutionParameters) -> None:
        self.source = source
        self.fault: Fault | None = None
        self.records = 0
        self.settled_bytes = 0
        self._options = options
        self._parameters = parameters
        self._input: BinaryIO | None = None
        self._output: OutputFile | None = None
        self._assembler: Assembler | None = None

    def mini_batches(self) -> Iterator[MiniBatch]:
        """Open the object and its result, and divide the object; ends early when the object has failed."""
        try:
            self._input = self.source.path.open("rb")
            self._output = OutputFile(self.source.output)
            self._assembler = Assembler(self._output.stream, self._options.assemble_with)
            options, parameters = self._options, self._parameters
            strategy, limit = parameters.batch_strategy, parameters.limit_bytes
            for batch in mini_batches(self._input, options.split_type, strategy, limit):
                if self.fault is not None:
                    return
                yield batch
        except TransformError as error:
            self.fail(Fault(CLIENT_ERROR, (error.message,)))
        except OSError as error:
            self.fail(Fault(INTERNAL_ERROR, (f"the object cannot be read or its result not be written: {error}",)))

    def request(self, batch: MiniBatch) -> tuple[Mapping[str, str], Body]:
        """Header fields and body of an invocation, each time anew.

        Short bodies are read at once, long ones while they are sent. Without a payload limit a body goes in chunks.
        """
        headers = self._options.headers()
        if self._parameters.limit_bytes is None:
            return headers, self._parts(batch)
        if batch.length > _IN_MEMORY_BYTES:
            return headers | {"Content-Length": str(batch.length)}, self._parts(batch)
        return headers, os.pread(self._descriptor, batch.length, batch.start)

    def answer_buffer(self) -> AnswerBuffer:
        """Where an answer waits for its turn: in memory while it is short, else in a nameless file."""
        return tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES, dir=str(self.source.output.parent))

    def write(self, answer: AnswerBuffer, batch: MiniBatch) -> None:
        """Add the next answer in order; nothing happens when the object has failed."""
        if self.fault is not None or self._assembler is None:
            return
        try:
            answer.seek(0)
            while part := answer.read(_PART_BYTES):
                self._assembler.write(part)
            self._assembler.end_answer()
            self.records += batch.records
        except OSError as error:
            self.fail(Fault(INTERNAL_ERROR, (f"the result cannot be written: {error}",)))

    def fail(self, fault: Fault) -> None:
        """The object has failed; the first reason stays."""
        self.fault = self.fault or fault

    def end(self) -> None:
        """Close the object, and give the result its name, or leave nothing of it when the object has failed."""
        if self._input is not None:
            self._input.close()
            self._input = None
        output, self._output = self._output, None
        if output is None:
            return
        if self.fault is not None:
            output.discard()
            return
        try:
            output.finish()
        except OSError as error:
            self.fail(Fault(INTERNAL_ERROR, (f"the result cannot be written: {error}",)))
            output.discard()

    @property
    def _descriptor(self) -> int:
        if self._input is None:
            raise TransformError("the object is not open", where=self.source.path)
        return self._input.fileno()

    async def _parts(self, batch: MiniBatch) -> AsyncIterator[bytes]:
        position, end = batch.start, batch.start + batch.length
        while position < end:
            part = os.pread(self._descriptor, min(_PART_BYTES, end - position), position)
            if not part:
                raise TransformError("the object became shorter while it was read", where=self.source.path)
            position += len(part)
            yield part
