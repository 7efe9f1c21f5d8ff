"""An instance of several containers, each of which is asked by its name.

Source:
    https://docs.aws.amazon.com/sagemaker/latest/dg/multi-container-direct.html (read 2026-11-23).
"""

from collections.abc import Sequence
from dataclasses import replace

from argosy.simulator import request_headers
from argosy.simulator.backends.pipeline import Member, containers_of, start_members, stop_members
from argosy.simulator.containers.container import Container, Stop
from argosy.simulator.hosting import refusals
from argosy.simulator.hosting.backend import Hop, Refused, Request


class Direct:
    """A `Backend` of containers that do not know of each other.

    Args:
        members: Each named by its hostname.
    """

    def __init__(self, members: Sequence[Member]) -> None:
        self._members = {member.name: member for member in members}

    @property
    def containers(self) -> Sequence[Container]:
        """All of them, in their order."""
        return containers_of([*self._members.values()])

    async def start(self) -> None:
        """Start all containers.

        Raises:
            ContainerError: One did not become healthy.
            EngineError: The container engine failed.
        """
        await start_members([*self._members.values()])

    async def route(self, request: Request) -> Hop:
        """To the container that the client names.

        Raises:
            Refused: It names none, or one that is not there.
        """
        headers = dict(request.headers)
        hostname = headers.pop(request_headers.TARGET_CONTAINER.lower(), None)
        if hostname is None:
            raise Refused(refusals.target_container_missing(request.endpoint))
        member = self._members.get(hostname)
        if member is None:
            raise Refused(refusals.target_container_not_found(request.endpoint, hostname))
        return await member.route(replace(request, headers=headers))

    def end(self, hop: Hop, status: int) -> None:
        """The invocation of a container ended."""
        self._members[hop.container].end(hop, status)

    async def stop(self) -> list[Stop]:
        """End all containers."""
        return await stop_members([*self._members.values()])
