"""Inference components: models and adapters that come and go on the instances of an endpoint without models.

The sentences were seen in https://github.com/hashicorp/terraform-provider-aws/issues/40644 (an endpoint with models)
and https://github.com/stdapi-ai/stdapi.ai/issues/43 (no copies; both read 2026-11-23).

UNSURE: the other sentences are not AWS's own; that it refuses what they name is documented in the API reference.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from argosy.errors import ArgosyError, ContainerError
from argosy.simulator.backoff import delays
from argosy.simulator.control import listing, refusals
from argosy.simulator.control.definitions import container_of, model_of, model_snapshot
from argosy.simulator.control.deployments import REASON_LENGTH, Deployments, Hosted
from argosy.simulator.control.endpoints import found_endpoint
from argosy.simulator.control.listing import Listing
from argosy.simulator.control.refusals import Refusal
from argosy.simulator.control.resources import Json, Kind, Resource
from argosy.simulator.control.store import Store, insist
from argosy.simulator.control.tags import tags_of
from argosy.simulator.health import Report
from argosy.simulator.hosting.definition import Compute, InferenceComponent, Model, adapter_source

_IN_PROGRESS: Final = frozenset({"Creating", "Updating", "Deleting"})
_BASE: Final = "BaseInferenceComponentName"


def _summary(component: Resource) -> Json:
    endpoint = component.state["endpoint"]
    return {
        "InferenceComponentName": component.name,
        "InferenceComponentArn": component.arn,
        "EndpointName": endpoint["name"],
        "EndpointArn": endpoint["arn"],
        "VariantName": component.state["wanted"]["variant"],
        "InferenceComponentStatus": component.status,
        "CreationTime": component.created,
        "LastModifiedTime": component.modified,
    }


_LISTING: Final = Listing("InferenceComponents", _summary)


class InferenceComponents:
    """The inference components.

    A component's state holds what is wanted of it and, under `there`, what runs.

    Args:
        store: Where they are kept.
        deployments: Has the endpoints on which they run.
        report: Takes a line about every change of a status.
    """

    def __init__(self, store: Store, deployments: Deployments, report: Report) -> None:
        self._store = store
        self._deployments = deployments
        self._report = report
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._waiting: set[str] = set()

    async def create(self, region: str, request: Json, now: float) -> Json:
        """CreateInferenceComponent.

        Raises:
            Refusal: It is there already, or its endpoint cannot take it.
        """
        name = request["InferenceComponentName"]
        there = self._store.find(Kind.INFERENCE_COMPONENT, region, name)
        if there is not None:
            raise refusals.already_exists(there)
        endpoint = found_endpoint(self._store, region, request["EndpointName"])
        taken = endpoint.state.get("pending") or endpoint.state["deployed"]
        if taken["models"]:
            raise Refusal(
                "Inference Components are not supported in this Endpoint. Please make sure this endpoint can deploy "
                "inference components."
            )
        if "Specification" not in request:
            raise Refusal("Specification is required for an inference component.")
        wanted = self._wanted(region, request)
        known = [variant["VariantName"] for variant in taken["config"]["ProductionVariants"]]
        if wanted["variant"] not in known:
            raise Refusal(f'The variant name "{wanted["variant"]}" was not found in endpoint "{endpoint.arn}".')
        isolated = taken["config"].get("EnableNetworkIsolation", False)
        host = {"name": endpoint.name, "arn": endpoint.arn, "isolated": isolated}
        state = {"endpoint": host, "wanted": wanted}
        account = self._store.account
        component = Resource(
            Kind.INFERENCE_COMPONENT, region, name, now, now, request, "Creating", state=state, account=account
        )
        self._store.add(component, tags_of(request))
        self._begin(component, self._create)
        return {"InferenceComponentArn": component.arn}

    async def describe(self, region: str, request: Json, now: float) -> Json:
        """DescribeInferenceComponent."""
        component = self._found(region, request["InferenceComponentName"])
        specification = dict(component.state["wanted"]["specification"])
        container = specification.get("Container")
        if container is not None and "Image" in container:
            image = {"SpecifiedImage": container["Image"], "ResolutionTime": component.created}
            specification["Container"] = {**container, "DeployedImage": image}
        answer = {**_summary(component), "Specification": specification, "FailureReason": component.failure or None}
        if _BASE not in specification:
            current = component.state.get("there", {}).get("copies", 0)
            copies = {"DesiredCopyCount": component.state["wanted"]["copies"], "CurrentCopyCount": current}
            answer["RuntimeConfig"] = copies
        return answer

    async def list(self, region: str, request: Json, now: float) -> Json:
        """ListInferenceComponents."""
        endpoint, variant = request.get("EndpointNameEquals"), request.get("VariantNameEquals")
        found = [
            component
            for component in self._store.all(Kind.INFERENCE_COMPONENT, region)
            if endpoint in (None, component.state["endpoint"]["name"])
            and variant in (None, component.state["wanted"]["variant"])
        ]
        return listing.page(_LISTING, found, request)

    async def update(self, region: str, request: Json, now: float) -> Json:
        """UpdateInferenceComponent.

        Raises:
            Refusal: It is not there, or something is being done to it.
        """
        component = self._changeable(region, request["InferenceComponentName"])
        before = component.state["wanted"]
        merged = {
            "EndpointName": component.request["EndpointName"],
            "VariantName": before["variant"],
            "Specification": {**before["specification"], **request.get("Specification", {})},
            "RuntimeConfig": request.get("RuntimeConfig", {"CopyCount": before["copies"]}),
        }
        return self._begin_update(component, self._wanted(region, merged), now)

    async def update_copies(self, region: str, request: Json, now: float) -> Json:
        """UpdateInferenceComponentRuntimeConfig; without copies a component waits for some.

        Raises:
            Refusal: It is not there, or something is being done to it.
        """
        component = self._changeable(region, request["InferenceComponentName"])
        wanted = {**component.state["wanted"], "copies": request["DesiredRuntimeConfig"]["CopyCount"]}
        return self._begin_update(component, wanted, now)

    async def delete(self, region: str, request: Json, now: float) -> Json:
        """DeleteInferenceComponent.

        Raises:
            Refusal: It is not there, something is being done to it, or adapters need it.
        """
        component = self._found(region, request["InferenceComponentName"])
        if component.status in _IN_PROGRESS and not self._is_waiting(component):
            raise refusals.in_progress(component)
        for other in self._store.all(Kind.INFERENCE_COMPONENT, region):
            if other.state["wanted"]["specification"].get(_BASE, "").lower() == component.name.lower():
                raise Refusal(
                    f'Cannot delete inference component "{component.arn}": "{other.arn}" is an adapter of it.'
                )
        waiting = self._tasks.get(component.arn)
        if waiting is not None:
            waiting.cancel()
        deleting = self._changed(component, "Deleting")
        self._begin(deleting, self._delete)
        return {}

    def resume(self) -> None:
        """Go on where a simulator ended: the components start again as soon as their endpoints serve."""
        components = self._store.all(Kind.INFERENCE_COMPONENT)
        for component in sorted(components, key=lambda each: _BASE in each.state["wanted"]["specification"]):
            if component.status == "Deleting":
                self._begin(component, self._delete)
            elif component.status == "Creating":
                self._begin(component, self._resume_creation)
            elif component.status in ("InService", "Updating"):
                self._begin(self._changed(component, "Updating"), self._restore)

    async def close(self) -> None:
        """Begin nothing more; the containers are the endpoints'."""
        for task in list(self._tasks.values()):
            task.cancel()
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    def _wanted(self, region: str, request: Json) -> dict[str, Any]:
        """What a request wants, with its model as it is now; Any: JSON.

        Raises:
            Refusal: AWS would not take it.
        """
        specification = request["Specification"]
        wanted: dict[str, Any] = {"specification": dict(specification), "variant": request.get("VariantName")}
        if _BASE in specification:
            base = self._found(region, specification[_BASE])
            if "ArtifactUrl" not in specification.get("Container", {}):
                raise Refusal("Container.ArtifactUrl is required for an adapter.")
            return {**wanted, "variant": wanted["variant"] or base.state["wanted"]["variant"], "copies": 0}
        if wanted["variant"] is None:
            raise Refusal("VariantName is required for an inference component.")
        if ("ModelName" in specification) == ("Container" in specification):
            raise Refusal("Specify either ModelName or Container for an inference component.")
        if "ComputeResourceRequirements" not in specification:
            raise Refusal("ComputeResourceRequirements is required for an inference component.")
        if "ModelName" in specification:
            wanted["model"] = model_snapshot(self._store, region, specification["ModelName"])
        elif "Image" not in specification["Container"]:
            raise Refusal("Container.Image is required for an inference component.")
        wanted["copies"] = request.get("RuntimeConfig", {}).get("CopyCount", 0)
        if wanted["copies"] < 1:
            raise Refusal("Inference components copy count an integer larger than 0")
        return wanted

    def _begin_update(self, component: Resource, wanted: Json, now: float) -> Json:
        state = {**component.state, "wanted": wanted}
        updating = self._changed(replace(component, state=state), "Updating")
        self._begin(updating, self._update)
        return {"InferenceComponentArn": updating.arn}

    def _begin(self, component: Resource, work: Callable[[Resource, Hosted], Awaitable[None]]) -> None:
        before = list(self._tasks.values()) if _BASE in component.state["wanted"]["specification"] else []
        task = asyncio.create_task(self._work(component, work, before))
        self._tasks[component.arn] = task
        task.add_done_callback(lambda ended: self._forget(component.arn, ended))

    def _forget(self, arn: str, ended: asyncio.Task[None]) -> None:
        """The next task for a component may have begun before the end of this one is told."""
        if self._tasks.get(arn) is ended:
            del self._tasks[arn]

    async def _work(
        self,
        component: Resource,
        work: Callable[[Resource, Hosted], Awaitable[None]],
        before: Sequence[asyncio.Task[None]],
    ) -> None:
        """Do what was asked as soon as the endpoint, and for an adapter what was begun before, is ready."""
        if before:
            await asyncio.wait(before)
        endpoint = self._store.find(Kind.ENDPOINT, component.region, component.state["endpoint"]["name"])
        if endpoint is not None and not (component.status == "Deleting" and self._deployments.is_waiting(endpoint)):
            await self._deployments.settled(endpoint)
        served = None if endpoint is None else self._deployments.served(endpoint)
        try:
            if served is not None:
                await work(component, served.components)
            elif component.status == "Deleting":
                await insist(lambda: self._store.remove(component), self._report)
            else:
                await self._fail(component, f"Endpoint {component.state['endpoint']['name']} is not in service.")
        except ArgosyError as error:
            self._report(f"inference component {component.name}: {error}")
            await self._fail(component, error.what)
        except Exception as error:
            self._report(f"inference component {component.name}: {type(error).__name__}: {error}")
            await self._fail(component, f"InternalServerError: {error}")

    async def _create(self, component: Resource, hosted: Hosted) -> None:
        await hosted.create(_value(component))
        await self._in_service(component)

    async def _resume_creation(self, component: Resource, hosted: Hosted) -> None:
        await self._run_again(component, hosted, final=ContainerError)

    async def _restore(self, component: Resource, hosted: Hosted) -> None:
        await self._run_again(component, hosted)

    async def _run_again(self, component: Resource, hosted: Hosted, final: type[ArgosyError] | tuple[()] = ()) -> None:
        """Start what was there before this simulator, as often as it takes; see `Deployments` on why."""
        for delay_s in delays():
            try:
                await self._create(component, hosted)
            except final:
                raise
            except Exception as error:
                self._report(
                    f"inference component {component.name}: it cannot run again, next attempt in {delay_s:g} s: {error}"
                )
                await self._became(component, component.status, str(error))
            else:
                return
            self._waiting.add(component.arn)
            try:
                await asyncio.sleep(delay_s)
            finally:
                self._waiting.discard(component.arn)

    async def _update(self, component: Resource, hosted: Hosted) -> None:
        """A failed update leaves what ran before."""
        try:
            await hosted.update(_value(component))
        except ArgosyError as error:
            self._report(f"inference component {component.name}: {error}")
            state = {**component.state, "wanted": component.state["there"]}
            await self._became(replace(component, state=state), "InService", error.what)
        else:
            await self._in_service(component)

    async def _delete(self, component: Resource, hosted: Hosted) -> None:
        await hosted.delete(component.name)
        await insist(lambda: self._store.remove(component), self._report)
        self._report(f"inference component {component.name}: deleted")

    async def _in_service(self, component: Resource) -> None:
        state = {**component.state, "there": component.state["wanted"]}
        await self._became(replace(component, state=state), "InService")

    async def _fail(self, component: Resource, reason: str) -> None:
        state = {name: value for name, value in component.state.items() if name != "there"}
        await self._became(replace(component, state=state), "Failed", reason)

    def _changed(self, component: Resource, status: str) -> Resource:
        """Write down what is asked for."""
        changed = _with_status(component, status)
        self._store.change(changed)
        self._report(f"inference component {component.name}: {status}")
        return changed

    async def _became(self, component: Resource, status: str, failure: str = "") -> None:
        """Write down what has come about."""
        changed = _with_status(component, status, failure)
        await insist(lambda: self._store.change(changed), self._report)
        self._report(f"inference component {component.name}: {status}")

    def _is_waiting(self, component: Resource) -> bool:
        """Whether it cannot run again as it did, or its endpoint cannot serve, and waits for another attempt."""
        endpoint = self._store.find(Kind.ENDPOINT, component.region, component.state["endpoint"]["name"])
        is_endpoint_waiting = endpoint is not None and self._deployments.is_waiting(endpoint)
        return is_endpoint_waiting or component.arn in self._waiting

    def _changeable(self, region: str, name: str) -> Resource:
        component = self._found(region, name)
        if component.status in _IN_PROGRESS:
            raise refusals.in_progress(component)
        if component.status != "InService":
            raise Refusal(f'Cannot update inference component "{component.arn}" in status {component.status}.')
        return component

    def _found(self, region: str, name: str) -> Resource:
        component = self._store.find(Kind.INFERENCE_COMPONENT, region, name)
        if component is None:
            raise refusals.not_found(Kind.INFERENCE_COMPONENT, region, name, self._store.account)
        return component


def _with_status(component: Resource, status: str, failure: str = "") -> Resource:
    return replace(component, status=status, failure=failure[:REASON_LENGTH], modified=round(time.time(), 3))


def _value(component: Resource) -> InferenceComponent:
    """What `hosting` is asked for."""
    wanted = component.state["wanted"]
    specification = wanted["specification"]
    if _BASE in specification:
        source = adapter_source(specification["Container"]["ArtifactUrl"])
        return InferenceComponent(component.name, wanted["variant"], base=specification[_BASE], adapter=source)
    required = specification["ComputeResourceRequirements"]
    compute = Compute(
        required["MinMemoryRequiredInMb"],
        required.get("MaxMemoryRequiredInMb"),
        required.get("NumberOfCpuCoresRequired"),
        required.get("NumberOfAcceleratorDevicesRequired"),
    )
    made = InferenceComponent(component.name, wanted["variant"], _model(component), compute, wanted["copies"])
    startup = specification.get("StartupParameters", {}).get("ContainerStartupHealthCheckTimeoutInSeconds")
    return made if startup is None else replace(made, startup_s=float(startup))


def _model(component: Resource) -> Model:
    wanted = component.state["wanted"]
    isolated = component.state["endpoint"].get("isolated", False)
    if "model" in wanted:
        model = model_of(wanted["model"])
        return replace(model, is_isolated=model.is_isolated or isolated, takes_adapters=True)
    given = dict(wanted["specification"]["Container"])
    if "ArtifactUrl" in given:
        given["ModelDataUrl"] = given.pop("ArtifactUrl")
    return Model(component.name, (container_of(given),), is_isolated=isolated, takes_adapters=True)
