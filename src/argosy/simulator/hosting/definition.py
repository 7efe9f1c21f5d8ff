"""What an endpoint is made of, as CreateModel and CreateEndpointConfig say it: frozen values, no effect.

The control plane makes them of stored resources, the command line of its options, tests by hand; `hosting` knows
nothing of where they came from.

Source:
    CreateModel, CreateEndpointConfig and CreateInferenceComponent in botocore's sagemaker 2017-07-24 model
    (read 2026-11-23).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from argosy import contract
from argosy.errors import UsageError
from argosy.simulator.answers import ACCOUNT

DEFAULT_VARIANT: Final = "AllTraffic"
"""What the SageMaker SDK calls the variant of an endpoint that has one."""
DEFAULT_INSTANCE_TYPE: Final = "ml.m5.large"

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


class Mode(StrEnum):
    """Whether a container serves one model or many."""

    SINGLE_MODEL = "SingleModel"
    MULTI_MODEL = "MultiModel"


class ExecutionMode(StrEnum):
    """How the containers of a model work together: one after the other, or each when it is asked for."""

    SERIAL = "Serial"
    DIRECT = "Direct"


class RoutingStrategy(StrEnum):
    """Which instance of a variant gets an invocation."""

    LEAST_OUTSTANDING_REQUESTS = "LEAST_OUTSTANDING_REQUESTS"
    RANDOM = "RANDOM"


@dataclass(frozen=True, slots=True)
class ArtifactSource:
    """Where the artifacts of a container come from.

    Attributes:
        url: `s3://BUCKET/KEY`, or the path of a file or folder of this machine. With `Mode.MULTI_MODEL` the prefix
            below which the archives lie.
        is_archive: Whether it is a `tar.gz` that is unpacked, rather than an object or prefix that is taken as it is.
        is_prefix: Whether every object below `url` is taken, not the one that it names.
    """

    url: str
    is_archive: bool = True
    is_prefix: bool = False


@dataclass(frozen=True, slots=True)
class ContainerDefinition:
    """One container of a model.

    Attributes:
        image: An image reference, or a project folder; whoever opens containers knows which.
        hostname: `ContainerHostname`; None for a model's only container.
        environment: `Environment`, verbatim.
        artifacts: The artifacts; None when the image brings them.
        channels: Artifacts beside the model's, by channel: `AdditionalModelDataSources`.
        mode: Whether it serves one model or many.
        is_model_cached: False ends a model of many right after its invocation: `ModelCacheSetting` is Disabled.
    """

    image: str
    hostname: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    artifacts: ArtifactSource | None = None
    channels: Mapping[str, ArtifactSource] = field(default_factory=dict)
    mode: Mode = Mode.SINGLE_MODEL
    is_model_cached: bool = True


@dataclass(frozen=True, slots=True)
class Model:
    """What CreateModel made.

    Attributes:
        name: Its name.
        containers: One, or up to fifteen.
        execution_mode: What several containers do with an invocation.
        is_isolated: Whether the containers have no network on SageMaker: `EnableNetworkIsolation`, always so for
            Marketplace. Here it changes nothing but a note.
        takes_adapters: Whether its container is told to load adapters when an invocation names one.
    """

    name: str
    containers: tuple[ContainerDefinition, ...]
    execution_mode: ExecutionMode = ExecutionMode.SERIAL
    is_isolated: bool = True
    takes_adapters: bool = False


@dataclass(frozen=True, slots=True)
class Compute:
    """`ComputeResourceRequirements` of an inference component, for each copy.

    Attributes:
        min_memory_mb: Memory that is set aside for it.
        max_memory_mb: Memory that it may use; None is what is set aside.
        cpus: Processors that are set aside for it; None asks for none.
        accelerators: Accelerators, the same.
    """

    min_memory_mb: int
    max_memory_mb: int | None = None
    cpus: float | None = None
    accelerators: float | None = None


@dataclass(frozen=True, slots=True)
class Serverless:
    """A variant without instances of its own.

    Attributes:
        memory_mb: 1024 to 6144.
        max_concurrency: Invocations at a time, above which the service throttles.
    """

    memory_mb: int
    max_concurrency: int


@dataclass(frozen=True, slots=True)
class ProductionVariant:
    """One variant of an endpoint.

    Attributes:
        name: Its name.
        model: What it runs; None where inference components bring the models.
        weight: Its share of the traffic is this divided by the sum over all variants.
        instance_count: Instances, each with containers of its own.
        instance_type: Whose processors, memory and disk the containers get, where instance types are applied.
        serverless: Instead of instances.
        startup_s: How long a container may take until its first good health check.
        routing: Which instance gets an invocation.
        compute: What its container may use; None is the whole instance.
    """

    name: str = DEFAULT_VARIANT
    model: Model | None = None
    weight: float = 1.0
    instance_count: int = 1
    instance_type: str = DEFAULT_INSTANCE_TYPE
    serverless: Serverless | None = None
    startup_s: float = contract.STARTUP.value
    routing: RoutingStrategy = RoutingStrategy.LEAST_OUTSTANDING_REQUESTS
    compute: Compute | None = None


@dataclass(frozen=True, slots=True)
class InferenceComponent:
    """What CreateInferenceComponent made: a model on the instances of a variant that has none, or an adapter of one.

    Attributes:
        name: Its name.
        variant: The variant on whose instances its copies run.
        model: What each copy runs; None for an adapter.
        compute: What is set aside for each copy; None for an adapter.
        copies: Number of copies.
        startup_s: How long a container may take until its first good health check.
        base: Name of the component whose container loads it; set for an adapter alone.
        adapter: Where the adapter's artifacts come from.
    """

    name: str
    variant: str = DEFAULT_VARIANT
    model: Model | None = None
    compute: Compute | None = None
    copies: int = 1
    startup_s: float = contract.STARTUP.value
    base: str | None = None
    adapter: ArtifactSource | None = None


@dataclass(frozen=True, slots=True)
class Capture:
    """`DataCaptureConfig` of an endpoint.

    Attributes:
        destination: `s3://BUCKET/PREFIX`.
        sampling_percentage: 0 to 100.
        is_input: Whether requests are captured.
        is_output: Whether answers are captured.
        csv_content_types: Media types whose bodies are captured as text in CSV.
        json_content_types: Media types whose bodies are captured as text in JSON; all others in base64.
    """

    destination: str
    sampling_percentage: int = 100
    is_input: bool = True
    is_output: bool = True
    csv_content_types: tuple[str, ...] = ()
    json_content_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AsyncInference:
    """`AsyncInferenceConfig` of an endpoint.

    Attributes:
        output: `s3://BUCKET/PREFIX` of results.
        failure: `s3://BUCKET/PREFIX` of failures, or None.
        success_topic: Who is told of a result: an SNS topic's ARN; the simulator's owner maps it to a file or URL.
        error_topic: Who is told of a failure.
        includes_response: For which of `SUCCESS_NOTIFICATION_TOPIC` and `ERROR_NOTIFICATION_TOPIC` the notification
            holds the answer.
        max_concurrent_per_instance: Invocations at a time on an instance; None leaves it to the service.
    """

    output: str
    failure: str | None = None
    success_topic: str | None = None
    error_topic: str | None = None
    includes_response: frozenset[str] = frozenset()
    max_concurrent_per_instance: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What an endpoint allows.

    Attributes:
        invocation_s: How long a container may take to answer an invocation.
        stream_s: How long a streamed answer may take as a whole.
        body_bytes: Largest body of a request or answer; whether AWS means 10**6 or 2**20 by MB, nobody knows.
        warn_bytes: Bodies above it are reported: older documents and clients stop there.
    """

    invocation_s: float = contract.INVOCATION.value
    stream_s: float = 480.0
    body_bytes: int = int(contract.ENDPOINT_BODY.value)
    warn_bytes: int = int(contract.ENDPOINT_BODY_OLD.value)


@dataclass(frozen=True, slots=True)
class EndpointDefinition:
    """An endpoint with its configuration.

    Attributes:
        name: As CreateEndpoint takes it.
        variants: One to ten.
        shadow_variants: At most one; gets copies of what the one production variant gets, its answers go nowhere.
        capture: What is captured, or None.
        async_inference: Set for an endpoint that is invoked asynchronously.
        account: Whose it is.
        limits: What it allows.
    """

    name: str
    variants: tuple[ProductionVariant, ...]
    shadow_variants: tuple[ProductionVariant, ...] = ()
    capture: Capture | None = None
    async_inference: AsyncInference | None = None
    account: str = ACCOUNT
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise UsageError(
                "an endpoint cannot have this name",
                got=f"`{self.name}`",
                want="1 to 63 letters, digits and hyphens, no hyphen at either end",
            )


def adapter_source(url: str) -> ArtifactSource:
    """What the `ArtifactUrl` of an adapter means: a prefix when it ends in a slash, else an archive.

    Source:
        The troubleshooting guide of awslabs/ml-container-creator (read 2026-11-23).
    """
    return ArtifactSource(url, is_archive=not url.endswith("/"), is_prefix=url.endswith("/"))


def endpoint_name(text: str) -> str:
    """The nearest name that an endpoint may have.

    >>> endpoint_name("oci:./out/breast_cancer:latest")
    'oci-out-breast-cancer-latest'
    """
    cleaned = re.sub(r"[^a-zA-Z0-9]+", "-", text).strip("-")[-63:].strip("-")
    return cleaned or "endpoint"
