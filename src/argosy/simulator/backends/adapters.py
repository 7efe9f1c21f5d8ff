"""A container that loads adapters beside its model, as the copies of an inference component do.

Source:
    aws/model-hosting-container-standards, sagemaker/lora, and deepjavalibrary/djl-serving, serving/docs/adapters_api.md
    (read 2026-11-22): what AWS's own containers take. That an adapter is fetched when it is first invoked, and not when
    its component is created, follows from the troubleshooting guide of awslabs/ml-container-creator (read 2026-11-23).
"""

import json
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import Final

from argosy import contract
from argosy.simulator.answers import Place
from argosy.simulator.backends.model_cache import CacheOptions, ModelCache, Room
from argosy.simulator.backends.multi_model import ANSWER_BYTES
from argosy.simulator.connection import Connection, Reply
from argosy.simulator.containers.container import Container, Stop
from argosy.simulator.hosting.backend import Hop, Request
from argosy.simulator.hosting.definition import ContainerDefinition, ProductionVariant
from argosy.simulator.hosting.furnished import FurnishedContainer, Part, Surroundings, furnish
from argosy.simulator.hosting.single import SingleContainer

PATH: Final = "/adapters"


class AdapterForm(StrEnum):
    """How a container is told of an adapter."""

    JSON = "json"
    QUERY = "query"


@dataclass(frozen=True, slots=True)
class AdapterOptions:
    """How adapters are loaded.

    UNSURE: whether the platform tells of an adapter in a JSON object or in the query; AWS's containers differ in what
    they take. JSON by default.

    Attributes:
        form: Where `name` and `src` stand.
        cache: How many are kept loaded.
    """

    form: AdapterForm = AdapterForm.JSON
    cache: CacheOptions = field(default_factory=CacheOptions)


class AdaptersApi:
    """Loads and unloads adapters; see `LoadApi`.

    Args:
        connection: To the container.
        form: Where `name` and `src` stand.
        timeout_s: How long the container may take.
    """

    def __init__(self, connection: Connection, form: AdapterForm, timeout_s: float) -> None:
        self._connection = connection
        self._form = form
        self._timeout_s = timeout_s

    def name(self, target: str) -> str:
        """Its component's name."""
        return target

    async def load(self, name: str, path: str, target: str) -> Reply:
        """`POST /adapters`.

        Raises:
            ContainerError: No answer.
        """
        told = {"name": name, "src": path}
        if self._form is AdapterForm.QUERY:
            return await self._send("POST", f"{PATH}?{urllib.parse.urlencode(told)}", {}, b"")
        headers = {"Content-Type": "application/json"}
        return await self._send("POST", PATH, headers, json.dumps({**told, "preload": True, "pin": False}).encode())

    async def unload(self, name: str) -> Reply:
        """`DELETE /adapters/NAME`.

        Raises:
            ContainerError: No answer.
        """
        return await self._send("DELETE", f"{PATH}/{urllib.parse.quote(name, safe='')}", {}, b"")

    async def _send(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        return await self._connection.send(
            method, path, headers, body, timeout_s=self._timeout_s, limit_bytes=ANSWER_BYTES
        )


class AdaptedContainer:
    """A `Backend` around one container, which is told to load an adapter when a request names one.

    Args:
        definition: Of the container.
        variant: Whose instance this is.
        surroundings: Open the container, and have the artifacts.
        part: What it is on its instance.
        options: How adapters are loaded.
    """

    def __init__(
        self,
        definition: ContainerDefinition,
        variant: ProductionVariant,
        surroundings: Surroundings,
        part: Part,
        options: AdapterOptions,
    ) -> None:
        self._definition = definition
        self._surroundings = surroundings
        self._options = options
        self._part = replace(part, takes_models=True)
        self._single = SingleContainer(self._open, variant)
        self._furnished: FurnishedContainer | None = None
        self._cache: ModelCache | None = None

    @property
    def containers(self) -> Sequence[Container]:
        """The container, once it was opened."""
        return self._single.containers

    async def start(self) -> None:
        """Start the container and wait until it is healthy; no adapter is loaded.

        Raises:
            ContainerError: It did not become healthy.
            EngineError: The container engine failed.
        """
        await self._single.start()
        assert self._furnished is not None
        room = Room(self._surroundings.store, self._furnished.models_dir, self._furnished.models_path)
        cache = self._options.cache
        api = AdaptersApi(self._single.connection, self._options.form, cache.load_s)
        self._cache = ModelCache(api, room, cache, self._surroundings.report)

    async def route(self, request: Request) -> Hop:
        """To the model, or to its adapter when that is loaded.

        Raises:
            Refused: The adapter is not there or cannot be loaded now.
        """
        hop = await self._single.route(request)
        if request.adapter is None:
            return hop
        cache = self._cache
        assert cache is not None
        place = Place(request.endpoint, hop.container, request.region, request.account)
        entry = await cache.enter(request.adapter.name, request.adapter.source, place)
        headers = {
            **hop.headers,
            contract.HEADER_ADAPTER: entry.name,
            contract.HEADER_ADAPTER_ALIAS: request.adapter.name,
        }
        again, release = partial(cache.again, entry, place), partial(cache.leave, entry)
        return replace(hop, headers=headers, again=again, release=release)

    def end(self, hop: Hop, status: int) -> None:
        """One user of an adapter less."""
        if hop.release is not None:
            hop.release()

    async def unload(self, adapter: str) -> None:
        """Unload an adapter if it is loaded, and remove its artifacts."""
        if self._cache is not None:
            await self._cache.remove(adapter)

    async def stop(self) -> list[Stop]:
        """End the container; may be called twice, and before `start`."""
        cache, self._cache = self._cache, None
        if cache is not None:
            await cache.close()
        return await self._single.stop()

    def _open(self) -> Container:
        self._furnished = furnish(self._definition, self._surroundings, self._part)
        return self._furnished
