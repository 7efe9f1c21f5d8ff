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
MODELS_DIR: Final = "/opt/ml/models"
"""Of a multi-model endpoint: `NAME/model` below it has what a model's archive holds; NAME is SageMaker's choice.

Source:
    https://docs.aws.amazon.com/sagemaker/latest/dg/mms-container-apis.html (read 2026-11-22).
"""
CHANNELS_DIR: Final = "/opt/ml/additional-model-data-sources"
"""`AdditionalModelDataSources`, each in a folder that has its channel's name.

Source:
    sagemaker-python-sdk 2.257.6, serve/utils/optimize_utils.py (read 2026-11-22).
"""
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
STREAM: Final = Limit("stream", 480.0, "s", "A streamed answer must end within 8 minutes.", HOSTING_PAGE)
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
LABEL_MULTI_MODEL: Final = "com.amazonaws.sagemaker.capabilities.multi-models"
LABEL_BIDIRECTIONAL: Final = "com.amazonaws.sagemaker.capabilities.bidirectional-streaming"

HEADER_CUSTOM_ATTRIBUTES: Final = "X-Amzn-SageMaker-Custom-Attributes"
HEADER_INFERENCE_ID: Final = "X-Amzn-SageMaker-Inference-Id"
HEADER_SESSION_ID: Final = "X-Amzn-SageMaker-Session-Id"
HEADER_NEW_SESSION_ID: Final = "X-Amzn-SageMaker-New-Session-Id"
HEADER_CLOSED_SESSION_ID: Final = "X-Amzn-SageMaker-Closed-Session-Id"
NEW_SESSION: Final = "NEW_SESSION"
"""What the header field says in place of an id, and a body in its `requestType`."""
CLOSE_SESSION: Final = "CLOSE"
"""What a body says in its `requestType`."""
HEADER_ADAPTER: Final = "X-Amzn-SageMaker-Adapter-Identifier"
HEADER_ADAPTER_ALIAS: Final = "X-Amzn-SageMaker-Adapter-Alias"
HEADER_TARGET_MODEL: Final = "X-Amzn-SageMaker-Target-Model"
HEADER_METERING: Final = "X-Amzn-Inference-Metering"

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


PATH_SEPARATOR: Final = ":"
"""Between the paths of a variable: the image's, whatever the seller's machine uses."""


class Variable(StrEnum):
    """The environment variables by which a built image tells its server what the project said.

    `Project.server_environment` writes them, `serving.settings` reads them; nothing else does either.
    """

    PREDICTOR = "ARGOSY_PREDICTOR"
    """`module:Class` of the predictor; unset: an inference script is served."""
    INFERENCE_SCRIPT = "ARGOSY_INFERENCE_SCRIPT"
    """An inference.py with SageMaker's `model_fn` and the like, relative to the program's or the artifacts' folder;
    unset: what `SAGEMAKER_PROGRAM` and `SAGEMAKER_SUBMIT_DIRECTORY` name, else `code/inference.py` of the artifacts."""
    FLAVOR_OPTIONS = "ARGOSY_FLAVOR_OPTIONS"
    """What the predictor of a flavor is told beside the artifacts: a JSON object of `file`, `method`, `class`,
    `arguments`, `inputs`, `outputs`, `row_wise`, `task`, `signature` and `trusted`, as far as they are said."""
    PROGRAM_DIR = "ARGOSY_PROGRAM_DIR"
    """The folder that is put first on the predictor's import path."""
    MODEL_DIR = "ARGOSY_MODEL_DIR"
    """Where the artifacts are; wins over everything else."""
    BAKED_MODEL_DIR = "ARGOSY_BAKED_MODEL_DIR"
    """Where the artifacts are when `/opt/ml/model` is missing or empty."""
    CONTENT_TYPES = "ARGOSY_CONTENT_TYPES"
    """Media types that are taken and given, comma-separated, the first is the default; unset: what the predictor's
    annotation can take."""
    WORKERS = "ARGOSY_WORKERS"
    """Number of model processes; 0 or unset: as many as memory and processors allow."""
    QUEUE = "ARGOSY_QUEUE"
    """Number of invocations that may wait for a model process."""
    MAX_BODY_MB = "ARGOSY_MAX_BODY_MB"
    """Largest request body, in MB."""
    MAX_RECEIVING_MB = "ARGOSY_MAX_RECEIVING_MB"
    """Bodies that are being received, in MB all together; what would be more is answered with 503; unset: a quarter of
    the memory that is left at the start, at most 1024. Never less than one body may have."""
    DEADLINE_S = "ARGOSY_DEADLINE_S"
    """Seconds after which an unanswered invocation is answered with 503; unset: 55, in a transform job 3590."""
    MAX_BATCH_SIZE = "ARGOSY_MAX_BATCH_SIZE"
    """The most rows in one call of `predict` out of several invocations; 1: each invocation alone; unset: 64, or four
    times as many as one invocation has."""
    MAX_DELAY_MS = "ARGOSY_MAX_DELAY_MS"
    """Milliseconds that an invocation may wait for others to share its call; 0: only what waits anyway is batched."""
    CONCURRENCY = "ARGOSY_CONCURRENCY"
    """The most async calls or streams at a time in one model process."""
    STREAM_DEADLINE_S = "ARGOSY_STREAM_DEADLINE_S"
    """Seconds after which a streamed answer is ended, counted from its invocation."""
    WARM_UP = "ARGOSY_WARM_UP"
    """Files with sample inputs, relative to the program's folder, separated by `:`; each model process predicts them
    before it is ready."""
    SESSION_TTL_S = "ARGOSY_SESSION_TTL_S"
    """Seconds that an unused stateful session lives; 0 or unset: there are no sessions."""
    LOG_INVOCATIONS = "ARGOSY_LOG_INVOCATIONS"
    """Which invocations have a line in the log: `errors`, `all` or `none`."""
    LOG_EXCEPTIONS = "ARGOSY_LOG_EXCEPTIONS"
    """How much of what an exception of the predictor's says is in the log: `short` (200 characters), `whole` or `none`;
    its type and its places always are."""
    EMF_NAMESPACE = "ARGOSY_EMF_NAMESPACE"
    """CloudWatch namespace of the metrics in the log (embedded metric format); unset: there are none."""
    HOST = "ARGOSY_HOST"
    """Address to listen on; unset: all, as the platform needs; `argosy serve` sets loopback."""
    SHORT_PATH = "ARGOSY_SHORT_PATH"
    """`0` sends every request through plain ASGI, slower and with the same answers."""


class PlatformVariable(StrEnum):
    """The environment variables of SageMaker's, and of its SDK's, that the server heeds; `serving.settings` reads them.

    One whose value is not understood is told to the log and left out; a wrong port ends the server.

    Source:
        HOSTING_PAGE, BATCH_PAGE, MULTI_CONTAINER_PAGE; sagemaker-inference-toolkit 1.10.1, parameters.py
        (read 2026-11-22).
    """

    BIND_TO_PORT = "SAGEMAKER_BIND_TO_PORT"
    """The TCP port to listen on; unset: 8080."""
    SAFE_PORT_RANGE = "SAGEMAKER_SAFE_PORT_RANGE"
    """`XXXX-YYYY`, the ports that a container of a multi-container endpoint may use beside its own; this server needs
    none of them."""
    MULTI_MODEL = "SAGEMAKER_MULTI_MODEL"
    """`true`: SageMaker loads and unloads models through `/models`."""
    BATCH = "SAGEMAKER_BATCH"
    """`true`: a transform job; an invocation may then take up to an hour."""
    MAX_PAYLOAD = "SAGEMAKER_MAX_PAYLOAD_IN_MB"
    """The transform job's largest body in MB, when its user set one."""
    BATCH_STRATEGY = "SAGEMAKER_BATCH_STRATEGY"
    """The transform job's strategy, when its user set one: `SINGLE_RECORD` or `MULTI_RECORD`."""
    MAX_CONCURRENT_TRANSFORMS = "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS"
    """The transform job's invocations at the same time, when its user set a number."""
    PROGRAM = "SAGEMAKER_PROGRAM"
    """The inference script that is looked for when the project names nothing; unset: `inference.py`."""
    SUBMIT_DIRECTORY = "SAGEMAKER_SUBMIT_DIRECTORY"
    """The folder in which it is looked for first, then `code/` of the artifacts; a URI of S3 counts as unset."""
    DEFAULT_ACCEPT = "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT"
    """What an inference script is told when a request accepts anything; unset: `application/json`."""
