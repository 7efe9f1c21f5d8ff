"""A container of transform jobs: its start with their variables, and what became of some small jobs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from argosy.conformance.check import Evidence
from argosy.conformance.probes import Exchange
from argosy.conformance.scenes.endpoint import Start
from argosy.simulator.transform.progress import Outcome, Status


@dataclass(frozen=True, slots=True)
class BatchStart:
    """The start of a container that is told of a transform job.

    Attributes:
        start: From its start to its first healthy answer.
        variables: What it was told, beside what every container is told.
    """

    start: Start
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Count:
    """How many records an answer has.

    Attributes:
        records: How many seem to be in it.
        is_certain: Whether its form leaves no doubt: lines, or one list.
    """

    records: int
    is_certain: bool


@dataclass(frozen=True, slots=True)
class Job:
    """One transform job.

    Attributes:
        what: What it was, in one line: `3 objects, SplitType None`.
        records: How many records it was given.
        outcome: How it ended.
        results: Key of each result that was stored -> what is in it.
        log: Its data log, and what else the simulator has to say of it.
    """

    what: str
    records: int
    outcome: Outcome
    results: Mapping[str, bytes] = field(repr=False, default_factory=dict)
    log: tuple[str, ...] = ()

    @property
    def is_completed(self) -> bool:
        """Whether every object has its result."""
        return self.outcome.status is Status.COMPLETED

    @property
    def answers(self) -> Count:
        """How many records all results have together."""
        counts = [counted(result) for result in self.results.values()]
        return Count(sum(count.records for count in counts), all(count.is_certain for count in counts))

    @property
    def evidence(self) -> Evidence:
        """The job as a finding shows it."""
        progress = self.outcome.progress
        came = f"{self.outcome.status}, {len(self.results)} of {progress.objects_total} objects have a result"
        if progress.retries:
            came += f", {progress.retries} of {progress.requests} requests were repeated"
        return Evidence(f"transform job: {self.what}", came, round(self.outcome.seconds, 3), self.log[-8:])


@dataclass(frozen=True, slots=True)
class Jobs:
    """What became of small transform jobs over what an endpoint had answered; None was not tried.

    Attributes:
        baseline: The invocation that was answered with 2xx, whose body is the input; None when there was none.
        lines: The invocation whose body is divided into lines; None when none that was understood has lines.
        whole: Three objects as they are.
        single: Records, one a request, one request at a time.
        multiple: The same records, as many a request as fit, in two objects that are compressed.
        concurrent: The same as `single`, four requests at a time.
        repeated: `single` once more, where `concurrent` went otherwise.
        chunked: An object without a limit of the payload, hence in chunks.
        poisoned: Three objects, the second of which is no input that anybody could understand.
        exit_code: Of a container that has ended by then.
    """

    baseline: Exchange | None
    lines: Exchange | None = None
    whole: Job | None = None
    single: Job | None = None
    multiple: Job | None = None
    concurrent: Job | None = None
    repeated: Job | None = None
    chunked: Job | None = None
    poisoned: Job | None = None
    exit_code: int | None = None


@dataclass(frozen=True, slots=True)
class ValidationJob:
    """The job of the validation profile, run as it is written.

    Attributes:
        start: The start of its container.
        job: What became of it; None when the container did not get healthy, or the job could not be begun.
        refusal: Why CreateTransformJob would not take it; empty when it would.
        expected: Key of each result that the project expects -> what is to be in it.
    """

    start: Start
    job: Job | None = None
    refusal: str = ""
    expected: Mapping[str, bytes] = field(repr=False, default_factory=dict)


def counted(result: bytes) -> Count:
    r"""The records of an answer, or of several with newlines between them.

    JSON is looked through for its lists: an answer that is one, or holds one or some of one length, has a record an
    item. Everything else has a record a line.

    >>> counted(b'{"predictions": [1, 2]}\n{"predictions": [3]}\n')
    Count(records=3, is_certain=True)
    >>> counted(b"0.1,a\n0.2,b\n")
    Count(records=2, is_certain=True)
    """
    text = result.decode(errors="replace")
    values = _json_values(text)
    if values is None or not any(isinstance(value, list | dict) for value in values):
        return Count(sum(bool(line.strip()) for line in text.splitlines()), is_certain=True)
    lengths = [_length(value) for value in values]
    return Count(sum(length or 1 for length in lengths), None not in lengths)


def _json_values(text: str) -> list[object] | None:
    """The JSON values that follow each other in a text; None when there is anything else in it."""
    decoder, values, place = json.JSONDecoder(), [], 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        try:
            value, place = decoder.raw_decode(text, place)
        except ValueError:
            return None
        values.append(value)
    return values


def _length(value: object) -> int | None:
    """The number of records in a JSON value; None when its form does not tell."""
    if isinstance(value, list):
        return len(value)
    if isinstance(value, dict):
        lengths = {found for item in value.values() if (found := _length(item)) is not None}
        return lengths.pop() if len(lengths) == 1 else None
    return None
