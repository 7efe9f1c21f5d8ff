"""The queue and who takes from it: hands what waits to whoever is free, and sees that each invocation is answered.

Theory of operation. There is one queue before all model processes of a model, and one before each for what it alone can
answer, the invocations of its sessions: of the two, what has waited for longer goes first. A process that is idle is
handed what waits, as much as the policy allows (`batching`); several that are idle share it.

A process that dies takes with it only what it was handed. One invocation gets an error. Of several, those whose answer
had begun end visibly, and all others are asked again before anything else, in ever smaller groups that have a process
for themselves (`suspects`), so that only the one that kills gets an error.

A deadline is counted from the arrival of the invocation: in the queue it is refused, in a process it is refused and the
process, when it is stuck, is killed and replaced.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from argosy.errors import InvocationError, OverloadedError, PredictError, UnavailableError
from argosy.serving import answers, log
from argosy.serving.arena import Arena
from argosy.serving.frames import Timings
from argosy.serving.front.metrics import Metrics
from argosy.serving.pool.batching import BatchPolicy
from argosy.serving.pool.deadlines import Deadlines
from argosy.serving.pool.invocation import Invocation
from argosy.serving.pool.ledger import Ledger
from argosy.serving.pool.model_link import ModelLink
from argosy.serving.pool.readiness import Event, State, advance
from argosy.serving.pool.suspects import Suspects
from argosy.serving.pool.template_link import Template
from argosy.serving.pool.turn import Turn
from argosy.serving.pool.workers import Workers
from argosy.serving.settings import Settings

_TICK_S: Final = 0.1
_QUEUE_BYTES: Final = 2**30
"""Bodies that may wait, all together; a container that dies of memory answers nobody."""
_BODIES_S: Final = 5.0
"""How long after SIGTERM the rest of a body is waited for."""
_READY: Final = State.READY
"""At hand: looking it up in the enumeration takes longer than all the rest of a comparison."""


class Pool:
    """The queue, the model processes and the state that /ping answers from.

    Args:
        settings: Number of processes, length of the queue, deadline.
        arena: Where large bodies lie.
        template: What forks model processes.
        metrics: What is counted.
        on_end: Called once when the state is `stopped` or `failed`.
        model_dir: The folder of the artifacts; None means that of the settings.
    """

    def __init__(
        self,
        settings: Settings,
        arena: Arena,
        template: Template,
        metrics: Metrics,
        on_end: Callable[[], None],
        model_dir: Path | None = None,
    ) -> None:
        self.arena = arena
        self.arena_view = arena.view
        self.metrics = metrics
        self.state = State.STARTING
        self.failure: str | None = None
        self.is_out_of_memory = False
        self.introduction: dict[str, Any] = {}
        self.policy = BatchPolicy(settings.batching)
        self.on_adapter: Callable[[ModelLink, dict[str, Any]], None] = lambda link, message: None
        self.queue_bytes = 0
        self.on_process: Callable[[ModelLink, bool], None] = lambda link, is_there: None
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._now = time.monotonic  # the event loop's own clock ticks in whole milliseconds
        self._most_waiting = settings.queue
        self._workers = Workers(self, template, settings, model_dir or settings.model_dir, metrics)
        self._links = self._workers.links
        self._queue: deque[Invocation] = deque()
        self._again = Suspects()
        self._receiving = 0
        self._turn = Turn(self._dispatch)
        self._is_closed = False
        self._deadlines = Deadlines(settings, self._tell_refusal)
        self._ledger = Ledger(metrics, settings.logs.invocations)

    @property
    def can_serve(self) -> bool:
        """Whether /ping is 200: ready, and a model process lives that has loaded the model."""
        return self.state is State.READY and any(link.is_loaded for link in self._links.values())

    @property
    def links(self) -> list[ModelLink]:
        """The model processes, loaded or not."""
        return list(self._links.values())

    @property
    def is_asking_again(self) -> bool:
        """Whether invocations wait that a lost process held."""
        return bool(self._again)

    @property
    def queue_length(self) -> int:
        """Invocations that wait."""
        return len(self._queue) + len(self._again) + sum(len(link.waiting) for link in self._links.values())

    def start(self) -> None:
        """Ask the template for the model processes."""
        self._workers.start()
        self._loop.call_later(_TICK_S, self._tick)

    def admit(self) -> bool:
        """Note that the head of an invocation has arrived; True means that it is answered even if SIGTERM comes now.

        Each True is followed by one `submit` or one `withdraw`.
        """
        is_admitted = self.state is _READY
        self._receiving += is_admitted
        return is_admitted

    def withdraw(self) -> None:
        """An admitted invocation will not come: its client left, or its body is too large."""
        self._receiving -= 1
        self.stop_if_drained()

    def submit(self, invocation: Invocation, *, is_admitted: bool) -> None:
        """Queue an invocation, or refuse it at once when the server cannot take it."""
        self._receiving -= is_admitted
        invocation.arrived = self._now()
        if self.state is not _READY and not (is_admitted and self.state is State.DRAINING):
            self._refuse(invocation, UnavailableError(f"the server is {self.state}"))
            return
        queue = self._queue if invocation.pinned is None else invocation.pinned.waiting
        if len(queue) >= self._most_waiting or self.queue_bytes + invocation.size > _QUEUE_BYTES:
            error = OverloadedError("the queue is full", got=f"{len(queue)} waiting, {self.queue_bytes} bytes")
            self._refuse(invocation, error)
            return
        self.queue_bytes += invocation.size
        queue.append(invocation)
        self._turn.soon()

    def abandon(self, invocation: Invocation) -> None:
        """The client left: what waits makes room, a stream is cancelled, the rest is answered to nobody."""
        invocation.is_left = True
        if invocation.handed:
            for link in self._links.values():
                link.tell_about("cancel", invocation)  # it may yet become a stream
            return
        queue = self._queue if invocation.pinned is None else invocation.pinned.waiting
        try:
            (self._again if invocation.is_suspect else queue).remove(invocation)
        except ValueError:
            return
        self.queue_bytes -= invocation.size
        invocation.free_block()
        self._ledger.refused(invocation, answers.CLIENT_LEFT, self._now())
        self._turn.soon()
        self.stop_if_drained()

    def flow(self, invocation: Invocation, *, is_open: bool) -> None:
        """The client of a stream reads again, or not: its generator goes on, or waits."""
        for link in self._links.values():
            link.tell_about("resume" if is_open else "pause", invocation)

    def drain(self) -> None:
        """Take nothing more; the state becomes `stopped` when all that was taken is answered."""
        held = sum(len(link.held) for link in self._links.values())
        log.event("draining", receiving=self._receiving, waiting=self.queue_length, held=held)
        self._advance(Event.TERMINATED)
        self._loop.call_later(_BODIES_S, self._wait_for_no_more_bodies)
        self.stop_if_drained()

    def close(self) -> None:
        """Refuse what is left and end the model processes."""
        self._is_closed = True
        waiting = [
            *self._again.take_all(),
            *self._queue,
            *(invocation for link in self._links.values() for invocation in link.waiting),
        ]
        self._queue.clear()
        for link in self._links.values():
            link.waiting.clear()
        for invocation in waiting:
            self.queue_bytes -= invocation.size
            self._refuse(invocation, UnavailableError("the server is stopping"))
        self._workers.close()

    def on_message(self, link: ModelLink, message: dict[str, Any]) -> None:
        """A model process says something."""
        match message["event"]:
            case "loaded":
                self._on_loaded(link, message)
            case "failed":
                self.failure = message["reason"]
                self.is_out_of_memory = message["is_memory"]
                if self.state is State.STARTING:
                    self._advance(Event.GAVE_UP)
            case "metered":
                self.metrics.metered(message["units"])
            case "not-row-wise":
                self.policy.joins = False
            case "adapter":
                self.on_adapter(link, message)

    def on_answers(
        self, invocations: Sequence[Invocation], status: int, sizes: Sequence[int], frame: tuple[int, Timings] | None
    ) -> None:
        """Invocations that were handed over together are answered."""
        self._ledger.answered(invocations, status, sizes, frame, self._now())

    def on_frame(self, link: ModelLink, count: int, timings: Timings | None) -> None:
        """A model process has answered a frame: it may have more."""
        if timings is not None:  # else the parts of a stream have come to their end
            self.metrics.worked(count, timings)
        if timings is not None and not link.is_concurrent and not link.held and link.since != math.inf:
            busy = timings.decode + timings.predict + timings.encode
            self.policy.learn(count, timings.rows, self._now() - link.since, busy)
            pause, together = self.policy.linger(len(self._queue), count)
            if pause and self.state is _READY:
                link.lingers_for = together
                self._loop.call_later(pause, self._end_linger, link, link.since)
        has_room = link.is_concurrent or any(other.room(1) for other in self._links.values() if other is not link)
        if has_room or link.waiting or not self._queue:
            self._dispatch()
        else:
            self._turn.after_answers()
        if self.state is not State.READY:
            self.stop_if_drained()

    def on_room(self) -> None:
        """A model process takes more, though it has answered nothing."""
        self._turn.soon()

    def on_lost(self, link: ModelLink) -> None:
        """A model process is gone: ask again for what it was handed, and replace it."""
        self._end(link)
        if not link.not_forked:
            self.on_process(link, False)
        has_more = self.state is State.DRAINING and (self._again or self._queue or self._receiving > 0)
        if self.state in (State.STARTING, State.READY) or has_more:
            self._workers.on_lost(link)
        else:
            self._workers.forget(link)
        self._dispatch()
        self.stop_if_drained()

    def on_import_failed(self, reason: str) -> None:
        """The template cannot import the predictor: at the start that is the end."""
        self.failure = reason
        if self.state is State.STARTING:
            self._advance(Event.GAVE_UP)

    def on_hopeless(self, reason: str) -> None:
        """No model process will ever load the model."""
        self.failure = self.failure or reason
        self._advance(Event.GAVE_UP)

    def _on_loaded(self, link: ModelLink, message: dict[str, Any]) -> None:
        self.introduction = message
        self.policy.joins = message["joins"]
        if self.state is State.STARTING:
            log.event("ready", pid=link.pid)
        self._advance(Event.LOADED)
        self._workers.on_loaded(link)
        self.on_process(link, True)
        self._dispatch()

    def _end(self, link: ModelLink) -> None:
        """What to do with the invocations of a process that is gone."""
        lost: InvocationError = PredictError("the model process ended while it answered this invocation")
        if self._is_closed:
            lost = UnavailableError("the server is stopping")  # by which it was ended, and there will be no other
        for invocation in link.waiting:
            self.queue_bytes -= invocation.size
            self._refuse(invocation, lost)
        link.waiting.clear()
        is_culprit_known = len(link.held) == 1 and not link.has_lost_conversations
        again: list[Invocation] = []
        for invocation in link.take_held():
            has_had_its_turn = is_culprit_known or invocation.is_alone or invocation.has_begun or invocation.is_left
            if has_had_its_turn or invocation.pinned is not None or self._is_closed:
                self._refuse(invocation, lost)
                continue
            again.append(invocation)
            self.queue_bytes += invocation.size
        self._again.add(again, is_concurrent=link.is_concurrent)

    def _dispatch(self) -> None:
        now = self._now()
        limit = self.policy.limit
        queue = self._queue
        has_pinned = False
        if self._again:
            self._again.hand_out(self._workers.loaded, lambda link, group: self._hand_over(link, group, now))
        for link in self._links.values():
            if link.lingers_for and (len(queue) >= link.lingers_for or link.waiting):
                link.lingers_for = 0
            if link.waiting:
                has_pinned = True
                if not queue or link.waiting[0].arrived <= queue[0].arrived:
                    self._hand_over_pinned(link, now)
        self._share_out(now, limit)
        if has_pinned:  # those that came later than what waits for anybody have what that left
            for link in self._links.values():
                self._hand_over_pinned(link, now)

    def _share_out(self, now: float, limit: int) -> None:
        """Hand what any process may answer to those that have room."""
        queue = self._queue
        # More than once where one has less room than its share: what it leaves is for the others.
        while queue and (free := [(room, link) for link in self._links.values() if (room := link.room(limit))]):
            if self._may_wait(now, limit):
                return
            if len(free) > 1:
                free.sort(key=lambda pair: len(pair[1].held))
            for place, (room, link) in enumerate(free):
                share = -(-len(queue) // (len(free) - place))
                self._hand_over(link, [queue.popleft() for _ in range(min(room, share))], now)
                if not queue:
                    return

    def _hand_over_pinned(self, link: ModelLink, now: float) -> None:
        """Hand a process what it alone can answer."""
        if link.waiting and (room := link.room(1)):
            self._hand_over(link, [link.waiting.popleft() for _ in range(min(room, len(link.waiting)))], now)

    def _hand_over(self, link: ModelLink, invocations: list[Invocation], now: float) -> None:
        for invocation in invocations:
            self.queue_bytes -= invocation.size
        link.send(invocations, now)

    def _may_wait(self, now: float, limit: int) -> bool:
        """Whether what waits should wait for others, as the project wishes; it is then looked at again in time."""
        delay = self.policy.max_delay_s
        if not delay or not self.policy.joins or len(self._queue) >= limit or self.state is not State.READY:
            return False
        left = self._queue[0].arrived + delay - now
        if left <= 0:
            return False
        self._loop.call_later(left, self._dispatch)
        return True

    def _end_linger(self, link: ModelLink, since: float) -> None:
        if link.since == since:  # it has not been handed anything meanwhile
            link.lingers_for = 0
            self._dispatch()

    def _refuse(self, invocation: Invocation, error: InvocationError) -> None:
        self._tell_refusal(invocation, error)
        invocation.free_block()

    def _tell_refusal(self, invocation: Invocation, error: InvocationError) -> None:
        status = answers.CLIENT_LEFT if invocation.is_left else invocation.refuse(error)
        self._ledger.refused(invocation, status, self._now())

    def _tick(self) -> None:
        """Refuse what is too late, and kill what has been at it for too long."""
        now = self._now()
        late = self._again.drain(lambda group: self._deadlines.take_late(group, now))
        for queue in (self._queue, *(link.waiting for link in self._links.values())):
            late += self._deadlines.take_late(queue, now)
        for invocation in late:
            self.queue_bytes -= invocation.size
            invocation.free_block()
            self._turn.soon()
        for link in self._links.values():
            self._deadlines.watch(link, now)
        if self.state not in (State.STOPPED, State.FAILED):
            self._loop.call_later(_TICK_S, self._tick)

    def _advance(self, event: Event) -> None:
        before, self.state = self.state, advance(self.state, event)
        if self.state is not before and self.state in (State.STOPPED, State.FAILED):
            self._on_end()

    def stop_if_drained(self) -> None:
        """Something has ended: when nothing else is under way, and SIGTERM has come, all is done."""
        is_waiting = self._receiving > 0 or self._queue or self._again
        is_busy = is_waiting or any(link.is_busy or link.waiting for link in self._links.values())
        if self.state is State.DRAINING and not is_busy:
            self._advance(Event.DRAINED)

    def _wait_for_no_more_bodies(self) -> None:
        self._receiving = 0
        self.stop_if_drained()
