"""The `sagemaker` API over HTTP: AWS JSON 1.1, requests judged by botocore's own model of the service.

What the service ignores in silence is refused or told here: members that the model does not know, operations and
members that are not simulated (`NotSimulated`, 501), and members that have no effect on one machine.
"""

import json
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from argosy.aws import service_model
from argosy.aws.service_model import Operation
from argosy.simulator.answers import ERROR_TYPE, Answer
from argosy.simulator.control import refusals
from argosy.simulator.control.deployments import Deployments
from argosy.simulator.control.endpoint_configs import EndpointConfigs
from argosy.simulator.control.endpoints import Endpoints
from argosy.simulator.control.inference_components import InferenceComponents
from argosy.simulator.control.model_packages import ModelPackages
from argosy.simulator.control.models import Models
from argosy.simulator.control.refusals import Refusal
from argosy.simulator.control.resources import Json
from argosy.simulator.control.store import Store
from argosy.simulator.control.tags import Tags
from argosy.simulator.control.transform_jobs import TransformJobs
from argosy.simulator.health import Report

TARGET: Final = "x-amz-target"
"""The header field that names the operation, in lower case."""
MEDIA_TYPE: Final = "application/x-amz-json-1.1"
REQUEST_BYTES: Final = 4 * 2**20
"""Largest request that is read; the largest that the API's model allows is far smaller."""

_PREFIX: Final = "SageMaker."

Run = Callable[[str, Json, float], Awaitable[Json]]
"""One operation: region, request, and the time in seconds since 1970 -> the answer's members."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the operations work on.

    Attributes:
        store: The resources.
        deployments: The endpoints that serve.
        models: CreateModel and its kin; so the others.
        endpoint_configs: As above.
        endpoints: As above.
        transform_jobs: As above.
        model_packages: As above.
        inference_components: As above.
    """

    store: Store
    deployments: Deployments
    models: Models
    endpoint_configs: EndpointConfigs
    endpoints: Endpoints
    transform_jobs: TransformJobs
    model_packages: ModelPackages
    inference_components: InferenceComponents


class ControlPlane:
    """The API.

    Args:
        parts: What its operations work on.
        report: Takes what a person should know, one line each.

    Raises:
        UsageError: botocore is not installed.
    """

    def __init__(self, parts: Parts, report: Report) -> None:
        self._parts = parts
        self._report = report
        self._model = service_model.load("sagemaker")
        self._operations = _operations(parts)

    def resume(self) -> None:
        """Go on where the simulator that held the state before ended."""
        self._parts.deployments.resume()
        self._parts.inference_components.resume()
        self._parts.transform_jobs.resume()
        self._parts.model_packages.resume()

    async def close(self) -> None:
        """End all containers as SageMaker does, then let go of the state."""
        await self._parts.transform_jobs.close()
        await self._parts.model_packages.close()
        await self._parts.inference_components.close()
        await self._parts.deployments.close()
        self._parts.store.close()

    async def answer(self, target: str, body: bytes, region: str) -> Answer:
        """Answer one request.

        Args:
            target: The `X-Amz-Target` header field.
            body: At most `REQUEST_BYTES` long.
            region: Of the credential scope.
        """
        try:
            members = await self._run(target, body, region)
        except Refusal as refusal:
            fields = {"__type": refusal.code, "message": refusal.message}
            headers = (("Content-Type", MEDIA_TYPE), (ERROR_TYPE, refusal.code))
            note = f"{target.removeprefix(_PREFIX)}: {refusal.code}: {refusal.message}"[:600]
            return Answer(refusal.status, headers, json.dumps(fields).encode(), note)
        except Exception as error:
            return self._failure(target, error)
        return Answer(200, (("Content-Type", MEDIA_TYPE),), json.dumps(members).encode() if members else b"")

    def _failure(self, target: str, error: Exception) -> Answer:
        """A fault of the simulator's own, as the service answers one of its own; the place is told here alone."""
        code, operation = "InternalFailure", target.removeprefix(_PREFIX)
        self._report("".join(traceback.format_exception(error)).rstrip())
        fields = {"__type": code, "message": f"{operation}: {type(error).__name__} in the simulator; see its log"}
        headers = (("Content-Type", MEDIA_TYPE), (ERROR_TYPE, code))
        return Answer(500, headers, json.dumps(fields).encode(), f"{operation}: {code}: {error}"[:600])

    async def _run(self, target: str, body: bytes, region: str) -> Mapping[str, Any]:
        operation = self._model.operation(target.removeprefix(_PREFIX)) if target.startswith(_PREFIX) else None
        if operation is None:
            raise Refusal(f"The operation {target} is not known to {self._model.source}.", "UnknownOperationException")
        run = self._operations.get(operation.name)
        if run is None:
            raise refusals.not_simulated(
                f"{operation.name} is not simulated; these are: {', '.join(sorted(self._operations))}"
            )
        request = self._parsed(operation, body)
        for path in refusals.members_without_effect(operation.name, request):
            self._report(f"{operation.name}: {path} is recorded and has no effect here")
        return operation.answer(await run(region, request, round(time.time(), 3)))

    def _parsed(self, operation: Operation, body: bytes) -> Json:
        """The request, checked against the API's model.

        Raises:
            Refusal: It is not what the model says.
        """
        try:
            request = _without_nulls(json.loads(body or b"{}"))
        except (ValueError, RecursionError):
            raise Refusal("The request body is no JSON.", "SerializationException") from None
        mistyped = operation.mistyped(request)
        if mistyped is not None or not isinstance(request, dict):
            raise Refusal(mistyped or "The request body is no JSON object.", "SerializationException")
        unknown = operation.unknown_members(request)
        if unknown:
            raise refusals.not_simulated(
                f"{operation.name}: {', '.join(unknown)}: not known to {self._model.source}, whose model of the "
                "service is used here; update botocore where the simulator runs"
            )
        violations = operation.violations(request)
        if violations:
            noun = "error" if len(violations) == 1 else "errors"
            raise Refusal(f"{len(violations)} validation {noun} detected: {'; '.join(violations)}")
        refused = refusals.unsimulated_member(operation.name, request)
        if refused is not None:
            raise refused
        return request


def _operations(parts: Parts) -> Mapping[str, Run]:
    models, configs, endpoints = parts.models, parts.endpoint_configs, parts.endpoints
    jobs, packages, tags = parts.transform_jobs, parts.model_packages, Tags(parts.store)
    components = parts.inference_components
    return {
        "CreateModel": models.create,
        "DescribeModel": models.describe,
        "ListModels": models.list,
        "DeleteModel": models.delete,
        "CreateEndpointConfig": configs.create,
        "DescribeEndpointConfig": configs.describe,
        "ListEndpointConfigs": configs.list,
        "DeleteEndpointConfig": configs.delete,
        "CreateEndpoint": endpoints.create,
        "DescribeEndpoint": endpoints.describe,
        "ListEndpoints": endpoints.list,
        "UpdateEndpoint": endpoints.update,
        "UpdateEndpointWeightsAndCapacities": endpoints.update_weights,
        "DeleteEndpoint": endpoints.delete,
        "CreateTransformJob": jobs.create,
        "DescribeTransformJob": jobs.describe,
        "ListTransformJobs": jobs.list,
        "StopTransformJob": jobs.stop,
        "CreateModelPackage": packages.create,
        "DescribeModelPackage": packages.describe,
        "ListModelPackages": packages.list,
        "UpdateModelPackage": packages.update,
        "DeleteModelPackage": packages.delete,
        "CreateModelPackageGroup": packages.create_group,
        "DescribeModelPackageGroup": packages.describe_group,
        "ListModelPackageGroups": packages.list_groups,
        "DeleteModelPackageGroup": packages.delete_group,
        "CreateInferenceComponent": components.create,
        "DescribeInferenceComponent": components.describe,
        "ListInferenceComponents": components.list,
        "UpdateInferenceComponent": components.update,
        "UpdateInferenceComponentRuntimeConfig": components.update_copies,
        "DeleteInferenceComponent": components.delete,
        "AddTags": tags.add,
        "ListTags": tags.list,
        "DeleteTags": tags.delete,
    }


def _without_nulls(value: Any) -> Any:
    """JSON without its nulls, which count as absent; Any: whatever a client sent."""
    if isinstance(value, dict):
        return {name: _without_nulls(member) for name, member in value.items() if member is not None}
    if isinstance(value, list):
        return [_without_nulls(member) for member in value if member is not None]
    return value
