"""One model with its sessions and adapters, and a server that hosts one of them or several."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

from argosy.serving.arena import Arena
from argosy.serving.front.asgi import Asked
from argosy.serving.front.metrics import Metrics
from argosy.serving.front.requests import INVOCATIONS, HeaderFields
from argosy.serving.hosting.adapters import Adapter, Adapters
from argosy.serving.hosting.sessions import PinnedSession, Sessions
from argosy.serving.pool.model_link import ModelLink
from argosy.serving.pool.pool import Pool
from argosy.serving.pool.readiness import State
from argosy.serving.pool.template_link import Template
from argosy.serving.settings import Settings


class Shared(NamedTuple):
    """What all models of a server share."""

    arena: Arena
    template: Template
    metrics: Metrics


OnEnd = Callable[[], None]
"""Called when a model has stopped or failed."""


class Passage:
    """An invocation's way through a model: its session, its adapter, and what its answer says of them.

    Attributes:
        fields: The header fields as the model process gets them.
        ready: Head and body of the answer when the model process is not asked.
        link: The model process that has to answer, or None for any.
    """

    __slots__ = ("_adapter", "_session", "fields", "link", "ready")

    def __init__(self, fields: bytes, session: PinnedSession | None = None, adapter: Adapter | None = None) -> None:
        self.fields = fields
        self.ready: tuple[bytes, bytes] | None = None
        self.link = session.link if session is not None else None
        self._session = session
        self._adapter = adapter
        for used in (session, adapter):
            if used is not None:
                used.enter()

    def head(self, status: int) -> bytes:
        r"""What is added to the head of the answer, as `\r\nname: value`."""
        return self._session.head(status) if self._session is not None else b""

    def leave(self) -> None:
        """The invocation is answered, or its client left."""
        for used in (self._session, self._adapter):
            if used is not None:
                used.leave()


class Hosted:
    """One model with its sessions and adapters.

    Args:
        settings: What the server is told from outside.
        shared: What all models share.
        on_end: Called once when its pool has stopped or failed.
        model_dir: The folder of the artifacts; None means that of the settings.
    """

    def __init__(self, settings: Settings, shared: Shared, on_end: OnEnd, model_dir: Path | None = None) -> None:
        self.pool = Pool(settings, shared.arena, shared.template, shared.metrics, on_end, model_dir)
        self.sessions = Sessions(self.pool, settings.session_ttl_s)
        self.adapters = Adapters(self.pool, shared.template, settings.deadline_s)
        self.pool.on_process = self.on_process

    @property
    def openapi(self) -> bytes | None:
        """The OpenAPI document as its model processes tell it, None as long as none has loaded it."""
        found = self.pool.introduction.get("openapi")
        return found.encode() if isinstance(found, str) else None

    def on_process(self, link: ModelLink, is_there: bool) -> None:
        """A model process has loaded the model, or is gone."""
        if is_there:
            self.adapters.on_process_ready(link)
        else:
            self.sessions.on_process_lost(link)
            self.adapters.on_process_lost(link)

    def enter(self, fields: bytes, body: bytes) -> Passage:
        """Find the session and the adapter that an invocation asks for.

        Raises:
            InvocationError: There are none such.
        """
        content_type, accept, *more = fields.split(b"\n")
        found = {line[:1]: line[1:] for line in more}
        if found.keys().isdisjoint((b"S", b"A", b"L")):
            return Passage(fields)
        adapter = session = None
        if b"A" in found or b"L" in found:
            adapter = self.adapters.find(found.get(b"A", b"").decode("latin-1"), found.get(b"L", b"").decode("latin-1"))
            found[b"A"] = adapter.name.encode()
        if b"S" in found:
            asked = found[b"S"].decode("latin-1")
            ready = self.sessions.answer(asked, body)
            if ready is not None:
                passage = Passage(fields)
                passage.ready = ready
                return passage
            session = self.sessions.find(asked)
            found[b"S"] = session.id.encode()
        told = b"\n".join((content_type, accept, *(letter + value for letter, value in found.items())))
        return Passage(told, session, adapter)


class Site(Protocol):
    """What a server hosts, as the routes see it."""

    @property
    def can_serve(self) -> bool:
        """Whether /ping is 200."""

    @property
    def hosted(self) -> list[Hosted]:
        """The models."""

    @property
    def failure(self) -> str | None:
        """Why the server has to end, or None."""

    @property
    def openapi(self) -> bytes | None:
        """The OpenAPI document, None while there is none."""

    def start(self) -> None:
        """Load what is to be loaded from the start."""

    def drain(self) -> None:
        """Take nothing more."""

    def close(self) -> None:
        """Refuse what is left and end the model processes."""

    def methods(self, path: str) -> tuple[str, ...]:
        """What may be done with a path; nothing with one that is unknown."""

    def target(self, path: str, headers: HeaderFields) -> Hosted | None:
        """The model that a POST to this path invokes; None when it invokes none.

        Raises:
            InvocationError: There is no such model.
        """

    async def answer(self, asked: Asked) -> object:
        """Do what any other request asks, and give the JSON of the answer.

        Raises:
            ArgosyError: `answers.STATUS` has its status.
        """


class OneModel:
    """A server of one model.

    Args:
        settings: What the server is told from outside.
        shared: What models share.
        on_end: Called once when it has stopped or failed.
    """

    def __init__(self, settings: Settings, shared: Shared, on_end: OnEnd) -> None:
        self.model = Hosted(settings, shared, on_end)

    @property
    def can_serve(self) -> bool:
        """Whether a model process lives that has loaded it."""
        return self.model.pool.can_serve

    @property
    def hosted(self) -> list[Hosted]:
        """The model."""
        return [self.model]

    @property
    def failure(self) -> str | None:
        """Why it cannot be loaded."""
        pool = self.model.pool
        return (pool.failure or "the model cannot be loaded") if pool.state is State.FAILED else None

    @property
    def openapi(self) -> bytes | None:
        """That of the model."""
        return self.model.openapi

    def start(self) -> None:
        """Load it."""
        self.model.pool.start()

    def drain(self) -> None:
        """Take nothing more."""
        self.model.pool.drain()

    def close(self) -> None:
        """Refuse what is left and end the model processes."""
        self.model.pool.close()

    def methods(self, path: str) -> tuple[str, ...]:
        """Invocations and adapters."""
        return ("POST",) if path == INVOCATIONS else self.model.adapters.methods(path)

    def target(self, path: str, headers: HeaderFields) -> Hosted | None:
        """The model."""
        return self.model if path == INVOCATIONS else None

    async def answer(self, asked: Asked) -> object:
        """What is asked of its adapters."""
        return await self.model.adapters.answer(asked)
