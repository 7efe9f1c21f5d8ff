"""The registries of all regions, each on a port of this machine that opens when the region is first asked for."""

import asyncio
from collections.abc import Callable

from argosy.local_aws.images.distribution import Distribution
from argosy.simulator.runtime.service import bind, serve


class Registries:
    """The registries.

    Args:
        make: Makes the registry of a region.
    """

    def __init__(self, make: Callable[[str], Distribution]) -> None:
        self._make = make
        self._urls: dict[str, str] = {}
        self._stopping = asyncio.Event()
        self._serving: list[asyncio.Task[None]] = []

    async def url(self, region: str) -> str:
        """Where the registry of a region is: what ECR calls its proxy endpoint."""
        if region not in self._urls:
            listener = bind(0)
            is_open = asyncio.Event()
            task = asyncio.create_task(serve(self._make(region), listener, self._stopping, is_open.set))
            self._serving.append(task)
            self._urls[region] = f"http://127.0.0.1:{listener.getsockname()[1]}"
            await is_open.wait()
        return self._urls[region]

    async def close(self) -> None:
        """Answer what is under way, and let the ports go."""
        self._stopping.set()
        if self._serving:
            await asyncio.wait(self._serving)
