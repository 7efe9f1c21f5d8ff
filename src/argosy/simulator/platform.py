"""What the `sagemaker` API asks of the services around it: ECR, IAM and AWS Marketplace.

Alone it asks nobody: every image and role is taken as it is named, and there are no packages but the account's own.

The sentences were seen in error reports: on images https://github.com/aws-samples/easy-amazon-sagemaker-deployments/issues/4,
on roles https://github.com/awslabs/predictive-maintenance-using-machine-learning/issues/3, on subscriptions
https://github.com/aws/amazon-sagemaker-examples/issues/1552 (read 2026-11-23). UNSURE: that a validation role is looked
at when the package is created, and that its sentence is the one for models.
"""

from dataclasses import dataclass
from typing import Protocol

from argosy.simulator.control.refusals import Refusal
from argosy.simulator.control.resources import Json, Resource


@dataclass(frozen=True, slots=True)
class ImageScan:
    """What is known of the scan of an image.

    Attributes:
        status: A status of a model package's item: `NotStarted`, `InProgress`, `Completed` or `Failed`.
        failure: Why no package with the image can be sold, "" when it can.
    """

    status: str
    failure: str = ""


class Platform(Protocol):
    """The services around one account in one region; no method waits for anything."""

    def image_fault(self, image: str) -> str | None:
        """Why an image cannot be used, in the service's words; None when it can."""

    def image_scan(self, image: str) -> ImageScan:
        """The scan of an image."""

    def can_assume(self, role: str) -> bool:
        """Whether there is a role that SageMaker may assume, by its ARN."""

    def shared_package(self, arn: str) -> Resource | None:
        """A model package that another account shares with this one, by its ARN."""

    def is_subscribed(self, arn: str) -> bool:
        """Whether this account may make models of a package that AWS Marketplace shares with it."""


class Alone:
    """The `Platform` of a simulator that has no services around it."""

    def image_fault(self, image: str) -> str | None:
        """Nothing is known against it."""
        return None

    def image_scan(self, image: str) -> ImageScan:
        """Nobody scans."""
        return ImageScan("NotStarted")

    def can_assume(self, role: str) -> bool:
        """Every role is there."""
        return True

    def shared_package(self, arn: str) -> Resource | None:
        """Nobody shares."""
        return None

    def is_subscribed(self, arn: str) -> bool:
        """Nobody is subscribed to what is not there."""
        return False


def check_role(platform: Platform, role: str) -> None:
    """Require a role that SageMaker may assume.

    Raises:
        Refusal: There is none.
    """
    if not platform.can_assume(role):
        raise Refusal(
            f"Could not assume role {role}. Please ensure that the role exists and allows principal "
            "'sagemaker.amazonaws.com' to assume the role."
        )


def check_image(platform: Platform, container: Json) -> None:
    """Require an image that can be used, where a container of a request names one.

    Raises:
        Refusal: There is none.
    """
    fault = platform.image_fault(str(container["Image"])) if "Image" in container else None
    if fault is not None:
        raise Refusal(fault)
