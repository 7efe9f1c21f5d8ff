"""An instance of a multi-model endpoint: one container that loads models when clients first ask for them.

Source:
    https://docs.aws.amazon.com/sagemaker/latest/dg/mms-container-apis.html and invoke-multi-model-endpoint.html
    (read 2026-11-22).
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from argosy import contract
from argosy.simulator import request_headers
from argosy.simulator.answers import Place
from argosy.simulator.backends.model_cache import CacheOptions, ModelCache, Room, opaque_name
from argosy.simulator.connection import Connection, Reply
from argosy.simulator.containers.container import Container, Stop
from argosy.simulator.hosting import refusals
from argosy.simulator.hosting.artifacts import name_fault
from argosy.simulator.hosting.backend import Hop, Refused, Request
from argosy.simulator.hosting.definition import ArtifactSource, ContainerDefinition, ProductionVariant
from argosy.simulator.hosting.furnished import FurnishedContainer, Part, Surroundings, furnish
from argosy.simulator.hosting.single import SingleContainer
from argosy.simulator.storage.objects import ObjectUri

ANSWER_BYTES = 1 << 20
"""The most of an answer to loading and unloading that is read; it is only ever an error's text."""


class ModelsApi:
    """Loads and unloads models; see `LoadApi`.

    Args:
        connection: To the container.
        timeout_s: How long the container may take.
    """

    def __init__(self, connection: Connection, timeout_s: float) -> None:
        self._connection = connection
        self._timeout_s = timeout_s

    def name(self, target: str) -> str:
        """It says nothing, as on SageMaker."""
        return opaque_name(target)

    async def load(self, name: str, path: str, target: str) -> Reply:
        """`POST /models`.

        Raises:
            ContainerError: No answer.
        """
        body = json.dumps({"model_name": name, "url": path}).encode()
        headers = {"Content-Type": "application/json", contract.HEADER_TARGET_MODEL: target}
        return await self._connection.send(
            "POST", "/models", headers, body, timeout_s=self._timeout_s, limit_bytes=ANSWER_BYTES
        )

    async def unload(self, name: str) -> Reply:
        """`DELETE /models/NAME`.

        Raises:
            ContainerError: No answer.
        """
        return await self._connection.send(
            "DELETE", f"/models/{name}", {}, b"", timeout_s=self._timeout_s, limit_bytes=ANSWER_BYTES
        )


class MultiModel:
    """A `Backend` around a container of many models.

    Args:
        definition: Of the container; its artifacts are the prefix below which the archives lie.
        variant: Whose instance this is.
        surroundings: Open the container, and have the archives.
        part: What it is among the containers of its instance.
        options: How much is kept loaded.
    """

    def __init__(
        self,
        definition: ContainerDefinition,
        variant: ProductionVariant,
        surroundings: Surroundings,
        part: Part,
        options: CacheOptions,
    ) -> None:
        self._definition = definition
        self._surroundings = surroundings
        self._part = replace(part, variables=self._variables, takes_models=True)
        self._given = part.variables
        self._options = options
        self._single = SingleContainer(self._open, variant, part.name)
        self._furnished: FurnishedContainer | None = None
        self._cache: ModelCache | None = None

    @property
    def name(self) -> str:
        """What the service calls its container."""
        return self._part.name

    @property
    def containers(self) -> Sequence[Container]:
        """The container, once it was opened."""
        return self._single.containers

    async def launch(self) -> None:
        """Start the container, which need not answer yet.

        Raises:
            ContainerError: It cannot be started.
            EngineError: The container engine failed.
        """
        await self._single.launch()

    async def start(self) -> None:
        """Start the container, unless it was launched before, and wait until it is healthy; no model is loaded.

        Raises:
            ContainerError: It did not become healthy.
            EngineError: The container engine failed.
        """
        await self._single.start()
        assert self._furnished is not None
        room = Room(self._surroundings.store, self._furnished.models_dir, self._furnished.models_path)
        api = ModelsApi(self._single.connection, self._options.load_s)
        is_kept = self._definition.is_model_cached
        self._cache = ModelCache(api, room, self._options, self._surroundings.report, is_kept)

    async def route(self, request: Request) -> Hop:
        """To the model that the client names, when that is loaded.

        Raises:
            Refused: It names none, or one that is not there or cannot be loaded now.
        """
        headers = dict(request.headers)
        target = headers.pop(request_headers.TARGET_MODEL.lower(), None)
        if target is None:
            raise Refused(refusals.target_model_missing())
        hop = await self._single.route(replace(request, headers=headers))
        cache = self._cache
        assert cache is not None
        place = Place(request.endpoint, self.name, request.region, request.account)
        entry = await cache.enter(target, self._source(target), place)
        return replace(
            hop,
            path=f"/models/{entry.name}/invoke",
            headers={**hop.headers, contract.HEADER_TARGET_MODEL: target},
            again=partial(cache.again, entry, place),
            release=partial(cache.leave, entry),
        )

    def end(self, hop: Hop, status: int) -> None:
        """One user of a model less."""
        if hop.release is not None:
            hop.release()

    async def stop(self) -> list[Stop]:
        """End the container; may be called twice, and before `start`."""
        cache, self._cache = self._cache, None
        if cache is not None:
            await cache.close()
        return await self._single.stop()

    def _open(self) -> Container:
        self._furnished = furnish(self._definition, self._surroundings, self._part)
        return self._furnished

    def _variables(self) -> dict[str, str]:
        return {**self._given(), contract.PlatformVariable.MULTI_MODEL: "true"}

    def _source(self, target: str) -> ArtifactSource:
        """Where the archive of a model lies.

        Raises:
            Refused: Nowhere: there is no prefix, or the name leads out of its folder.
        """
        prefix = self._definition.artifacts
        if prefix is None:
            raise Refused(refusals.not_downloaded(target, "the container has no ModelDataUrl"))
        if prefix.url.startswith("s3://"):
            return ArtifactSource(str(ObjectUri.parse(prefix.url).child(target)))
        fault = name_fault(target)
        if fault is not None or not (Path(prefix.url) / target).is_file():
            raise Refused(refusals.not_downloaded(f"{prefix.url}/{target}", fault or "no such file"))
        return ArtifactSource(str(Path(prefix.url) / target))
