"""GET /execution-parameters: how a transform job may use this container."""

import orjson

from argosy import contract
from argosy.serving.hosting.site import Site
from argosy.serving.settings import BatchTransform, Settings

_ANY: BatchTransform = BatchTransform()


def execution_parameters(site: Site, settings: Settings) -> bytes:
    """The answer: as many transforms at a time as there are model processes, and what the job said itself.

    What the caller of CreateTransformJob set wins over this answer anyway; repeating it keeps the answer consistent.

    Args:
        site: Has the model processes: when nobody told how many there should be, they are counted.
        settings: What the server and the job were told.

    Source:
        `contract.BATCH_PAYLOAD_MB`: the product of both numbers is at most 100; a payload of 0 knows no limit.
    """
    told = settings.batch_transform or _ANY
    limit = int(contract.BATCH_PAYLOAD_MB.value)
    at_once = told.max_concurrent
    if not at_once:
        at_once = min(_processes(site, settings), limit // (told.max_payload_mb or 1) or 1)
    payload = told.max_payload_mb
    if payload is None:
        own = settings.max_body_bytes // contract.megabytes(1)
        payload = max(1, min(contract.DEFAULT_MAX_PAYLOAD_MB, limit // at_once, own))
    strategy = told.strategy or "MULTI_RECORD"
    return orjson.dumps({"MaxConcurrentTransforms": at_once, "BatchStrategy": strategy, "MaxPayloadInMB": payload})


def _processes(site: Site, settings: Settings) -> int:
    if not settings.workers_are_chosen:
        return settings.workers
    return max(1, sum(len(hosted.pool.links) for hosted in site.hosted))
