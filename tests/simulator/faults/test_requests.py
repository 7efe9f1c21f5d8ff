"""Faults 3 and 4 of the SageMaker SDK's local mode: what the `sagemaker` API takes, member by member."""

import ast
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import botocore.session
import msgspec
import pytest
from botocore.exceptions import ClientError
from botocore.model import ListShape, Shape, StructureShape

from argosy.simulator import control
from argosy.simulator.control.refusals import NOT_SIMULATED, WITHOUT_EFFECT
from argosy.simulator.transform import definition
from tests.simulator.control.conftest import QUICK, until
from tests.simulator.faults.conftest import VARIANT, Local, text

S3_DATA = "S3DataSource S3DataSource.S3Uri S3DataSource.S3DataType S3DataSource.CompressionType"
CONTAINER = f"""ContainerHostname Image Mode ModelDataUrl ModelDataSource Environment ModelPackageName MultiModelConfig
    InferenceSpecificationName MultiModelConfig.ModelCacheSetting AdditionalModelDataSources
    AdditionalModelDataSources.ChannelName {S3_DATA}"""
PRODUCTION_VARIANT = """VariantName ModelName InitialInstanceCount InstanceType InitialVariantWeight ServerlessConfig
    ServerlessConfig.MemorySizeInMB ServerlessConfig.MaxConcurrency RoutingConfig RoutingConfig.RoutingStrategy
    ContainerStartupHealthCheckTimeoutInSeconds"""
CAPTURE = """DataCaptureConfig DataCaptureConfig.EnableCapture DataCaptureConfig.InitialSamplingPercentage
    DataCaptureConfig.DestinationS3Uri DataCaptureConfig.CaptureOptions CaptureOptions.CaptureMode
    DataCaptureConfig.CaptureContentTypeHeader CaptureContentTypeHeader.CsvContentTypes
    CaptureContentTypeHeader.JsonContentTypes"""
ASYNC = """AsyncInferenceConfig AsyncInferenceConfig.ClientConfig ClientConfig.MaxConcurrentInvocationsPerInstance
    AsyncInferenceConfig.OutputConfig OutputConfig.S3OutputPath OutputConfig.S3FailurePath
    OutputConfig.NotificationConfig NotificationConfig.SuccessTopic NotificationConfig.ErrorTopic
    NotificationConfig.IncludeInferenceResponseIn"""
TAGS = "Tags Tags.Key Tags.Value"
TRANSFORM = """TransformInput TransformInput.DataSource DataSource.S3DataSource S3DataSource.S3DataType
    S3DataSource.S3Uri TransformInput.ContentType TransformInput.CompressionType TransformInput.SplitType
    TransformOutput TransformOutput.S3OutputPath TransformOutput.Accept TransformOutput.AssembleWith TransformResources
    TransformResources.InstanceType TransformResources.InstanceCount"""
COMPONENT = """InferenceComponentName Specification Specification.ModelName Specification.Container Container.Image
    Container.ArtifactUrl Container.Environment Specification.StartupParameters RuntimeConfig RuntimeConfig.CopyCount
    StartupParameters.ContainerStartupHealthCheckTimeoutInSeconds Specification.ComputeResourceRequirements
    ComputeResourceRequirements.NumberOfCpuCoresRequired Specification.BaseInferenceComponentName
    ComputeResourceRequirements.NumberOfAcceleratorDevicesRequired ComputeResourceRequirements.MinMemoryRequiredInMb
    ComputeResourceRequirements.MaxMemoryRequiredInMb"""
DEPLOYMENT = "EndpointName EndpointConfigName DeploymentConfig DeploymentConfig.AutoRollbackConfiguration"
PACKAGE = f"""ClientToken ModelApprovalStatus SkipModelValidation CertifyForMarketplace InferenceSpecification
    InferenceSpecification.Containers AdditionalInferenceSpecifications AdditionalInferenceSpecifications.Name
    AdditionalInferenceSpecifications.Containers ValidationSpecification ValidationSpecification.ValidationProfiles
    ValidationSpecification.ValidationRole
    ValidationProfiles.ProfileName ValidationProfiles.TransformJobDefinition {CONTAINER}
    TransformJobDefinition.MaxConcurrentTransforms TransformJobDefinition.MaxPayloadInMB
    TransformJobDefinition.BatchStrategy"""
PAGE = "SortBy SortOrder NextToken MaxResults NameContains CreationTimeBefore CreationTimeAfter"
MODIFIED = "LastModifiedTimeBefore LastModifiedTimeAfter"
NAMED = ("Model", "Endpoint", "EndpointConfig", "InferenceComponent", "ModelPackageGroup")
HONOURED = {
    "CreateModel": f"""ModelName PrimaryContainer Containers InferenceExecutionConfig InferenceExecutionConfig.Mode
        ExecutionRoleArn EnableNetworkIsolation {CONTAINER} {TAGS}""",
    "CreateEndpointConfig": f"""EndpointConfigName ProductionVariants ShadowProductionVariants ExecutionRoleArn
        EnableNetworkIsolation {PRODUCTION_VARIANT} {CAPTURE} {ASYNC} {TAGS}""",
    "CreateEndpoint": f"{DEPLOYMENT} {TAGS}",
    "UpdateEndpoint": f"""{DEPLOYMENT} RetainAllVariantProperties ExcludeRetainedVariantProperties
        ExcludeRetainedVariantProperties.VariantPropertyType""",
    "CreateTransformJob": f"""TransformJobName ModelName MaxConcurrentTransforms MaxPayloadInMB BatchStrategy
        Environment ModelClientConfig ModelClientConfig.InvocationsTimeoutInSeconds
        ModelClientConfig.InvocationsMaxRetries DataCaptureConfig DataCaptureConfig.DestinationS3Uri
        DataCaptureConfig.GenerateInferenceId DataProcessing DataProcessing.InputFilter
        DataProcessing.OutputFilter DataProcessing.JoinSource {TRANSFORM} {TAGS}""",
    "CreateInferenceComponent": f"EndpointName VariantName {COMPONENT} {TAGS}",
    "UpdateInferenceComponent": COMPONENT,
    "UpdateInferenceComponentRuntimeConfig": """InferenceComponentName DesiredRuntimeConfig
        DesiredRuntimeConfig.CopyCount""",
    "UpdateEndpointWeightsAndCapacities": """EndpointName DesiredWeightsAndCapacities
        DesiredWeightsAndCapacities.VariantName DesiredWeightsAndCapacities.DesiredWeight
        DesiredWeightsAndCapacities.DesiredInstanceCount""",
    "CreateModelPackage": f"ModelPackageName ModelPackageGroupName {PACKAGE} {TRANSFORM} {TAGS}",
    "UpdateModelPackage": f"""ModelPackageArn CustomerMetadataPropertiesToRemove {PACKAGE}
        AdditionalInferenceSpecificationsToAdd AdditionalInferenceSpecificationsToAdd.Name
        AdditionalInferenceSpecificationsToAdd.Containers""",
    "CreateModelPackageGroup": f"ModelPackageGroupName {TAGS}",
    "AddTags": f"ResourceArn {TAGS}",
    "DeleteTags": "ResourceArn TagKeys",
    "ListTags": "ResourceArn NextToken MaxResults",
    "StopTransformJob": "TransformJobName",
    "DescribeModelPackage": "ModelPackageName IncludedData",
    "ListModelPackages": f"ModelApprovalStatus ModelPackageGroupName ModelPackageType {PAGE}",
    "ListModelPackageGroups": f"CrossAccountFilterOption {PAGE}",
    "ListInferenceComponents": f"EndpointNameEquals VariantNameEquals StatusEquals {PAGE} {MODIFIED}",
    "ListEndpoints": f"StatusEquals {PAGE} {MODIFIED}",
    "ListTransformJobs": f"StatusEquals {PAGE} {MODIFIED}",
    **{f"List{kind}": PAGE for kind in ("Models", "EndpointConfigs")},
    **{f"{verb}{kind}": f"{kind}Name" for verb in ("Describe", "Delete") for kind in NAMED},
    "DeleteModelPackage": "ModelPackageName",
    "DescribeTransformJob": "TransformJobName",
}
"""Members that are done as AWS documents them: the ends of their paths."""
RECORDED = """ModelPackageDescription ModelPackageRegistrationType MetadataProperties ModelMetrics Domain Task
    SamplePayloadUrl CustomerMetadataProperties DriftCheckBaselines SourceUri ModelCard ModelLifeCycle
    ModelPackageGroupDescription ApprovalDescription ProductId ModelInput Framework FrameworkVersion NearestModelName
    IsCheckpoint BaseModel SupportedTransformInstanceTypes SupportedRealtimeInferenceInstanceTypes SupportedContentTypes
    SupportedResponseMIMETypes Description"""
"""Members that say something of a model package and are described as they were given; on AWS they do no more."""
TWO = {"A": "1", "B": "2"}


def paths(shape: Shape, path: str = "") -> Iterator[str]:
    """The paths of all members of a request, each element of a list as the list itself."""
    if isinstance(shape, ListShape):
        yield from paths(shape.member, path)
    elif isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            inner = f"{path}.{name}" if path else name
            yield inner
            yield from paths(member, inner)


def is_known(path: str, operation: str) -> bool:
    """Whether a member is honoured, or it or what it is in is refused, or told to be without effect."""
    parts = path.split(".")
    tops = [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
    others = (*RECORDED.split(), *NOT_SIMULATED.get(operation, ()), *WITHOUT_EFFECT.get(operation, ()))
    return f".{path}".endswith(tuple(f".{end}" for end in HONOURED[operation].split())) or any(
        f".{top}".endswith(f".{end}") for top in tops for end in others
    )


@pytest.mark.parametrize("operation", HONOURED)
def test_fault_3_every_member_is_honoured_or_refused_or_told_to_be_without_effect(operation: str) -> None:
    """Local mode: "DataCaptureConfig, AsyncInferenceConfig, ShadowProductionVariants, ExecutionRoleArn… ⇒ TypeError",
    "EnableNetworkIsolation/VpcConfig silently swallowed". A member that AWS adds fails this test until one decides.
    """
    model = botocore.session.get_session().get_service_model("sagemaker").operation_model(operation)
    assert [path for path in paths(model.input_shape) if not is_known(path, operation)] == []


def test_fault_3_every_operation_is_judged_by_its_members(local: Local) -> None:
    """The test above leaves out none: the simulator itself lists what it does."""
    with pytest.raises(ClientError, match="is not simulated; these are: ") as caught:
        local.sagemaker.list_training_jobs()
    assert set(HONOURED) == set(str(caught.value).partition("these are: ")[2].split(", "))


def test_fault_3_what_is_called_honoured_is_read() -> None:
    """The names above are not only a list: the sources know each of them."""
    folder = Path(control.__file__).parent
    sources = [path for path in folder.glob("*.py") if path.name != "refusals.py"]
    sources.append(folder.parent / "image_scans.py")  # packages that are for sale wait for their scans
    nodes = [node for path in sources for node in ast.walk(ast.parse(path.read_text()))]
    known = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    structs = [value for value in vars(definition).values() if isinstance(value, type)]
    fields = [msgspec.structs.fields(each) for each in structs if issubclass(each, msgspec.Struct)]
    known |= {field.encode_name for group in fields for field in group}
    honoured = {end.rpartition(".")[2] for ends in HONOURED.values() for end in ends.split()}
    assert honoured - known == {"AutoRollbackConfiguration"}, "which holds Alarms alone, and these are refused"


@pytest.mark.parametrize(
    "member",
    [
        {"ExplainerConfig": {"ClarifyExplainerConfig": {"ShapConfig": {"ShapBaselineConfig": {}}}}},
        {"ProductionVariants": [{**VARIANT, "ModelName": "any", "AcceleratorType": "ml.eia2.medium"}]},
    ],
)
def test_fault_3_what_is_not_simulated_is_refused_under_a_name_of_its_own(local: Local, member: Any) -> None:
    """Nothing is swallowed: a client gets `NotSimulated`, which it neither retries nor takes for AWS's word."""
    variants = [{**VARIANT, "ModelName": "any"}]
    with pytest.raises(ClientError, match="is not simulated") as caught:
        local.sagemaker.create_endpoint_config(**{"EndpointConfigName": "no", "ProductionVariants": variants, **member})
    assert caught.value.response["Error"]["Code"] == "NotSimulated"


def test_fault_3_what_has_no_effect_on_one_machine_is_told(local: Local) -> None:
    """Local mode: "EnableNetworkIsolation/VpcConfig silently swallowed"."""
    vpc = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
    local.model("vpc", PrimaryContainer=local.container("vpc"), VpcConfig=vpc, EnableNetworkIsolation=True)
    assert "CreateModel: VpcConfig is recorded and has no effect here" in local.reports
    described = local.sagemaker.describe_model(ModelName="vpc")
    assert (described["VpcConfig"], described["EnableNetworkIsolation"]) == (vpc, True)


def test_fault_3_all_variants_serve_a_shadow_copies_and_data_is_captured(local: Local) -> None:
    """Local mode: "Only ProductionVariants[0]"; DataCaptureConfig and ShadowProductionVariants are TypeErrors."""
    for name in ("one", "two", "shadow"):
        local.model(name)
    weights = {"one": 1.0, "two": 3.0}
    variants = [
        {**VARIANT, "VariantName": name, "ModelName": name, "InitialVariantWeight": weight}
        for name, weight in weights.items()
    ]
    local.deploy("both", ProductionVariants=variants)
    for name in weights:
        assert local.invoke("both", TargetVariant=name)["InvokedProductionVariant"] == name
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": "s3://observed",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    }
    shadow = [{**VARIANT, "VariantName": "Shadow", "ModelName": "shadow"}]
    local.deploy("one", ShadowProductionVariants=shadow, DataCaptureConfig=capture)
    local.invoke("one", b"1,2", ContentType="text/csv", InferenceId="call-7")
    until(lambda: len(local.invocations("shadow")) == 1)
    until(lambda: list((local.buckets / "observed/one/AllTraffic").rglob("*.jsonl")) != [])
    (file,) = (local.buckets / "observed/one/AllTraffic").rglob("*.jsonl")
    until(lambda: file.read_text().endswith("\n"))
    record = json.loads(file.read_text())
    assert record["captureData"]["endpointInput"]["mode"] == "INPUT"
    assert record["captureData"]["endpointOutput"]["mode"] == "OUTPUT"
    assert record["eventMetadata"]["inferenceId"] == "call-7"


def test_fault_3_an_endpoint_is_updated(local: Local) -> None:
    """Local mode: "update_endpoint NotImplemented"."""
    local.model("before")
    local.model("after", PrimaryContainer=local.container("after"))
    local.deploy("before")
    variants = [{**VARIANT, "ModelName": "after"}]
    local.sagemaker.create_endpoint_config(EndpointConfigName="after", ProductionVariants=variants)
    local.sagemaker.update_endpoint(EndpointName="before", EndpointConfigName="after")
    local.sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="before", WaiterConfig=QUICK)
    local.invoke("before")
    assert len(local.invocations("after")) == 1
    assert local.invocations("before") == []


def test_fault_3_a_model_may_be_a_pipeline(local: Local) -> None:
    """Local mode: "create_model only PrimaryContainer (no pipelines …)"."""
    local.model("pipeline", Containers=[local.container("first"), local.container("second")])
    local.deploy("pipeline")
    assert text(local.invoke("pipeline", b"DOUBLE")) == b"DOUBLE" * 4
    assert [each["size"] for name in ("first", "second") for each in local.invocations(name)] == [6, 12]


def test_fault_3_a_model_may_be_made_of_a_model_package(local: Local) -> None:
    """Local mode: "… (no pipelines, no ModelPackageName)"."""
    specification = {
        "Containers": [{"Image": "stand-in", "Environment": {"STAND_IN_HEADERS": "{}"}}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    made = local.sagemaker.create_model_package(ModelPackageName="bought", InferenceSpecification=specification)
    package = made["ModelPackageArn"]
    status = "ModelPackageStatus"
    until(lambda: local.sagemaker.describe_model_package(ModelPackageName=package)[status] == "Completed")
    local.model("bought", PrimaryContainer={"ModelPackageName": package}, EnableNetworkIsolation=True)
    local.deploy("bought")
    assert text(local.invoke("bought")) == b"1,2"


@pytest.mark.parametrize("environment", [None, TWO])
def test_fault_4_an_image_may_bring_its_artifacts(local: Local, environment: Mapping[str, str] | None) -> None:
    """Local mode: "KeyError for an image with baked-in artifacts (no model data)", and without Environment."""
    name = "baked" if environment is None else "baked-with-environment"
    container = {"Image": "stand-in"} if environment is None else {"Image": "stand-in", "Environment": environment}
    local.model(name, PrimaryContainer=container)
    local.deploy(name)
    assert text(local.invoke(name)) == b"1,2"
    assert local.launches[-1].model_dir is None
    assert local.launches[-1].environment == (environment or {})


def test_fault_4_artifacts_may_be_a_model_data_source(local: Local) -> None:
    """Local mode: "KeyError for … ModelDataSource"."""
    local.put("weights", {"model/a/part1": b"1", "model/part2": b"2"})
    source = {"S3Uri": "s3://weights/model/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    local.model("weights", PrimaryContainer={**local.container("weights"), "ModelDataSource": {"S3DataSource": source}})
    local.deploy("weights")
    folder = local.launches[-1].model_dir
    assert folder is not None
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == {"a/part1", "part2"}
