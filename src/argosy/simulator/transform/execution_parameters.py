"""What a transform job works with: what it is told, else what its container asks for, else the default."""

import json
from dataclasses import dataclass
from typing import Final

from argosy import contract
from argosy.simulator.transform.definition import TransformJobDefinition
from argosy.simulator.transform.split import BatchStrategy

MOST_UNDER_WAY: Final = 100
"""Requests at a time that a job really sends, whoever asks for more: each takes a connection of this machine."""


@dataclass(frozen=True, slots=True)
class ExecutionParameters:
    """What a transform job works with.

    Attributes:
        max_concurrent_transforms: Requests under way at a time, at least 1.
        max_payload_mb: Largest body in MB; 0 knows no limit.
        batch_strategy: How many records a request carries.
    """

    max_concurrent_transforms: int = contract.DEFAULT_MAX_CONCURRENT_TRANSFORMS
    max_payload_mb: int = contract.DEFAULT_MAX_PAYLOAD_MB
    batch_strategy: BatchStrategy = BatchStrategy.MULTI_RECORD

    @property
    def limit_bytes(self) -> int | None:
        """Largest body in bytes; None knows no limit."""
        return contract.megabytes(self.max_payload_mb) if self.max_payload_mb else None

    def __str__(self) -> str:
        """As the service's data log shows it."""
        return (
            f"MaxConcurrentTransforms={self.max_concurrent_transforms}, MaxPayloadInMB={self.max_payload_mb}, "
            f"BatchStrategy={self.batch_strategy.name}"
        )


def resolve(job: TransformJobDefinition, body: bytes | None) -> tuple[ExecutionParameters, list[str]]:
    """What counts: the job's value, else the container's, else the default, each field for itself.

    Args:
        job: The job.
        body: Of the container's 200 to `/execution-parameters`; None when it gave none.

    Returns:
        The parameters, and a sentence for each value of the container that is not used because it is wrong.

    Source:
        https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-batch-code.html (read 2026-11-22)
    """
    asked, faults = _parse(body) if body is not None else (_Asked(), [])
    payload = job.max_payload_in_mb
    if payload is None:
        payload = contract.DEFAULT_MAX_PAYLOAD_MB if asked.max_payload_mb is None else asked.max_payload_mb
    concurrent = (
        job.max_concurrent_transforms or asked.max_concurrent_transforms or contract.DEFAULT_MAX_CONCURRENT_TRANSFORMS
    )
    limit = int(contract.BATCH_PAYLOAD_MB.value)
    if payload * concurrent > limit:
        allowed = max(1, limit // payload)
        faults.append(
            f"MaxConcurrentTransforms {concurrent} times MaxPayloadInMB {payload} is over {limit}: {allowed} at a time"
        )
        concurrent = allowed
    if concurrent > MOST_UNDER_WAY:
        faults.append(f"MaxConcurrentTransforms is {concurrent}: here at most {MOST_UNDER_WAY} at a time")
        concurrent = MOST_UNDER_WAY
    strategy = job.batch_strategy or asked.batch_strategy or BatchStrategy.MULTI_RECORD
    return ExecutionParameters(concurrent, payload, strategy), faults


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the container asks for; None where it says nothing that can be used."""

    max_concurrent_transforms: int | None = None
    max_payload_mb: int | None = None
    batch_strategy: BatchStrategy | None = None


def _parse(body: bytes) -> tuple[_Asked, list[str]]:
    """The container's values that can be used, and sentences about all that cannot."""
    answer = _object(body)
    if answer is None:
        return _Asked(), ["/execution-parameters did not answer a JSON object: the defaults are used"]
    numbers: dict[str, int] = {}
    faults = []
    limit = int(contract.BATCH_PAYLOAD_MB.value)
    for field, lowest, highest in (("MaxConcurrentTransforms", 1, 2**31), ("MaxPayloadInMB", 0, limit)):
        value = answer.get(field)
        if isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest:
            numbers[field] = value
        elif value is not None:
            faults.append(f"/execution-parameters: {field} is {json.dumps(value)}: not used")
    named = answer.get("BatchStrategy")
    strategy = BatchStrategy.__members__.get(named) if isinstance(named, str) else None
    if named is not None and strategy is None:
        faults.append(
            f"/execution-parameters: BatchStrategy is {json.dumps(named)}, want SINGLE_RECORD or MULTI_RECORD: not used"
        )
    return _Asked(numbers.get("MaxConcurrentTransforms"), numbers.get("MaxPayloadInMB"), strategy), faults


def _object(body: bytes) -> dict[str, object] | None:
    try:
        answer = json.loads(body)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None
