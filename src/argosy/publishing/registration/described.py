"""A model package as SageMaker describes it: what it says that was asked for, and what it says otherwise.

Source: SageMaker API reference, DescribeModelPackage (read 2026-11-23). A package that is not there is a
ValidationException, as for other resources of SageMaker.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from argosy.aws.api import Reader
from argosy.aws.call import Call
from argosy.marketplace.model_package import package_name
from argosy.publishing.registration.offering import Offering

ABSENT: Final = ("ValidationException", "ResourceNotFound")
FAILED: Final = "Failed"
DELETING: Final = "Deleting"
COMPLETED: Final = "Completed"

_ADDED: Final = ("ClientToken", "Tags")
"""Members of a request that no description has."""

_LEFT_OUT: Final = ("ModelPackageDescription", "ValidationSpecification")
_LEFT_OUT_OF_CONTAINER: Final = ("ModelDataUrl", "Environment")
"""Members that say something where they are, and that a request may leave out."""


def describe(offering: Offering) -> Call:
    """The call that describes an offering's package."""
    return Call(
        "sagemaker", "DescribeModelPackage", offering.region, {"ModelPackageName": package_name(offering.table)}
    )


def found_package(reader: Reader, offering: Offering) -> Mapping[str, Any] | None:
    """The package of an offering's name; None when there is none. Any: the API's JSON.

    Raises:
        AwsError: SageMaker refuses or does not answer.
    """
    answer: Mapping[str, Any] | None = reader.ask(describe(offering), ABSENT)
    return answer


def status(package: Mapping[str, Any]) -> str:
    """`Pending`, `InProgress`, `Completed`, `Failed` or `Deleting`."""
    return str(package.get("ModelPackageStatus", ""))


def is_registered(reader: Reader, offering: Offering) -> bool:
    """Whether there is a package of this name that has not failed.

    Raises:
        AwsError: SageMaker refuses or does not answer.
    """
    package = found_package(reader, offering)
    return package is not None and status(package) not in (FAILED, DELETING)


def differences(request: Mapping[str, Any], package: Mapping[str, Any]) -> Iterator[str]:
    """What a package says otherwise than it was asked, a clause each.

    SageMaker adds members of its own (digests, dates); those are no difference.

    Args:
        request: To CreateModelPackage. Any: JSON.
        package: As SageMaker describes it.
    """
    wanted = {name: value for name, value in request.items() if name not in _ADDED}
    yield from _differing(wanted, package, "")
    for name in _LEFT_OUT:
        if name not in wanted and package.get(name):
            yield f"{name}: there, and not asked for"
    for asked, found in zip(_containers(wanted), _containers(package), strict=False):
        for name in _LEFT_OUT_OF_CONTAINER:
            if name not in asked and found.get(name):
                yield f"InferenceSpecification.Containers[0].{name}: there, and not asked for"


def failure_reasons(package: Mapping[str, Any]) -> list[str]:
    """Why a package has failed, as far as it says so itself."""
    return [
        f"{kind} {one.get('Name')}: {one.get('FailureReason') or 'no reason given'}"
        for kind, one in _details(package)
        if one.get("Status") == FAILED
    ]


def progress(package: Mapping[str, Any]) -> str:
    """How far SageMaker is with a package, in one line."""
    parts = [f"{kind} {one.get('Status')}" for kind, one in _details(package)]
    return ", ".join([status(package), *parts])


def _details(package: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    details = package.get("ModelPackageStatusDetails") or {}
    for kind, member in (("validation", "ValidationStatuses"), ("image scan", "ImageScanStatuses")):
        for one in details.get(member) or ():
            yield kind, one


def _containers(value: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = (value.get("InferenceSpecification") or {}).get("Containers") or []
    return found


def _differing(wanted: Any, found: Any, path: str) -> Iterator[str]:
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for name, value in wanted.items():
            yield from _differing(value, found.get(name), f"{path}.{name}" if path else name)
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for number, (value, other) in enumerate(zip(wanted, found, strict=True)):
            yield from _differing(value, other, f"{path}[{number}]")
    elif wanted != found:
        yield f"{path}: {found!r}, and {wanted!r} was asked for"
