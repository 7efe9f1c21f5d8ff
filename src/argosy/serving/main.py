"""The container's entry point: `serve`.

The order is the point: the port is open before anything heavy is imported, the template imports the predictor while the
front imports its HTTP server.
"""

import gc
import importlib
import os
import signal
import socket
import sys
from typing import Final, NoReturn

from argosy import contract
from argosy.errors import LoadError, UsageError
from argosy.serving import placement, settings
from argosy.serving.arena import Arena
from argosy.serving.settings import Settings
from argosy.serving.spawn import fork_template, spawn_template

_BACKLOG: Final = 2048
_WANTED_BY_BOTH: Final = (
    "asyncio",
    "ctypes",
    "email.utils",
    "logging.config",
    "multiprocessing.connection",
    "tempfile",
)
"""What the HTTP server imports of the standard library, and most frameworks too."""


def main() -> None:
    """Serve until SIGTERM and leave with 0; 1: the model cannot be loaded, 2: wrong usage, 3: the port is taken."""
    gc.disable()  # imports make many objects and no garbage
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    arguments = sys.argv[1:]
    if arguments not in ([], [contract.SERVE_ARGUMENT]):
        _fail(2, f"got arguments `{' '.join(arguments)}`, want `{contract.SERVE_ARGUMENT}`")
    try:
        told = settings.read()
        listener = _listen(told)
        _serve(listener, told)
    except UsageError as error:
        _fail(2, error.message)
    except LoadError as error:
        _fail(1, error.message)


def _serve(listener: socket.socket, told: Settings) -> None:
    arena = Arena()
    environ = dict(settings.environment())
    if len(placement.own_cpus()) == 1:  # nothing is imported at the same time: what both halves want is imported once
        for module in _WANTED_BY_BOTH:
            importlib.import_module(module)
    if sys.platform == "linux":
        first = [fork_template(arena, told.workers, environ, listener)]
    else:  # a macOS process that was forked may not use all of the system's libraries
        first = [spawn_template(arena, told.workers, environ)]
    server = importlib.import_module("argosy.serving.front.server")
    server.run(
        listener,
        told,
        arena,
        lambda: first.pop() if first else spawn_template(arena, told.workers, environ),
    )


def _listen(told: Settings) -> socket.socket:
    try:
        listener = socket.create_server((told.host, told.port), backlog=_BACKLOG)
    except OSError as error:
        _fail(3, f"cannot listen on {told.host}:{told.port}: {error.strerror}")
    # Children do not inherit it: a template that outlives the front must not keep the port.
    os.set_inheritable(listener.fileno(), False)
    return listener


def _leave(number: int, frame: object) -> None:
    """Told to stop before the server is there: nothing was taken yet. As PID 1 the signal would else be lost."""
    os._exit(0)


def _fail(code: int, message: str) -> NoReturn:
    sys.stderr.write(f"error: {message}\n")
    sys.stderr.flush()
    sys.exit(code)


if __name__ == "__main__":
    main()
