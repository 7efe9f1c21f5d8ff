"""The models of a multi-model endpoint: SageMaker loads and unloads them while the server runs.

GET    /models                those that are loaded, page by page
POST   /models                {"model_name", "url"}: load one; 400, 409, 500, 507
GET    /models/{name}         name and path; 404
DELETE /models/{name}         answer what it has taken, then end its processes; 404
POST   /models/{name}/invoke  as /invocations; 404, 507

Each has a queue and model processes of its own, all forked from the same template, so the predictor's imports are
shared. /ping speaks of the server: it is 200 once the predictor is imported, whatever is loaded.

Source:
    https://docs.aws.amazon.com/sagemaker/latest/dg/mms-container-apis.html (read 2026-11-22).
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import Final, NamedTuple

from argosy import contract
from argosy.errors import (
    ConflictError,
    DecodeError,
    LoadError,
    NotLoadedError,
    OutOfMemoryError,
    UnavailableError,
)
from argosy.serving import log
from argosy.serving.front.asgi import Asked, header, page
from argosy.serving.front.requests import INVOCATIONS, HeaderFields
from argosy.serving.hosting.adapters import is_local
from argosy.serving.hosting.site import Hosted, OnEnd, Shared
from argosy.serving.openapi.document import of_no_model
from argosy.serving.openapi.hosting import Hosting
from argosy.serving.pool.model_link import ModelLink
from argosy.serving.pool.readiness import State
from argosy.serving.pool.workers import FAILURES_BEFORE_GIVING_UP
from argosy.serving.settings import Settings

PATH: Final = "/models"
_INVOKE: Final = "/invoke"
_LONGEST_NAME: Final = 1024
_END_S: Final = 5.0
"""How long the processes of an unloaded model may take to end by themselves."""


class _Verdict(Enum):
    """How loading a model ended."""

    LOADED = "loaded"
    FAILED = "failed"
    LOST = "lost"


class _Told(NamedTuple):
    """What SageMaker told of a model: the name in paths, the folder of its artifacts, and the client's own name."""

    name: str
    url: str
    target: str

    def described(self) -> dict[str, str]:
        """As it is listed."""
        return {"modelName": self.name, "modelUrl": self.url}


class _Model(Hosted):
    """One of the models.

    Attributes:
        told: What SageMaker told of it.
        verdict: How loading it ended.
        lost: A process that ended while it loaded.
        ended: Set when its pool has stopped or failed.
    """

    def __init__(self, settings: Settings, shared: Shared, on_end: Callable[["_Model"], None], told: _Told) -> None:
        super().__init__(settings, shared, lambda: on_end(self), Path(told.url))
        self.told = told
        self.verdict: asyncio.Future[_Verdict] = asyncio.get_running_loop().create_future()
        self.lost: ModelLink | None = None
        self.ended = asyncio.Event()

    @property
    def is_loaded(self) -> bool:
        """Whether it can be invoked."""
        return self.verdict.done() and self.verdict.result() is _Verdict.LOADED and not self.ended.is_set()

    def decide(self, verdict: _Verdict) -> None:
        """Note how loading ended; the first word counts."""
        if not self.verdict.done():
            self.verdict.set_result(verdict)

    def on_process(self, link: ModelLink, is_there: bool) -> None:
        """A model process has loaded the model, or is gone: one that dies while it loads is not tried again."""
        super().on_process(link, is_there)
        if is_there:
            self.decide(_Verdict.LOADED)
        elif not self.verdict.done():
            self.lost = link
            self.decide(_Verdict.LOST)
            self.pool.drain()


class Models:
    """A server of a multi-model endpoint.

    Nobody told how many processes a model should have: then it has one, for memory is what such endpoints are short of.

    Args:
        settings: What the server is told from outside.
        shared: What the models share.
        on_end: Called once when all have stopped after `drain`, or nothing can be loaded at all.
    """

    def __init__(self, settings: Settings, shared: Shared, on_end: OnEnd) -> None:
        is_told = not settings.workers_are_chosen
        self._settings = settings if is_told else replace(settings, workers=1, workers_are_chosen=False)
        self._shared = shared
        self._on_end = on_end
        self._models: dict[str, _Model] = {}
        self._alive: set[_Model] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_stopping = False
        self.failure: str | None = None

    @property
    def can_serve(self) -> bool:
        """Whether models can be loaded."""
        return self._shared.template.has_imported and not self._is_stopping and self.failure is None

    @property
    def hosted(self) -> list[Hosted]:
        """The models, those that are loaded or unloaded just now included."""
        return list(self._alive)

    @property
    def openapi(self) -> bytes:
        """That of any loaded model: one predictor, or one script's interface, serves all. Without any, what is sure."""
        documents = (model.openapi for model in self._models.values() if model.is_loaded)
        found = next((document for document in documents if document is not None), None)
        return found or of_no_model(Hosting(has_sessions=self._settings.session_ttl_s > 0, is_multi_model=True))

    def start(self) -> None:
        """Wait for the predictor to be imported; SageMaker then loads models."""
        self._shared.template.add(self)

    def drain(self) -> None:
        """Take nothing more."""
        self._is_stopping = True
        for model in list(self._alive):
            model.pool.drain()
        self._stop_if_drained()

    def close(self) -> None:
        """Refuse what is left and end the model processes."""
        for model in list(self._alive):
            self._close(model)

    def methods(self, path: str) -> tuple[str, ...]:
        """The model API, and /invocations for clients that name the model in a header field."""
        if path == PATH:
            return ("GET", "POST")
        if path == INVOCATIONS or _invoked(path):
            return ("POST",)
        return ("GET", "DELETE") if _named(path) else ()

    def target(self, path: str, headers: HeaderFields) -> Hosted | None:
        """The model that a POST to this path invokes.

        SageMaker always names it in the path; X-Amzn-SageMaker-Target-Model is for the log. /invocations is for whoever
        tries the image without SageMaker, and takes either name of a model in that header field.

        Raises:
            NotLoadedError: There is none.
        """
        name = _invoked(path)
        if not name and path != INVOCATIONS:
            return None
        target_model = header(headers, contract.HEADER_TARGET_MODEL)
        model = self._models.get(name or target_model)
        if model is None and not name and target_model:
            model = next((found for found in self._models.values() if found.told.target == target_model), None)
        if model is None or not model.is_loaded:
            raise NotLoadedError("the model is not loaded", where=None if name else contract.HEADER_TARGET_MODEL)
        return model

    async def answer(self, asked: Asked) -> object:
        """Load, unload, describe or list models.

        Raises:
            ArgosyError: `answers.STATUS` has its status.
        """
        if asked.path == PATH:
            if asked.method == "POST":
                return await self._load(asked)
            loaded = [model.told.described() for model in self._models.values() if model.is_loaded]
            return page("models", loaded, asked.query)
        name = _named(asked.path)
        if asked.method == "DELETE":
            return await self._unload(name)
        model = self._models.get(name)
        if model is None or not model.is_loaded:
            raise NotLoadedError("the model is not loaded")
        return model.told.described()

    def on_forked(self, number: int, pid: int) -> None:
        """The models hear of their own processes."""

    def on_exited(self, number: int) -> None:
        """The same."""

    def on_import_failed(self, reason: str) -> None:
        """The template cannot import the predictor: at the start that is the end."""
        if not self._shared.template.has_imported:
            self._fail(reason)

    def on_template_ended(self, failures: int) -> None:
        """The template has ended; it is started again as long as there is hope."""
        if failures >= FAILURES_BEFORE_GIVING_UP and not any(model.is_loaded for model in self._models.values()):
            self._fail("the template process ends again and again")

    def on_template_started(self) -> None:
        """The predictor is imported."""
        log.event("ready", models=len(self._models))

    async def _load(self, asked: Asked) -> object:
        told = _told(asked)
        if self._is_stopping:
            raise UnavailableError("the server is stopping")
        if told.name in self._models:
            raise ConflictError("a model of this name is loaded already")
        model = _Model(self._settings, self._shared, self._on_model_end, told)
        self._models[told.name] = model
        self._alive.add(model)
        model.pool.start()
        verdict = await asyncio.shield(model.verdict)
        if verdict is _Verdict.LOADED:
            log.event("model-loaded", model=told.name, target=told.target)
            return told.described()
        await self._remove(model)
        if self._is_stopping:
            raise UnavailableError("the server is stopping")
        is_killed = model.lost is not None and await self._shared.template.was_killed(model.lost.number)
        log.event("model-not-loaded", model=told.name, target=told.target, is_killed=is_killed)
        if is_killed or model.pool.is_out_of_memory:
            raise OutOfMemoryError("there is no memory for the model")
        raise LoadError("the model cannot be loaded, the log says why")

    async def _unload(self, name: str) -> object:
        model = self._models.get(name)
        if model is None:
            raise NotLoadedError("the model is not loaded")
        del self._models[name]
        model.pool.drain()
        try:
            await asyncio.wait_for(model.ended.wait(), self._settings.deadline_s)
        except TimeoutError:
            log.event("model-still-busy", model=name)
        await self._remove(model)
        log.event("model-unloaded", model=name, target=model.told.target)
        return model.told.described()

    async def _remove(self, model: _Model) -> None:
        """End its processes, and wait until their memory is free."""
        if self._models.get(model.told.name) is model:
            del self._models[model.told.name]
        links = model.pool.links
        self._close(model)
        if not await self._have_ended(links):
            for link in links:
                link.kill()
            await self._have_ended(links)

    async def _have_ended(self, links: Iterable[ModelLink]) -> bool:
        ends = asyncio.gather(*(self._shared.template.end(link.number) for link in links))
        try:
            await asyncio.wait_for(ends, _END_S)
        except TimeoutError:
            return False
        return True

    def _close(self, model: _Model) -> None:
        if model in self._alive:
            self._alive.discard(model)
            model.pool.close()
            self._stop_if_drained()

    def _on_model_end(self, model: _Model) -> None:
        """A model is drained, or has failed: the latter is forgotten, so that SageMaker may load it again."""
        model.ended.set()
        model.decide(_Verdict.FAILED)
        if model.pool.state is State.FAILED and model.verdict.result() is _Verdict.LOADED:
            log.event("model-lost", model=model.told.name, target=model.told.target)
            task = asyncio.get_running_loop().create_task(self._remove(model))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._stop_if_drained()

    def _stop_if_drained(self) -> None:
        if self._is_stopping and all(model.ended.is_set() for model in self._alive):
            self._on_end()

    def _fail(self, reason: str) -> None:
        self.failure = reason
        self._on_end()


def _told(asked: Asked) -> _Told:
    """What a request tells of a model to load.

    Raises:
        DecodeError: It tells too little, or of a folder that is not there.
    """
    told = asked.json()
    name, url = told.get("model_name"), told.get("url")
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME or "/" in name or not name.isprintable():
        want = f"1 to {_LONGEST_NAME} printable characters without a slash"
        raise DecodeError("the name of the model is missing or wrong", want=want, where="model_name")
    if not is_local(url) or not Path(url).is_dir():
        raise DecodeError("there is no model", want="the absolute path of a folder that exists", where="url")
    return _Told(name, url, asked.header(contract.HEADER_TARGET_MODEL))


def _named(path: str) -> str:
    """The name in `/models/{name}`, empty for other paths."""
    name = path.removeprefix(PATH + "/") if path.startswith(PATH + "/") else ""
    return "" if "/" in name else name


def _invoked(path: str) -> str:
    """The name in `/models/{name}/invoke`, empty for other paths."""
    return _named(path.removesuffix(_INVOKE)) if path.endswith(_INVOKE) else ""
