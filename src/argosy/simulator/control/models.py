"""Models: CreateModel and what belongs to it, with the checks that AWS makes before it takes a model."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from argosy.errors import StorageError
from argosy.simulator.control import listing, refusals
from argosy.simulator.control.definitions import find_package, given_containers, resolved_containers
from argosy.simulator.control.listing import Listing
from argosy.simulator.control.refusals import Refusal
from argosy.simulator.control.resources import Json, Kind, Resource
from argosy.simulator.control.store import Store
from argosy.simulator.control.tags import tags_of
from argosy.simulator.image_scans import is_for_sale
from argosy.simulator.platform import Platform, check_image, check_role
from argosy.simulator.storage.objects import ObjectStore, ObjectUri

ImageLabels = Callable[[str], Mapping[str, str] | None]
"""Looks up the labels of an image by its name in a request; None when there is no such image. It blocks."""

BIND_TO_PORT: Final = "com.amazonaws.sagemaker.capabilities.accept-bind-to-port"
MULTI_MODELS: Final = "com.amazonaws.sagemaker.capabilities.multi-models"

APPROVED: Final = "Approved"
"""The `ModelApprovalStatus` of a version from which models may be made; a package without versions has none."""

_ENVIRONMENT_BYTES: Final = 32 * 1024  # of all containers: ContainerDefinition.Environment, API reference


def _summary(model: Resource) -> Json:
    return {"ModelName": model.name, "ModelArn": model.arn, "CreationTime": model.created}


_LISTING: Final = Listing("Models", _summary)


class Models:
    """The models.

    Args:
        store: Where they are kept.
        objects: Where artifacts are.
        labels: What images say of themselves.
        platform: The services around.
    """

    def __init__(self, store: Store, objects: ObjectStore, labels: ImageLabels, platform: Platform) -> None:
        self._platform = platform
        self._store = store
        self._objects = objects
        self._labels = labels

    async def create(self, region: str, request: Json, now: float) -> Json:
        """CreateModel.

        Raises:
            Refusal: It is there already, or AWS would not take it.
        """
        self._refuse_existing(region, request)
        containers = self._checked_containers(region, request)
        await asyncio.to_thread(self._check_artifacts, containers)
        await asyncio.to_thread(self._check_labels, containers)
        self._refuse_existing(region, request)  # another request may have been quicker meanwhile
        account = self._store.account
        model = Resource(Kind.MODEL, region, request["ModelName"], now, now, request, account=account)
        self._store.add(model, tags_of(request))
        return {"ModelArn": model.arn}

    async def describe(self, region: str, request: Json, now: float) -> Json:
        """DescribeModel."""
        model = self._found(region, request["ModelName"])
        isolated = model.request.get("EnableNetworkIsolation", False)
        own = {"ModelArn": model.arn, "CreationTime": model.created, "EnableNetworkIsolation": isolated}
        containers = [_described(container) for container in given_containers(model.request)]
        shown = {"Containers": containers} if "Containers" in model.request else {"PrimaryContainer": containers[0]}
        return {**model.request, **shown, **own}

    async def list(self, region: str, request: Json, now: float) -> Json:
        """ListModels."""
        return listing.page(_LISTING, self._store.all(Kind.MODEL, region), request)

    async def delete(self, region: str, request: Json, now: float) -> Json:
        """DeleteModel; endpoints that use it live on."""
        self._store.remove(self._found(region, request["ModelName"]))
        return {}

    def _found(self, region: str, name: str) -> Resource:
        model = self._store.find(Kind.MODEL, region, name)
        if model is None:
            raise refusals.not_found(Kind.MODEL, region, name, self._store.account)
        return model

    def _refuse_existing(self, region: str, request: Json) -> None:
        there = self._store.find(Kind.MODEL, region, request["ModelName"])
        if there is not None:
            raise refusals.already_exists(there)

    def _checked_containers(self, region: str, request: Json) -> Sequence[Json]:
        """The containers with model packages resolved, their form checked.

        UNSURE: the sentences for a missing role, image or hostname are not AWS's own; that it refuses them is known.
        """
        if ("PrimaryContainer" in request) == bool(request.get("Containers")):
            raise Refusal("Specify either PrimaryContainer or Containers.")
        if "ExecutionRoleArn" not in request:
            raise Refusal("ExecutionRoleArn is required to create a model.")
        check_role(self._platform, request["ExecutionRoleArn"])
        given = given_containers(request)
        for container in given:
            if ("Image" in container) == ("ModelPackageName" in container):
                raise Refusal("Each container needs either Image or ModelPackageName.")
            if "ModelDataUrl" in container and "ModelDataSource" in container:
                raise Refusal("ModelDataUrl and ModelDataSource cannot both be specified for a container.")
            check_image(self._platform, container)
            if "ModelPackageName" in container:
                self._check_package(region, container, request)
        containers = resolved_containers(self._store, region, request)
        _check_form(containers, request.get("InferenceExecutionConfig", {}).get("Mode"))
        return containers

    def _check_package(self, region: str, container: Json, request: Json) -> None:
        """The first sentence was seen for jobs: https://github.com/aws/aws-cdk/issues/16779 (read 2026-11-23).

        UNSURE: how the sentence on Environment ends; its begin was reported of packages that were not sold
        (https://github.com/aws/sagemaker-python-sdk/issues/3397, read 2026-11-23).

        UNSURE: the sentence on approval is not AWS's own. That a version must be `Approved` to be deployed is in the
        API reference (ModelPackage). A model that is there lives on when its version is rejected later.
        """
        package = find_package(self._store, region, container["ModelPackageName"])
        if package.account != self._store.account:
            if not self._platform.is_subscribed(package.arn):
                raise Refusal("Caller is not subscribed to the marketplace offering.")
            if container.get("Environment"):
                raise Refusal("Environment variable map cannot be specified for a package of AWS Marketplace.")
        if is_for_sale(package.request) and not request.get("EnableNetworkIsolation", False):
            raise Refusal("EnableNetworkIsolation must be true for models using SageMaker Marketplace model packages.")
        approval = package.request.get("ModelApprovalStatus", APPROVED)
        if "/" in package.name and approval != APPROVED:
            raise Refusal(f"Model package {package.arn} is {approval}; its ModelApprovalStatus must be {APPROVED}.")

    def _check_artifacts(self, containers: Sequence[Json]) -> None:
        """As in https://github.com/aws/amazon-sagemaker-examples/pull/4476 (read 2026-11-23)."""
        for container in containers:
            url = container.get("ModelDataUrl")
            if url is None:
                continue
            if not url.startswith("s3://"):
                raise refusals.not_simulated(f"CreateModel: ModelDataUrl takes s3:// here, not {url.partition(':')[0]}")
            if not self._is_there(ObjectUri.parse(url), container.get("Mode") == "MultiModel"):
                raise Refusal(f"Could not find model data at {url}.")

    def _is_there(self, uri: ObjectUri, is_prefix: bool) -> bool:
        """Whether there is an object, or one whose key begins so; a bucket that is missing has none."""
        try:
            found = next(iter(self._objects.list(uri)), None) if is_prefix else self._objects.find(uri)
        except StorageError:
            return False
        return found is not None

    def _check_labels(self, containers: Sequence[Json]) -> None:
        """As AWS's troubleshooting page for multi-container endpoints has it (read 2026-11-23).

        An image that is not found is no fault yet: the endpoint will fail.
        """
        for container in containers:
            wanted = [BIND_TO_PORT] if len(containers) > 1 else []
            wanted += [MULTI_MODELS] if container.get("Mode") == "MultiModel" else []
            labels = self._labels(container["Image"]) if wanted else None
            for label in wanted:
                if labels is not None and labels.get(label) != "true":
                    raise Refusal(
                        f"Your Ecr Image {container['Image']} does not contain required {label}=true Docker label(s)."
                    )


def _check_form(containers: Sequence[Json], mode: str | None) -> None:
    if len(containers) > 15:
        raise Refusal("A model has at most 15 containers.")
    names = [container["ContainerHostname"] for container in containers if "ContainerHostname" in container]
    if len(set(names)) < len(names):
        raise Refusal("The ContainerHostname of each container must be unique within a model.")
    if mode == "Direct" and len(names) < len(containers):
        raise Refusal("ContainerHostname is required for each container when InferenceExecutionConfig.Mode is Direct.")
    if 0 < len(names) < len(containers) and len(containers) > 1:
        raise Refusal("If ContainerHostname is specified for one container, it must be specified for all.")
    size = sum(
        len(key.encode()) + len(value.encode())
        for container in containers
        for key, value in container.get("Environment", {}).items()
    )
    if size > _ENVIRONMENT_BYTES:
        raise Refusal(f"The combined size of Environment is {size} bytes; a model may have {_ENVIRONMENT_BYTES}.")
    for container in containers:
        if container.get("Mode") == "MultiModel" and "ModelDataUrl" not in container:
            raise Refusal("ModelDataUrl is required for a container whose Mode is MultiModel.")


def _described(container: Json) -> Json:
    """A container as DescribeModel shows it: with what the service fills in."""
    return {"Mode": "SingleModel", **container} if "Image" in container else container
