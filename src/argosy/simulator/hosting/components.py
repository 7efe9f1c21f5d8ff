"""The inference components of an endpoint: copies of models placed on its instances, and adapters of them.

UNSURE: how SageMaker chooses the instance of a copy; here the one with the fewest copies that has room.
UNSURE: what it does when instances have no room for both during an update; here only the new copies are counted.
"""

import asyncio
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from argosy.errors import ContainerError, UsageError
from argosy.simulator import request_headers
from argosy.simulator.containers.container import Container, Stop
from argosy.simulator.containers.instance_types import instance_types
from argosy.simulator.health import HealthChecks, Report
from argosy.simulator.hosting import refusals
from argosy.simulator.hosting.backend import Adapter, Backend, MakeBackend, Refused, TakesAdapters
from argosy.simulator.hosting.definition import Compute, InferenceComponent, ProductionVariant
from argosy.simulator.hosting.instance import Instance
from argosy.simulator.hosting.variant import start_all, stop_all

_NO_ROOM: Final = (
    "There are not enough resources on the instances of the variant for a copy of the inference component."
)


@dataclass(frozen=True, slots=True)
class Capacity:
    """What an instance has for components.

    Attributes:
        memory_mb: Memory.
        cpus: Processors.
        accelerators: Accelerators.
    """

    memory_mb: float
    cpus: float
    accelerators: float = 0.0

    def less(self, compute: Compute) -> "Capacity":
        """What is left beside a copy."""
        return Capacity(
            self.memory_mb - compute.min_memory_mb,
            self.cpus - (compute.cpus or 0.0),
            self.accelerators - (compute.accelerators or 0.0),
        )

    @property
    def is_enough(self) -> bool:
        """Whether nothing is lacking."""
        return min(self.memory_mb, self.cpus, self.accelerators) >= 0


FindCapacity = Callable[[str], Capacity | None]
"""What an instance type has; None leaves it open."""


def capacity_of(instance_type: str) -> Capacity | None:
    """What the table of instance types says; every copy has room on a type that is not there.

    UNSURE: how much of its memory an instance keeps for itself; here nothing.
    UNSURE: how many accelerators a type has is not in the table; here they are never lacking.
    """
    found = instance_types().get(instance_type)
    return None if found is None else Capacity(found.memory_bytes / 2**20, found.cpus, math.inf)


@dataclass(frozen=True, slots=True)
class _Copy:
    slot: int
    instance: Instance


@dataclass(slots=True)
class _Placed:
    """A component with its copies and adapters."""

    component: InferenceComponent
    copies: list[_Copy]
    adapters: dict[str, Adapter] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Seat:
    """Where an invocation goes.

    Attributes:
        variant: Name of the variant.
        instance: The instance, or the copy of a component.
        adapter: The adapter that answers it, or None.
    """

    variant: str
    instance: Instance
    adapter: Adapter | None = None


class Components:
    """The inference components of one endpoint; changes of one component come one after the other, by the caller.

    Args:
        make_backend: Makes what a copy runs.
        checks: How its containers are watched.
        report: Takes what a person should know, one line each.
        find_capacity: What instances have.
    """

    def __init__(
        self,
        make_backend: MakeBackend,
        checks: HealthChecks,
        report: Report,
        find_capacity: FindCapacity,
    ) -> None:
        self._make_backend = make_backend
        self._checks = checks
        self._report = report
        self._find_capacity = find_capacity
        self._variants: dict[str, ProductionVariant] = {}
        self._placed: dict[str, _Placed] = {}

    @property
    def containers(self) -> list[Container]:
        """The containers of all copies."""
        copies = (copy for placed in self._placed.values() for copy in placed.copies)
        return [container for copy in copies for container in copy.instance.backend.containers]

    def host_on(self, variants: Sequence[ProductionVariant]) -> None:
        """Take these variants' instances; copies that run stay where they are."""
        self._variants = {variant.name: variant for variant in variants}

    def copies(self, name: str) -> int:
        """How many copies of a component run; an adapter has as many as its base."""
        placed = self._find(name)
        return 0 if placed is None else len(placed.copies)

    async def create(self, component: InferenceComponent) -> None:
        """Start the copies of a component, or let its base know an adapter.

        Raises:
            UsageError: Its base, or its variant, is not there, or it is there already.
            ContainerError: There is no room for it, or a copy did not become healthy; nothing of it is left.
            EngineError: The container engine failed; nothing of it is left.
        """
        if self._find(component.name) is not None:
            raise UsageError("there is an inference component of this name", got=f"`{component.name}`")
        if component.base is not None:
            self._adopt(component)
            return
        placed = _Placed(component, [])
        self._placed[component.name] = placed
        try:
            placed.copies += await self._start(component, component.copies)
        except BaseException:
            self._placed.pop(component.name, None)
            raise

    async def update(self, component: InferenceComponent) -> None:
        """Give a component another specification, another number of copies, or both.

        With the same specification copies are started or ended; with another one all new copies are healthy before the
        old ones end. When the new ones do not become healthy, all is as before.

        Raises:
            UsageError: It is not there.
            ContainerError: There is no room for it, or a copy did not become healthy.
            EngineError: The container engine failed.
        """
        if component.base is not None:
            await self.delete(component.name)
            self._adopt(component)
            return
        placed = self._placed.get(component.name)
        if placed is None:
            raise UsageError("there is no inference component of this name", got=f"`{component.name}`")
        if replace(component, copies=0) != replace(placed.component, copies=0):
            old = placed.copies
            placed.copies = await self._start(component, component.copies, instead_of=placed)
        elif component.copies >= len(placed.copies):
            old = []
            placed.copies += await self._start(component, component.copies - len(placed.copies))
        else:
            placed.copies, old = placed.copies[: component.copies], placed.copies[component.copies :]
        placed.component = component
        await stop_all([copy.instance for copy in old])

    async def delete(self, name: str) -> None:
        """End a component's copies, with its adapters; or unload an adapter everywhere. Nothing happens without one."""
        placed = self._placed.pop(name, None)
        if placed is not None:
            await stop_all([copy.instance for copy in placed.copies])
            return
        base = self._find(name)
        if base is None:
            return
        del base.adapters[name]
        backends = (copy.instance.backend for copy in base.copies)
        await asyncio.gather(*(backend.unload(name) for backend in backends if isinstance(backend, TakesAdapters)))

    async def stop(self) -> list[Stop]:
        """End all copies of all components."""
        placed, self._placed = list(self._placed.values()), {}
        return await stop_all([copy.instance for one in placed for copy in one.copies])

    def seat(self, headers: Mapping[str, str], endpoint: str, chance: random.Random) -> Seat:
        """The copy that gets an invocation: the one with the fewest outstanding.

        Args:
            headers: The client's, names in lower case.
            endpoint: Its name, for the text of an error.
            chance: Chooses among several.

        Raises:
            Refused: The client names no component, or one that is not there or has no copy in service.
        """
        placed, name = self._wanted(headers, endpoint)
        ready = [copy.instance for copy in placed.copies if copy.instance.is_in_service]
        if not ready:
            raise Refused(refusals.component_without_copies(f"no copy of {placed.component.name} is in service"))
        fewest = min(instance.outstanding for instance in ready)
        instance = chance.choice([instance for instance in ready if instance.outstanding == fewest])
        return Seat(placed.component.variant, instance, placed.adapters.get(name))

    def seat_at(self, headers: Mapping[str, str], endpoint: str, instance: Instance) -> Seat:
        """The same for a copy that was chosen before.

        Raises:
            Refused: The client names no component, or one that is not there.
        """
        placed, name = self._wanted(headers, endpoint)
        return Seat(placed.component.variant, instance, placed.adapters.get(name))

    def _wanted(self, headers: Mapping[str, str], endpoint: str) -> tuple[_Placed, str]:
        name = headers.get(request_headers.INFERENCE_COMPONENT.lower())
        if name is None:
            raise Refused(refusals.component_missing())
        placed = self._find(name)
        if placed is None:
            raise Refused(refusals.component_not_found(endpoint, name))
        return placed, name

    def _find(self, name: str) -> _Placed | None:
        """A component, or the base of an adapter."""
        placed = self._placed.get(name)
        return placed or next((base for base in self._placed.values() if name in base.adapters), None)

    def _adopt(self, component: InferenceComponent) -> None:
        base = self._placed.get(component.base or "")
        if base is None or component.adapter is None:
            raise UsageError("an adapter needs a base and artifacts", got=f"`{component.base}`", where=component.name)
        base.adapters[component.name] = Adapter(component.name, component.adapter)

    async def _start(self, component: InferenceComponent, count: int, instead_of: _Placed | None = None) -> list[_Copy]:
        """Start some more copies, all at the same time; when one fails, none of them is left."""
        variant = self._variants.get(component.variant)
        if variant is None or component.model is None:
            raise UsageError("an inference component needs a variant and a model", where=component.name)
        model = replace(component.model, takes_adapters=len(component.model.containers) == 1)
        seen = replace(variant, name=component.name, startup_s=component.startup_s, compute=component.compute)
        started: list[_Copy] = []

        def open_backend() -> Backend:
            return self._make_backend(model, seen)

        for _ in range(count):
            slot = self._slot(variant, component.compute, started, instead_of)
            name = f"{component.name} on {variant.name}/{slot}"
            started.append(_Copy(slot, Instance(name, open_backend, self._checks, self._report)))
        await start_all([copy.instance for copy in started])
        return started

    def _slot(
        self,
        variant: ProductionVariant,
        compute: Compute | None,
        started: Sequence[_Copy],
        instead_of: _Placed | None,
    ) -> int:
        """The instance, from 1, that a copy goes to.

        Raises:
            ContainerError: None has room.
        """
        capacity = self._find_capacity(variant.instance_type)
        counts = dict.fromkeys(range(1, variant.instance_count + 1), 0)
        left = dict.fromkeys(counts, capacity)
        running = [
            (copy.slot, placed.component.compute)
            for placed in self._placed.values()
            if placed is not instead_of and placed.component.variant == variant.name
            for copy in placed.copies
        ]
        for slot, used in [*running, *((copy.slot, compute) for copy in started)]:
            counts[slot] = counts.get(slot, 0) + 1
            available = left.get(slot)
            if used is not None and available is not None:
                left[slot] = available.less(used)
        fitting = [
            slot
            for slot, available in left.items()
            if available is None or compute is None or available.less(compute).is_enough
        ]
        if not fitting:
            raise ContainerError(_NO_ROOM, got=compute, where=f"{variant.name} ({variant.instance_type})")
        return min(fitting, key=lambda slot: counts[slot])
