"""Model packages and their groups; a package's validation is a transform job that is really run.

The sentences about names are those that https://github.com/getmoto/moto/pull/7165 saw AWS answer (read 2026-11-23).

UNSURE: the sentences on a group that is not empty, and on what a specification lacks, are not AWS's own.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from argosy.simulator import image_scans
from argosy.simulator.control import listing, refusals
from argosy.simulator.control.definitions import find_own_package, find_package, model_of
from argosy.simulator.control.listing import Listing
from argosy.simulator.control.refusals import Refusal
from argosy.simulator.control.resources import Json, Kind, Resource
from argosy.simulator.control.store import Store, insist
from argosy.simulator.control.tags import tags_of
from argosy.simulator.control.transform_jobs import (
    Ending,
    RunTransform,
    ToEnd,
    check_job,
    identity_of,
    run_again_to_end,
    run_to_end,
)
from argosy.simulator.health import Report
from argosy.simulator.image_scans import containers_of, is_for_sale
from argosy.simulator.platform import Platform, check_image, check_role

_GROUP: Final = "ModelPackageGroupName"
_TOKEN: Final = "ClientToken"
_UPDATED: Final = frozenset(
    {
        "ModelApprovalStatus",
        "ModelPackageRegistrationType",
        "ApprovalDescription",
        "InferenceSpecification",
        "SourceUri",
    }
    | {"ModelCard", "ModelLifeCycle"}
)


def _summary(package: Resource) -> Json:
    group, _, version = package.name.partition("/")
    return {
        "ModelPackageName": None if version else package.name,
        _GROUP: group if version else None,
        "ModelPackageVersion": int(version) if version else None,
        "ModelPackageArn": package.arn,
        "ModelPackageDescription": package.request.get("ModelPackageDescription"),
        "CreationTime": package.created,
        "ModelPackageStatus": package.status,
        "ModelApprovalStatus": package.request.get("ModelApprovalStatus"),
        "ModelLifeCycle": package.request.get("ModelLifeCycle"),
        "ModelPackageRegistrationType": package.request.get("ModelPackageRegistrationType"),
    }


def _group_summary(group: Resource) -> Json:
    return {
        _GROUP: group.name,
        "ModelPackageGroupArn": group.arn,
        "ModelPackageGroupDescription": group.request.get("ModelPackageGroupDescription"),
        "CreationTime": group.created,
        "ModelPackageGroupStatus": group.status,
    }


def describe(package: Resource) -> Json:
    """The members of DescribeModelPackage."""
    return {
        **package.request,
        **_summary(package),
        "ModelPackageName": package.name,
        "ModelPackageStatusDetails": image_scans.details(package, _profiles(package.request)),
        "LastModifiedTime": package.modified,
    }


_LISTING: Final = Listing("ModelPackageSummaryList", _summary, is_descending=False)
_GROUP_LISTING: Final = Listing("ModelPackageGroupSummaryList", _group_summary, is_descending=False)


class ModelPackages:
    """The model packages and their groups.

    Args:
        store: Where they are kept.
        run: Runs the transform job of a validation.
        report: Takes a line about every change of a status.
        platform: The services around.
    """

    def __init__(self, store: Store, run: RunTransform, report: Report, platform: Platform) -> None:
        self._platform = platform
        self._store = store
        self._run = run
        self._report = report
        self._tasks: set[asyncio.Task[None]] = set()

    async def create(self, region: str, request: Json, now: float) -> Json:
        """CreateModelPackage: with a validation it is Pending until that has ended.

        With the `ClientToken` of a request before, it is that request again, and changes nothing.

        Raises:
            Refusal: It is there already, or AWS would not take it.
        """
        token = request.get(_TOKEN)
        for package in self._store.all(Kind.MODEL_PACKAGE, region):
            if token is not None and package.request.get(_TOKEN) == token:
                return {"ModelPackageArn": package.arn}
        name = self._name(region, request)
        there = self._store.find(Kind.MODEL_PACKAGE, region, name)
        if there is not None:
            raise refusals.already_exists(there)
        if "InferenceSpecification" not in request:
            raise Refusal("InferenceSpecification is required to create a model package.")
        for container in containers_of(request):
            if "Image" not in container:
                raise Refusal("Image is required for each container of a model package.")
            check_image(self._platform, container)
            if is_for_sale(request) and "ModelDataSource" in container:
                raise Refusal("ModelDataSource is not supported for SageMaker Marketplace; use ModelDataUrl.")
        for profile in _profiles(request):
            check_job(profile["TransformJobDefinition"], _model(request))
        if "ValidationSpecification" in request:
            check_role(self._platform, request["ValidationSpecification"]["ValidationRole"])
        is_open = bool(_profiles(request)) and request.get("SkipModelValidation", "None") != "All"
        status = "Pending" if is_open else "Completed"
        asked, account = _with_approval(request), self._store.account
        package = Resource(Kind.MODEL_PACKAGE, region, name, now, now, asked, status, account=account)
        self._store.add(package, tags_of(request))
        if is_open:
            self._begin(package, run_to_end)
        return {"ModelPackageArn": package.arn}

    async def describe(self, region: str, request: Json, now: float) -> Json:
        """DescribeModelPackage.

        Raises:
            Refusal: It is not there, or less than all of it is asked for.
        """
        if request.get("IncludedData", "AllData") != "AllData":
            raise refusals.not_simulated("DescribeModelPackage: IncludedData other than AllData is not simulated")
        return describe(find_package(self._store, region, request["ModelPackageName"]))

    async def list(self, region: str, request: Json, now: float) -> Json:
        """ListModelPackages: those without a version, unless a type or a group is asked for."""
        group = request.get(_GROUP, "").rpartition("/")[2].lower()
        kind = request.get("ModelPackageType", "Versioned" if group else "Unversioned")
        approval = request.get("ModelApprovalStatus")
        packages = [
            package
            for package in self._store.all(Kind.MODEL_PACKAGE, region)
            if kind in ("Both", "Versioned" if "/" in package.name else "Unversioned")
            and group in ("", package.name.partition("/")[0].lower())
            and approval in (None, package.request.get("ModelApprovalStatus"))
        ]
        return listing.page(_LISTING, packages, request)

    async def update(self, region: str, request: Json, now: float) -> Json:
        """UpdateModelPackage; one with the `ClientToken` of the update before is that update again."""
        package = find_own_package(self._store, region, request["ModelPackageArn"])
        token = request.get(_TOKEN)
        if token is not None and package.state.get("updated by") == token:
            return {"ModelPackageArn": package.arn}
        changed = {**package.request, **{name: value for name, value in request.items() if name in _UPDATED}}
        properties = {
            **package.request.get("CustomerMetadataProperties", {}),
            **request.get("CustomerMetadataProperties", {}),
        }
        for name in request.get("CustomerMetadataPropertiesToRemove", ()):
            properties.pop(name, None)
        added = [
            *package.request.get("AdditionalInferenceSpecifications", ()),
            *request.get("AdditionalInferenceSpecificationsToAdd", ()),
        ]
        changed |= {"CustomerMetadataProperties": properties} if properties else {}
        changed |= {"AdditionalInferenceSpecifications": added} if added else {}
        state = {**package.state, "updated by": token}
        self._store.change(replace(package, request=changed, modified=now, state=state))
        return {"ModelPackageArn": package.arn}

    async def delete(self, region: str, request: Json, now: float) -> Json:
        """DeleteModelPackage.

        Raises:
            Refusal: It is being validated.
        """
        package = find_own_package(self._store, region, request["ModelPackageName"])
        if package.status in ("Pending", "InProgress"):
            raise Refusal(f"Cannot delete model package {package.arn} in status {package.status}.", "ConflictException")
        self._store.remove(package)
        return {}

    async def create_group(self, region: str, request: Json, now: float) -> Json:
        """CreateModelPackageGroup."""
        there = self._store.find(Kind.MODEL_PACKAGE_GROUP, region, request[_GROUP])
        if there is not None:
            raise refusals.already_exists(there)
        name, account = request[_GROUP], self._store.account
        group = Resource(Kind.MODEL_PACKAGE_GROUP, region, name, now, now, request, "Completed", account=account)
        self._store.add(group, tags_of(request))
        return {"ModelPackageGroupArn": group.arn}

    async def describe_group(self, region: str, request: Json, now: float) -> Json:
        """DescribeModelPackageGroup."""
        return {**_group_summary(self._found_group(region, request[_GROUP])), "CreatedBy": {}}

    async def list_groups(self, region: str, request: Json, now: float) -> Json:
        """ListModelPackageGroups; no other account shares any."""
        is_own = request.get("CrossAccountFilterOption", "SameAccount") == "SameAccount"
        groups = self._store.all(Kind.MODEL_PACKAGE_GROUP, region) if is_own else ()
        return listing.page(_GROUP_LISTING, groups, request)

    async def delete_group(self, region: str, request: Json, now: float) -> Json:
        """DeleteModelPackageGroup.

        Raises:
            Refusal: It holds model packages.
        """
        group = self._found_group(region, request[_GROUP])
        if self._versions(group):
            raise Refusal(f"Model Package Group {group.arn} contains model packages.", "ConflictException")
        self._store.remove(group)
        return {}

    def resume(self) -> None:
        """Go on with the validations that were under way when a simulator ended."""
        for package in self._store.all(Kind.MODEL_PACKAGE):
            if package.status in ("Pending", "InProgress"):
                self._begin(package, run_again_to_end)
            else:
                self._forget_jobs(package)  # the simulator may have ended before it could

    async def close(self) -> None:
        """Stop the validations; the next simulator goes on with them."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    def _name(self, region: str, request: Json) -> str:
        """Its name; with a group that and the next version."""
        name, given = request.get("ModelPackageName"), request.get(_GROUP)
        if name is not None and given is not None:
            raise Refusal(
                "Both ModelPackageName and ModelPackageGroupName are provided in the input. Cannot determine which one "
                "to use."
            )
        if given is None:
            if name is None:
                raise Refusal("Missing ARN.")
            return str(name)
        group = self._found_group(region, given.rpartition("/")[2])
        return f"{group.name}/{max(self._versions(group), default=0) + 1}"

    def _versions(self, group: Resource) -> Sequence[int]:
        packages = self._store.all(Kind.MODEL_PACKAGE, group.region)
        named = (package.name.partition("/") for package in packages)
        return [int(version) for name, _, version in named if version and name.lower() == group.name.lower()]

    def _found_group(self, region: str, name: str) -> Resource:
        group = self._store.find(Kind.MODEL_PACKAGE_GROUP, region, name.rpartition("/")[2])
        if group is None:
            raise refusals.not_found(Kind.MODEL_PACKAGE_GROUP, region, name.rpartition("/")[2], self._store.account)
        return group

    def _begin(self, package: Resource, to_end: ToEnd) -> None:
        task = asyncio.create_task(self._guarded(package, to_end))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, package: Resource, to_end: ToEnd) -> None:
        """A fault of the simulator's own is told and ends in a status, not in a package that is Pending for ever."""
        try:
            await self._validate(package, to_end)
        except Exception as error:
            self._report(f"model package {package.name}: {type(error).__name__}: {error}")
            await self._became(package, "Failed", {})

    async def _validate(self, package: Resource, to_end: ToEnd) -> None:
        """Run every profile's job; the package is Completed when all were."""
        current = await self._became(package, "InProgress", {})
        endings: dict[str, Json] = {}
        for profile in _profiles(package.request):
            definition = {"TransformJobName": _job_name(package, profile), **profile["TransformJobDefinition"]}
            ending = await to_end(self._run, package, definition, model_of(_model(package.request)), self._report)
            endings[profile["ProfileName"]] = _ended(ending)
            current = await self._became(current, "InProgress", endings)
        scans = await image_scans.ended(package, self._platform, lambda scans: self._scanned(package, scans))
        is_failed = any("FailureReason" in each for each in (*endings.values(), *scans.values()))
        await self._became(current, "Failed" if is_failed else "Completed", endings)
        self._forget_jobs(package)

    def _forget_jobs(self, package: Resource) -> None:
        for profile in _profiles(package.request):
            self._run.forget(identity_of(package, _job_name(package, profile)))

    async def _scanned(self, package: Resource, scans: Mapping[str, Json]) -> None:
        """Keep how far the scans of its images are."""

        def changed() -> Resource:
            stored = self._store.find(package.kind, package.region, package.name) or package
            return replace(stored, state={**stored.state, "scans": dict(scans)})

        await insist(lambda: self._store.change(changed()), self._report)

    async def _became(self, package: Resource, status: str, validations: Mapping[str, Json]) -> Resource:
        """The package as it is stored now, with a new status: its approval may have changed meanwhile."""

        def changed() -> Resource:
            stored = self._store.find(package.kind, package.region, package.name) or package
            state = {**stored.state, "validations": dict(validations)}
            return replace(stored, status=status, modified=round(time.time(), 3), state=state)

        await insist(lambda: self._store.change(changed()), self._report)
        self._report(f"model package {package.name}: {status}")
        return changed()


def _with_approval(request: Json) -> Json:
    """A version waits for its approval where none is given; what has no versions has none (API reference)."""
    if _GROUP in request:
        return {"ModelApprovalStatus": "PendingManualApproval", **request}
    return {name: value for name, value in request.items() if name != "ModelApprovalStatus"}


def _ended(ending: Ending) -> dict[str, Any]:
    return {"Status": ending.status} | ({"FailureReason": ending.failure} if ending.failure else {})


def _profiles(request: Json) -> Sequence[Json]:
    profiles: Sequence[Json] = request.get("ValidationSpecification", {}).get("ValidationProfiles", ())
    return profiles


def _job_name(package: Resource, profile: Json) -> str:
    return f"{package.name.replace('/', '-')}-{profile['ProfileName']}"


def _model(request: Json) -> dict[str, Any]:
    """The model that a package's validation runs, as a snapshot; Any: JSON. Marketplace's are always isolated."""
    name = request.get("ModelPackageName") or request[_GROUP].rpartition("/")[2]
    containers = request["InferenceSpecification"]["Containers"]
    return {"name": name, "containers": containers, "mode": "Serial", "isolated": True}
