"""The queue and the model processes: hands what waits to whoever is free, replaces the dead and the stuck.

Theory of operation. There is one queue and one invocation a model process at a time. An invocation leaves the queue
when a process is idle, so a slow one never blocks those behind it while another process is free. A process that dies
takes only the invocation that it held; the template is asked for another one at once, and what waits keeps waiting. A
deadline is counted from the arrival of the invocation: in the queue it is refused, in a process it is refused and the
process, which is stuck, is killed and replaced.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from argosy.errors import DeadlineExceededError, OverloadedError, PredictError, UnavailableError
from argosy.serving import log
from argosy.serving.arena import Arena
from argosy.serving.front.invocation import Invocation
from argosy.serving.front.model_link import ModelLink
from argosy.serving.front.readiness import Event, State, advance
from argosy.serving.front.template_link import TemplateLink
from argosy.serving.settings import Settings

_TICK_S: Final = 0.1
_QUEUE_BYTES: Final = 2**30
"""Bodies that may wait, all together; a container that dies of memory answers nobody."""
_BODIES_S: Final = 5.0
"""How long after SIGTERM the rest of a body is waited for."""
_FIRST_PAUSE_S: Final = 0.05
_LONGEST_PAUSE_S: Final = 5.0
_FAILURES_BEFORE_GIVING_UP: Final = 5
"""Replacements in a row that died before they had loaded, with no other process alive."""

SpawnTemplate = Callable[[], tuple[int, Any]]


class Pool:
    """Model processes, the queue before them, and the state that /ping answers from.

    Args:
        settings: Number of processes, length of the queue, deadline.
        arena: Where large bodies lie.
        spawn_template: Starts a template process; called again when it dies.
        on_end: Called once when the state is `stopped` or `failed`.
    """

    def __init__(
        self, settings: Settings, arena: Arena, spawn_template: SpawnTemplate, on_end: Callable[[], None]
    ) -> None:
        self.arena = arena
        self.arena_view = arena.view
        self.state = State.STARTING
        self.failure: str | None = None
        self._settings = settings
        self._spawn_template = spawn_template
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._queue: deque[Invocation] = deque()
        self._links: dict[int, ModelLink] = {}
        self._opening: set[asyncio.Task[None]] = set()
        self._queue_bytes = 0
        self._receiving = 0
        self._last_number = 0
        self._failures = 0
        self._template: TemplateLink | None = None

    @property
    def can_serve(self) -> bool:
        """Whether /ping is 200: ready, and a model process lives that has loaded the model."""
        return self.state is State.READY and any(link.is_loaded for link in self._links.values())

    def start(self) -> None:
        """Start the template and ask it for the model processes."""
        self._start_template()
        for _ in range(self._settings.workers):
            self._fork()
        self._loop.call_later(_TICK_S, self._tick)

    def admit(self) -> bool:
        """Note that the head of an invocation has arrived; True means that it is answered even if SIGTERM comes now.

        Each True is followed by one `submit` or one `withdraw`.
        """
        is_admitted = self.state is State.READY
        self._receiving += is_admitted
        return is_admitted

    def withdraw(self) -> None:
        """An admitted invocation will not come: its client left, or its body is too large."""
        self._receiving -= 1
        self._stop_if_drained()

    def submit(self, invocation: Invocation, *, is_admitted: bool) -> None:
        """Queue an invocation, or refuse it at once when the server cannot take it."""
        self._receiving -= is_admitted
        if self.state is not State.READY and not (is_admitted and self.state is State.DRAINING):
            self._refuse(invocation, UnavailableError(f"the server is {self.state}"))
            return
        if len(self._queue) >= self._settings.queue or self._queue_bytes + invocation.size > _QUEUE_BYTES:
            error = OverloadedError("the queue is full", got=f"{len(self._queue)} waiting, {self._queue_bytes} bytes")
            self._refuse(invocation, error)
            return
        invocation.arrived = self._loop.time()
        self._queue.append(invocation)
        self._queue_bytes += invocation.size
        self._dispatch()

    def abandon(self, invocation: Invocation) -> None:
        """The client left: what waits makes room, what is being answered is answered to nobody."""
        try:
            self._queue.remove(invocation)
        except ValueError:
            return
        self._forget(invocation)
        self._stop_if_drained()

    def drain(self) -> None:
        """Take nothing more; the state becomes `stopped` when all that was taken is answered."""
        log.event("draining", receiving=self._receiving, waiting=len(self._queue), held=len(self._holding()))
        self._advance(Event.TERMINATED)
        self._loop.call_later(_BODIES_S, self._wait_for_no_more_bodies)
        self._stop_if_drained()

    def close(self) -> None:
        """Refuse what is left, end the model processes and the template."""
        while self._queue:
            invocation = self._queue.popleft()
            invocation.refuse(UnavailableError("the server is stopping"))
            self._forget(invocation)
        for link in self._links.values():
            if link.is_idle:
                link.close()
            else:
                link.kill()  # it loads or answers: nothing would tell it to end
        if self._template is not None:
            self._template.close()

    def on_loaded(self, link: ModelLink) -> None:
        """A model process has loaded the model."""
        self._failures = 0
        if self.state is State.STARTING:
            log.event("ready", pid=link.pid)
        self._advance(Event.LOADED)
        self._dispatch()

    def on_load_failed(self, link: ModelLink, reason: str) -> None:
        """A model process could not load the model: at the start that is the end."""
        self.failure = reason
        if self.state is State.STARTING:
            self._advance(Event.GAVE_UP)

    def on_idle(self, link: ModelLink) -> None:
        """A model process has answered."""
        self._dispatch()
        self._stop_if_drained()

    def on_lost(self, link: ModelLink) -> None:
        """A model process is gone: answer for it and replace it."""
        self._links.pop(link.number, None)
        held, link.held = link.held, None
        if held is not None:
            held.refuse(PredictError("the model process ended while it answered this invocation"))
            held.free_block()
        if self.state in (State.STARTING, State.READY):
            self._replace(link)
        self._stop_if_drained()

    def _replace(self, link: ModelLink) -> None:
        self._failures = 0 if link.has_loaded else self._failures + 1
        if self._failures >= _FAILURES_BEFORE_GIVING_UP and not any(x.is_loaded for x in self._links.values()):
            self.failure = self.failure or f"{self._failures} model processes in a row ended before they had loaded"
            self._advance(Event.GAVE_UP)
            return
        # The first replacement comes at once; only what keeps dying waits.
        pause = min(_FIRST_PAUSE_S * 2**self._failures, _LONGEST_PAUSE_S) if self._failures > 1 else 0.0
        self._loop.call_later(pause, self._fork)

    def _dispatch(self) -> None:
        queue = self._queue
        if not queue:
            return
        now = self._loop.time()
        for link in self._links.values():
            if not link.is_idle:
                continue
            invocation = queue.popleft()
            self._queue_bytes -= invocation.size
            link.send(invocation, now)
            if not queue:
                return

    def _refuse(
        self, invocation: Invocation, error: UnavailableError | OverloadedError | DeadlineExceededError
    ) -> None:
        invocation.refuse(error)
        invocation.free_block()

    def _tick(self) -> None:
        """Refuse what is too late, and kill what has been at one invocation for too long."""
        deadline = self._loop.time() - self._settings.deadline_s
        error = DeadlineExceededError("no answer in time", got=f"{self._settings.deadline_s:g} s passed")
        while self._queue and self._queue[0].arrived < deadline:
            invocation = self._queue.popleft()
            invocation.refuse(error)
            self._forget(invocation)
        for link in self._holding():
            held = link.held
            if held is not None and held.arrived < deadline:
                # The client is told in time; that the process got the invocation late is no fault of its own.
                held.refuse(error)
                link.held = _Answered(held)
            if link.since < deadline:
                log.event("stuck", pid=link.pid, deadline_s=self._settings.deadline_s)
                link.since = math.inf  # once is enough
                link.kill()
        if self.state not in (State.STOPPED, State.FAILED):
            self._loop.call_later(_TICK_S, self._tick)

    def _forget(self, invocation: Invocation) -> None:
        """It has left the queue without going to a process."""
        self._queue_bytes -= invocation.size
        invocation.free_block()

    def _holding(self) -> list[ModelLink]:
        return [link for link in self._links.values() if link.held is not None]

    def _advance(self, event: Event) -> None:
        before, self.state = self.state, advance(self.state, event)
        if self.state is not before and self.state in (State.STOPPED, State.FAILED):
            self._on_end()

    def _stop_if_drained(self) -> None:
        if self.state is State.DRAINING and not (self._receiving > 0 or self._queue or self._holding()):
            self._advance(Event.DRAINED)

    def _wait_for_no_more_bodies(self) -> None:
        self._receiving = 0
        self._stop_if_drained()

    def _start_template(self) -> None:
        pid, control = self._spawn_template()
        self._template = TemplateLink(pid, control, self._on_template_message, self._on_template_lost)

    def _fork(self) -> None:
        is_wanted = self.state in (State.STARTING, State.READY) and len(self._links) < self._settings.workers
        if not is_wanted or self._template is None:
            return
        self._last_number += 1
        link = ModelLink(self, self._last_number)
        end = self._template.fork(link.number)
        if end is None:
            return  # the template is gone; whoever replaces it asks for what is missing
        self._links[link.number] = link
        task = self._loop.create_task(link.open(end))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    def _on_template_message(self, message: dict[str, Any]) -> None:
        match message["event"]:
            case "forked":
                link = self._links.get(message["number"])
                if link is not None:
                    link.pid = message["pid"]
            case "failed":
                self.failure = message["message"]
                if self.state is State.STARTING:
                    self._advance(Event.GAVE_UP)
            case "exited" if message["code"] != 0 and self.state in (State.STARTING, State.READY):
                log.event("model-process-ended", pid=message["pid"], code=message["code"])

    def _on_template_lost(self) -> None:
        self._template = None
        if self.state not in (State.STARTING, State.READY):
            return
        log.event("template-ended")
        self._failures += 1
        if self._failures >= _FAILURES_BEFORE_GIVING_UP and not any(x.is_loaded for x in self._links.values()):
            self.failure = self.failure or "the template process ends again and again"
            self._advance(Event.GAVE_UP)
            return
        self._loop.call_later(min(_FIRST_PAUSE_S * 2**self._failures, _LONGEST_PAUSE_S), self._restart_template)

    def _restart_template(self) -> None:
        if self.state in (State.STARTING, State.READY):
            self._start_template()
            for _ in range(self._settings.workers - len(self._links)):
                self._fork()


class _Answered(Invocation):
    """What a stuck process still holds after its client was told: the block, and nobody to answer."""

    def __init__(self, invocation: Invocation) -> None:
        super().__init__(invocation.fields, b"", invocation.block, invocation.size)
        self.arrived = math.inf

    def answer(self, status: int, content_type: bytes, body: bytes | memoryview, block: Any) -> None:
        """The client has its answer; the block is free now."""
        self.free_block()
