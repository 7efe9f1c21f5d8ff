"""What happened when: the lives of the containers that were run for a report, in numbers for charts.

Nothing of it is judged; the findings carry their own evidence.
"""

from dataclasses import dataclass
from enum import StrEnum


class Moment(StrEnum):
    """A turn in a container's life, as reports name it."""

    STARTED = "started"
    REFUSED = "could not be started"
    ACCEPTED = "port open"
    HEALTHY = "first 200"
    TERMINATED = "SIGTERM"
    KILLED = "SIGKILL"
    ENDED = "ended"
    REMOVED = "removed"


class Kind(StrEnum):
    """What was sent."""

    HEALTH_CHECK = "health check"
    INVOCATION = "invocation"
    OTHER = "other request"


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn in a container's life.

    Attributes:
        moment: Which.
        at_s: Seconds after its start.
    """

    moment: Moment
    at_s: float


@dataclass(frozen=True, slots=True)
class TimedExchange:
    """A request and when it was under way.

    Attributes:
        kind: What was sent.
        name: What a person calls it: `GET /ping`, `malformed JSON`.
        at_s: Seconds after the container's start when it was sent.
        seconds: How long the answer, or its failure, took.
        status: The answer's status, None when no answer came.
        sent_bytes: The length of its body.
    """

    kind: Kind
    name: str
    at_s: float
    seconds: float
    status: int | None
    sent_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """The memory of all processes of a container.

    Attributes:
        at_s: Seconds after its start.
        bytes: Shared pages are counted once.
    """

    at_s: float
    bytes: int


@dataclass(frozen=True, slots=True)
class Latency:
    """How long all requests of a kind took that were answered.

    Attributes:
        kind: The kind.
        count: How many there were.
        median_s: Half of them took no longer.
        p90_s: Nine of ten took no longer.
        p99_s: 99 of a hundred took no longer.
        slowest_s: None took longer.
        buckets: Upper bound in seconds, and how many took that long but longer than the bound before; bounds grow.
    """

    kind: Kind
    count: int
    median_s: float
    p90_s: float
    p99_s: float
    slowest_s: float
    buckets: tuple[tuple[float, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Life:
    """One container, from its start until it was removed.

    Attributes:
        act: What was done with it: `endpoint`, `empty model`.
        began_s: When it was started, in seconds after the beginning of the examination.
        seconds: How long it was there.
        turns: In order.
        exchanges: In order of their start; of very many, only the slowest of those that lie close together.
        latencies: Of all exchanges that were answered, by kind.
        memory: In order; empty where it cannot be seen.
    """

    act: str
    began_s: float
    seconds: float
    turns: tuple[Turn, ...] = ()
    exchanges: tuple[TimedExchange, ...] = ()
    latencies: tuple[Latency, ...] = ()
    memory: tuple[Sample, ...] = ()

    def when(self, moment: Moment) -> float | None:
        """Seconds after its start of the first such turn, None when there was none."""
        return next((turn.at_s for turn in self.turns if turn.moment is moment), None)

    @property
    def most_memory(self) -> Sample | None:
        """The sample with the most memory, None when it was not seen."""
        return max(self.memory, key=lambda sample: sample.bytes, default=None)


@dataclass(frozen=True, slots=True)
class Recording:
    """All containers of one examination, in the order of their starts."""

    lives: tuple[Life, ...] = ()
