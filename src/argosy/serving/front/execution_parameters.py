"""GET /execution-parameters: how a transform job may use this container."""

import orjson

from argosy import contract
from argosy.serving.settings import BatchTransform


def execution_parameters(workers: int, max_body_bytes: int, told: BatchTransform | None) -> bytes:
    """The answer: as many transforms at a time as there are model processes, and what the job said itself.

    What the caller of CreateTransformJob set wins over this answer anyway; repeating it keeps the answer consistent.

    Args:
        workers: Model processes.
        max_body_bytes: Largest request body that the server takes.
        told: What the job told the container by its variables.

    Source:
        `contract.BATCH_PAYLOAD_MB`: the product of both numbers is at most 100.
    """
    limit = int(contract.BATCH_PAYLOAD_MB.value)
    at_once = (told.max_concurrent if told else None) or min(workers, limit)
    largest = max(1, min(contract.DEFAULT_MAX_PAYLOAD_MB, limit // at_once, max_body_bytes // contract.megabytes(1)))
    payload = told.max_payload_mb if told and told.max_payload_mb is not None else largest
    strategy = (told.strategy if told else None) or "MULTI_RECORD"
    return orjson.dumps({"MaxConcurrentTransforms": at_once, "BatchStrategy": strategy, "MaxPayloadInMB": payload})
