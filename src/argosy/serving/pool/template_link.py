"""The front's end of the control socket to the template process, which is started again when it dies."""

import asyncio
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import orjson

from argosy.serving import log, memory
from argosy.serving.frames import FORK_REQUEST

_FIRST_PAUSE_S: Final = 0.05
_LONGEST_PAUSE_S: Final = 5.0
_DOUBLINGS: Final = 10
_EXIT_S: Final = 5.0
"""How long the template's word about the end of a process is waited for."""
_REMEMBERED: Final = 64
"""Model processes that have ended, whose exit codes may still be asked for."""

SpawnTemplate = Callable[[], tuple[int, socket.socket]]


class End(NamedTuple):
    """How a model process has ended.

    Attributes:
        code: Its exit code, negative for the signal that killed it.
        is_memory: Whether that was the kernel, because memory had run out.
    """

    code: int
    is_memory: bool


def pause_after(failures: int) -> float:
    """Seconds until what has failed so many times in a row is tried again.

    >>> pause_after(1), pause_after(1_000_000)
    (0.1, 5.0)
    """
    return min(_FIRST_PAUSE_S * (1 << min(failures, _DOUBLINGS)), _LONGEST_PAUSE_S)


class ForkOwner(Protocol):
    """Who asked for a model process."""

    def on_forked(self, number: int, pid: int) -> None:
        """The process that was asked for by this number runs."""

    def on_exited(self, number: int) -> None:
        """The process that was asked for by this number has ended, even if a child of its own still holds its link."""

    def on_import_failed(self, reason: str) -> None:
        """The template cannot import the predictor, or load it before it forks."""

    def on_template_ended(self, failures: int) -> None:
        """The template has ended, so many times since a model was last loaded; it is started again."""

    def on_template_started(self) -> None:
        """Another template runs: what is missing can be asked for."""


class Template:
    """The template process as the front knows it.

    Args:
        spawn: Starts a template process; called again when it dies.
    """

    def __init__(self, spawn: SpawnTemplate) -> None:
        self._spawn = spawn
        self._control: socket.socket | None = None
        self._rest = b""
        self._owners: list[ForkOwner] = []
        self._asked: dict[int, ForkOwner] = {}
        self._last_number = 0
        self._failures = 0
        self._is_closed = False
        self._numbers: dict[int, int] = {}  # of the processes that run, by process id
        self._running: dict[int, asyncio.Future[End | None]] = {}
        self._ended: dict[int, End | None] = {}
        self._killed_for_memory = memory.killed()
        self.has_imported = False

    def add(self, owner: ForkOwner) -> None:
        """Tell this owner what happens to the template."""
        self._owners.append(owner)

    def remove(self, owner: ForkOwner) -> None:
        """Tell this owner nothing more."""
        self._owners.remove(owner)

    def start(self) -> None:
        """Start the first template process."""
        _, self._control = self._spawn()
        self._control.setblocking(False)
        self._rest = b""
        asyncio.get_running_loop().add_reader(self._control, self._read)

    def next_number(self) -> int:
        """A number that no model process has had."""
        self._last_number += 1
        return self._last_number

    def fork(self, owner: ForkOwner, number: int, seat: int, seats: int, model_dir: Path) -> socket.socket | None:
        """Ask for a model process.

        Args:
            owner: Is told when it runs.
            number: Names it in messages.
            seat: Which of the places it takes.
            seats: How many places there are.
            model_dir: The folder of the artifacts.

        Returns:
            The front's end of the socket pair to it, or None when the template is gone: the owner hears of the next.

        Raises:
            OSError: It cannot be asked for just now: too many open files, or no room for the request.
        """
        if self._control is None:
            return None
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        told = orjson.dumps({"number": number, "seat": seat, "seats": seats, "model_dir": str(model_dir)})
        try:
            socket.send_fds(self._control, [FORK_REQUEST.pack(len(told)) + told], [theirs.fileno()])
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        self._asked[number] = owner
        self._running[number] = asyncio.get_running_loop().create_future()
        return ours

    def close(self) -> None:
        """Let the template end; model processes that run are not touched."""
        self._is_closed = True
        self._hang_up()

    def loaded(self) -> None:
        """A model process has loaded its model: the failures before do not count any more."""
        self._failures = 0

    def forget(self, number: int) -> None:
        """There never was a process for this number."""
        self._asked.pop(number, None)
        self._resolve(number, None)

    async def end(self, number: int) -> End | None:
        """Wait until a model process has ended, and its memory is free.

        Args:
            number: The one by which it was asked for.

        Returns:
            How; None when no template is there to tell.
        """
        running = self._running.get(number)
        return await asyncio.shield(running) if running is not None else self._ended.get(number)

    async def end_of_lost(self, number: int) -> End | None:
        """How a model process has ended whose link is lost; None when nobody tells for seconds."""
        try:
            return await asyncio.wait_for(self.end(number), _EXIT_S)
        except TimeoutError:
            return None

    async def was_killed(self, number: int) -> bool:
        """Whether a model process that is gone was ended by SIGKILL, as the kernel does when memory runs out."""
        end = await self.end_of_lost(number)
        return end is not None and end.code == -signal.SIGKILL

    def _hang_up(self) -> None:
        if self._control is not None:
            asyncio.get_running_loop().remove_reader(self._control)
            self._control.close()
            self._control = None

    def _read(self) -> None:
        assert self._control is not None  # it is only read while it is open
        try:
            chunk = self._control.recv(65_536)
        except BlockingIOError:
            return
        except ConnectionResetError:
            chunk = b""
        if not chunk:
            self._hang_up()
            self._restart()
            return
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._take(orjson.loads(line))

    def _take(self, message: dict[str, Any]) -> None:
        match message["event"]:
            case "imported":
                self.has_imported = True
                for owner in list(self._owners):
                    owner.on_template_started()
            case "forked":
                asked = self._asked.pop(message["number"], None)
                self._numbers[message["pid"]] = message["number"]
                if asked is not None:
                    asked.on_forked(message["number"], message["pid"])
            case "failed":
                for owner in list(self._owners):
                    owner.on_import_failed(message["message"])
            case "exited":
                self._note_end(message["pid"], message["code"])

    def _note_end(self, pid: int, code: int) -> None:
        if code != -signal.SIGKILL:
            self._killed_for_memory = memory.killed()  # what the kernel killed till then was somebody else
        end = End(code, code == -signal.SIGKILL and self._ran_out_of_memory())
        if code != 0:
            log.event("model-process-ended", pid=pid, code=code, is_memory=end.is_memory)
        number = self._numbers.pop(pid, None)
        if number is not None:
            self._resolve(number, end)
            for owner in list(self._owners):
                owner.on_exited(number)

    def _ran_out_of_memory(self) -> bool:
        """Whether the kernel has killed a process of this control group for memory that is not accounted for yet."""
        is_one = memory.killed() > self._killed_for_memory
        self._killed_for_memory += is_one
        return is_one

    def _resolve(self, number: int, end: End | None) -> None:
        self._ended[number] = end
        if len(self._ended) > _REMEMBERED:
            del self._ended[next(iter(self._ended))]
        running = self._running.pop(number, None)
        if running is not None:
            running.set_result(end)

    def _restart(self) -> None:
        self._asked.clear()
        self._numbers.clear()
        for number in list(self._running):
            self._resolve(number, None)
        if self._is_closed:
            return
        log.event("template-ended")
        self._failures += 1
        for owner in list(self._owners):
            owner.on_template_ended(self._failures)
        asyncio.get_running_loop().call_later(pause_after(self._failures), self._start_again)

    def _start_again(self) -> None:
        if self._is_closed:
            return
        try:
            self.start()
        except OSError as error:  # no room for another process just now
            log.failure("template-not-started", error)
            self._restart()
