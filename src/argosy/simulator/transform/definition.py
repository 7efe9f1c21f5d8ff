"""What a transform job is told: CreateTransformJob's fields as frozen values, checked as the service checks them.

Everything else in this folder works from a `TransformJobDefinition`, wherever it came from.

Source:
    CreateTransformJobRequest in botocore's sagemaker 2017-07-24 model; SageMaker API reference, "CreateTransformJob"
    (read 2026-11-23).
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec

from argosy import contract, media_type
from argosy.errors import UsageError
from argosy.simulator.storage.objects import ObjectUri
from argosy.simulator.transform import json_path
from argosy.simulator.transform.json_path import SliceEnd
from argosy.simulator.transform.split import AssembleWith, BatchStrategy, SplitType

CSV: Final = "text/csv"
JSON: Final = "application/json"
JSON_LINES: Final = "application/jsonlines"
PROCESSED: Final = (CSV, JSON, JSON_LINES)
"""The media types whose records SageMaker can filter and join."""

_LONGEST_MEDIA_TYPE: Final = 256
_LONGEST_PATH: Final = 63
_MOST_VARIABLES: Final = 16
_LONGEST_VALUE: Final = 10240
_VARIABLE: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,1023}")
_MOST_INSTANCES: Final = 100


class CompressionType(StrEnum):
    """How input objects are packed; results never are."""

    NONE = "None"
    GZIP = "Gzip"


class DataType(StrEnum):
    """What `S3Uri` names: a prefix of keys, or an object that lists them."""

    PREFIX = "S3Prefix"
    MANIFEST = "ManifestFile"


class JoinSource(StrEnum):
    """What is joined with the results."""

    NONE = "None"
    INPUT = "Input"


class OutputKeys(StrEnum):
    """How much of an input key its result's key repeats."""

    BELOW_LAST_SLASH = "below-last-slash"
    WHOLE = "whole"


class EmptyObjects(StrEnum):
    """What becomes of objects without a byte."""

    SKIPPED = "skipped"
    SENT = "sent"


class Retried(StrEnum):
    """Which failed invocations are repeated."""

    SERVER_ERRORS = "server-errors"
    ALL_ERRORS = "all-errors"


class Assumptions(msgspec.Struct, frozen=True, kw_only=True):
    """What nobody knows of SageMaker's transform jobs, and what is done here.

    UNSURE: whether the end of a slice is inside it; the documents say so, the JSONPath engine that they name does not.
    UNSURE: how much of a key is kept in its result's; the documents' example contradicts their rule.
    UNSURE: whether objects of zero bytes are sent.
    UNSURE: whether an invocation that ended with 4xx is repeated.

    Attributes:
        slice_end: Whether `$[1:4]` ends with index 4 or 3.
        output_keys: `below-last-slash` leaves out what `S3Uri` has up to its last slash, `whole` nothing.
        empty_objects: Whether they are sent; a key that ends with a slash never is.
        retried: `server-errors` repeats 5xx and missing answers, `all-errors` 4xx too.
    """

    slice_end: SliceEnd = SliceEnd.INCLUSIVE
    output_keys: OutputKeys = OutputKeys.BELOW_LAST_SLASH
    empty_objects: EmptyObjects = EmptyObjects.SKIPPED
    retried: Retried = Retried.SERVER_ERRORS


class _Fields(
    msgspec.Struct, frozen=True, kw_only=True, rename="pascal", forbid_unknown_fields=True, omit_defaults=True
):
    """A structure of the API: its member `ContentType` is the attribute `content_type`."""


class S3DataSource(_Fields, frozen=True):
    """Where the input is.

    Attributes:
        s3_data_type: What `s3_uri` names.
        s3_uri: `s3://BUCKET/PREFIX`, or the manifest's URI.
    """

    s3_data_type: DataType = msgspec.field(name="S3DataType")
    s3_uri: str = msgspec.field(name="S3Uri")


class DataSource(_Fields, frozen=True):
    """`TransformInput.DataSource`."""

    s3_data_source: S3DataSource = msgspec.field(name="S3DataSource")


class TransformInput(_Fields, frozen=True):
    """What is transformed: where it is, and how it is read.

    Attributes:
        data_source: The place.
        content_type: Sent with every invocation; None sends none.
        compression_type: How objects are packed.
        split_type: How objects are divided into records.
    """

    data_source: DataSource
    content_type: str | None = None
    compression_type: CompressionType = CompressionType.NONE
    split_type: SplitType = SplitType.NONE


class TransformOutput(_Fields, frozen=True):
    """Where results go.

    Attributes:
        s3_output_path: `s3://BUCKET/PREFIX`.
        accept: Sent with every invocation; None sends none.
        assemble_with: What is put between answers.
        kms_key_id: Kept, not used.
    """

    s3_output_path: str = msgspec.field(name="S3OutputPath")
    accept: str | None = None
    assemble_with: AssembleWith = AssembleWith.NONE
    kms_key_id: str | None = None


class TransformResources(_Fields, frozen=True):
    """What runs it.

    Attributes:
        instance_type: Whose processors and memory the containers get, where the container's kind limits them.
        instance_count: Instances among which the objects are divided.
        volume_kms_key_id: Kept, not used, as `transform_ami_version` is.
    """

    instance_type: str = "ml.m5.large"
    instance_count: int = 1
    volume_kms_key_id: str | None = None
    transform_ami_version: str | None = None


class ModelClientConfig(_Fields, frozen=True):
    """How the container is invoked.

    Attributes:
        invocations_timeout_in_seconds: How long an answer may take.
        invocations_max_retries: How often a failed invocation is repeated.
    """

    invocations_timeout_in_seconds: int = int(contract.BATCH_INVOCATION.value)
    invocations_max_retries: int = int(contract.BATCH_RETRIES.value)


class DataProcessing(_Fields, frozen=True):
    """What of each record is sent, and what is stored with its result.

    Attributes:
        input_filter: The part of a record that is sent.
        output_filter: The part of the joined record that is stored.
        join_source: Whether results are joined with their records.
    """

    input_filter: str = "$"
    output_filter: str = "$"
    join_source: JoinSource = JoinSource.NONE

    @property
    def is_active(self) -> bool:
        """Whether any record is changed by it."""
        return self != DataProcessing()


class BatchDataCaptureConfig(_Fields, frozen=True):
    """What is captured.

    Attributes:
        destination_s3_uri: Where the manifests of inputs and outputs go.
        generate_inference_id: Whether every record of a result gets an id and the job's start time.
        kms_key_id: Kept, not used.
    """

    destination_s3_uri: str = msgspec.field(name="DestinationS3Uri")
    generate_inference_id: bool = False
    kms_key_id: str | None = None


class TransformJobDefinition(_Fields, frozen=True):
    """One request to CreateTransformJob.

    Attributes:
        transform_job_name: Its name.
        model_name: The model's.
        transform_input: What is transformed.
        transform_output: Where results go.
        transform_resources: What runs it.
        max_concurrent_transforms: Requests under way at a time on an instance; 0 or None leaves it to the container.
        max_payload_in_mb: Largest body in MB; 0 knows no limit and sends bodies in chunks.
        batch_strategy: How many records a request carries.
        model_client_config: How the container is invoked.
        environment: Variables that are added to the model's.
        data_capture_config: What is captured.
        data_processing: What is filtered and joined.
        tags: Kept, not used here.
        experiment_config: Kept, not used.

    Raises:
        UsageError: What the service refuses; `what` is its sentence where that is known.
    """

    transform_job_name: str
    model_name: str
    transform_input: TransformInput
    transform_output: TransformOutput
    transform_resources: TransformResources = TransformResources()
    max_concurrent_transforms: int | None = None
    max_payload_in_mb: int | None = msgspec.field(default=None, name="MaxPayloadInMB")
    batch_strategy: BatchStrategy | None = None
    model_client_config: ModelClientConfig = ModelClientConfig()
    environment: dict[str, str] = {}
    data_capture_config: BatchDataCaptureConfig | None = None
    data_processing: DataProcessing = DataProcessing()
    tags: Any = None  # Any: the control plane's to read
    experiment_config: Any = None  # Any: as above

    def __post_init__(self) -> None:
        _check_numbers(self)
        _check_texts(self)
        _check_processing(self)

    @classmethod
    def from_request(cls, request: Mapping[str, Any]) -> "TransformJobDefinition":
        """The definition that a request spells, member by member.

        Args:
            request: As boto3 takes it.

        Raises:
            UsageError: It is not what CreateTransformJob takes.
        """
        try:
            return msgspec.convert(dict(request), cls)
        except msgspec.ValidationError as error:
            if isinstance(error.__cause__, UsageError):
                raise error.__cause__ from None
            raise UsageError("this is no CreateTransformJob request", got=error) from error

    def to_request(self) -> dict[str, Any]:
        """The request that spells this definition, without what is as it would be by default."""
        built: dict[str, Any] = msgspec.to_builtins(self)
        return built

    @property
    def input_uri(self) -> ObjectUri:
        """What `S3Uri` names."""
        return ObjectUri.parse(self.transform_input.data_source.s3_data_source.s3_uri)

    @property
    def output_uri(self) -> ObjectUri:
        """The `S3OutputPath`."""
        return ObjectUri.parse(self.transform_output.s3_output_path)

    @property
    def headers(self) -> dict[str, str]:
        """The header fields of every invocation."""
        fields = {"Content-Type": self.transform_input.content_type, "Accept": self.transform_output.accept}
        return {name: value for name, value in fields.items() if value is not None}

    @property
    def container_environment(self) -> dict[str, str]:
        """The variables that SageMaker adds to the model's: those of fields that the caller set, and the caller's own.

        Source:
            https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-batch-code.html (read 2026-11-22)
        """
        found = self.environment | {"SAGEMAKER_BATCH": "true"}
        if self.max_payload_in_mb is not None:
            found["SAGEMAKER_MAX_PAYLOAD_IN_MB"] = str(self.max_payload_in_mb)
        if self.batch_strategy is not None:
            found["SAGEMAKER_BATCH_STRATEGY"] = self.batch_strategy.name
        if self.max_concurrent_transforms is not None:
            found["SAGEMAKER_MAX_CONCURRENT_TRANSFORMS"] = str(self.max_concurrent_transforms)
        return found

    @property
    def record_type(self) -> str:
        """The media type of results, without parameters; empty when none is asked for."""
        return _essence(self.transform_output.accept)


def _essence(text: str | None) -> str:
    parsed = media_type.parse(text) if text else None
    return "" if parsed is None else parsed.essence


def _check_numbers(job: TransformJobDefinition) -> None:
    limit = int(contract.BATCH_PAYLOAD_MB.value)
    payload, concurrent = job.max_payload_in_mb, job.max_concurrent_transforms
    client = job.model_client_config
    for name, value, lowest, highest in (
        ("MaxPayloadInMB", payload, 0, limit),
        ("MaxConcurrentTransforms", concurrent, 0, None),
        ("InvocationsTimeoutInSeconds", client.invocations_timeout_in_seconds, 1, 3600),
        ("InvocationsMaxRetries", client.invocations_max_retries, 0, 3),
        ("InstanceCount", job.transform_resources.instance_count, 1, _MOST_INSTANCES),
    ):
        if value is not None and (value < lowest or (highest is not None and value > highest)):
            want = f"{lowest} or more" if highest is None else f"{lowest} to {highest}"
            raise UsageError(f"{name} is out of range", got=value, want=want)
    if concurrent and (payload or 0) * concurrent > limit:
        product = f"{concurrent} * {payload}"
        raise UsageError(
            "MaxConcurrentTransforms times MaxPayloadInMB is too large", got=product, want=f"at most {limit}"
        )


def _check_texts(job: TransformJobDefinition) -> None:
    fields = (("ContentType", job.transform_input.content_type), ("Accept", job.transform_output.accept))
    for field, value in fields:
        if value is not None and (len(value) > _LONGEST_MEDIA_TYPE or not value.isascii() or not value.isprintable()):
            raise UsageError(f"{field} is not a header value", want=f"at most {_LONGEST_MEDIA_TYPE} ASCII characters")
    job.input_uri, job.output_uri  # noqa: B018 - parsing them is the check
    if len(job.environment) > _MOST_VARIABLES:
        raise UsageError(
            "Environment is too large", got=len(job.environment), want=f"at most {_MOST_VARIABLES} entries"
        )
    for name, value in job.environment.items():
        if not _VARIABLE.fullmatch(name) or len(value) > _LONGEST_VALUE:
            raise UsageError(
                "Environment has an entry that is no variable",
                got=f"`{name[:80]}`",
                want=f"letters, digits and _, with a value of at most {_LONGEST_VALUE} characters",
            )


def _check_processing(job: TransformJobDefinition) -> None:
    """What the service asks of a job that filters, joins or numbers records.

    Source:
        https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html (read 2026-11-23)
    """
    processing, capture = job.data_processing, job.data_capture_config
    numbers = capture is not None and capture.generate_inference_id
    if numbers and job.record_type not in PROCESSED:
        raise UsageError(
            "GenerateInferenceId needs results whose records are known",
            got=f"Accept `{job.transform_output.accept}`",
            want=f"one of {', '.join(PROCESSED)}",
        )
    if not processing.is_active:
        return
    given = _essence(job.transform_input.content_type)
    if given not in PROCESSED or given != job.record_type:
        raise UsageError(
            "DataProcessing needs a ContentType and an Accept that are the same",
            got=f"`{job.transform_input.content_type}` and `{job.transform_output.accept}`",
            want=f"both one of {', '.join(PROCESSED)}",
        )
    split, assemble = job.transform_input.split_type.value, job.transform_output.assemble_with.value
    allowed = ("Line",) if given == CSV else ("None", "Line")
    if split != assemble or split not in allowed:
        raise UsageError(
            f"DataProcessing of {given} needs a SplitType and an AssembleWith that are the same",
            got=f"{split} and {assemble}",
            want=f"both {' or '.join(allowed)}",
        )
    for name, path in (("InputFilter", processing.input_filter), ("OutputFilter", processing.output_filter)):
        if len(path) > _LONGEST_PATH:
            raise UsageError(f"{name} is too long", got=f"{len(path)} characters", want=f"at most {_LONGEST_PATH}")
        json_path.check_operators(name, path, given, names=given != CSV)
