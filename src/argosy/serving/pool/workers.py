"""The model processes of one model: started, counted, replaced when they die."""

import asyncio
import math
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Final, Protocol

from argosy.serving import log, memory
from argosy.serving.front.metrics import Ending, Metrics
from argosy.serving.pool.model_link import LinkOwner, ModelLink
from argosy.serving.pool.template_link import End, Template, pause_after
from argosy.serving.settings import Settings

FAILURES_BEFORE_GIVING_UP: Final = 5
"""Processes in a row that died before they had loaded, with no other alive."""
_LAST_WORDS_S: Final = 0.1
"""How long the answers of a process that has ended are still read."""
_FAULTS: Final = (
    signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSYS, signal.SIGTRAP
)  # fmt: skip
"""Signals that a process gets for what it does itself."""


class Owner(LinkOwner, Protocol):
    """Who is told what happens to the processes and on their links."""

    def on_import_failed(self, reason: str) -> None:
        """The template cannot import the predictor, or load it before it forks."""

    def on_hopeless(self, reason: str) -> None:
        """No process will ever load the model."""


class Workers:
    """The model processes of one model.

    When nobody told how many there should be, the first one loads alone; what it then holds for itself decides how many
    more the memory has room for.

    Args:
        owner: Who is told what happens on their links.
        template: What forks them.
        settings: How many there should be.
        model_dir: The folder of the artifacts.
        metrics: Where it is counted why one had to be replaced.
    """

    def __init__(self, owner: Owner, template: Template, settings: Settings, model_dir: Path, metrics: Metrics) -> None:
        self._owner = owner
        self._template = template
        self._settings = settings
        self._model_dir = model_dir
        self._metrics = metrics
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._not_started = 0
        self._retry: asyncio.TimerHandle | None = None
        self._wanted = 1 if settings.workers_are_chosen else settings.workers
        self._is_chosen = not settings.workers_are_chosen
        self._is_closed = False
        self._failures = 0
        self.links: dict[int, ModelLink] = {}

    @property
    def loaded(self) -> list[ModelLink]:
        """Those that live and have loaded the model."""
        return [link for link in self.links.values() if link.is_loaded]

    def start(self) -> None:
        """Ask the template for the first ones."""
        self._template.add(self)
        self._fill()

    def _fill(self) -> None:
        """Ask for what is missing; what cannot be started now is tried again, for as long as it takes."""
        for _ in range(self._wanted - len(self.links)):
            if self._retry is None:  # else it is too early
                self._fork()

    def on_loaded(self, link: ModelLink) -> None:
        """A process has loaded the model."""
        self._failures = self._not_started = 0
        self._template.loaded()
        if not self._is_chosen:
            self._is_chosen = True
            self._wanted = self._choose(link)
            log.event("workers", count=self._wanted, processors=self._settings.workers)
            self._fill()

    def on_lost(self, link: ModelLink) -> None:
        """A process is gone: replace it, at once the first time; or it never was, and is tried again later."""
        self.forget(link)
        if self._is_closed:
            return
        if link.not_forked:
            self._try_again_later(link.not_forked)
            return
        self._keep(self._count(link))
        self._failures = 0 if link.has_loaded else self._failures + 1
        if self._failures >= FAILURES_BEFORE_GIVING_UP and not self.loaded:
            self._owner.on_hopeless(f"{self._failures} model processes in a row ended before they had loaded")
            return
        # The first replacement comes at once; only what keeps dying waits.
        pause = pause_after(self._failures) if self._failures > 1 else 0.0
        self._loop.call_later(pause, self._fill)

    def forget(self, link: ModelLink) -> None:
        """A process is gone, or never was."""
        self.links.pop(link.number, None)
        if link.not_forked:
            self._template.forget(link.number)

    def on_forked(self, number: int, pid: int) -> None:
        """A process runs."""
        link = self.links.get(number)
        if link is not None:
            link.pid = pid

    def on_exited(self, number: int) -> None:
        """A process has ended: its link ends with it, unless a child of its own holds the other end."""
        link = self.links.get(number)
        if link is not None:
            self._loop.call_later(_LAST_WORDS_S, link.abort)

    def on_import_failed(self, reason: str) -> None:
        """The template cannot import the predictor."""
        self._owner.on_import_failed(reason)

    def on_template_ended(self, failures: int) -> None:
        """The template has ended; it is started again as long as there is hope."""
        if failures >= FAILURES_BEFORE_GIVING_UP and not self.loaded:
            self._owner.on_hopeless("the template process ends again and again")

    def on_template_started(self) -> None:
        """Another template runs: ask it for what is missing."""
        self._fill()

    def close(self) -> None:
        """End them; those that load or answer are killed, nothing else would tell them to."""
        self._is_closed = True
        self._template.remove(self)
        for link in self.links.values():
            if link.is_loaded and not link.is_busy:
                link.close()
            else:
                link.kill()

    def _fork(self) -> None:
        if self._is_closed:
            return
        taken = {link.seat for link in self.links.values()}
        seat = next(number for number in range(len(taken) + 1) if number not in taken)
        link = ModelLink(self._owner, self._template.next_number(), seat)
        try:
            end = self._template.fork(self, link.number, seat, self._settings.workers, self._model_dir)
        except OSError as error:
            self._try_again_later(str(error.strerror))
            return
        if end is None:
            return  # the template is gone; when the next one runs, what is missing is asked for
        self.links[link.number] = link
        self._keep(link.open(end))

    def _try_again_later(self, reason: str) -> None:
        """A process cannot be started: that says nothing about the model, so it is no reason to give up."""
        if self._retry is not None:
            return
        self._not_started += 1
        pause = pause_after(self._not_started)
        log.event("model-process-not-started", got=reason, again_in_s=pause)
        self._retry = self._loop.call_later(pause, self._try_again)

    def _try_again(self) -> None:
        self._retry = None
        self._fill()

    async def _count(self, link: ModelLink) -> None:
        """Count why a process had to be replaced, when the template has told how it ended."""
        self._metrics.process_ended(_ending(link, await self._template.end_of_lost(link.number)))

    def _keep(self, work: Coroutine[None, None, None]) -> None:
        """Do something beside all else."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _choose(self, first: ModelLink) -> int:
        at_most = self._settings.workers
        if first.pid is None or at_most == 1:
            return at_most
        private, available = memory.private_bytes(first.pid), memory.available_bytes()
        return (
            at_most if private is None or available is None else memory.workers_by_memory(private, available, at_most)
        )


def _ending(link: ModelLink, end: End | None) -> Ending:
    if link.since == math.inf:
        return "stuck"
    if end is None:
        return "unknown"
    if end.code >= 0:
        return "exited"
    return "memory" if end.is_memory else "crashed" if -end.code in _FAULTS else "killed"
