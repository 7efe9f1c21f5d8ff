"""What the server counts: one truth over all processes, because every invocation passes the front.

Pure: numbers in, text out. `Metrics` belongs to the event loop's thread. Times are counted in fine buckets, ten a
decade: Prometheus is shown those at 1, 2.5 and 5, CloudWatch gets all, in its embedded metric format: a line on stdout
that becomes metrics with no call over the network.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeVar, get_args

import orjson

from argosy.serving.answers import CLIENT_LEFT
from argosy.serving.frames import Timings

_Number = TypeVar("_Number", int, float)

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

_NORMAL_CLOSURE: Final = 1000
_CLOSE_CODES: Final = range(_NORMAL_CLOSURE, 1016)
"""Those with a meaning of their own (RFC 6455, section 7.4.1)."""
_OWN_CODE: Final = 4000
"""Stands for all others."""

Ending = Literal["killed", "memory", "crashed", "stuck", "exited", "unknown"]
"""What ended a model process that had to be replaced: a signal from outside, the kernel for want of memory, a signal
for its own fault, the front, itself with an exit code; or nobody knows, because the template was gone."""


@dataclass(frozen=True, slots=True)
class Gauges:
    """What is true at the moment of rendering.

    Attributes:
        is_ready: Whether `/ping` is 200.
        queue_length: Invocations that wait.
        queue_bytes: Bytes of their bodies.
        receiving_bytes: Bytes of bodies that are being received, as far as they are counted.
        loading: Model processes that load.
        idle: Model processes that wait.
        busy: Model processes that answer.
        open_connections: HTTP connections.
        started: Seconds since the epoch at which the server started.
        resident_bytes: Resident memory of all processes together, pages that they share counted in each; None: unknown.
        dropped_log_lines: Lines that the reader of the log did not take in time.
        conversations: Bidirectional streams that are open.
    """

    is_ready: bool
    queue_length: int
    queue_bytes: int
    receiving_bytes: int
    loading: int
    idle: int
    busy: int
    open_connections: int
    started: float
    resident_bytes: int | None = None
    dropped_log_lines: int = 0
    conversations: int = 0


@dataclass(frozen=True, slots=True)
class Buckets:
    """A histogram: how many observations each bucket holds, and the sum of these."""

    counts: tuple[int, ...]
    sums: tuple[float, ...]

    @property
    def count(self) -> int:
        """The number of observations."""
        return sum(self.counts)

    @property
    def total(self) -> float:
        """The sum of the observations."""
        return sum(self.sums)

    def since(self, earlier: "Buckets") -> "Buckets":
        """What was observed after `earlier`."""
        return Buckets(_minus(self.counts, earlier.counts), _minus(self.sums, earlier.sums))


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
    metered: float

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


class _Histogram:
    """Buckets that grow; lists, because adding to one is what the hot path can pay for."""

    __slots__ = ("counts", "sums")

    def __init__(self, bounds: Sequence[float], zero: float) -> None:
        self.counts = [0] * (len(bounds) + 1)
        self.sums = [zero] * (len(bounds) + 1)

    def observe(self, since: Sequence[float], until: float) -> None:
        """Times that began at `since`, in ascending order, and all ended at once; a step for each bucket between."""
        bucket, end = bisect_left(TIME_BOUNDS, until - since[-1]), len(since)
        while end:
            is_last = bucket == len(TIME_BOUNDS)
            start = 0 if is_last else bisect_left(since, until - TIME_BOUNDS[bucket], 0, end)
            count = end - start
            self.counts[bucket] += count
            self.sums[bucket] += count * until - sum(since[start:end])
            bucket, end = bucket + 1, start

    def snapshot(self) -> Buckets:
        return Buckets(tuple(self.counts), tuple(self.sums))


class Metrics:
    """Counters and histograms of one server."""

    def __init__(self) -> None:
        self._statuses = [0] * 600
        self._duration = _Histogram(TIME_BOUNDS, 0.0)
        self._queue = _Histogram(TIME_BOUNDS, 0.0)
        self._predict = _Histogram(TIME_BOUNDS, 0.0)
        self._batch = _Histogram(BATCH_BOUNDS, 0)
        self._rows = _Histogram(BATCH_BOUNDS, 0)
        self._decode = self._encode = 0.0
        self._endings: dict[str, int] = dict.fromkeys(get_args(Ending), 0)
        self._metered = 0.0
        self._conversations = {_NORMAL_CLOSURE: 0}

    def answered(self, status: int, arrived: Sequence[float], handed: float, now: float) -> None:
        """Count invocations that were handed over together and are answered together; the hot path.

        Args:
            status: HTTP status, 100 to 599.
            arrived: When each had come, in seconds of any clock.
            handed: When a model process got them; `now` when they were never handed over.
            now: When they are answered.
        """
        self._statuses[status] += len(arrived)
        since = sorted(arrived)
        self._duration.observe(since, now)
        self._queue.observe(since, handed)

    def worked(self, count: int, timings: Timings) -> None:
        """Count one frame of answers of a model process, to so many invocations."""
        for histogram, size in ((self._batch, count), (self._rows, timings.rows)):
            i = min((size - (size > 0)).bit_length(), _LARGEST_BATCH_BIT + 1)
            histogram.counts[i] += 1
            histogram.sums[i] += size
        i = bisect_left(TIME_BOUNDS, timings.predict)
        self._predict.counts[i] += 1
        self._predict.sums[i] += timings.predict
        self._decode += timings.decode
        self._encode += timings.encode
        self._metered += timings.metered

    def process_ended(self, reason: Ending) -> None:
        """Count one model process that has to be replaced."""
        self._endings[reason] += 1

    def conversed(self, code: int) -> None:
        """Count one conversation that has ended with this code of a Close frame; a client may choose any."""
        code = code if code in _CLOSE_CODES else _OWN_CODE
        self._conversations[code] = self._conversations.get(code, 0) + 1

    def metered(self, units: float) -> None:
        """Count units that the predictor metered."""
        self._metered += units

    def snapshot(self) -> Snapshot:
        """What was counted so far."""
        return Snapshot(
            tuple(self._statuses),
            self._duration.snapshot(),
            self._queue.snapshot(),
            self._predict.snapshot(),
            self._batch.snapshot(),
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
        told = "From the arrival of an invocation to its answer."
        yield from _histogram("argosy_invocation_duration_seconds", told, TIME_BOUNDS, self._duration)
        told = "From the arrival of an invocation to its hand-over to a model process."
        yield from _histogram("argosy_queue_duration_seconds", told, TIME_BOUNDS, self._queue)

    def _batches(self) -> Iterator[str]:
        yield from _histogram("argosy_predict_duration_seconds", "One call of predict.", TIME_BOUNDS, self._predict)
        yield _sample("argosy_decode_seconds_total", "counter", "Spent decoding bodies.", self._decode)
        yield _sample("argosy_encode_seconds_total", "counter", "Spent encoding predictions.", self._encode)
        told = "Invocations of one call of predict."
        yield from _histogram("argosy_batch_invocations", told, BATCH_BOUNDS, self._batch)
        yield from _histogram("argosy_batch_rows", "Rows of one call of predict.", BATCH_BOUNDS, self._rows)

    def _processes(self, gauges: Gauges) -> Iterator[str]:
        name = "argosy_model_process_restarts_total"
        yield _family(name, "counter", "Model processes that ended and had to be replaced.")
        yield from (f'{name}{{reason="{reason}"}} {count}\n' for reason, count in self._endings.items())
        name = "argosy_model_processes"
        yield _family(name, "gauge", "Model processes by what they do.")
        states = {"loading": gauges.loading, "idle": gauges.idle, "busy": gauges.busy}
        yield from (f'{name}{{state="{state}"}} {count}\n' for state, count in states.items())
        name = "argosy_conversations_total"
        yield _family(name, "counter", "Bidirectional streams that ended, by the code of the Close frame.")
        yield from (f'{name}{{code="{code}"}} {count}\n' for code, count in self._conversations.items())
        yield _sample("argosy_conversations", "gauge", "Bidirectional streams that are open.", gauges.conversations)
        yield _sample("argosy_metered_units_total", "counter", "Units that the predictor metered.", self._metered)


def _now(gauges: Gauges) -> Iterator[str]:
    yield _sample("argosy_ready", "gauge", "Whether GET /ping is answered with 200.", int(gauges.is_ready))
    yield _sample("argosy_queue_length", "gauge", "Invocations that wait.", gauges.queue_length)
    yield _sample("argosy_queue_bytes", "gauge", "Bytes of the bodies that wait.", gauges.queue_bytes)
    yield _sample("argosy_receiving_bytes", "gauge", "Bytes of bodies that are being received.", gauges.receiving_bytes)
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


def _histogram(name: str, told: str, bounds: Sequence[float], histogram: _Histogram) -> Iterator[str]:
    """A histogram's family; buckets that are not shown are counted in the next that is."""
    yield _family(name, "histogram", told)
    buckets = histogram.snapshot()
    counted = begin = 0
    for i in _SHOWN if bounds is TIME_BOUNDS else range(len(bounds)):
        counted += sum(buckets.counts[begin : i + 1])
        begin = i + 1
        yield f'{name}_bucket{{le="{bounds[i]:g}"}} {counted}\n'
    yield f'{name}_bucket{{le="+Inf"}} {buckets.count}\n{name}_sum {buckets.total!r}\n{name}_count {buckets.count}\n'


def _minus(now: Sequence[_Number], then: Sequence[_Number]) -> tuple[_Number, ...]:
    return tuple(a - b for a, b in zip(now, then, strict=True))


class _Metric(NamedTuple):
    name: str
    unit: str
    value: object


def emf_line(namespace: str, delta: Snapshot, timestamp: float) -> bytes:
    """One JSON line with what happened since the line before.

    Args:
        namespace: Where the metrics are found in CloudWatch, 1 to 1,024 characters.
        delta: `Metrics.snapshot().since(the snapshot of the line before)`.
        timestamp: Seconds since the epoch.

    Returns:
        The line with its newline. It has no dimensions: the container is not told its endpoint's name, which the name
        of the log group has. Histograms are left out when nothing was observed.

    Source:
        "Specification: Embedded metric format", https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/
        CloudWatch_Embedded_Metric_Format_Specification.html (read 2026-11-22): at most 100 metrics a line and 100
        members an array, `Timestamp` in milliseconds, a set of dimensions may be empty. The form of a histogram,
        `Values` with `Counts`, is not in that page: it is what AWS's own library writes, with at most 100 values
        (awslabs/aws-embedded-metrics-java, model/Histogram.java and model/Statistics.java, read 2026-11-22).
    """
    metrics = _metrics(delta)
    told: dict[str, object] = {
        "_aws": {
            "Timestamp": round(timestamp * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": namespace,
                    "Dimensions": [[]],
                    "Metrics": [{"Name": metric.name, "Unit": metric.unit} for metric in metrics],
                }
            ],
        }
    }
    told.update((metric.name, metric.value) for metric in metrics)
    return orjson.dumps(told) + b"\n"


def _metrics(delta: Snapshot) -> list[_Metric]:
    counts = {
        "Invocations": sum(delta.statuses),
        "Errors4xx": sum(delta.statuses[400:CLIENT_LEFT]),  # a client that leaves is no error
        "Errors5xx": sum(delta.statuses[500:600]),
        "ModelProcessRestarts": sum(delta.endings),
        "MeteredUnits": delta.metered,
    }
    histograms = (
        ("Latency", "Milliseconds", delta.duration, 1000.0),
        ("QueueTime", "Milliseconds", delta.queue, 1000.0),
        ("PredictTime", "Milliseconds", delta.predict, 1000.0),
        ("BatchSize", "Count", delta.batch, 1.0),
    )
    return [
        *(_Metric(name, "Count", count) for name, count in counts.items()),
        *(
            _Metric(name, unit, _distribution(buckets, scale))
            for name, unit, buckets, scale in histograms
            if buckets.count
        ),
    ]


def _distribution(buckets: Buckets, scale: float) -> dict[str, object]:
    """A histogram as AWS's library writes it.

    The mean of a bucket's observations stands for each of them: so the sum is exact, and percentiles are within one
    bucket (at most 28 %) of the truth.
    """
    held = [(count, total * scale) for count, total in zip(buckets.counts, buckets.sums, strict=True) if count]
    values = [total / count for count, total in held]
    return {
        "Values": values,
        "Counts": [count for count, _ in held],
        "Max": values[-1],
        "Min": values[0],
        "Count": buckets.count,
        "Sum": sum(total for _, total in held),
    }
