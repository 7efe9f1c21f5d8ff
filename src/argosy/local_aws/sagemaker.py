"""SageMaker behind the door: a simulation for each account and region, made when it is first asked for."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from argosy.local_aws.accounts import ACCOUNTS
from argosy.local_aws.container_logs import ContainerLogs
from argosy.local_aws.images.ecr_images import EcrImages
from argosy.local_aws.images.named_images import NamedImages
from argosy.local_aws.moto_services import MotoServices
from argosy.local_aws.published import PublishedPackages
from argosy.local_aws.service import Caller, Marketplace, OpenImage, OpenMarketplace, PackageView
from argosy.simulator.containers.container import Container, Launch
from argosy.simulator.control.model_packages import describe
from argosy.simulator.control.resources import Resource
from argosy.simulator.health import Report
from argosy.simulator.hosting.definition import ContainerDefinition
from argosy.simulator.platform import ImageScan
from argosy.simulator.runtime.asgi import Message, Receive, Send
from argosy.simulator.simulation import Simulation, World
from argosy.simulator.storage.objects import ObjectStore


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What SageMaker has around it in the local AWS.

    Attributes:
        moto: Has roles and log groups.
        images: Those of ECR.
        objects: S3.
        published: What AWS Marketplace holds.
        open_image: Makes containers.
        report: Takes what a person should know, one line each.
        is_as_declared: Whether containers are limited to what their instance type has.
    """

    moto: MotoServices
    images: EcrImages
    objects: ObjectStore
    published: PublishedPackages
    open_image: OpenImage
    report: Report
    is_as_declared: bool = False


@dataclass(frozen=True, slots=True)
class _Platform:
    """The services around one account's SageMaker in one region."""

    caller: Caller
    images: NamedImages
    neighbours: Neighbours
    marketplace: Marketplace

    def image_fault(self, image: str) -> str | None:
        return self.images.fault(image)

    def image_scan(self, image: str) -> ImageScan:
        return self.images.scan(image)

    def can_assume(self, role: str) -> bool:
        is_own = role.count(":") >= 5 and role.split(":")[4] == self.caller.account
        return is_own and "sagemaker.amazonaws.com" in self.neighbours.moto.trusted_services(role)

    def shared_package(self, arn: str) -> Resource | None:
        return self.neighbours.published.find(arn)

    def is_subscribed(self, arn: str) -> bool:
        return self.marketplace.is_subscribed(self.caller.account, arn)


class SageMaker:
    """SageMaker of all accounts and regions: its API and its runtime.

    Args:
        folder: Keeps what is in them.
        neighbours: What is around.
        open_marketplace: Makes the AWS Marketplace that sells its model packages.

    Attributes:
        marketplace: What was made.
    """

    def __init__(self, folder: Path, neighbours: Neighbours, open_marketplace: OpenMarketplace) -> None:
        self.marketplace = open_marketplace(self)
        self._folder = folder
        self._neighbours = neighbours
        self._simulations: dict[Caller, Simulation] = {}
        self._logs: dict[Caller, ContainerLogs] = {}
        self._running: list[asyncio.Task[None]] = []
        self._closing = asyncio.Event()
        self._lock = asyncio.Lock()

    async def resume(self) -> None:
        """Go on with what the folder has: endpoints and jobs that were there when the local AWS before ended."""
        for caller in sorted(self._kept(), key=str):
            await self.simulation(caller)

    async def simulation(self, caller: Caller) -> Simulation:
        """The simulation of an account in a region."""
        async with self._lock:
            if caller not in self._simulations:
                made = Simulation(self._world(caller))
                is_open = asyncio.Event()
                running = asyncio.create_task(self._run(made, self._logs[caller], is_open))
                running.add_done_callback(lambda _: is_open.set())
                await is_open.wait()
                if running.done():
                    running.result()
                self._running.append(running)
                self._simulations[caller] = made
        return self._simulations[caller]

    async def _run(self, simulation: Simulation, logs: ContainerLogs, is_open: asyncio.Event) -> None:
        """Have a simulation go on until all are closed."""
        collecting = asyncio.create_task(logs.collect_always())
        try:
            async with simulation.running():
                is_open.set()
                await self._closing.wait()
        finally:
            collecting.cancel()

    def package(self, arn: str) -> PackageView | None:
        """A model package of any account, one that AWS Marketplace holds among them; None where there is none."""
        found = self._package(arn) or self._neighbours.published.find(arn)
        return None if found is None else PackageView(found.arn, found.account, found.region, describe(found))

    def copy_to_marketplace(self, package_arn: str, region: str) -> str:
        """Have a package in AWS Marketplace's own account in a region; returns its ARN there, the same every time.

        Raises:
            KeyError: There is no such package.
        """
        found = self._package(package_arn)
        if found is None:
            raise KeyError(package_arn)
        return self._neighbours.published.publish(found, region)

    def _package(self, arn: str) -> Resource | None:
        caller = caller_of(arn)
        made = None if caller is None else self._simulations.get(caller)
        return made.package(arn, caller.region) if made is not None and caller is not None else None

    async def answer(self, caller: Caller, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one HTTP request of either API (ASGI)."""
        simulation = await self.simulation(caller)
        await simulation(scope, receive, send)

    async def collect_logs(self, caller: Caller) -> None:
        """Have all that containers wrote so far in CloudWatch Logs."""
        logs = self._logs.get(caller)
        if logs is not None:
            await asyncio.to_thread(logs.collect)

    async def close(self) -> None:
        """End all containers as SageMaker ends them, those of all accounts at once; the resources stay."""
        self._closing.set()
        await asyncio.gather(*self._running)

    def _kept(self) -> Iterator[Caller]:
        for account in ACCOUNTS:
            for folder in (self._folder / account.number).glob("*/state.sqlite3"):
                yield Caller(account.number, folder.parent.name)

    def _world(self, caller: Caller) -> World:
        around = self._neighbours
        images = NamedImages(around.images, caller.account, caller.region)

        def put(group: str, stream: str, events: list[dict[str, object]]) -> None:
            around.moto.put_log_events(caller.account, caller.region, group, stream, events)

        def open_container(definition: ContainerDefinition, launch: Launch) -> Container:
            return around.open_image(images.read(definition.image), definition.image, launch)

        logs = self._logs[caller] = ContainerLogs(put)
        return World(
            *(self._folder / caller.account / caller.region, around.objects, open_container, images.labels),
            around.report,
            is_as_declared=around.is_as_declared,
            account=caller.account,
            platform=_Platform(caller, images, around, self.marketplace),
            logs=logs,
        )


class Logs:
    """CloudWatch Logs behind the door: moto's, with what containers wrote so far.

    Args:
        moto: Has the log groups.
        sagemaker: Has the containers.
    """

    def __init__(self, moto: MotoServices, sagemaker: SageMaker) -> None:
        self._moto = moto
        self._sagemaker = sagemaker

    async def answer(self, caller: Caller, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one HTTP request (ASGI)."""
        await self._sagemaker.collect_logs(caller)
        await self._moto.answer(caller, scope, receive, send)


def caller_of(arn: str) -> Caller | None:
    """The account and region of an ARN, None when it is none or of no account that is there."""
    parts = arn.split(":")
    known = {account.number for account in ACCOUNTS}
    return Caller(parts[4], parts[3]) if len(parts) >= 6 and parts[4] in known else None
