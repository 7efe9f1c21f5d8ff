"""A variant in service: its instances, and which of them gets an invocation."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final, TypeVar

from argosy.errors import ArgosyError
from argosy.simulator import answers, request_headers
from argosy.simulator.containers.container import Container, Stop
from argosy.simulator.health import HealthChecks, Report
from argosy.simulator.hosting.backend import Backend, Refused
from argosy.simulator.hosting.definition import ProductionVariant, RoutingStrategy
from argosy.simulator.hosting.instance import Instance

Started = TypeVar("Started", Instance, "Variant")

SERVERLESS_BODY_BYTES: Final = 4 * 2**20
"""Largest body of a request or answer of a serverless variant: "4 MB" in AWS's hosting FAQ (read 2026-11-22)."""


class Variant:
    """A variant of an endpoint.

    Args:
        definition: What CreateEndpointConfig says of it.
        open_backend: Makes what one instance runs, not yet started.
        checks: How containers are watched.
        report: Takes what a person should know, one line each.
    """

    def __init__(
        self, definition: ProductionVariant, open_backend: Callable[[], Backend], checks: HealthChecks, report: Report
    ) -> None:
        self.definition = definition
        count = 1 if definition.serverless else definition.instance_count
        names = [definition.name] if count == 1 else [f"{definition.name}/{number}" for number in range(1, count + 1)]
        self.instances = tuple(Instance(name, open_backend, checks, report) for name in names)

    @property
    def name(self) -> str:
        """Its name."""
        return self.definition.name

    @property
    def containers(self) -> list[Container]:
        """The containers of all its instances."""
        return [container for instance in self.instances for container in instance.backend.containers]

    async def start(self) -> None:
        """Start all instances at the same time.

        Raises:
            ContainerError: One did not become healthy; none is left.
            EngineError: The container engine failed; none is left.
        """
        await start_all(self.instances)

    async def stop(self) -> list[Stop]:
        """End all instances at the same time."""
        return await stop_all(self.instances)

    def instance(self, chance: random.Random) -> Instance:
        """The instance that gets the next invocation, by the variant's routing strategy.

        UNSURE: what the service answers while no instance is in service; here `ServiceUnavailable`.

        Args:
            chance: Chooses where the strategy leaves a choice.

        Raises:
            Refused: None is in service, or a serverless variant has as much to do as it may.
        """
        ready = [instance for instance in self.instances if instance.is_in_service]
        if not ready:
            raise Refused(answers.service_unavailable(f"no instance of variant {self.name} is in service"))
        serverless = self.definition.serverless
        if serverless is not None and ready[0].outstanding >= serverless.max_concurrency:
            raise Refused(answers.throttled(f"{serverless.max_concurrency} invocations are under way, the maximum"))
        if len(ready) == 1:
            return ready[0]
        if self.definition.routing is RoutingStrategy.LEAST_OUTSTANDING_REQUESTS:
            fewest = min(instance.outstanding for instance in ready)
            ready = [instance for instance in ready if instance.outstanding == fewest]
        return chance.choice(ready)


def choose(variants: Sequence[Variant], headers: Mapping[str, str], endpoint: str, chance: random.Random) -> Variant:
    """The variant that the client names, else one by the variants' weights.

    Args:
        variants: The endpoint's, one at least.
        headers: The client's, names in lower case.
        endpoint: Its name, for the text of an error.
        chance: Chooses among several.

    Raises:
        Refused: The client names one that is not there.
    """
    wanted = headers.get(request_headers.TARGET_VARIANT.lower())
    if wanted is not None:
        for variant in variants:
            if variant.name == wanted:
                return variant
        raise Refused(answers.validation_error(f"Variant {wanted} not found for endpoint {endpoint}."))
    if len(variants) == 1:
        return variants[0]
    weights = [variant.definition.weight for variant in variants]
    return chance.choices(variants, weights if any(weights) else None)[0]


async def start_all(startable: Sequence[Started]) -> None:
    """Start some instances or variants at the same time; when one fails, or this is cancelled, none is left.

    Raises:
        ContainerError: The first that did not become healthy.
        EngineError: The container engine failed.
    """
    starting = [asyncio.create_task(one.start()) for one in startable]
    try:
        await asyncio.gather(*starting)
    except BaseException:
        for task in starting:
            task.cancel()
        await asyncio.wait(starting)
        with suppress(ArgosyError):  # what kept it from starting is the better reason
            await stop_all(startable)
        raise


async def stop_all(startable: Sequence[Started]) -> list[Stop]:
    """Stop some instances or variants at the same time, all of them even when one fails.

    Raises:
        ArgosyError: The first that could not be stopped, after all others have ended.
    """
    ended = await asyncio.gather(*(one.stop() for one in startable), return_exceptions=True)
    stops: list[Stop] = []
    for outcome in ended:
        if isinstance(outcome, BaseException):
            raise outcome
        stops += outcome
    return stops
