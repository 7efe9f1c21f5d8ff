"""The model processes of one model: started, counted, replaced when they die."""

import asyncio
from pathlib import Path
from typing import Final, Protocol

from argosy.serving import log, memory
from argosy.serving.pool.model_link import LinkOwner, ModelLink
from argosy.serving.pool.template_link import FIRST_PAUSE_S, LONGEST_PAUSE_S, ForkOwner, Template
from argosy.serving.settings import Settings

FAILURES_BEFORE_GIVING_UP: Final = 5
"""Processes in a row that died before they had loaded, with no other alive."""


class Owner(LinkOwner, ForkOwner, Protocol):
    """Who is told what happens to the processes and on their links."""


class Workers:
    """The model processes of one model.

    When nobody told how many there should be, the first one loads alone; what it then holds for itself decides how many
    more the memory has room for.

    Args:
        owner: Who is told what happens on their links.
        template: What forks them.
        settings: How many there should be.
        model_dir: The folder of the artifacts.
    """

    def __init__(self, owner: Owner, template: Template, settings: Settings, model_dir: Path) -> None:
        self._owner = owner
        self._template = template
        self._settings = settings
        self._model_dir = model_dir
        self._loop = asyncio.get_running_loop()
        self._opening: set[asyncio.Task[None]] = set()
        self._wanted = 1 if settings.workers_are_chosen else settings.workers
        self._is_chosen = not settings.workers_are_chosen
        self._is_closed = False
        self.links: dict[int, ModelLink] = {}
        self.failures = 0

    @property
    def loaded(self) -> list[ModelLink]:
        """Those that live and have loaded the model."""
        return [link for link in self.links.values() if link.is_loaded]

    @property
    def should_give_up(self) -> bool:
        """Whether so many died before they had loaded that no other will do better."""
        return self.failures >= FAILURES_BEFORE_GIVING_UP and not self.loaded

    def fill(self) -> None:
        """Ask for what is missing."""
        for _ in range(self._wanted - len(self.links)):
            self._fork()

    def on_loaded(self, link: ModelLink) -> None:
        """A process has loaded the model."""
        self.failures = 0
        self._template.loaded()
        if not self._is_chosen:
            self._is_chosen = True
            self._wanted = self._choose(link)
            log.event("workers", count=self._wanted, processors=self._settings.workers)
            self.fill()

    def on_lost(self, link: ModelLink) -> None:
        """A process is gone: replace it, at once the first time."""
        self.links.pop(link.number, None)
        self.failures = 0 if link.has_loaded else self.failures + 1
        if self._is_closed or self.should_give_up:
            return
        # The first replacement comes at once; only what keeps dying waits.
        pause = min(FIRST_PAUSE_S * 2**self.failures, LONGEST_PAUSE_S) if self.failures > 1 else 0.0
        self._loop.call_later(pause, self.fill)

    def close(self) -> None:
        """End them; those that load or answer are killed, nothing else would tell them to."""
        self._is_closed = True
        for link in self.links.values():
            if link.is_loaded and not link.is_busy:
                link.close()
            else:
                link.kill()

    def stop_replacing(self) -> None:
        """From here on who dies is not replaced."""
        self._is_closed = True

    def _fork(self) -> None:
        if self._is_closed:
            return
        taken = {link.seat for link in self.links.values()}
        seat = next(number for number in range(len(taken) + 1) if number not in taken)
        link = ModelLink(self._owner, self._template.next_number(), seat)
        end = self._template.fork(self._owner, link.number, seat, self._settings.workers, self._model_dir)
        if end is None:
            return  # the template is gone; when the next one runs, what is missing is asked for
        self.links[link.number] = link
        task = self._loop.create_task(link.open(end))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    def _choose(self, first: ModelLink) -> int:
        at_most = self._settings.workers
        if first.pid is None or at_most == 1:
            return at_most
        private, available = memory.private_bytes(first.pid), memory.available_bytes()
        return (
            at_most if private is None or available is None else memory.workers_by_memory(private, available, at_most)
        )
