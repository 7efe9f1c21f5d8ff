"""Starts the template process, before anything heavy is imported here, so that both import at the same time."""

import contextlib
import importlib
import os
import socket
import sys
import traceback
from collections.abc import Mapping

from argosy.serving import placement, settings
from argosy.serving.arena import Arena


def fork_template(
    arena: Arena, workers: int, environ: Mapping[str, str], listener: socket.socket
) -> tuple[int, socket.socket]:
    """Start the first template process: what is imported by now is not imported twice.

    Only before this process has threads, an event loop or connections; `spawn_template` works at any time.

    Args:
        arena: Where large bodies lie.
        workers: Number of model processes, among which the processors are divided.
        environ: The whole environment.
        listener: The listening socket, which is the front's alone.

    Returns:
        Its process id and the front's end of the control socket.
    """
    variables = _variables(workers, environ)
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid:
        theirs.close()
        return pid, ours
    code = 1
    try:
        ours.close()
        listener.close()
        settings.set_variables(variables)
        sys.argv[1:] = []
        if not sys.flags.safe_path:
            del sys.path[0]  # as in an interpreter of its own, which gets `-P`
        importlib.import_module("argosy.serving.model.template").run(theirs, arena.view)
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()  # also of a model process, which is forked in there
    finally:
        with contextlib.suppress(Exception):  # whatever they are, this process does not become a second front
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def spawn_template(arena: Arena, workers: int, environ: Mapping[str, str]) -> tuple[int, socket.socket]:
    """Start a template process in a fresh interpreter: nothing of the front's threads or memory is in it.

    The processors are divided among the model processes, unless the environment says how many threads each may have.

    Returns:
        Its process id and the front's end of the control socket.
    """
    variables = _variables(workers, environ)
    ours, theirs = socket.socketpair()
    for fd in (theirs.fileno(), arena.fd):
        os.set_inheritable(fd, True)
    argv = [sys.executable, "-P", "-m", "argosy.serving.model.template", str(theirs.fileno()), str(arena.fd)]
    pid = os.posix_spawn(sys.executable, argv, variables)
    theirs.close()
    os.set_inheritable(arena.fd, False)
    return pid, ours


def _variables(workers: int, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a template; how many threads each model process may have is said, unless it is already."""
    threads = placement.threads_each(len(placement.own_cpus()), workers)
    return {**placement.thread_variables(threads, environ), **environ}
