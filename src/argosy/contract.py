"""What SageMaker asks of a container: names, limits and where each is written down.

The server, the simulator and the checks read their numbers here, so that judge and judged agree on the demand and on
nothing else. A fact that AWS changed over time carries the day on which its source was read. What nobody knows is not
here: it is a named option where it matters.
"""

from collections.abc import Mapping
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


# --- Clauses: what `argosy check` asks of an image. Each has one check in `conformance.checks`, in this order.

MARKETPLACE_GUIDE: Final = "https://docs.aws.amazon.com/marketplace/latest/userguide"
MODEL_PACKAGE_IMAGES: Final = f"{MARKETPLACE_GUIDE}/ml-model-package-images.html"
MARKETPLACE_SECURITY: Final = f"{MARKETPLACE_GUIDE}/ml-security-and-intellectual-property.html"
MARKETPLACE_PRICING: Final = f"{MARKETPLACE_GUIDE}/machine-learning-pricing.html"
ISOLATION_PAGE: Final = "https://docs.aws.amazon.com/sagemaker/latest/dg/mkt-algo-model-internet-free.html"
_SDK_ISSUES: Final = "https://github.com/aws/sagemaker-python-sdk/issues"
_EXAMPLES_ISSUES: Final = "https://github.com/aws/amazon-sagemaker-examples/issues"


def _must(id_: str, source: str, sentence: str, remedy: str) -> Clause:
    return Clause(id_, sentence, Level.MUST, source, remedy)


def _should(id_: str, source: str, sentence: str, remedy: str) -> Clause:
    return Clause(id_, sentence, Level.SHOULD, source, remedy)


_CLAUSES: Final = (
    _must("image-manifest", "https://github.com/aws/amazon-sagemaker-feedback/issues/180",
          "The stored manifest is one Docker v2 schema 2 image with gzip layers, not an OCI manifest or an index.",
          "docker buildx build --platform linux/amd64 --provenance=false --sbom=false"
          " --output type=image,oci-mediatypes=false,push=true, or argosy image convert"),
    _must("image-platform", CREATE_TRANSFORM_JOB,
          "The image is for linux/amd64: no instance type of a transform job has another processor.",
          "build with --platform linux/amd64"),
    _must("image-serve", HOSTING_PAGE,
          "`docker run IMAGE serve` finds a program that this image can execute.",
          "name the program in an exec-form ENTRYPOINT, or put an executable `serve` on PATH: chmod 755, LF line"
          " ends, and a first line whose interpreter is in the image"),
    _must("image-exec-form", HOSTING_PAGE,
          "ENTRYPOINT has the exec form, so that the program itself receives SIGTERM.",
          'write ENTRYPOINT ["program", "argument"], not ENTRYPOINT program argument'),
    _must("image-init", HOSTING_PAGE,
          "The entry point is no init such as tini, which is confused by the argument `serve`.",
          "make the server itself the ENTRYPOINT"),
    _must("image-root", HOSTING_PAGE,
          "The container runs as root.",
          "remove USER from the Dockerfile"),
    _must("image-gpu-driver", HOSTING_PAGE,
          "The image brings no NVIDIA driver; the host's is mounted.",
          "remove nvidia-smi, libcuda.so and libnvidia-ml.so; keep the CUDA toolkit only"),
    _should("image-secrets", MARKETPLACE_SECURITY,
            "No secret is in the image's environment, history or files: whoever may run it may read it.",
            "revoke what was found, pass it as a build secret (RUN --mount=type=secret), and build again"),
    _must("model-archive", CONTAINER_DEFINITION,
          "model.tar.gz is a gzip tar that SageMaker unpacks: no links, no devices, no paths that lead out.",
          "argosy pack"),
    _must("start-port", HOSTING_PAGE,
          "The server listens on port 8080 of all addresses.",
          "bind 0.0.0.0:8080"),
    _must("start-healthy", HOSTING_PAGE,
          "GET /ping is answered with 200 within 8 minutes of the start.",
          "answer GET /ping with 200 and an empty body once the model is loaded; look in the log for why it is not"),
    _must("start-offline", ISOLATION_PAGE,
          "The container starts and answers with no network and no AWS credentials.",
          "bring every file and dependency in the image or in model.tar.gz; download nothing at run time"),
    _must("start-read-only-model", HOSTING_PAGE,
          "The container does not write to /opt/ml/model.",
          "write to /tmp, and copy from /opt/ml/model what must be changed"),
    _must("ping", HOSTING_PAGE,
          "Every GET /ping is answered with 200 within 2 seconds.",
          "answer /ping outside the process that loads and runs the model"),
    _should("ping-honest", HOSTING_PAGE,
            "GET /ping says whether the model can be invoked, and is no static 200.",
            "answer /ping with 503 until the model is loaded and whenever it cannot predict"),
    _must("ping-any-host", f"{_SDK_ISSUES}/1554",
          "GET /ping is answered whatever the Host header;"
          " SageMaker sends model.aws.local:8080 and 169.254.255.131:8080.",
          "allow every host (Django: ALLOWED_HOSTS = ['*']; Starlette: no TrustedHostMiddleware)"),
    _must("ping-busy", HOSTING_PAGE,
          "GET /ping is answered within 2 seconds while invocations run.",
          "serve with more than one thread or process, or answer /ping in front of the model"),
    _must("accept-connection", HOSTING_PAGE,
          ACCEPT_CONNECTION.sentence,
          "never block the accepting thread; give the listening socket a backlog"),
    _must("invocations", MODEL_PACKAGE_IMAGES,
          "POST /invocations takes inference requests and answers them.",
          "route POST /invocations to the model; give `argosy check` a request with --sample and --content-type"),
    _must("invocation-headers", HOSTING_PAGE,
          "Unknown request headers are ignored, and Content-Type and Accept may be missing.",
          "read only the headers you know, and have a default for Content-Type and Accept"),
    _should("media-type-parameters", INVOKE_ENDPOINT,
            "A Content-Type with parameters, `text/csv; charset=utf-8`, means the same as without.",
            "compare type/subtype, not the whole header field"),
    _must("large-body", f"{_EXAMPLES_ISSUES}/2793",
          "A request body of 25 MB is taken: no 413, no reset connection.",
          "nginx: client_max_body_size 100m; Flask: no MAX_CONTENT_LENGTH below it; TorchServe: max_request_size"),
    _should("execution-parameters", BATCH_PAGE,
            "GET /execution-parameters is 404, or JSON whose"
            " MaxConcurrentTransforms times MaxPayloadInMB is at most 100.",
            'answer {"MaxConcurrentTransforms": 1, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6}, or 404'),
    _must("error-status", MARKETPLACE_PRICING,
          "An error is never answered with 2xx: the buyer pays for every 2xx.",
          "answer bad input with 4xx and your own failures with 5xx"),
    _should("error-client", MARKETPLACE_PRICING,
            "Input that cannot be understood is answered with 4xx.",
            "validate the body and the Content-Type: 400 for what cannot be decoded, 415 for an unknown media type"),
    _should("error-traceback", MARKETPLACE_SECURITY,
            "No answer carries a stack trace: the buyer would read your code's paths and lines.",
            "log the trace, answer with one sentence; switch the framework's debug mode off"),
    _must("error-survival", HOSTING_PAGE,
          "The server lives on after requests that it cannot answer.",
          "catch errors where one request is handled; never end the process"),
    _must("stop-grace", HOSTING_PAGE,
          "The container ends within 30 seconds of SIGTERM; then comes SIGKILL.",
          "let the server be the first process (`exec` in a shell script) and handle SIGTERM"),
    _should("stop-drain", HOSTING_PAGE,
            "A request that is under way when SIGTERM comes is still answered.",
            "on SIGTERM stop accepting, finish what is under way, then end"),
    # AWS does not ask for it; 143 may mean that a server drained and then ended by the signal.
    Clause("stop-exit-code", "The exit code after SIGTERM is 0.", Level.INFO, HOSTING_PAGE,
           "handle SIGTERM and end with 0, so that a log tells a stop from a crash"),
)  # fmt: skip

CLAUSES: Final[Mapping[str, Clause]] = {clause.id: clause for clause in _CLAUSES}
"""Every clause that has a check, by id, in the order of a report."""
