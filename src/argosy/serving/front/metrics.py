"""What the server counts: one truth over all processes, because every invocation passes the front.

Pure: numbers in, text out. `Metrics` belongs to the event loop's thread. Times are counted in fine buckets, ten a decade:
Prometheus is shown those at 1, 2.5 and 5, CloudWatch (`emf.py`) gets all.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

CONTENT_TYPE: Final = b"text/plain; version=0.0.4; charset=utf-8"
"""Of what `Metrics.render` gives.

Source:
    https://prometheus.io/docs/instrumenting/exposition_formats/, "Text format details" (read 2026-11-22).
"""

_STEPS: Final = (1, 1.25, 1.6, 2, 2.5, 3.15, 4, 5, 6.3, 8)
"""The preferred numbers R10 of ISO 3: equal ratios, and 1, 2.5 and 5 are among them."""
TIME_BOUNDS: Final = (*(float(f"{step}e{decade}") for decade in range(-4, 2) for step in _STEPS), 100.0)
"""Upper bounds of the time buckets in seconds, 0.1 ms to 100 s; a last bucket is open."""
_SHOWN: Final = tuple(i for i, bound in enumerate(TIME_BOUNDS) if f"{bound:e}"[:3] in ("1.0", "2.5", "5.0"))
_LARGEST_BATCH_BIT: Final = 16
BATCH_BOUNDS: Final = tuple(float(2**bit) for bit in range(_LARGEST_BATCH_BIT + 1))
"""Upper bounds of the batch size buckets, the powers of 2 up to 65,536; a last bucket is open."""

Ending = Literal["killed", "crashed", "stuck", "exited"]
"""Why a model process had to be replaced: by a signal from outside, by its own fault, by the front, of its own will."""


@dataclass(frozen=True, slots=True)
class Timings:
    """One frame of answers, as the model process measured it.

    Attributes:
        count: Invocations in it.
        rows: Rows that `predict` was given.
        decode: Seconds spent decoding.
        predict: Seconds spent in `predict`.
        encode: Seconds spent encoding.
    """

    count: int
    rows: int
    decode: float
    predict: float
    encode: float


@dataclass(frozen=True, slots=True)
class Gauges:
    """What is true at the moment of rendering.

    Attributes:
        is_ready: Whether `/ping` is 200.
        queue_length: Invocations that wait.
        queue_bytes: Bytes of their bodies.
        loading: Model processes that load.
        idle: Model processes that wait.
        busy: Model processes that answer.
        open_connections: HTTP connections.
        started: Seconds since the epoch at which the server started.
        resident_bytes: Resident memory of all processes together, pages that they share counted in each; None: unknown.
        dropped_log_lines: Lines that the reader of the log did not take in time.
    """

    is_ready: bool
    queue_length: int
    queue_bytes: int
    loading: int
    idle: int
    busy: int
    open_connections: int
    started: float
    resident_bytes: int | None = None
    dropped_log_lines: int = 0


@dataclass(frozen=True, slots=True)
class Buckets:
    """A histogram: how many observations each bucket holds, and their sum."""

    counts: tuple[int, ...]
    total: float

    @property
    def count(self) -> int:
        """The number of observations."""
        return sum(self.counts)

    def since(self, earlier: "Buckets") -> "Buckets":
        """What was observed after `earlier`."""
        return Buckets(
            tuple(now - then for now, then in zip(self.counts, earlier.counts, strict=True)), self.total - earlier.total
        )


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was counted so far, or between two moments.

    Attributes:
        statuses: Answered invocations by HTTP status; the index is the status.
        duration: Seconds from arrival to answer.
        queue: Seconds from arrival to hand-over.
        predict: Seconds in `predict`, one observation a batch.
        batch: Invocations of a batch.
        endings: Model processes that ended, in the order of `Ending`.
        metered: Units that the predictor metered.
    """

    statuses: tuple[int, ...]
    duration: Buckets
    queue: Buckets
    predict: Buckets
    batch: Buckets
    endings: tuple[int, ...]
    metered: int

    def since(self, earlier: "Snapshot") -> "Snapshot":
        """What happened after `earlier`."""
        return Snapshot(
            _minus(self.statuses, earlier.statuses),
            self.duration.since(earlier.duration),
            self.queue.since(earlier.queue),
            self.predict.since(earlier.predict),
            self.batch.since(earlier.batch),
            _minus(self.endings, earlier.endings),
            self.metered - earlier.metered,
        )


class Metrics:
    """Counters and histograms of one server."""

    __slots__ = (
        "_batch", "_decode_total", "_duration", "_duration_total", "_encode_total", "_endings", "_invocations_total",
        "_metered", "_predict", "_predict_total", "_queue", "_queue_total", "_rows", "_rows_total", "_statuses",
    )  # fmt: skip

    def __init__(self) -> None:
        self._statuses = [0] * 600
        self._duration = [0] * (len(TIME_BOUNDS) + 1)
        self._queue = [0] * (len(TIME_BOUNDS) + 1)
        self._predict = [0] * (len(TIME_BOUNDS) + 1)
        self._batch = [0] * (len(BATCH_BOUNDS) + 1)
        self._rows = [0] * (len(BATCH_BOUNDS) + 1)
        self._endings: dict[str, int] = dict.fromkeys(get_args(Ending), 0)
        self._duration_total = self._queue_total = self._predict_total = 0.0
        self._decode_total = self._encode_total = 0.0
        self._invocations_total = self._rows_total = self._metered = 0

    def answered(self, status: int, seconds: float, queued: float) -> None:
        """Count one invocation; the hot path.

        Args:
            status: HTTP status, 100 to 599.
            seconds: From its arrival to its answer.
            queued: From its arrival to its hand-over to a model process; as `seconds` when it was never handed over.
        """
        self._statuses[status] += 1
        self._duration[bisect_left(TIME_BOUNDS, seconds)] += 1
        self._duration_total += seconds
        self._queue[bisect_left(TIME_BOUNDS, queued)] += 1
        self._queue_total += queued

    def worked(self, timings: Timings) -> None:
        """Count one frame of answers of a model process."""
        count, rows = timings.count, timings.rows
        self._batch[min((count - (count > 0)).bit_length(), _LARGEST_BATCH_BIT + 1)] += 1
        self._invocations_total += count
        self._rows[min((rows - (rows > 0)).bit_length(), _LARGEST_BATCH_BIT + 1)] += 1
        self._rows_total += rows
        self._predict[bisect_left(TIME_BOUNDS, timings.predict)] += 1
        self._predict_total += timings.predict
        self._decode_total += timings.decode
        self._encode_total += timings.encode

    def process_ended(self, reason: Ending) -> None:
        """Count one model process that has to be replaced."""
        self._endings[reason] += 1

    def metered(self, units: int) -> None:
        """Count units that the predictor metered."""
        self._metered += units

    def snapshot(self) -> Snapshot:
        """What was counted so far."""
        return Snapshot(
            tuple(self._statuses),
            Buckets(tuple(self._duration), self._duration_total),
            Buckets(tuple(self._queue), self._queue_total),
            Buckets(tuple(self._predict), self._predict_total),
            Buckets(tuple(self._batch), self._invocations_total),
            tuple(self._endings.values()),
            self._metered,
        )

    def render(self, gauges: Gauges) -> bytes:
        """Everything in Prometheus' text format 0.0.4; its type is `CONTENT_TYPE`."""
        return "".join((*self._invocations(), *self._batches(), *self._processes(gauges), *_now(gauges))).encode()

    def _invocations(self) -> Iterator[str]:
        seen = [(str(status), count) for status, count in enumerate(self._statuses) if count or status == 200]
        yield _family("argosy_invocations_total", "counter", "Invocations answered, by HTTP status.")
        yield from (f'argosy_invocations_total{{status="{status}"}} {count}\n' for status, count in seen)
        yield from _times(
            "argosy_invocation_duration_seconds",
            "From the arrival of an invocation to its answer.",
            self._duration,
            self._duration_total,
        )
        yield from _times(
            "argosy_queue_duration_seconds",
            "From the arrival of an invocation to its hand-over to a model process.",
            self._queue,
            self._queue_total,
        )

    def _batches(self) -> Iterator[str]:
        yield from _times("argosy_predict_duration_seconds", "One call of predict.", self._predict, self._predict_total)
        yield _sample("argosy_decode_seconds_total", "counter", "Spent decoding bodies.", self._decode_total)
        yield _sample("argosy_encode_seconds_total", "counter", "Spent encoding predictions.", self._encode_total)
        shown = range(len(BATCH_BOUNDS))
        yield _family("argosy_batch_invocations", "histogram", "Invocations of one call of predict.")
        yield from _histogram(
            "argosy_batch_invocations", BATCH_BOUNDS, shown, Buckets(tuple(self._batch), self._invocations_total)
        )
        yield _family("argosy_batch_rows", "histogram", "Rows of one call of predict.")
        yield from _histogram("argosy_batch_rows", BATCH_BOUNDS, shown, Buckets(tuple(self._rows), self._rows_total))

    def _processes(self, gauges: Gauges) -> Iterator[str]:
        name = "argosy_model_process_restarts_total"
        yield _family(name, "counter", "Model processes that ended and had to be replaced.")
        yield from (f'{name}{{reason="{reason}"}} {count}\n' for reason, count in self._endings.items())
        name = "argosy_model_processes"
        yield _family(name, "gauge", "Model processes by what they do.")
        states = {"loading": gauges.loading, "idle": gauges.idle, "busy": gauges.busy}
        yield from (f'{name}{{state="{state}"}} {count}\n' for state, count in states.items())
        yield _sample("argosy_metered_units_total", "counter", "Units that the predictor metered.", self._metered)


def _now(gauges: Gauges) -> Iterator[str]:
    yield _sample("argosy_ready", "gauge", "Whether GET /ping is answered with 200.", int(gauges.is_ready))
    yield _sample("argosy_queue_length", "gauge", "Invocations that wait.", gauges.queue_length)
    yield _sample("argosy_queue_bytes", "gauge", "Bytes of the bodies that wait.", gauges.queue_bytes)
    yield _sample("argosy_open_connections", "gauge", "Open HTTP connections.", gauges.open_connections)
    yield _sample(
        "argosy_log_lines_dropped_total",
        "counter",
        "Log lines that the reader of the log did not take in time.",
        gauges.dropped_log_lines,
    )
    yield _sample(
        "process_start_time_seconds", "gauge", "Start of the server, in seconds since the epoch.", gauges.started
    )
    if gauges.resident_bytes is not None:
        yield _sample(
            "process_resident_memory_bytes",
            "gauge",
            "Resident memory of all processes together, pages that they share counted in each.",
            gauges.resident_bytes,
        )


def _family(name: str, kind: str, told: str) -> str:
    return f"# HELP {name} {told}\n# TYPE {name} {kind}\n"


def _sample(name: str, kind: str, told: str, value: float) -> str:
    return f"{_family(name, kind, told)}{name} {value!r}\n"


def _times(name: str, told: str, counts: Sequence[int], total: float) -> Iterator[str]:
    yield _family(name, "histogram", told)
    yield from _histogram(name, TIME_BOUNDS, _SHOWN, Buckets(tuple(counts), total))


def _histogram(name: str, bounds: Sequence[float], shown: Iterable[int], buckets: Buckets) -> Iterator[str]:
    """The samples of a histogram; buckets that are not shown are counted in the next that is."""
    counted = 0
    begin = 0
    for i in shown:
        counted += sum(buckets.counts[begin : i + 1])
        begin = i + 1
        yield f'{name}_bucket{{le="{bounds[i]:g}"}} {counted}\n'
    yield f'{name}_bucket{{le="+Inf"}} {buckets.count}\n{name}_sum {buckets.total!r}\n{name}_count {buckets.count}\n'


def _minus(now: tuple[int, ...], then: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(a - b for a, b in zip(now, then, strict=True))
