"""Endpoints: CreateEndpoint and what belongs to it; what they set going is in `deployments`."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from argosy.simulator.control import listing, refusals
from argosy.simulator.control.definitions import snapshot, variants_of
from argosy.simulator.control.deployments import IN_PROGRESS, Deployments
from argosy.simulator.control.endpoint_configs import found_config
from argosy.simulator.control.listing import Listing
from argosy.simulator.control.refusals import Refusal
from argosy.simulator.control.resources import Json, Kind, Resource
from argosy.simulator.control.store import Store
from argosy.simulator.control.tags import tags_of

_COUNT: Final = "DesiredInstanceCount"
_WEIGHT: Final = "DesiredWeight"
_CAPTURE: Final = "DataCaptureConfig"
_DEPLOYMENT: Final = "DeploymentConfig"
_SINCE: Final = "since"


def _summary(endpoint: Resource) -> Json:
    return {
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "CreationTime": endpoint.created,
        "LastModifiedTime": endpoint.modified,
        "EndpointStatus": endpoint.status,
    }


_LISTING: Final = Listing("Endpoints", _summary)


class Endpoints:
    """The endpoints.

    Args:
        store: Where they are kept.
        deployments: Where they live.
    """

    def __init__(self, store: Store, deployments: Deployments) -> None:
        self._store = store
        self._deployments = deployments

    async def create(self, region: str, request: Json, now: float) -> Json:
        """CreateEndpoint.

        Raises:
            Refusal: It is there already, or its configuration or a model is not.
        """
        name = request["EndpointName"]
        for there in self._store.all(Kind.ENDPOINT):
            if there.name.lower() == name.lower():
                if there.region == region:
                    raise refusals.already_exists(there)
                raise refusals.not_simulated(
                    f"CreateEndpoint: {there.arn} has this name; two endpoints of one name in two regions are not "
                    "simulated, since an invocation names no region"
                )
        config = found_config(self._store, region, request["EndpointConfigName"])
        state = {"pending": {**snapshot(self._store, config), **_deployment(request.get(_DEPLOYMENT), now)}}
        account = self._store.account
        endpoint = Resource(Kind.ENDPOINT, region, name, now, now, request, "Creating", state=state, account=account)
        self._store.add(endpoint, tags_of(request))
        self._deployments.create(endpoint)
        return {"EndpointArn": endpoint.arn}

    async def describe(self, region: str, request: Json, now: float) -> Json:
        """DescribeEndpoint: of an endpoint that is being updated what serves, and what is pending beside it."""
        endpoint = found_endpoint(self._store, region, request["EndpointName"])
        state = endpoint.state
        taken = state.get("deployed") or state["pending"]
        answer: dict[str, Any] = {  # Any: JSON
            **_summary(endpoint),
            "EndpointConfigName": taken["name"],
            "FailureReason": endpoint.failure or None,
            **{member: taken["config"].get(member) for member in ("AsyncInferenceConfig", "MetricsConfig")},
        }
        answer["LastDeploymentConfig"] = taken.get(_DEPLOYMENT)
        pending = state.get("pending", {})
        if _SINCE in pending and endpoint.status in ("Creating", "Updating"):
            answer["PendingDeploymentSummary"] = _pending_summary(endpoint, pending)
        if "deployed" in state:
            goal = state.get("pending") or taken
            answer |= {
                member: [_variant(each, taken, goal, endpoint) for each in taken["config"][member]]
                for member in ("ProductionVariants", "ShadowProductionVariants")
                if member in taken["config"]
            }
        if _CAPTURE in taken["config"]:
            answer[_CAPTURE] = _capture(taken["config"][_CAPTURE])
        return answer

    async def list(self, region: str, request: Json, now: float) -> Json:
        """ListEndpoints."""
        return listing.page(_LISTING, self._store.all(Kind.ENDPOINT, region), request)

    async def update(self, region: str, request: Json, now: float) -> Json:
        """UpdateEndpoint: the new fleet first, then the old one ends.

        Raises:
            Refusal: It is not in service, or its new configuration is not there.
        """
        endpoint = self._changeable(region, request["EndpointName"])
        config = found_config(self._store, region, request["EndpointConfigName"])
        pending = snapshot(self._store, config)
        if request.get("RetainAllVariantProperties", False):
            excluded = {each["VariantPropertyType"] for each in request.get("ExcludeRetainedVariantProperties", ())}
            pending["config"] = _retained(pending["config"], endpoint.state["deployed"]["config"], excluded)
        last = endpoint.state["deployed"].get(_DEPLOYMENT) if request.get("RetainDeploymentConfig", False) else None
        pending |= _deployment(request.get(_DEPLOYMENT, last), now)
        return self._begin_update(endpoint, pending, now)

    async def update_weights(self, region: str, request: Json, now: float) -> Json:
        """UpdateEndpointWeightsAndCapacities.

        Raises:
            Refusal: It is not in service, or has no such variant.
        """
        endpoint = self._changeable(region, request["EndpointName"])
        deployed = endpoint.state["deployed"]
        desired = {each["VariantName"].lower(): each for each in request["DesiredWeightsAndCapacities"]}
        known = {variant["VariantName"].lower() for variant in variants_of(deployed["config"])}
        for name, each in desired.items():
            if name not in known:
                raise Refusal(f'The variant name "{each["VariantName"]}" was not found in endpoint "{endpoint.arn}".')
        config = dict(deployed["config"])
        for member in ("ProductionVariants", "ShadowProductionVariants"):
            if member in config:
                config[member] = [
                    _desired(each, desired.get(each["VariantName"].lower(), {})) for each in config[member]
                ]
        kept = {name: value for name, value in deployed.items() if name != _SINCE}  # it is no new configuration
        return self._begin_update(endpoint, {**kept, "config": config}, now)

    async def delete(self, region: str, request: Json, now: float) -> Json:
        """DeleteEndpoint.

        Raises:
            Refusal: Something is being done to it, or it has inference components.
        """
        endpoint = found_endpoint(self._store, region, request["EndpointName"])
        if endpoint.status in IN_PROGRESS and not self._deployments.is_waiting(endpoint):
            raise refusals.in_progress(endpoint)
        for component in self._store.all(Kind.INFERENCE_COMPONENT, region):
            if component.request["EndpointName"].lower() == endpoint.name.lower():
                raise Refusal(
                    f'Cannot delete endpoint "{endpoint.arn}": delete its inference components first '
                    f'("{component.arn}").'
                )
        deleting = replace(endpoint, status="Deleting", modified=now)
        self._store.change(deleting)
        self._deployments.delete(deleting)
        return {}

    def _begin_update(self, endpoint: Resource, pending: Json, now: float) -> Json:
        state = {"deployed": endpoint.state["deployed"], "pending": pending}
        updating = replace(endpoint, status="Updating", failure="", modified=now, state=state)
        self._store.change(updating)
        self._deployments.update(updating)
        return {"EndpointArn": updating.arn}

    def _changeable(self, region: str, name: str) -> Resource:
        """An endpoint in service.

        UNSURE: the sentence for an endpoint that failed is not AWS's own.
        """
        endpoint = found_endpoint(self._store, region, name)
        if endpoint.status in IN_PROGRESS:
            raise refusals.in_progress(endpoint)
        if endpoint.status != "InService":
            raise Refusal(f'Cannot update endpoint "{endpoint.arn}" in status {endpoint.status}.')
        return endpoint


def found_endpoint(store: Store, region: str, name: str) -> Resource:
    """An endpoint.

    Raises:
        Refusal: It is not there.
    """
    endpoint = store.find(Kind.ENDPOINT, region, name)
    if endpoint is None:
        raise refusals.not_found(Kind.ENDPOINT, region, name, store.account)
    return endpoint


def _deployment(config: Json | None, now: float) -> Json:
    """What a snapshot says of how and since when it is deployed."""
    return {_SINCE: now} | ({_DEPLOYMENT: config} if config is not None else {})


def _pending_summary(endpoint: Resource, pending: Json) -> Json:
    """A `PendingDeploymentSummary`: of what is pending no instance serves yet."""
    config = pending["config"]
    variants = {
        member: [_pending_variant(each, pending, endpoint) for each in config[member]]
        for member in ("ProductionVariants", "ShadowProductionVariants")
        if member in config
    }
    return {"EndpointConfigName": pending["name"], "StartTime": pending[_SINCE], **variants}


def _pending_variant(variant: Json, pending: Json, endpoint: Resource) -> Json:
    shown = {**_variant(variant, pending, pending, endpoint), "InstanceType": variant.get("InstanceType")}
    shown["VariantStatus"] = [{"Status": "Creating", "StartTime": pending[_SINCE]}]
    return {**shown, **({"CurrentInstanceCount": 0} if "CurrentInstanceCount" in shown else {})}


def _variant(variant: Json, taken: Json, goal: Json, endpoint: Resource) -> Json:
    """A `ProductionVariantSummary`: how it is, and how it is to be."""
    name = variant["VariantName"]
    wanted = next((each for each in variants_of(goal["config"]) if each["VariantName"] == name), variant)
    model = taken["models"].get(variant.get("ModelName"))
    answer: dict[str, Any] = {  # Any: JSON
        "VariantName": name,
        "CurrentWeight": variant.get("InitialVariantWeight", 1.0),
        "DesiredWeight": wanted.get("InitialVariantWeight", 1.0),
        "RoutingConfig": variant.get("RoutingConfig"),
        "ManagedInstanceScaling": variant.get("ManagedInstanceScaling"),
    }
    if model is not None:
        answer["DeployedImages"] = [
            {"SpecifiedImage": container["Image"], "ResolutionTime": endpoint.created}
            for container in model["containers"]
        ]
    if "ServerlessConfig" in variant:
        answer |= {
            "CurrentServerlessConfig": variant["ServerlessConfig"],
            "DesiredServerlessConfig": wanted.get("ServerlessConfig"),
        }
    else:
        answer |= {
            "CurrentInstanceCount": 0 if endpoint.status == "Failed" else variant["InitialInstanceCount"],
            _COUNT: wanted.get("InitialInstanceCount", variant["InitialInstanceCount"]),
        }
    return answer


def _capture(config: Json) -> Json:
    """A `DataCaptureConfigSummary`."""
    is_on = config.get("EnableCapture", False)
    return {
        "EnableCapture": is_on,
        "CaptureStatus": "Started" if is_on else "Stopped",
        "CurrentSamplingPercentage": config["InitialSamplingPercentage"],
        "DestinationS3Uri": config["DestinationS3Uri"],
        "KmsKeyId": config.get("KmsKeyId", ""),
    }


def _desired(variant: Json, desired: Json) -> Json:
    changed = dict(variant)
    if _WEIGHT in desired:
        changed["InitialVariantWeight"] = desired[_WEIGHT]
    if _COUNT in desired:
        if desired[_COUNT] == 0:
            raise refusals.not_simulated(
                "UpdateEndpointWeightsAndCapacities: a variant without instances is not simulated"
            )
        changed["InitialInstanceCount"] = desired[_COUNT]
    return changed


def _retained(config: Json, deployed: Json, excluded: set[str]) -> Mapping[str, Any]:
    """A configuration with the weights, counts and capture that an endpoint has, but for those that are excluded."""
    now = {variant["VariantName"]: variant for variant in deployed["ProductionVariants"]}
    members = {_WEIGHT: "InitialVariantWeight", _COUNT: "InitialInstanceCount"}
    kept = [member for name, member in members.items() if name not in excluded]
    variants = [
        {**each, **{member: now[each["VariantName"]][member] for member in kept if member in now[each["VariantName"]]}}
        if each["VariantName"] in now
        else each
        for each in config["ProductionVariants"]
    ]
    retained = {**config, "ProductionVariants": variants}
    if "DataCaptureConfig" not in excluded and _CAPTURE in deployed:
        retained[_CAPTURE] = deployed[_CAPTURE]
    return retained
