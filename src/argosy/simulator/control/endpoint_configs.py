"""Endpoint configurations: CreateEndpointConfig and its kin, with the checks that AWS makes across resources.

The sentence on managed instance scaling was seen in
https://github.com/hashicorp/terraform-provider-aws/pull/45926 (read 2026-11-23).

UNSURE: the other sentences are not AWS's own; that it refuses what they name is documented in the API reference.
"""

from typing import Final

from argosy.simulator.control import listing, refusals
from argosy.simulator.control.definitions import check_instance_type, model_snapshot, variants_of
from argosy.simulator.control.listing import Listing
from argosy.simulator.control.refusals import Refusal
from argosy.simulator.control.resources import Json, Kind, Resource
from argosy.simulator.control.store import Store
from argosy.simulator.control.tags import tags_of

_MEMORY_STEP_MB: Final = 1024
_ROUTING: Final = ("LEAST_OUTSTANDING_REQUESTS", "RANDOM")


def _summary(config: Resource) -> Json:
    return {"EndpointConfigName": config.name, "EndpointConfigArn": config.arn, "CreationTime": config.created}


_LISTING: Final = Listing("EndpointConfigs", _summary)


class EndpointConfigs:
    """The endpoint configurations.

    Args:
        store: Where they are kept.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def create(self, region: str, request: Json, now: float) -> Json:
        """CreateEndpointConfig.

        Raises:
            Refusal: It is there already, or AWS would not take it.
        """
        there = self._store.find(Kind.ENDPOINT_CONFIG, region, request["EndpointConfigName"])
        if there is not None:
            raise refusals.already_exists(there)
        _check_variants(request)
        for variant in variants_of(request):
            _check_capacity(variant)
            self._check_model(region, variant, request)
        _check_shadow(request)
        _check_async(request)
        name, account = request["EndpointConfigName"], self._store.account
        config = Resource(Kind.ENDPOINT_CONFIG, region, name, now, now, request, account=account)
        self._store.add(config, tags_of(request))
        return {"EndpointConfigArn": config.arn}

    async def describe(self, region: str, request: Json, now: float) -> Json:
        """DescribeEndpointConfig."""
        config = found_config(self._store, region, request["EndpointConfigName"])
        shown = {
            member: [{"InitialVariantWeight": 1.0, **variant} for variant in config.request[member]]
            for member in ("ProductionVariants", "ShadowProductionVariants")
            if member in config.request
        }
        own = {"EndpointConfigArn": config.arn, "CreationTime": config.created}
        return {"EnableNetworkIsolation": False, **config.request, **shown, **own}

    async def list(self, region: str, request: Json, now: float) -> Json:
        """ListEndpointConfigs."""
        return listing.page(_LISTING, self._store.all(Kind.ENDPOINT_CONFIG, region), request)

    async def delete(self, region: str, request: Json, now: float) -> Json:
        """DeleteEndpointConfig; endpoints that use it live on."""
        self._store.remove(found_config(self._store, region, request["EndpointConfigName"]))
        return {}

    def _check_model(self, region: str, variant: Json, request: Json) -> None:
        """A variant has a model that is there, or takes inference components."""
        scales = variant.get("ManagedInstanceScaling", {}).get("Status") == "ENABLED"
        if "ModelName" not in variant:
            if "ExecutionRoleArn" not in request:
                raise Refusal("ExecutionRoleArn is required for an endpoint configuration without models.")
            if "ServerlessConfig" in variant:
                raise Refusal("ModelName is required for a serverless variant.")
            return
        if scales:
            raise Refusal("ManagedInstanceScaling is only supported for inference component endpoints.")
        if request.get("EnableNetworkIsolation", False):
            raise Refusal("EnableNetworkIsolation is only supported for inference component endpoints.")
        model = model_snapshot(self._store, region, variant["ModelName"])
        if "InstanceType" in variant:
            check_instance_type(self._store, region, variant["ModelName"], variant["InstanceType"], is_batch=False)
        if "ServerlessConfig" in variant:
            _check_serverless(variant, model, request)


def found_config(store: Store, region: str, name: str) -> Resource:
    """An endpoint configuration.

    Raises:
        Refusal: It is not there.
    """
    config = store.find(Kind.ENDPOINT_CONFIG, region, name)
    if config is None:
        raise refusals.not_found(Kind.ENDPOINT_CONFIG, region, name, store.account)
    return config


def _check_variants(request: Json) -> None:
    variants = variants_of(request)
    names = [variant["VariantName"].lower() for variant in variants]
    if len(set(names)) < len(names):
        raise Refusal("The VariantName of each production variant must be unique.")
    if sum(variant.get("InitialVariantWeight", 1.0) for variant in request["ProductionVariants"]) <= 0:
        raise Refusal("The InitialVariantWeight of at least one production variant must be greater than 0.")
    if len({"ModelName" in variant for variant in variants}) > 1:
        raise Refusal("Either all production variants have a ModelName, or none has.")
    for variant in variants:
        strategy = variant.get("RoutingConfig", {}).get("RoutingStrategy", _ROUTING[0])
        if strategy not in _ROUTING:
            raise refusals.not_simulated(f"CreateEndpointConfig: RoutingStrategy {strategy} is not simulated")


def _check_capacity(variant: Json) -> None:
    """A variant has instances, or is serverless."""
    name = variant["VariantName"]
    has_instances = "InstanceType" in variant
    if has_instances and "ServerlessConfig" in variant:
        raise Refusal(f"Production variant {name} has both InstanceType and ServerlessConfig.")
    if not has_instances and "ServerlessConfig" not in variant:
        raise Refusal(f"InstanceType or ServerlessConfig is required for production variant {name}.")
    if has_instances and "InitialInstanceCount" not in variant:
        raise Refusal(f"InitialInstanceCount is required for production variant {name}.")


def _check_serverless(variant: Json, model: Json, request: Json) -> None:
    """What AWS's page on serverless endpoints says is not supported (read 2026-11-22)."""
    memory = variant["ServerlessConfig"]["MemorySizeInMB"]
    if memory % _MEMORY_STEP_MB:
        raise Refusal(f"MemorySizeInMB is {memory}; it must be a multiple of {_MEMORY_STEP_MB}.")
    unsupported = {
        "more than one production variant": len(variants_of(request)) > 1,
        "multi-model endpoints": any(container.get("Mode") == "MultiModel" for container in model["containers"]),
        "inference pipelines": len(model["containers"]) > 1,
        "ModelDataSource": any("ModelDataSource" in container for container in model["containers"]),
        "network isolation": model["isolated"],
        "DataCaptureConfig": request.get("DataCaptureConfig", {}).get("EnableCapture", False),
        "AsyncInferenceConfig": "AsyncInferenceConfig" in request,
        "VpcConfig": "VpcConfig" in request,
    }
    for feature, is_wanted in unsupported.items():
        if is_wanted:
            raise Refusal(f"Serverless endpoints do not support {feature}.")


def _check_shadow(request: Json) -> None:
    shadows = request.get("ShadowProductionVariants", ())
    if shadows and (len(shadows) > 1 or len(request["ProductionVariants"]) > 1):
        raise Refusal("Exactly one production variant and one shadow variant are supported for a shadow test.")


def _check_async(request: Json) -> None:
    given = request.get("AsyncInferenceConfig")
    if given is not None and "S3OutputPath" not in given["OutputConfig"]:
        raise refusals.not_simulated(
            "CreateEndpointConfig: AsyncInferenceConfig.OutputConfig without S3OutputPath is not simulated"
        )
