"""The front process: uvicorn over a socket that was opened long before uvicorn was imported."""

import asyncio
import contextlib
import ctypes
import gc
import logging
import math
import os
import resource
import signal
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from argosy.errors import LoadError
from argosy.serving import log, memory
from argosy.serving.arena import Arena
from argosy.serving.front import bidirectional, seam
from argosy.serving.front.connections import Connection, Connections
from argosy.serving.front.execution_parameters import execution_parameters
from argosy.serving.front.gauges import GaugeReader
from argosy.serving.front.known_heads import KnownHeads
from argosy.serving.front.metrics import Metrics, emf_line
from argosy.serving.front.requests import BodyRoom, room_for_bodies
from argosy.serving.front.routes import Application, standard_pages
from argosy.serving.front.short_path import ShortPath
from argosy.serving.hosting.models import Models
from argosy.serving.hosting.site import OneModel, Shared
from argosy.serving.pool.pool import Pool
from argosy.serving.pool.template_link import Template
from argosy.serving.settings import Settings

_DRAIN_S: Final = 25.0
"""Under the 30 s after which SIGKILL comes (`contract.STOP_GRACE`)."""
_CLOSE_S: Final = 28.0
"""After SIGTERM: until then a slow reader gets the rest of its answer."""
_REAP_S: Final = 1.0
_WEB_SOCKET: Final = "argosy.serving.front.web_socket:WebSocket"
"""By its name: it is imported only where the library for it is installed."""
_KEPT_BYTES: Final = 64 * 2**20
_EMF_S: Final = 60.0
"""CloudWatch's own resolution."""
_FILES: Final = 65_536
"""Open files that are asked for: each connection is one."""
_OWN_FILES: Final = 256
"""Open files that are not connections: links, logs, and what uvicorn accepts before it is counted."""
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
    gc.freeze()  # what was imported stays
    gc.enable()
    log.never_block()
    _keep_memory()
    _log_as_lines()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(listener, settings, arena, spawn))


def _keep_memory() -> None:
    """Have the allocator keep what it was given: each body of some MB would else be mapped, zeroed and unmapped anew.

    Source:
        https://man7.org/linux/man-pages/man3/mallopt.3.html (read 2026-11-22): M_TRIM_THRESHOLD is -1, M_TOP_PAD -2,
        M_MMAP_THRESHOLD -3, 32 MB at most; setting one of them keeps glibc from adjusting the last by itself.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc's; musl and macOS have none
    if mallopt is not None:
        mallopt(-2, _KEPT_BYTES)
        mallopt(-1, 2 * _KEPT_BYTES)
        mallopt(-3, _KEPT_BYTES // 2)


def _log_as_lines() -> None:
    """What uvicorn has to say becomes lines of the log; that bytes were no HTTP is said in the answer, and counted."""
    logger = logging.getLogger("uvicorn.error")
    logger.addHandler(_Lines(logging.ERROR))
    logger.setLevel(logging.ERROR)
    logger.propagate = False


class _Lines(logging.Handler):
    """Writes records of Python's logging as lines of the log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, ConnectionAbortedError):
            return  # a streamed answer broke off, which was logged where it did
        if error is not None:
            log.failure("http-server", error, message=record.getMessage())
        else:
            log.event("http-server", message=record.getMessage())


async def _serve(
    listener: socket.socket, settings: Settings, arena: Arena, spawn: Callable[[], tuple[int, Any]]
) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    template = Template(spawn)
    counted = Metrics()
    shared = Shared(arena, template, counted)
    site = Models(settings, shared, ended.set) if settings.is_multi_model else OneModel(settings, shared, ended.set)

    closing_at = math.inf

    def drain() -> None:
        nonlocal closing_at
        closing_at = min(closing_at, loop.time() + _CLOSE_S)
        site.drain()
        loop.call_later(_DRAIN_S, ended.set)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, drain)
    connections = Connections(_most_connections())
    room = room_for_bodies(settings.receiving_bytes, settings.max_body_bytes, memory.available_bytes())
    reader = GaugeReader(site, connections, room)
    pages = standard_pages(site, lambda: execution_parameters(site, settings), lambda: counted.render(reader.read()))
    pool = site.model.pool if isinstance(site, OneModel) else None
    conversations = bidirectional.Bidirectional(pool, settings.streaming.concurrency) if pool is not None else None
    application = Application(site, settings.max_body_bytes, room, pages, conversations)
    server = _Server(_config(application, pool, settings, connections, room))
    _reap(loop)
    template.start()
    site.start()
    _publish(loop, counted, settings)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    await ended.wait()
    application.stop_receiving()
    if conversations is not None:
        await conversations.close()
    server.config.timeout_graceful_shutdown = max(1, int(min(closing_at - loop.time(), _CLOSE_S)))
    server.should_exit = True
    site.close()
    template.close()
    await serving
    if site.failure is not None:
        raise LoadError(site.failure)


def _config(
    application: Application, pool: Pool | None, settings: Settings, connections: Connections, room: BodyRoom
) -> uvicorn.Config:
    """How uvicorn serves; the short path is for the one model of a server that has no other."""
    fits = seam.fits()
    if not fits:
        log.event("no-short-path", uvicorn=uvicorn.__version__)
    protocol: type[HttpToolsProtocol] = Connection.bound(watched=connections, room=room) if fits else HttpToolsProtocol
    if fits and settings.short_path and pool is not None:
        known = {"watched": connections, "room": room, "max_body_bytes": settings.max_body_bytes}
        protocol = ShortPath.bound(pool=pool, heads=KnownHeads(), **known)
    return uvicorn.Config(
        application,
        http=protocol,
        ws=_WEB_SOCKET if pool is not None and bidirectional.is_installed() else "none",
        ws_max_size=settings.max_body_bytes,
        ws_ping_interval=None,  # the platform pings
        ws_per_message_deflate=False,  # SageMaker hands every frame through as it is
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


def _most_connections() -> int:
    """As many as there may be open files, less those that the server needs itself."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(16, (_FILES if soft == resource.RLIM_INFINITY else min(soft, _FILES)) - _OWN_FILES)


def _publish(loop: asyncio.AbstractEventLoop, counted: Metrics, settings: Settings) -> None:
    """Write the metric lines for CloudWatch every minute, when the project names a namespace."""
    namespace = settings.logs.emf_namespace
    if namespace is None:
        return
    last = counted.snapshot()

    def write() -> None:
        nonlocal last
        now = counted.snapshot()
        log.line(emf_line(namespace, now.since(last), time.time()))
        last = now
        loop.call_later(_EMF_S, write)

    loop.call_later(_EMF_S, write)


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
