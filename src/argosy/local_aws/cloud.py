"""The local AWS as a whole: what is behind its door, opened and closed."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from argosy.aws.s3 import S3Access
from argosy.local_aws.accounts import DEFAULT_REGION, MARKETPLACE
from argosy.local_aws.control import Control
from argosy.local_aws.front import Behind, Front
from argosy.local_aws.images.distribution import Distribution
from argosy.local_aws.images.ecr_api import EcrApi
from argosy.local_aws.images.ecr_images import EcrImages
from argosy.local_aws.images.ecr_service import Ecr
from argosy.local_aws.images.registries import Registries
from argosy.local_aws.images.scans import Scans
from argosy.local_aws.images.store import ImageStore
from argosy.local_aws.images.tokens import Tokens
from argosy.local_aws.images.uploads import Uploads
from argosy.local_aws.marketplace import service as aws_marketplace
from argosy.local_aws.marketplace import surroundings as market_surroundings
from argosy.local_aws.marketplace.options import MarketplaceOptions
from argosy.local_aws.marketplace.store import Store
from argosy.local_aws.moto_services import MotoServices
from argosy.local_aws.objects.s3 import Objects
from argosy.local_aws.published import PublishedPackages
from argosy.local_aws.sagemaker import Logs, Neighbours, SageMaker
from argosy.local_aws.service import Marketplace, ModelPackages, OpenImage, Service
from argosy.simulator.health import Report
from argosy.simulator.runtime.service import serve
from argosy.simulator.storage.s3 import S3

_CALLERS_BACK: Final = 8


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a local AWS has around it.

    Attributes:
        state: The folder that it keeps everything in; one local AWS at a time holds it.
        open_image: Makes containers.
        report: Takes what a person should know, one line each.
        is_kept: Whether there will be another local AWS with this folder.
        options: What nobody knows of AWS Marketplace.
        is_as_declared: Whether containers are limited to what their instance type has.
    """

    state: Path
    open_image: OpenImage
    report: Report
    is_kept: bool = False
    options: MarketplaceOptions = field(default_factory=MarketplaceOptions)
    is_as_declared: bool = False


class LocalAws:
    """AWS on one port.

    Attributes:
        scans: What scans of images find.
    """

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self.scans = Scans(surroundings.state / "ecr" / "scans.json" if surroundings.is_kept else None)
        self._after_write: list[Callable[[str, str], None]] = []
        self._writes: list[str] = []
        # The event loop's threads wait for answers which wait for these.
        self._callers_back = ThreadPoolExecutor(_CALLERS_BACK, thread_name_prefix="argosy-after-write")

    @contextmanager
    def after_write(self, callback: Callable[[str, str], None]) -> Iterator[None]:
        """Call back, while the block runs, whenever a call has changed something and is not answered yet.

        Args:
            callback: Takes the service's signing name, or `registry`, and the operation. It runs on a thread of its
                own and may block: the answer waits for it. When it kills the client, the answer is lost to it.
        """
        self._after_write.append(callback)
        try:
            yield
        finally:
            self._after_write.remove(callback)

    async def serve(self, listener: socket.socket, stopping: asyncio.Event, on_open: Callable[[], None]) -> None:
        """Answer until `stopping` is set or this is cancelled; at the end all containers have ended.

        Raises:
            UsageError: This process has a local AWS already.
        """
        moto = MotoServices(self._surroundings.state / "moto" if self._surroundings.is_kept else None)
        try:
            store = ImageStore(self._surroundings.state / "ecr")
            images = EcrImages(store, Uploads(store, self._surroundings.state / "ecr"), self.scans, moto.repository)
            try:
                await self._serve(moto, images, listener, stopping, on_open)
            finally:
                images.uploads.close()
                store.close()
        finally:
            moto.close()
            self._callers_back.shutdown(wait=False)

    async def _serve(
        self,
        moto: MotoServices,
        images: EcrImages,
        listener: socket.socket,
        stopping: asyncio.Event,
        on_open: Callable[[], None],
    ) -> None:
        """Answer with the simulations around the door: they use its S3 until their last container has ended."""
        around, tokens = self._surroundings, Tokens()
        registries = Registries(lambda region: Distribution(region, images, tokens, self._wrote))
        access = S3Access(
            f"http://127.0.0.1:{listener.getsockname()[1]}",
            *(MARKETPLACE.access_key, MARKETPLACE.secret_key, DEFAULT_REGION),
        )
        published = PublishedPackages(around.state / "marketplace" / "packages", images, moto)
        objects = S3(access=access)
        sagemaker = SageMaker(
            around.state / "sagemaker",
            Neighbours(moto, images, objects, published, around.open_image, around.report, around.is_as_declared),
            lambda packages: self._marketplace(moto, packages),
        )
        services: dict[str, Service] = {
            "s3": Objects(moto),
            "ecr": Ecr(EcrApi(images, tokens, registries.url), images, moto),
            "sagemaker": sagemaker,
            "logs": Logs(moto, sagemaker),
            "aws-marketplace": sagemaker.marketplace,
        }
        front = Front(Behind(moto, services, Control(self.scans, published.copies, lambda: self._writes), self._wrote))
        is_done = asyncio.Event()
        door = asyncio.create_task(serve(front, listener, is_done, on_open))
        try:
            await sagemaker.resume()
            await _first(stopping, door)
        finally:
            try:
                await sagemaker.close()
            finally:
                is_done.set()
                await registries.close()
                await door

    def _marketplace(self, moto: MotoServices, packages: ModelPackages) -> Marketplace:
        around = self._surroundings
        store = Store(around.state / "marketplace" if around.is_kept else None)
        return aws_marketplace.Marketplace(
            market_surroundings.Surroundings(packages, moto.trust_policy, store, around.options, report=around.report)
        )

    async def _wrote(self, service: str, operation: str) -> None:
        self._writes.append(f"{service}:{operation}")
        loop = asyncio.get_running_loop()
        for callback in tuple(self._after_write):
            await loop.run_in_executor(self._callers_back, callback, service, operation)


async def _first(stopping: asyncio.Event, door: "asyncio.Task[None]") -> None:
    """Wait until it is to stop, or the door has ended by itself."""
    waiting = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({waiting, door}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
