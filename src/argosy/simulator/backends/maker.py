"""A model -> what one instance of a variant runs: the one place that knows every kind of backend."""

from dataclasses import dataclass, field
from functools import partial
from typing import Final

from argosy.errors import UsageError
from argosy.simulator.allotment import Allotment
from argosy.simulator.backends.adapters import AdaptedContainer, AdapterOptions
from argosy.simulator.backends.direct import Direct
from argosy.simulator.backends.model_cache import CacheOptions
from argosy.simulator.backends.multi_model import MultiModel
from argosy.simulator.backends.pipeline import Member, Pipeline, PipelineOptions
from argosy.simulator.backends.ports import Ports
from argosy.simulator.containers.container import Container
from argosy.simulator.hosting.backend import Backend
from argosy.simulator.hosting.definition import (
    ContainerDefinition,
    ExecutionMode,
    Limits,
    Mode,
    Model,
    ProductionVariant,
)
from argosy.simulator.hosting.furnished import FurnishedContainer, Part, Surroundings, furnish
from argosy.simulator.hosting.single import SingleContainer
from argosy.simulator.log_stream import LogStream, new_instance_id

MOST_CONTAINERS: Final = 15
"""Source: `CreateModel.Containers` in botocore's sagemaker 2017-07-24 model (read 2026-11-23)."""


@dataclass(frozen=True, slots=True)
class BackendOptions:
    """What a person may change about backends, where the service has no such switches or nobody knows what it does.

    Attributes:
        models: Of multi-model containers.
        adapters: Of the adapters of inference components.
        pipeline: Of serial pipelines.
        shares_network: Whether the containers of a model are in one network, where their kind can be: they reach each
            other on loopback. With an engine the others' hostnames are then the first's. UNSURE: AWS says that they are
            on one instance and gives each a port of its own, not that they share a network.
    """

    models: CacheOptions = field(default_factory=CacheOptions)
    adapters: AdapterOptions = field(default_factory=AdapterOptions)
    pipeline: PipelineOptions = field(default_factory=PipelineOptions)
    shares_network: bool = True


class BackendMaker:
    """Makes backends: see `MakeBackend`.

    Args:
        surroundings: Open containers and have their artifacts.
        options: What a person may change.
        limits: The endpoint's.
        allotment: Says what of this machine they get.
        log_group: Where what the containers write goes.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        options: BackendOptions | None = None,
        limits: Limits | None = None,
        allotment: Allotment | None = None,
        log_group: str = "",
    ) -> None:
        self._log_group = log_group
        self._surroundings = surroundings
        self._options = options or BackendOptions()
        self._limits = limits or Limits()
        self._allotment = allotment or Allotment(surroundings.report)

    def __call__(self, model: Model, variant: ProductionVariant) -> Backend:
        """The backend of one instance, not yet started.

        Raises:
            UsageError: The model has no container, too many, or one without a hostname that needs it.
        """
        count = len(model.containers)
        if not 1 <= count <= MOST_CONTAINERS:
            raise UsageError(
                "a model cannot have so many containers", got=count, want=f"1 to {MOST_CONTAINERS}", where=model.name
            )
        share = self._allotment.of_variant(model, variant)
        stream = f"{variant.name}/{new_instance_id()}"
        is_direct = model.execution_mode is ExecutionMode.DIRECT
        if count == 1 and not is_direct:
            alone = Part(share=share, log_stream=LogStream(self._log_group, stream))
            if model.takes_adapters:
                options = self._options.adapters
                return AdaptedContainer(model.containers[0], variant, self._surroundings, alone, options)
            return self._member(model.containers[0], variant, alone)
        ports = Ports(count)
        members: list[Member] = []

        def neighbour() -> Container | None:
            return _network_owner(members[0]) if self._options.shares_network else None

        for number, definition in enumerate(model.containers, start=1):
            if is_direct and definition.hostname is None:
                raise UsageError(
                    "a container has no ContainerHostname, which direct invocation needs", where=model.name
                )
            name = definition.hostname or f"container-{number}"
            place = LogStream(self._log_group, f"{stream}/{name}")
            part = Part(name, number, partial(ports.variables, number), share, neighbour=neighbour, log_stream=place)
            members.append(self._member(definition, variant, part))
        if is_direct:
            return Direct(members)
        return Pipeline(members, self._options.pipeline, self._limits)

    def _member(self, definition: ContainerDefinition, variant: ProductionVariant, part: Part) -> Member:
        if definition.mode is Mode.MULTI_MODEL:
            return MultiModel(definition, variant, self._surroundings, part, self._options.models)
        return SingleContainer(partial(furnish, definition, self._surroundings, part), variant, part.name)


def _network_owner(first: Member) -> Container | None:
    """The container in whose network the others of its instance start; None before there is one, and where its kind
    cannot lend it.
    """
    owners = (opened.network_owner for opened in first.containers if isinstance(opened, FurnishedContainer))
    return next(owners, None)
