"""What a container loads while it runs: models of a multi-model endpoint, or adapters of an inference component.

Each is fetched when it is first asked for, loaded once however many ask, and unloaded when the container, the option
of a number or the disk has no room for another: the least recently used goes first, of those that no invocation uses;
where all are used, the next has to wait.

Source:
    https://docs.aws.amazon.com/sagemaker/latest/dg/multi-model-endpoints.html and mms-container-apis.html: 507 has
    others unloaded, a first invocation waits for 60 seconds and loading goes on until 360 (read 2026-11-22).
"""

import asyncio
import hashlib
import shutil
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from argosy.errors import ArgosyError, ContainerError
from argosy.simulator import answers
from argosy.simulator.answers import Answer, Place
from argosy.simulator.connection import Reply
from argosy.simulator.health import Report
from argosy.simulator.hosting import refusals
from argosy.simulator.hosting.artifacts import fetch, size_of
from argosy.simulator.hosting.backend import Refused
from argosy.simulator.hosting.definition import ArtifactSource
from argosy.simulator.storage.objects import ObjectStore

NOT_LOADED: Final = 404
LOADED_ALREADY: Final = 409
NO_ROOM: Final = 507

Failure = Callable[[Place], Answer]
"""What a client gets for something that could not be loaded, by the place that error texts name."""


@dataclass(frozen=True, slots=True)
class CacheOptions:
    """How much is kept loaded, and how long loading may take.

    UNSURE: how many models SageMaker keeps in a container and on its disk before one of the two has no room.

    Attributes:
        wait_s: How long an invocation waits for what it needs; then it is told to come again.
        load_s: How long fetching and loading may take altogether.
        max_loaded: The most that are loaded at a time; None leaves that to the container's 507.
        max_disk_bytes: The most that the fetched artifacts take together; None leaves that to the disk.
    """

    wait_s: float = 60.0
    load_s: float = 360.0
    max_loaded: int | None = None
    max_disk_bytes: int | None = None


class LoadApi(Protocol):
    """How a container is told to load and unload."""

    def name(self, target: str) -> str:
        """What the container calls what clients call `target`."""

    async def load(self, name: str, path: str, target: str) -> Reply:
        """Load `name` from a folder that the container sees; `target` is what clients call it.

        Raises:
            ContainerError: No answer.
        """

    async def unload(self, name: str) -> Reply:
        """Unload `name`; its memory is free when that is answered.

        Raises:
            ContainerError: No answer.
        """


@dataclass(frozen=True, slots=True)
class Room:
    """Where fetched artifacts lie.

    Attributes:
        store: Where `s3://` leads.
        folder: On this machine.
        seen_at: The same folder as the container sees it.
    """

    store: ObjectStore
    folder: Path
    seen_at: str


class Entry:
    """One model or adapter; changed by its cache alone.

    Attributes:
        target: What clients call it.
        name: What the container calls it.
        folder: Name of the folder with its artifacts.
        source: Where it is fetched from.
        users: Invocations under way.
    """

    def __init__(self, target: str, name: str, source: ArtifactSource) -> None:
        self.target = target
        self.name = name
        self.folder = opaque_name(target)
        self.source = source
        self.users = 0
        self.used = 0
        self.size = 0
        self.is_fetched = False
        self.is_loaded = False
        self.is_asking = False
        self.is_leaving = False
        self.lock = asyncio.Lock()
        self.loading: asyncio.Task[Failure | None] | None = None
        self.fetching: asyncio.Future[None] | None = None
        self.dropping: asyncio.Task[None] | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nobody uses it, and nothing is being done to it."""
        return not self.users and not self.lock.locked()

    @property
    def is_inside(self) -> bool:
        """Whether it takes room in the container, or may."""
        return self.is_loaded or self.is_asking or self.is_leaving

    @property
    def is_blank(self) -> bool:
        """Whether another one of its name can take its place: it is nowhere, and on its way nowhere."""
        is_under_way = self.loading is not None or self.fetching is not None
        return self.is_idle and not (is_under_way or self.is_fetched or self.is_inside)


class ModelCache:
    """What one container has loaded.

    Args:
        api: Tells the container.
        room: Where artifacts lie.
        options: Limits.
        report: Takes what a person should know, one line each.
        is_kept: False unloads everything right after its invocation: `ModelCacheSetting` is Disabled.
    """

    def __init__(self, api: LoadApi, room: Room, options: CacheOptions, report: Report, is_kept: bool = True) -> None:
        self._api = api
        self._room = room
        self._options = options
        self._report = report
        self._is_kept = is_kept
        self._entries: dict[str, Entry] = {}
        self._clock = 0
        self._unloads = 0
        self._change = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    async def enter(self, target: str, source: ArtifactSource, place: Place) -> Entry:
        """Have something loaded, and count one more user of it until `leave`.

        Raises:
            Refused: It is not there, cannot be loaded, or is still loading after `wait_s`.
        """
        entry = self._entries.get(target)
        if entry is None:
            entry = self._entries[target] = Entry(target, self._api.name(target), source)
        elif entry.loading is None and not entry.is_fetched:
            entry.source = source  # it was removed and made anew while some invocation still used it
        entry.users += 1
        try:
            await self._have_loaded(entry, place)
        except BaseException:
            self.leave(entry)
            raise
        return entry

    def leave(self, entry: Entry) -> None:
        """Count one user less."""
        entry.users -= 1
        self._tell_change()
        if not self._is_kept and not entry.users and entry.is_loaded and not self._is_closed:
            # At once: whoever enters now has to wait until it is unloaded, and load it again.
            entry.is_loaded, entry.is_leaving = False, True
            entry.dropping = self._spawn(self._drop(entry))
        self._forget(entry)

    def _forget(self, entry: Entry) -> None:
        """Keep nothing of what is not there: clients can ask for any number of names."""
        if entry.is_blank and self._entries.get(entry.target) is entry:
            del self._entries[entry.target]

    async def again(self, entry: Entry, place: Place, status: int) -> bool:
        """Mend what kept a container from answering; whether the invocation should be sent again.

        Args:
            entry: What was invoked.
            place: For the texts of errors.
            status: The container's: 404 has it loaded again, 507 has another one unloaded.

        Raises:
            Refused: It cannot be loaded again.
        """
        if status == NOT_LOADED:
            entry.is_loaded = False
            await self._have_loaded(entry, place)
            return True
        return status == NO_ROOM and await self._evict(entry)

    async def remove(self, target: str) -> None:
        """Unload something for good and remove its artifacts."""
        entry = self._entries.get(target)
        if entry is None:
            return
        # What is still being done to this one must be over before another one of its name has the same folder.
        while under_way := {task for task in (entry.loading, entry.dropping) if task is not None and not task.done()}:
            await asyncio.wait(under_way)
        await self._drop(entry)

    async def close(self) -> None:
        """Load nothing more; returns when nothing is fetched any more. Invocations under way may still leave."""
        self._is_closed = True
        tasks = [*self._tasks, *(entry.loading for entry in self._entries.values() if entry.loading is not None)]
        for task in tasks:
            task.cancel()
        fetching = [entry.fetching for entry in self._entries.values() if entry.fetching is not None]
        await asyncio.gather(*tasks, *fetching, return_exceptions=True)

    async def _have_loaded(self, entry: Entry, place: Place) -> None:
        self._clock += 1
        entry.used = self._clock
        if entry.is_loaded:
            return
        if self._is_closed:
            raise Refused(answers.service_unavailable("the endpoint is being deleted"))
        if entry.loading is None:
            entry.loading = asyncio.create_task(self._load(entry))
        loading = entry.loading
        done, _ = await asyncio.wait({loading}, timeout=self._options.wait_s)
        if not done:
            raise Refused(answers.model_not_ready(f"{entry.target} is still loading after {self._options.wait_s:g} s"))
        if loading.cancelled():
            raise Refused(answers.service_unavailable("the endpoint is being deleted"))
        failure = loading.result()
        if failure is not None:
            raise Refused(failure(place))

    async def _load(self, entry: Entry) -> Failure | None:
        """Fetch and load; None, or why not."""
        try:
            async with asyncio.timeout(self._options.load_s), entry.lock:
                await self._fetch(entry)
                return await self._tell(entry)
        except TimeoutError:
            note = f"{entry.target} was not loaded within {self._options.load_s:g} s"
            return partial(answers.no_response, note=note)
        except ContainerError as error:
            return partial(answers.no_answer, error=error)
        except (ArgosyError, OSError) as error:
            answer = refusals.not_downloaded(entry.source.url, str(error))
            return lambda _place: answer
        finally:
            entry.loading = None
            self._forget(entry)

    async def _fetch(self, entry: Entry) -> None:
        """The artifacts, on this machine; one fetching goes on when whoever waits for it does not any more."""
        if entry.is_fetched:
            return
        if entry.fetching is None:
            target = self._room.folder / entry.folder / "model"
            fetching = partial(fetch, entry.source, self._room.store, target)
            entry.fetching = asyncio.ensure_future(asyncio.to_thread(fetching))
        try:
            await asyncio.shield(entry.fetching)
        finally:
            if entry.fetching.done():
                entry.fetching = None
        entry.is_fetched = True
        entry.size = await asyncio.to_thread(size_of, self._room.folder / entry.folder)
        await self._make_room_on_disk(entry)

    async def _tell(self, entry: Entry) -> Failure | None:
        """Have the container load, and others unloaded as long as it has no room."""
        limit = self._options.max_loaded
        while limit is not None and self._beside(entry) >= limit and await self._free(entry):
            pass
        while True:
            entry.is_asking, unloads = True, self._unloads
            try:
                reply = await self._api.load(entry.name, f"{self._room.seen_at}/{entry.folder}/model", entry.target)
                entry.is_loaded = 200 <= reply.status < 300 or reply.status == LOADED_ALREADY
            finally:
                entry.is_asking = False
                self._tell_change()
            if entry.is_loaded:
                return None
            if reply.status != NO_ROOM:
                break
            if unloads == self._unloads and not await self._free(entry):  # else there is room since the answer
                break
        await self._remove_files(entry)  # who mends the archive is not kept waiting by the old one
        return partial(answers.model_error, status=reply.status, body=reply.body)

    def _beside(self, entry: Entry) -> int:
        """How many others are in the container, or on their way into it or out of it."""
        return sum(other.is_inside for other in self._entries.values() if other is not entry)

    async def _free(self, entry: Entry) -> bool:
        """Make room, or wait until there may be some; False when nothing else takes any."""
        if await self._evict(entry):
            return True
        if not self._beside(entry):
            return False
        await self._change.wait()
        return True

    async def _evict(self, entry: Entry) -> bool:
        """Unload the least recently used of the others that nobody is using; False when there is none."""
        idle = [other for other in self._entries.values() if other.is_idle and other.is_loaded and other is not entry]
        if not idle:
            return False
        victim = min(idle, key=_last_use)
        self._report(f"{victim.target} is unloaded to make room for {entry.target}")
        await self._unload(victim)
        return True

    def _tell_change(self) -> None:
        """Wake those who wait for room."""
        self._change.set()
        self._change = asyncio.Event()

    async def _unload(self, entry: Entry) -> None:
        """Unload; the artifacts stay on the disk, as they do on SageMaker."""
        entry.is_loaded, entry.is_leaving = False, True
        try:
            async with entry.lock:
                with suppress(ContainerError):  # a container that does not answer has more to tell than this
                    reply = await self._api.unload(entry.name)
                    if not 200 <= reply.status < 300 and reply.status != NOT_LOADED:
                        self._report(f"{entry.target} was not unloaded: the container answered {reply.status}")
        finally:
            entry.is_leaving = False
            self._unloads += 1
            self._tell_change()

    async def _drop(self, entry: Entry) -> None:
        await self._unload(entry)
        async with entry.lock:
            if not entry.is_loaded:
                await self._remove_files(entry)
        self._forget(entry)

    async def _make_room_on_disk(self, entry: Entry) -> None:
        """Remove artifacts until those that are left fit; those that are not loaded go first."""
        limit = self._options.max_disk_bytes
        while limit is not None and sum(other.size for other in self._entries.values() if other.is_fetched) > limit:
            others = [
                other for other in self._entries.values() if other.is_fetched and other.is_idle and other is not entry
            ]
            if not others:
                return
            victim = min(others, key=lambda other: (other.is_loaded, _last_use(other)))
            self._report(f"{victim.target} is removed from the disk to make room for {entry.target}")
            await self._drop(victim)

    async def _remove_files(self, entry: Entry) -> None:
        entry.is_fetched = False
        await asyncio.to_thread(shutil.rmtree, self._room.folder / entry.folder, ignore_errors=True)

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def opaque_name(target: str) -> str:
    """What a container is told to call something: it says nothing, has no slash, and is always the same.

    >>> opaque_name("iris/v1.tar.gz")
    '8fcbec610f0e583309a86286f098464b'
    """
    return hashlib.sha256(target.encode(errors="surrogateescape")).hexdigest()[:32]


def _last_use(entry: Entry) -> int:
    """When it was last asked for."""
    return entry.used
