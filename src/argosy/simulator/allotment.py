"""What of this machine the containers of a model get, and what SageMaker would give them that nobody does here.

What was declared and has no effect here is told, once for each thing.
"""

import os
from dataclasses import dataclass
from typing import Final

from argosy.errors import UsageError
from argosy.simulator.containers.instance_types import InstanceType, find
from argosy.simulator.health import Report
from argosy.simulator.hosting.definition import Compute, Model, ProductionVariant, Serverless

_NETWORK: Final = (
    "EnableNetworkIsolation is not set: on SageMaker its containers reach the network with the credentials of its "
    "role; here they have no credentials, and no network unless they are plain processes"
)
_NOT_APPLIED: Final = "instance types are not applied: each container may use all of this machine (see --as-declared)"


@dataclass(frozen=True, slots=True)
class Share:
    """What one container may use of this machine; None does not limit it.

    Attributes:
        cpus: Processors, in time.
        memory_bytes: Memory of all its processes together.
        disk_bytes: What it may write.
    """

    cpus: float | None = None
    memory_bytes: int | None = None
    disk_bytes: int | None = None


class Allotment:
    """Finds the share of each container; one for all endpoints and jobs, so that each thing is told once.

    Args:
        report: Takes what a person should know, one line each.
        is_as_declared: Whether containers are limited to what their instance type has, or their serverless variant.
            Several containers of one instance get the whole of it each.
    """

    def __init__(self, report: Report, is_as_declared: bool = False) -> None:
        self._report = report
        self._is_as_declared = is_as_declared
        self._told: set[str] = set()

    def of_variant(self, model: Model, variant: ProductionVariant) -> Share:
        """The share of each container of a model on an instance of a variant, or of a copy of a component."""
        self._tell_of_network(model)
        if variant.serverless is not None and variant.compute is None:
            return self._of_serverless(variant.serverless)
        return _less(self._of_type(variant.instance_type), variant.compute)

    def of_job(self, model: Model, instance_type: str) -> Share:
        """The share of each container of a model on an instance of a transform job."""
        self._tell_of_network(model)
        return self._of_type(instance_type)

    def _of_serverless(self, serverless: Serverless) -> Share:
        """UNSURE: how many processors belong to the memory of a serverless variant; here they are not limited."""
        if self._is_as_declared:
            return Share(memory_bytes=serverless.memory_mb * 2**20)
        self._tell("types", _NOT_APPLIED)
        return Share()

    def _of_type(self, name: str) -> Share:
        if not self._is_as_declared:
            self._tell("types", _NOT_APPLIED)
            return Share()
        try:
            found = find(name)
        except UsageError:
            self._tell(f"type {name}", f"{name}: nobody here knows what it has; its containers are not limited")
            return Share()
        self._tell_of_machine(found)
        return Share(found.cpus, found.memory_bytes, found.disk_bytes)

    def _tell_of_machine(self, declared: InstanceType) -> None:
        """A limit above what this machine has limits nothing."""
        has, memory = os.cpu_count() or 1, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        if has < declared.cpus or memory < declared.memory_bytes:
            self._tell(
                f"type {declared.name}",
                f"{declared.name} has {declared.cpus} processors and {declared.memory_bytes / 2**30:.3g} GiB of memory,"
                f" this machine {has} and {memory / 2**30:.3g}: what is not here, its containers do not get",
            )

    def _tell_of_network(self, model: Model) -> None:
        if not model.is_isolated:
            self._tell(f"network {model.name}", f"model {model.name}: {_NETWORK}")

    def _tell(self, about: str, line: str) -> None:
        if about not in self._told:
            self._told.add(about)
            self._report(line)


def _less(whole: Share, compute: Compute | None) -> Share:
    """The share of an instance that a copy of a component has; its own limits count in any case."""
    if compute is None:
        return whole
    memory = (compute.max_memory_mb or compute.min_memory_mb) * 2**20
    return Share(compute.cpus or whole.cpus, min(memory, whole.memory_bytes or memory), whole.disk_bytes)
