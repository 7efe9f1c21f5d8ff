"""What SageMaker asks of a container: names, limits and where each is written down.

The server, the simulator and the checks read their numbers here, so that judge and judged agree on the demand and on
nothing else. A fact that AWS changed over time carries the day on which its source was read. What nobody knows is not
here: it is a named option where it matters.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

READ: Final = "2026-11-22"

HOSTING_PAGE: Final = "https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html"
BATCH_PAGE: Final = "https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-batch-code.html"
HOSTING_FAQ: Final = "https://docs.aws.amazon.com/sagemaker/latest/dg/hosting-faqs.html"
BATCH_TRANSFORM_PAGE: Final = "https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform.html"
MULTI_CONTAINER_PAGE: Final = "https://docs.aws.amazon.com/sagemaker/latest/dg/multi-container-endpoints.html"
INVOKE_ENDPOINT: Final = "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html"
CREATE_TRANSFORM_JOB: Final = "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTransformJob.html"
CONTAINER_DEFINITION: Final = "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ContainerDefinition.html"


class Level(StrEnum):
    """How hard a demand is: a documented rule or known failure, a recommendation, a fact to show."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    INFO = "INFO"


@dataclass(frozen=True, slots=True)
class Clause:
    """One demand of the contract.

    Attributes:
        id: Stable kebab-case name, as findings carry it.
        sentence: The demand, one sentence.
        level: How hard it is.
        source: Where it is written down.
        remedy: What to do when it does not hold.
        read: The day on which the source was read.
    """

    id: str
    sentence: str
    level: Level
    source: str
    remedy: str
    read: str = READ


@dataclass(frozen=True, slots=True)
class Limit:
    """A number of the contract with its unit, sentence and source."""

    id: str
    value: float
    unit: str
    sentence: str
    source: str
    read: str = READ


PORT: Final = 8080
MODEL_DIR: Final = "/opt/ml/model"
SERVE_ARGUMENT: Final = "serve"

ACCEPT_CONNECTION: Final = Limit(
    "accept-connection", 0.25, "s", "A connection must be accepted within 250 ms, at all times.", HOSTING_PAGE
)
PING: Final = Limit("ping", 2.0, "s", "A health check must be answered within 2 seconds.", HOSTING_PAGE)
STARTUP: Final = Limit(
    "startup", 480.0, "s", "The container must answer its health checks within 8 minutes of its start.", HOSTING_PAGE
)
INVOCATION: Final = Limit(
    "invocation", 60.0, "s", "An invocation of an endpoint must be answered within 60 seconds.", HOSTING_PAGE
)
STOP_GRACE: Final = Limit("stop-grace", 30.0, "s", "SIGKILL follows SIGTERM after 30 seconds.", HOSTING_PAGE)
ENDPOINT_BODY: Final = Limit(
    "endpoint-body", 25 * 2**20, "bytes", "The body of an endpoint's request or response is at most 25 MB.", HOSTING_FAQ
)
ENDPOINT_BODY_OLD: Final = Limit(
    "endpoint-body-old", 6_291_456, "bytes", "Older clients and documents stop at 6 MB.", INVOKE_ENDPOINT
)
CUSTOM_ATTRIBUTES: Final = Limit(
    "custom-attributes",
    1024,
    "characters",
    "Custom attributes are at most 1024 visible ASCII characters.",
    INVOKE_ENDPOINT,
)
ERROR_MESSAGE: Final = Limit(
    "error-message",
    2048,
    "characters",
    "Message and OriginalMessage of a ModelError are cut at 2048 characters.",
    INVOKE_ENDPOINT,
)
BATCH_INVOCATION: Final = Limit(
    "batch-invocation",
    600.0,
    "s",
    "A transform job waits 600 seconds for an invocation unless told otherwise.",
    CREATE_TRANSFORM_JOB,
)
BATCH_RETRIES: Final = Limit(
    "batch-retries",
    3,
    "retries",
    "A transform job retries a failed invocation 3 times unless told otherwise.",
    CREATE_TRANSFORM_JOB,
)
BATCH_PAYLOAD_MB: Final = Limit(
    "batch-payload",
    100,
    "MB",
    "MaxPayloadInMB, also times MaxConcurrentTransforms, is at most 100.",
    CREATE_TRANSFORM_JOB,
)
SHARED_MEMORY: Final = Limit(
    "shared-memory", 64 * 2**20, "bytes", "/dev/shm has Docker's default size of 64 MB.",
    "https://github.com/aws/sagemaker-python-sdk/issues/2801",
)  # fmt: skip

DEFAULT_MAX_PAYLOAD_MB: Final = 6
DEFAULT_MAX_CONCURRENT_TRANSFORMS: Final = 1

LABEL_BIND_TO_PORT: Final = "com.amazonaws.sagemaker.capabilities.accept-bind-to-port"

HEADER_CUSTOM_ATTRIBUTES: Final = "X-Amzn-SageMaker-Custom-Attributes"
HEADER_INFERENCE_ID: Final = "X-Amzn-SageMaker-Inference-Id"
HEADER_SESSION_ID: Final = "X-Amzn-SageMaker-Session-Id"

FORWARDED_HEADERS: Final = (
    "Content-Type",
    "Accept",
    HEADER_CUSTOM_ATTRIBUTES,
    HEADER_INFERENCE_ID,
    HEADER_SESSION_ID,
)
"""The request headers that are known to reach a container; the platform strips all others."""


def megabytes(count: int) -> int:
    """Bytes in `count` of AWS's MB: 2**20 each, the only place that decides it.

    AWS writes MB without saying which; the declared 6,291,456 bytes for "6 MB" speak for 2**20.

    Source:
        `InvokeEndpoint` `Body` maximum, SageMaker Runtime API model (read 2026-11-22).
    """
    return count * 2**20


class Variable(StrEnum):
    """The environment variables by which a built image tells its server what the project said.

    `Project.server_environment` writes them, `serving.settings` reads them; nothing else does either.
    """

    PREDICTOR = "ARGOSY_PREDICTOR"
    """`module:Class` of the predictor."""
    PROGRAM_DIR = "ARGOSY_PROGRAM_DIR"
    """The folder that is put first on the predictor's import path."""
    MODEL_DIR = "ARGOSY_MODEL_DIR"
    """Where the artifacts are; wins over everything else."""
    BAKED_MODEL_DIR = "ARGOSY_BAKED_MODEL_DIR"
    """Where the artifacts are when `/opt/ml/model` is missing or empty."""
    CONTENT_TYPES = "ARGOSY_CONTENT_TYPES"
    """Media types that are taken and given, comma-separated, the first is the default."""
    WORKERS = "ARGOSY_WORKERS"
    """Number of model processes; 0 means one for each processor."""
    QUEUE = "ARGOSY_QUEUE"
    """Number of invocations that may wait for a model process."""
    MAX_BODY_MB = "ARGOSY_MAX_BODY_MB"
    """Largest request body, in MB."""
    DEADLINE_S = "ARGOSY_DEADLINE_S"
    """Seconds after which an unanswered invocation is answered with 503."""
