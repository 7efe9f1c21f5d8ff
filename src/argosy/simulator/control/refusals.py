"""What the `sagemaker` API refuses, in the service's words, and what this simulator does not do.

The sentences were seen in error reports (each function names one), and the prefixes are those by which AWS's own
controllers for Kubernetes know them (aws-controllers-k8s/sagemaker-controller, generator.yaml; all read 2026-11-23).
"""

from collections.abc import Iterator, Mapping
from typing import Final

from argosy.simulator.control.resources import Json, Kind, Resource, arn

NOT_SIMULATED: Final[Mapping[str, tuple[str, ...]]] = {
    "CreateModel": ("S3DataSource.HubAccessConfig", "S3DataSource.ManifestS3Uri"),
    "CreateEndpointConfig": (
        "ExplainerConfig",
        "CrossRegionTrafficConfig",
        "InstancePools",
        "AcceleratorType",
        "AcceleratorPartitionLayouts",
        "CapacityReservationConfig",
        "CoreDumpConfig",
        "PrefixAwareRoutingConfig",
    ),
    "CreateEndpoint": ("RollingUpdatePolicy", "AutoRollbackConfiguration.Alarms", "CanarySize", "LinearStepSize"),
    "UpdateEndpoint": ("RollingUpdatePolicy", "AutoRollbackConfiguration.Alarms", "CanarySize", "LinearStepSize"),
    "UpdateEndpointWeightsAndCapacities": ("ServerlessUpdateConfig",),
    "CreateModelPackage": (
        "SourceAlgorithmSpecification",
        "ManagedStorageType",
        "S3DataSource.HubAccessConfig",
        "S3DataSource.ManifestS3Uri",
        "AdditionalS3DataSource",
    ),
    "CreateModelPackageGroup": ("ManagedConfiguration",),
    "UpdateModelPackage": ("S3DataSource.HubAccessConfig", "S3DataSource.ManifestS3Uri", "AdditionalS3DataSource"),
    "CreateInferenceComponent": ("Specifications", "Specification.InstanceType", "AcceleratorPartitionType"),
    "UpdateInferenceComponent": (
        "Specifications",
        "Specification.InstanceType",
        "AcceleratorPartitionType",
        "AutoRollbackConfiguration",
    ),
}
"""Members that would change what happens and are refused, by operation: the end of their paths."""

_OF_PACKAGES: Final = (
    "ModelAccessConfig",
    "ETag",
    "ManifestEtag",
    "ModelDataETag",
    "ImageDigest",
    "KmsKeyId",
    "VolumeKmsKeyId",
    "TransformAmiVersion",
)
WITHOUT_EFFECT: Final[Mapping[str, tuple[str, ...]]] = {
    "CreateModel": ("VpcConfig", "ImageConfig", "ContainerMetricsConfig", "ModelAccessConfig", "ETag", "ManifestEtag"),
    "CreateEndpointConfig": (
        "KmsKeyId",
        "VpcConfig",
        "MetricsConfig",
        "VolumeSizeInGB",
        "ModelDataDownloadTimeoutInSeconds",
        "EnableSSMAccess",
        "InferenceAmiVersion",
        "ManagedInstanceScaling",
        "ProvisionedConcurrency",
        "VariantInstanceProvisionTimeoutInSeconds",
    ),
    "CreateEndpoint": ("BlueGreenUpdatePolicy",),
    "UpdateEndpoint": ("BlueGreenUpdatePolicy", "RetainDeploymentConfig"),
    "CreateTransformJob": ("KmsKeyId", "VolumeKmsKeyId", "TransformAmiVersion", "ExperimentConfig"),
    "CreateModelPackage": ("SecurityConfig", *_OF_PACKAGES),
    "UpdateModelPackage": _OF_PACKAGES,
    "CreateInferenceComponent": (
        "DataCacheConfig",
        "SchedulingConfig",
        "ContainerMetricsConfig",
        "ModelDataDownloadTimeoutInSeconds",
    ),
    "UpdateInferenceComponent": (
        "DataCacheConfig",
        "SchedulingConfig",
        "ContainerMetricsConfig",
        "DeploymentConfig",
        "ModelDataDownloadTimeoutInSeconds",
    ),
}
"""Members that are described as they were given and do nothing on one machine; whoever uses one is told."""


class Refusal(Exception):  # noqa: N818 - it is no error of the simulator's, but the service's answer
    """An operation is refused.

    Args:
        message: The service's sentence.
        code: The name of the exception that clients raise.
        status: The HTTP status.
    """

    def __init__(self, message: str, code: str = "ValidationException", status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status


def not_simulated(message: str) -> Refusal:
    """What this simulator does not do: an answer that clients neither retry nor take for the service's."""
    return Refusal(message, "NotSimulated", 501)


def not_found(kind: Kind, region: str, name: str, account: str) -> Refusal:
    """As in https://github.com/aws/sagemaker-python-sdk/issues/2112; a job is missing in other words."""
    if kind is Kind.TRANSFORM_JOB:
        return Refusal(f"Could not find requested job with name: {name}")
    missing = arn(kind, region, name, account)
    if kind is Kind.MODEL_PACKAGE:
        return Refusal(f"ModelPackage {missing} does not exist.")
    if kind is Kind.MODEL_PACKAGE_GROUP:
        return Refusal(f"ModelPackageGroup {missing} does not exist.")
    return Refusal(f'Could not find {kind.words} "{missing}".')


def already_exists(there: Resource) -> Refusal:
    """As in https://github.com/awslabs/spot-tagging-bot-for-digital-assets/issues/2; jobs are `ResourceInUse`."""
    if there.kind is Kind.TRANSFORM_JOB:
        sentence = "Job name must be unique within an AWS account and region, and a job with this name already exists"
        return Refusal(f"{sentence} ({there.arn}).", "ResourceInUse")
    if there.kind is Kind.MODEL_PACKAGE_GROUP:
        return Refusal(f"Model Package Group already exists: {there.arn}")
    if there.kind is Kind.MODEL_PACKAGE:
        return Refusal(f"Model Package already exists: {there.arn}", "ConflictException")
    return Refusal(f'Cannot create already existing {there.kind.words} "{there.arn}".')


def in_progress(there: Resource) -> Refusal:
    """As aws/amazon-sagemaker-operator-for-k8s expects it of DeleteEndpoint and UpdateEndpoint."""
    return Refusal(f'Cannot update in-progress {there.kind.words} "{there.arn}".')


def unsimulated_member(operation: str, request: Json) -> Refusal | None:
    """The refusal of a request that asks for what is not simulated, None when it asks for nothing of that."""
    for path in _paths(request, ""):
        if _ends_in(path, NOT_SIMULATED.get(operation, ())):
            return not_simulated(f"{operation}: {path} is not simulated; leave it out")
    return None


def members_without_effect(operation: str, request: Json) -> list[str]:
    """Paths of members that are recorded and do nothing here."""
    return [path for path in _paths(request, "") if _ends_in(path, WITHOUT_EFFECT.get(operation, ()))]


def _ends_in(path: str, ends: tuple[str, ...]) -> bool:
    plain = path.replace("[]", "")
    return any(plain == end or plain.endswith(f".{end}") for end in ends)


def _paths(value: object, path: str) -> Iterator[str]:
    """The paths of all members below a value, each once for every place where it is."""
    if isinstance(value, Mapping):
        for name, member in value.items():
            inner = f"{path}.{name}" if path else str(name)
            yield inner
            yield from _paths(member, inner)
    elif isinstance(value, list):
        for member in value:
            yield from _paths(member, f"{path}[]")
