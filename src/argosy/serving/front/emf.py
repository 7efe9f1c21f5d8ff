"""CloudWatch's embedded metric format: a line on stdout that becomes metrics, with no call over the network.

Source:
    "Specification: Embedded metric format", Amazon CloudWatch User Guide
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html,
    read 2026-11-22): at most 100 metrics a line and 100 members an array, `Timestamp` in milliseconds, a set of
    dimensions may be empty. The form of a histogram, `Values` with `Counts`, is not in that page: it is what AWS's own
    library writes, with at most 100 values (awslabs/aws-embedded-metrics-java, model/Histogram.java and
    model/Statistics.java, read 2026-11-22).
"""

from typing import Final, NamedTuple

import orjson

from argosy.serving.front.metrics import Buckets, Snapshot

NAMESPACE: Final = "Argosy"
"""Where the metrics are found in CloudWatch, unless told otherwise."""


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
        "Errors4xx": sum(delta.statuses[400:500]),
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
