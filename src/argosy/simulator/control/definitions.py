"""Stored requests -> the values that `hosting` and `transform` work with.

An endpoint keeps a snapshot of its configuration and models: as on the service, both may be deleted while it lives.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from argosy.simulator.answers import ACCOUNT
from argosy.simulator.control.refusals import Refusal, not_found
from argosy.simulator.control.resources import Json, Kind, Resource
from argosy.simulator.control.store import Store
from argosy.simulator.hosting.definition import (
    ArtifactSource,
    AsyncInference,
    Capture,
    ContainerDefinition,
    EndpointDefinition,
    ExecutionMode,
    Mode,
    Model,
    ProductionVariant,
    RoutingStrategy,
    Serverless,
)
from argosy.simulator.transform.definition import TransformJobDefinition

_MODEL_PACKAGE: Final = ":model-package/"
_ARN_PARTS: Final = 6
_OF_TRANSFORM_JOBS: Final = frozenset(
    {"MaxConcurrentTransforms", "MaxPayloadInMB", "BatchStrategy", "ModelClientConfig", "Environment", "DataProcessing"}
    | {"TransformInput", "TransformOutput", "TransformResources", "DataCaptureConfig"}
)


def variants_of(config: Json) -> list[Json]:
    """The production variants of a configuration's request, then the shadow variants."""
    return [*config["ProductionVariants"], *config.get("ShadowProductionVariants", ())]


def snapshot(store: Store, config: Resource) -> dict[str, Any]:
    """What an endpoint needs of a configuration and its models; Any: JSON.

    Raises:
        Refusal: A model is not there.
    """
    names = [variant["ModelName"] for variant in variants_of(config.request) if "ModelName" in variant]
    models = {name: model_snapshot(store, config.region, name) for name in names}
    return {"name": config.name, "config": dict(config.request), "models": models}


def model_snapshot(store: Store, region: str, name: str) -> dict[str, Any]:
    """What running a model needs: its containers, those of model packages resolved; Any: JSON.

    Raises:
        Refusal: The model, or its model package, is not there.
    """
    model = store.find(Kind.MODEL, region, name)
    if model is None:
        raise not_found(Kind.MODEL, region, name, store.account)
    return {
        "name": model.name,
        "containers": resolved_containers(store, region, model.request),
        "mode": model.request.get("InferenceExecutionConfig", {}).get("Mode", "Serial"),
        "isolated": bool(model.request.get("EnableNetworkIsolation", False)),
    }


def check_instance_type(store: Store, region: str, model: str, instance_type: str, *, is_batch: bool) -> None:
    """Require an instance type that the packages of other accounts in a model name: each is priced by itself.

    UNSURE: when the service refuses another one, and in which words.

    Args:
        store: Where the model is.
        region: Of the model.
        model: Its name.
        instance_type: As `ml.m5.large`.
        is_batch: Whether for a transform job; else for an endpoint.

    Raises:
        Refusal: A package does not name it.
    """
    found = store.find(Kind.MODEL, region, model)
    member = "SupportedTransformInstanceTypes" if is_batch else "SupportedRealtimeInferenceInstanceTypes"
    for given in given_containers(found.request) if found is not None else ():
        if "ModelPackageName" not in given:
            continue
        package = find_package(store, region, given["ModelPackageName"])
        named = _specification(package, given.get("InferenceSpecificationName")).get(member)
        if package.account != store.account and named and instance_type not in named:
            told = f"{package.arn} does not support the instance type {instance_type}; it supports {', '.join(named)}"
            raise Refusal(f"Model package {told}.")


def given_containers(model: Json) -> list[Json]:
    """The containers of a CreateModel request."""
    return list(model.get("Containers") or [model["PrimaryContainer"]])


def resolved_containers(store: Store, region: str, model: Json) -> list[Json]:
    """The containers of a CreateModel request, each model package replaced by the containers that it holds.

    Raises:
        Refusal: A model package is not there, or was not validated.
    """
    containers: list[Json] = []
    for given in given_containers(model):
        if "ModelPackageName" not in given:
            containers.append(given)
            continue
        package = find_package(store, region, given["ModelPackageName"])
        if package.status != "Completed":
            raise Refusal(f"Model package {package.arn} is in status {package.status}; it must be Completed.")
        for held in _specification(package, given.get("InferenceSpecificationName"))["Containers"]:
            environment = {**held.get("Environment", {}), **given.get("Environment", {})}
            containers.append({**held, "Environment": environment})
    return containers


def transform_job_of(name: str, request: Json, model_name: str) -> TransformJobDefinition:
    """What a CreateTransformJob request, or a validation profile, says.

    Raises:
        UsageError: The service would not take it.
    """
    members = {member: value for member, value in request.items() if member in _OF_TRANSFORM_JOBS}
    return TransformJobDefinition.from_request({**members, "TransformJobName": name, "ModelName": model_name})


def _specification(package: Resource, name: str | None) -> Json:
    additional: Iterable[Json] = package.request.get("AdditionalInferenceSpecifications", ())
    named = {each["Name"]: each for each in additional}
    if name is None:
        found: Json | None = package.request.get("InferenceSpecification")
    else:
        found = named.get(name)
    if found is None:
        raise Refusal(f"Model package {package.arn} has no inference specification{f' named {name}' if name else ''}.")
    return found


def find_package(store: Store, region: str, name_or_arn: str) -> Resource:
    """A model package by name, name and version, or ARN; by its ARN also one that another account shares.

    Raises:
        Refusal: It is not there, or the ARN is of another region.
    """
    parts = name_or_arn.split(":")
    if len(parts) == _ARN_PARTS and parts[3] == region and parts[4] != store.account:
        shared = store.shared(name_or_arn)
        if shared is not None:
            return shared
    return find_own_package(store, region, name_or_arn)


def find_own_package(store: Store, region: str, name_or_arn: str) -> Resource:
    """A model package of this account by name, name and version, or ARN.

    Raises:
        Refusal: It is not there, or the ARN is of another region.
    """
    name = name_or_arn
    if name_or_arn.startswith("arn:"):
        scope = name_or_arn.split(":")[3]
        if scope != region:
            raise Refusal(f"ARN should be scoped to correct region: {region}")
        name = name_or_arn.partition(_MODEL_PACKAGE)[2]
    package = store.find(Kind.MODEL_PACKAGE, region, name) if name else None
    if package is None or (name_or_arn.startswith("arn:") and package.arn != name_or_arn.lower()):
        raise not_found(Kind.MODEL_PACKAGE, region, name or name_or_arn, store.account)
    return package


def model_of(taken: Json) -> Model:
    """The model of a snapshot."""
    containers = tuple(container_of(container) for container in taken["containers"])
    if len(containers) == 1:
        containers = (replace(containers[0], hostname=None),)  # AWS ignores the name of a model's only container
    return Model(taken["name"], containers, ExecutionMode(taken["mode"]), taken["isolated"])


def container_of(container: Json) -> ContainerDefinition:
    """A container of CreateModel, or of a model package."""
    channels = {
        channel["ChannelName"]: _source(channel["S3DataSource"])
        for channel in container.get("AdditionalModelDataSources", ())
    }
    mode = Mode(container.get("Mode", Mode.SINGLE_MODEL))
    artifacts = None
    if "ModelDataUrl" in container:
        is_prefix = mode is Mode.MULTI_MODEL
        artifacts = ArtifactSource(container["ModelDataUrl"], is_archive=not is_prefix, is_prefix=is_prefix)
    elif "ModelDataSource" in container:
        artifacts = _source(container["ModelDataSource"]["S3DataSource"])
    return ContainerDefinition(
        image=container["Image"],
        hostname=container.get("ContainerHostname"),
        environment=container.get("Environment", {}),
        artifacts=artifacts,
        channels=channels,
        mode=mode,
        is_model_cached=container.get("MultiModelConfig", {}).get("ModelCacheSetting") != "Disabled",
    )


def _source(given: Json) -> ArtifactSource:
    return ArtifactSource(
        given["S3Uri"], is_archive=given["CompressionType"] == "Gzip", is_prefix=given["S3DataType"] == "S3Prefix"
    )


def endpoint_of(name: str, taken: Json, account: str = ACCOUNT) -> EndpointDefinition:
    """The endpoint of a snapshot, in an account."""
    config = taken["config"]
    models = {key.lower(): model_of(model) for key, model in taken["models"].items()}
    isolated = config.get("EnableNetworkIsolation", False)

    def variants(member: str) -> tuple[ProductionVariant, ...]:
        return tuple(_variant(variant, models, isolated) for variant in config.get(member, ()))

    return EndpointDefinition(
        name,
        variants("ProductionVariants"),
        variants("ShadowProductionVariants"),
        _capture(config.get("DataCaptureConfig")),
        _async_inference(config.get("AsyncInferenceConfig")),
        account,
    )


def _variant(given: Json, models: dict[str, Model], isolated: bool) -> ProductionVariant:
    serverless = given.get("ServerlessConfig")
    model = models[given["ModelName"].lower()] if "ModelName" in given else None
    if model is not None and isolated:
        model = replace(model, is_isolated=True)
    made = ProductionVariant(
        name=given["VariantName"],
        model=model,
        weight=given.get("InitialVariantWeight", 1.0),
        instance_count=given.get("InitialInstanceCount", 1),
        serverless=Serverless(serverless["MemorySizeInMB"], serverless["MaxConcurrency"]) if serverless else None,
        routing=RoutingStrategy(given.get("RoutingConfig", {}).get("RoutingStrategy", "LEAST_OUTSTANDING_REQUESTS")),
    )
    if "InstanceType" in given:
        made = replace(made, instance_type=given["InstanceType"])
    if "ContainerStartupHealthCheckTimeoutInSeconds" in given:
        made = replace(made, startup_s=float(given["ContainerStartupHealthCheckTimeoutInSeconds"]))
    return made


def _capture(given: Json | None) -> Capture | None:
    if given is None or not given.get("EnableCapture", False):
        return None
    modes = {option["CaptureMode"] for option in given["CaptureOptions"]}
    types = given.get("CaptureContentTypeHeader", {})
    return Capture(
        given["DestinationS3Uri"],
        given["InitialSamplingPercentage"],
        is_input=bool(modes & {"Input", "InputAndOutput"}),
        is_output=bool(modes & {"Output", "InputAndOutput"}),
        csv_content_types=tuple(types.get("CsvContentTypes", ())),
        json_content_types=tuple(types.get("JsonContentTypes", ())),
    )


def _async_inference(given: Json | None) -> AsyncInference | None:
    if given is None:
        return None
    output = given["OutputConfig"]
    topics = output.get("NotificationConfig", {})
    return AsyncInference(
        output["S3OutputPath"],
        output.get("S3FailurePath"),
        topics.get("SuccessTopic"),
        topics.get("ErrorTopic"),
        frozenset(topics.get("IncludeInferenceResponseIn", ())),
        given.get("ClientConfig", {}).get("MaxConcurrentInvocationsPerInstance"),
    )
