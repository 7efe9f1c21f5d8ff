"""What a transform job is told, what its container asks for, and which of them counts."""

import json
from dataclasses import dataclass
from typing import Final

from argosy import contract
from argosy.errors import UsageError
from argosy.simulator.transform.assemble import AssembleWith
from argosy.simulator.transform.split import BatchStrategy, SplitType

MOST_UNDER_WAY: Final = 100
"""Requests at a time that a job really sends, whoever asks for more: each takes a connection of this machine."""

_LONGEST_MEDIA_TYPE: Final = 256


@dataclass(frozen=True, slots=True)
class TransformOptions:
    """The fields of CreateTransformJob that shape its requests; None where the caller says nothing.

    Attributes:
        content_type: Sent with every invocation.
        accept: Sent with every invocation.
        split_type: How objects are divided into records.
        assemble_with: What is put between answers.
        batch_strategy: How many records a request carries.
        max_payload_mb: Largest body in MB; 0 knows no limit and sends bodies in chunks.
        max_concurrent_transforms: Requests under way at a time; 0 leaves it to the container, as None does.
        invocation_s: `InvocationsTimeoutInSeconds`.
        max_retries: `InvocationsMaxRetries`.
    """

    content_type: str | None = None
    accept: str | None = None
    split_type: SplitType = SplitType.NONE
    assemble_with: AssembleWith = AssembleWith.NONE
    batch_strategy: BatchStrategy | None = None
    max_payload_mb: int | None = None
    max_concurrent_transforms: int | None = None
    invocation_s: float = contract.BATCH_INVOCATION.value
    max_retries: int = int(contract.BATCH_RETRIES.value)

    def __post_init__(self) -> None:
        limit = int(contract.BATCH_PAYLOAD_MB.value)
        payload, concurrent = self.max_payload_mb, self.max_concurrent_transforms
        if payload is not None and not 0 <= payload <= limit:
            raise UsageError("MaxPayloadInMB is out of range", got=payload, want=f"0 to {limit}")
        if concurrent is not None and concurrent < 0:
            raise UsageError("MaxConcurrentTransforms is out of range", got=concurrent, want="0 or more")
        if concurrent and (payload or 0) * concurrent > limit:
            raise UsageError(
                "MaxConcurrentTransforms times MaxPayloadInMB is too large",
                got=f"{concurrent} * {payload}",
                want=f"at most {limit}",
            )
        for field, value in (("ContentType", self.content_type), ("Accept", self.accept)):
            if value is not None and (
                len(value) > _LONGEST_MEDIA_TYPE or not value.isascii() or not value.isprintable()
            ):
                raise UsageError(
                    f"{field} is not a header value", want=f"at most {_LONGEST_MEDIA_TYPE} ASCII characters"
                )

    def environment(self) -> dict[str, str]:
        """The variables that SageMaker adds: those of fields that the caller set, no other.

        Source:
            https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-batch-code.html (read 2026-11-22)
        """
        found = {"SAGEMAKER_BATCH": "true"}
        if self.max_payload_mb is not None:
            found["SAGEMAKER_MAX_PAYLOAD_IN_MB"] = str(self.max_payload_mb)
        if self.batch_strategy is not None:
            found["SAGEMAKER_BATCH_STRATEGY"] = self.batch_strategy.name
        if self.max_concurrent_transforms is not None:
            found["SAGEMAKER_MAX_CONCURRENT_TRANSFORMS"] = str(self.max_concurrent_transforms)
        return found

    def headers(self) -> dict[str, str]:
        """The header fields of every invocation."""
        fields = {"Content-Type": self.content_type, "Accept": self.accept}
        return {name: value for name, value in fields.items() if value is not None}


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


def resolve(options: TransformOptions, body: bytes | None) -> tuple[ExecutionParameters, list[str]]:
    """What counts: the job's value, else the container's, else the default, each field for itself.

    Args:
        options: The job's.
        body: Of the container's 200 to `/execution-parameters`; None when it gave none.

    Returns:
        The parameters, and a sentence for each value of the container that is not used because it is wrong.

    Source:
        https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-batch-code.html (read 2026-11-22)
    """
    asked, faults = _parse(body) if body is not None else (_Asked(), [])
    payload = options.max_payload_mb
    if payload is None:
        payload = contract.DEFAULT_MAX_PAYLOAD_MB if asked.max_payload_mb is None else asked.max_payload_mb
    concurrent = (
        options.max_concurrent_transforms
        or asked.max_concurrent_transforms
        or contract.DEFAULT_MAX_CONCURRENT_TRANSFORMS
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
    strategy = options.batch_strategy or asked.batch_strategy or BatchStrategy.MULTI_RECORD
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
