"""Adapters of inference components: small weights beside the model, loaded and unloaded while it serves.

POST   /adapters                {"name", "src"}: load it in every model process; 400, 404, 409, 500, 507
GET    /adapters                the names and paths, page by page
GET    /adapters/{name}         one of them; 404
POST   /adapters/{name}/update  {"src"}: load it again from another path
DELETE /adapters/{name}         unload it in every model process; 404

An adapter is known from the moment all model processes have loaded it; one that is started later loads what is known
before it is handed anything. `name` and `src` come in a JSON object or in the query: which of them the platform sends
is not documented.

Source:
    aws/model-hosting-container-standards sagemaker/lora (JSON, then the query); deepjavalibrary/djl-serving
    AdapterManagementRequestHandler.java and serving/docs/adapters_api.md (the query; paging) (read 2026-11-22). Both
    know `preload` and `pin`: they are taken and listed, and every adapter is loaded at once and stays.
"""

import asyncio
import contextlib
from pathlib import Path
from typing import Any, Final, TypeGuard

from argosy import contract
from argosy.errors import (
    ArgosyError,
    ConflictError,
    DeadlineExceededError,
    DecodeError,
    NotLoadedError,
    OutOfMemoryError,
    PredictError,
    UnavailableError,
)
from argosy.serving import log
from argosy.serving.front.asgi import Asked, page
from argosy.serving.pool.model_link import ModelLink
from argosy.serving.pool.pool import Pool
from argosy.serving.pool.template_link import Template

PATH: Final = "/adapters"
_LONGEST_NAME: Final = 256
MOST: Final = 1024
"""Adapters that may be loaded."""
_LOAD: Final = "load-adapter"
_LOADED_LATER: Final = 0
"""The ticket of what nobody waits for: adapters that a model process loads because it was started after them."""


class Adapter:
    """One adapter; mutable, for it is counted who uses it."""

    __slots__ = ("_users", "alias", "idle", "name", "options", "path")

    def __init__(self, name: str, path: str, alias: str, options: dict[str, bool]) -> None:
        self.name = name
        self.path = path
        self.alias = alias
        self.options = options
        self.idle = asyncio.Event()
        self.idle.set()
        self._users = 0

    def described(self) -> dict[str, object]:
        """As it is listed."""
        return {"name": self.name, "src": self.path, **self.options}

    def enter(self) -> None:
        """An invocation of it begins."""
        self._users += 1
        self.idle.clear()

    def leave(self) -> None:
        """An invocation of it is answered, or its client left."""
        self._users -= 1
        if not self._users:
            self.idle.set()


class _Round:
    """One question to all model processes, until each has answered or is gone.

    Attributes:
        message: The question.
        is_load: Whether it is about loading.
        waiting: Those that have not answered.
        agreed: Those that have done it.
        error: What the first that could not do it said.
        lost: One that ended meanwhile.
        done: Set when none is waited for.
    """

    def __init__(self, message: dict[str, object]) -> None:
        self.message = message
        self.is_load = message["event"] == _LOAD
        self.waiting: set[ModelLink] = set()
        self.agreed: set[ModelLink] = set()
        self.error: ArgosyError | None = None
        self.lost: ModelLink | None = None
        self.done = asyncio.Event()

    def ask(self, link: ModelLink) -> None:
        """Ask one of them."""
        self.waiting.add(link)
        link.tell(self.message)

    def take(self, link: ModelLink, error: ArgosyError | None) -> None:
        """One of them has answered."""
        if error is None:
            self.agreed.add(link)
        self.error = self.error or error
        self._end(link)

    def lose(self, link: ModelLink) -> None:
        """One of them is gone: what it had loaded is gone too, and loading may have been the reason."""
        self.agreed.discard(link)
        if link in self.waiting:
            if self.is_load:
                self.lost = link
                self.error = self.error or PredictError("a model process ended while it loaded the adapter")
            self._end(link)

    def _end(self, link: ModelLink) -> None:
        self.waiting.discard(link)
        if not self.waiting:
            self.done.set()


class Adapters:
    """The adapters of one model.

    Args:
        pool: Has the model processes.
        template: Knows how they ended.
        deadline_s: Seconds after which the answer says that loading was not done in time.
    """

    def __init__(self, pool: Pool, template: Template, deadline_s: float) -> None:
        self._pool = pool
        self._template = template
        self._deadline_s = deadline_s
        self._known: dict[str, Adapter] = {}
        self._changing: set[str] = set()
        self._rounds: dict[int, _Round] = {}
        self._last = _LOADED_LATER
        pool.on_adapter = self._on_answer

    def methods(self, path: str) -> tuple[str, ...]:
        """What may be done with a path; nothing with one that is none of these."""
        if path == PATH:
            return ("GET", "POST")
        name, update = _split(path)
        if not name:
            return ()
        return ("POST",) if update else ("GET", "DELETE")

    async def answer(self, asked: Asked) -> object:
        """Do what a request asks, and give the JSON of the answer.

        Raises:
            ArgosyError: `answers.STATUS` has its status.
        """
        self._check_predictor()
        if asked.path == PATH:
            if asked.method == "POST":
                return await self._register(asked)
            return page("adapters", [adapter.described() for adapter in self._known.values()], asked.query)
        name, update = _split(asked.path)
        if asked.method == "DELETE":
            return await self._unregister(name)
        adapter = self._get(name)
        if not update:
            return adapter.described()
        return await self._update(adapter, asked)

    def find(self, identifier: str, alias: str) -> Adapter:
        """The adapter of an invocation.

        Args:
            identifier: X-Amzn-SageMaker-Adapter-Identifier, or empty.
            alias: X-Amzn-SageMaker-Adapter-Alias, or empty; looked at when there is no identifier.

        Raises:
            NotLoadedError: There is none.
            UnavailableError: The model is not loaded yet.
        """
        if not self._pool.introduction:
            raise UnavailableError("the model is not loaded")
        if identifier:
            return self._get(identifier)
        found = (adapter for adapter in self._known.values() if alias in (adapter.alias, adapter.name))
        adapter = next(found, None)
        if adapter is None:
            raise NotLoadedError("no such adapter is loaded", where=contract.HEADER_ADAPTER_ALIAS)
        return adapter

    def on_process_ready(self, link: ModelLink) -> None:
        """A model process has loaded the model: it loads the adapters before it is handed anything."""
        for adapter in self._known.values():
            link.tell(_load_message(adapter, _LOADED_LATER))
        for asked in self._rounds.values():
            if asked.is_load:
                asked.ask(link)

    def on_process_lost(self, link: ModelLink) -> None:
        """A model process is gone."""
        for asked in self._rounds.values():
            asked.lose(link)

    def _check_predictor(self) -> None:
        if not self._pool.introduction:
            raise UnavailableError("the model is not loaded")
        if not self._pool.introduction["has_adapters"]:
            raise NotLoadedError("the predictor takes no adapters", want="a method `load_adapter`")

    def _get(self, name: str) -> Adapter:
        adapter = self._known.get(name)
        if adapter is None:
            raise NotLoadedError("no such adapter is loaded")
        return adapter

    async def _register(self, asked: Asked) -> object:
        told = _told(asked)
        name = _text(told, "name")
        if len(name) > _LONGEST_NAME or not name.isascii() or not name.isprintable() or "/" in name:
            want = f"at most {_LONGEST_NAME} visible US-ASCII characters without a slash"
            raise DecodeError("the name of the adapter is wrong", want=want, where="name")
        path = _path(told)
        if name in self._known or name in self._changing:
            raise ConflictError("an adapter of this name is there already")
        if len(self._known) + len(self._changing) >= MOST:
            raise OutOfMemoryError("there are as many adapters as there may be", got=f"{MOST} loaded")
        adapter = Adapter(name, path, asked.header(contract.HEADER_ADAPTER_ALIAS), _options(told))
        await self._load(adapter)
        return {"status": f"Adapter {adapter.alias or name} registered"}

    async def _update(self, adapter: Adapter, asked: Asked) -> object:
        told = _told(asked)
        options = adapter.options | _options(told, {})
        path = _path(told) if "src" in told else adapter.path
        changed = Adapter(adapter.name, path, asked.header(contract.HEADER_ADAPTER_ALIAS) or adapter.alias, options)
        if adapter.name in self._changing:
            raise ConflictError("the adapter is being changed")
        if path == adapter.path:
            adapter.options, adapter.alias = changed.options, changed.alias
        else:
            await self._unload(adapter)
            await self._load(changed)
        return {"status": f"Adapter {changed.alias or changed.name} updated"}

    async def _unregister(self, name: str) -> object:
        adapter = self._get(name)
        await self._unload(adapter)
        return {"status": f"Adapter {adapter.alias or name} unregistered"}

    async def _load(self, adapter: Adapter) -> None:
        self._changing.add(adapter.name)
        try:
            await self._ask_all(_load_message(adapter, self._next_ticket()))
            self._known[adapter.name] = adapter
        finally:
            self._changing.discard(adapter.name)

    async def _unload(self, adapter: Adapter) -> None:
        """From here on nobody finds it; it is unloaded when its last invocation is answered, or after the deadline."""
        del self._known[adapter.name]
        self._changing.add(adapter.name)
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(adapter.idle.wait(), self._deadline_s)
            await self._ask_all(_unload_message(adapter.name, self._next_ticket()))
        finally:
            self._changing.discard(adapter.name)

    def _next_ticket(self) -> int:
        self._last += 1
        return self._last

    async def _ask_all(self, message: dict[str, object]) -> None:
        """Ask all model processes, and wait until all have answered.

        Raises:
            ArgosyError: One of them could not do it, or not in time; those that have loaded the adapter unload it.
        """
        asked = _Round(message)
        loaded = [link for link in self._pool.links if link.is_loaded]
        if not loaded:
            if asked.is_load:
                raise UnavailableError("no model process is ready")
            return  # and none has the adapter
        ticket = self._last  # the message's own: nothing has run since it was made
        self._rounds[ticket] = asked
        for link in loaded:
            asked.ask(link)
        try:
            await asyncio.wait_for(asked.done.wait(), self._deadline_s)
        except TimeoutError:
            asked.error = DeadlineExceededError("no answer in time", got=f"{self._deadline_s:g} s passed")
        finally:
            del self._rounds[ticket]
        if asked.lost is not None and await self._template.was_killed(asked.lost.number):
            asked.error = OutOfMemoryError("a model process was killed while it loaded the adapter")
        if asked.error is not None:
            for link in asked.agreed if asked.is_load else ():
                link.tell(_unload_message(str(message["name"]), _LOADED_LATER))
            raise asked.error

    def _on_answer(self, link: ModelLink, message: dict[str, Any]) -> None:
        asked, name = self._rounds.get(message["ticket"]), message["name"]
        if asked is not None:
            asked.take(link, _error(message))
        elif not message["is_load"]:
            return
        elif message["error"] and name in self._known:
            # A process that was started later cannot load what the others have: nobody may count on it any more.
            log.event("adapter-dropped", pid=link.pid, adapter=name)
            del self._known[name]
            for other in self._pool.links:
                if other is not link and other.is_loaded:
                    other.tell(_unload_message(name, _LOADED_LATER))
        elif not message["error"] and name not in self._known and name not in self._changing:
            link.tell(_unload_message(name, _LOADED_LATER))  # it came too late


def _load_message(adapter: Adapter, ticket: int) -> dict[str, object]:
    return {"event": _LOAD, "ticket": ticket, "name": adapter.name, "path": adapter.path}


def _unload_message(name: str, ticket: int) -> dict[str, object]:
    return {"event": "unload-adapter", "ticket": ticket, "name": name}


def _error(message: dict[str, Any]) -> ArgosyError | None:
    if not message["error"]:
        return None
    if message["is_memory"]:
        return OutOfMemoryError("there is no memory for the adapter")
    if message["is_refused"]:
        return DecodeError("the predictor refused the adapter", got=f"`{message['error']}`")
    return PredictError("the predictor failed to load or unload the adapter", got=f"`{message['error']}`")


def _split(path: str) -> tuple[str, bool]:
    """Name, and whether it is to be updated."""
    name = path.removeprefix(PATH + "/") if path.startswith(PATH + "/") else ""
    name, slash, rest = name.partition("/")
    return (name, bool(slash)) if rest == ("update" if slash else "") else ("", False)


def _told(asked: Asked) -> dict[str, Any]:
    """What a request says of an adapter: its query, or else its JSON object."""
    return asked.query if asked.query or not asked.body.strip() else asked.json()


def _text(told: dict[str, Any], name: str) -> str:
    found = told.get(name)
    if not isinstance(found, str) or not found:
        raise DecodeError(f"`{name}` is missing or no text", where=name)
    return found


def _path(told: dict[str, Any]) -> str:
    src = told.get("src")
    if not is_local(src):
        raise DecodeError("there is no adapter", want="an absolute path that exists", where="src")
    return src


def is_local(path: object) -> TypeGuard[str]:
    """Whether it is an absolute path on this machine, and something is there."""
    try:
        return isinstance(path, str) and Path(path).is_absolute() and Path(path).exists()
    except (OSError, ValueError):
        return False  # nothing that could be read, or no path at all


def _options(told: dict[str, Any], default: dict[str, bool] | None = None) -> dict[str, bool]:
    found = {"preload": True, "pin": False} if default is None else default
    for name in ("preload", "pin"):
        value = told.get(name)
        if value is not None:
            if value not in (True, False, "true", "false"):
                raise DecodeError(f"`{name}` is neither true nor false", where=name)
            found[name] = value in (True, "true")
    return found
