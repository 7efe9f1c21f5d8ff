"""The front process: uvicorn over a socket that was opened long before uvicorn was imported."""

import asyncio
import contextlib
import math
import os
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any, Final

import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from argosy.errors import LoadError
from argosy.serving import log
from argosy.serving.arena import Arena
from argosy.serving.front import short_path
from argosy.serving.front.pool import Pool
from argosy.serving.front.readiness import State
from argosy.serving.front.routes import Application
from argosy.serving.settings import Settings

_DRAIN_S: Final = 25.0
"""Under the 30 s after which SIGKILL comes (`contract.STOP_GRACE`)."""
_CLOSE_S: Final = 28.0
"""After SIGTERM: until then a slow reader gets the rest of its answer."""
_REAP_S: Final = 1.0
_KEEP_ALIVE_S: Final = 600
"""The platform keeps its connections; whoever closes first loses the request that is on its way."""


def run(listener: socket.socket, settings: Settings, arena: Arena, spawn: Callable[[], tuple[int, Any]]) -> None:
    """Serve until SIGTERM or SIGINT, then finish what was taken and return.

    Args:
        listener: The bound and listening socket.
        settings: What the server is told from outside.
        arena: Where large bodies lie.
        spawn: Starts a template process; the first may have been started already.

    Raises:
        LoadError: The model cannot be loaded, or its processes end again and again.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(listener, settings, arena, spawn))


async def _serve(
    listener: socket.socket, settings: Settings, arena: Arena, spawn: Callable[[], tuple[int, Any]]
) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    pool = Pool(settings, arena, spawn, on_end=ended.set)

    closing_at = math.inf

    def drain() -> None:
        nonlocal closing_at
        closing_at = min(closing_at, loop.time() + _CLOSE_S)
        pool.drain()
        loop.call_later(_DRAIN_S, ended.set)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, drain)
    application = Application(pool, settings.workers, settings.max_body_bytes)
    server = _Server(_config(application, settings))
    _reap(loop)
    pool.start()
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    await ended.wait()
    application.stop_receiving()
    server.config.timeout_graceful_shutdown = max(1, int(min(closing_at - loop.time(), _CLOSE_S)))
    server.should_exit = True
    pool.close()
    await serving
    if pool.state is State.FAILED:
        raise LoadError(pool.failure or "the model cannot be loaded")


def _config(application: Application, settings: Settings) -> uvicorn.Config:
    is_short = settings.short_path and short_path.seam_fits()
    if settings.short_path and not is_short:
        log.event("no-short-path", uvicorn=uvicorn.__version__)
    return uvicorn.Config(
        application,
        http=short_path.ShortPath.bound(application.pool, settings.max_body_bytes) if is_short else HttpToolsProtocol,
        ws="none",
        loop="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
    )


class _Server(uvicorn.Server):
    """uvicorn's server without its signal handlers: it would end the process by the signal, which is not 0."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _reap(loop: asyncio.AbstractEventLoop) -> None:
    """Collect ended children now and then: as PID 1 this process inherits those of a template that died.

    On a timer, because uvloop keeps SIGCHLD to itself.
    """
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    loop.call_later(_REAP_S, _reap, loop)
