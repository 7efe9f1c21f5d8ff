"""What the local AWS gives to a service behind its door, and what it takes from it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from argosy.image.image import Image
from argosy.simulator.containers.container import Container, Launch
from argosy.simulator.runtime.asgi import Message, Receive, Send

AfterWrite = Callable[[str, str], Awaitable[None]]
"""Told of a call that has changed something, before it is answered: signing name of the service, and operation."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the account of the access key, and the region of the credential scope."""

    account: str
    region: str


class Service(Protocol):
    """A service of AWS behind the door."""

    async def answer(self, caller: Caller, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one HTTP request of this service (ASGI)."""


@dataclass(frozen=True, slots=True)
class PackageView:
    """A model package as Marketplace sees it.

    Attributes:
        arn: Its ARN.
        account: That it is in.
        region: Where it is.
        description: The members of DescribeModelPackage; Any: JSON of the API.
    """

    arn: str
    account: str
    region: str
    description: Mapping[str, Any]


class ModelPackages(Protocol):
    """What a Marketplace may do with model packages: the local AWS gives this to it."""

    def package(self, arn: str) -> PackageView | None:
        """A model package of any account, None where there is none."""

    def copy_to_marketplace(self, package_arn: str, region: str) -> str:
        """Have a package in AWS's own account of a region, as publishing does; returns its ARN there.

        The same package gets the same ARN every time. Its image and its artifacts are copied, too, so that it lives on
        without the seller's.

        Raises:
            KeyError: There is no such package.
        """


class Marketplace(Protocol):
    """What the local AWS asks of a Marketplace: all services whose signing name is `aws-marketplace`."""

    async def answer(self, caller: Caller, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one HTTP request of one of its services (ASGI), told apart by path and `X-Amz-Target`."""

    def is_subscribed(self, account: str, arn: str) -> bool:
        """Whether an account may make models of a package that AWS holds, by the package's ARN there."""


OpenImage = Callable[[Image, str, Launch], Container]
"""Makes a container, not yet started, of an image with a name."""

OpenMarketplace = Callable[[ModelPackages], Marketplace]
"""Makes the Marketplace of a local AWS."""
