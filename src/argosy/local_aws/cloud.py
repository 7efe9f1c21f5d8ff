"""The local AWS as a whole: what is behind its door, opened and closed."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from argosy.local_aws.control import Control
from argosy.local_aws.front import Behind, Ecr, Front
from argosy.local_aws.images.distribution import Distribution
from argosy.local_aws.images.ecr_api import EcrApi
from argosy.local_aws.images.ecr_images import EcrImages
from argosy.local_aws.images.registries import Registries
from argosy.local_aws.images.scans import Scans
from argosy.local_aws.images.store import ImageStore
from argosy.local_aws.images.tokens import Tokens
from argosy.local_aws.images.uploads import Uploads
from argosy.local_aws.moto_services import MotoServices
from argosy.simulator.health import Report
from argosy.simulator.runtime.service import serve


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a local AWS has around it.

    Attributes:
        state: The folder that it keeps everything in; one local AWS at a time holds it.
        report: Takes what a person should know, one line each.
    """

    state: Path
    report: Report


class LocalAws:
    """AWS on one port.

    Attributes:
        scans: What scans of images find.
    """

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self.scans = Scans()
        self._after_write: list[Callable[[str, str], None]] = []

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
        moto = MotoServices()
        try:
            store = ImageStore(self._surroundings.state / "ecr")
            images = EcrImages(store, Uploads(store, self._surroundings.state / "ecr"), self.scans, moto.repository)
            tokens = Tokens()
            registries = Registries(lambda region: Distribution(region, images, tokens, self._wrote))
            ecr = Ecr(EcrApi(images, tokens, registries.url), images, moto)
            front = Front(Behind(moto, {"ecr": ecr}, Control(self.scans), self._wrote))
            try:
                await serve(front, listener, stopping, on_open)
            finally:
                await registries.close()
                images.uploads.close()
                store.close()
        finally:
            moto.close()

    async def _wrote(self, service: str, operation: str) -> None:
        for callback in tuple(self._after_write):
            await asyncio.to_thread(callback, service, operation)
