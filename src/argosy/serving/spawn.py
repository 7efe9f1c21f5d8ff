"""Starts the template process, before anything heavy is imported here, so that both import at the same time."""

import os
import socket
import sys
from collections.abc import Mapping

from argosy.serving import placement
from argosy.serving.arena import Arena


def spawn_template(arena: Arena, workers: int, environ: Mapping[str, str]) -> tuple[int, socket.socket]:
    """Start a template process in a fresh interpreter: nothing of the front's threads or memory is in it.

    The processors are divided among the model processes, unless the environment says how many threads each may have.

    Returns:
        Its process id and the front's end of the control socket.
    """
    threads = placement.threads_each(len(placement.own_cpus()), workers)
    ours, theirs = socket.socketpair()
    for fd in (theirs.fileno(), arena.fd):
        os.set_inheritable(fd, True)
    argv = [sys.executable, "-P", "-m", "argosy.serving.model.template", str(theirs.fileno()), str(arena.fd)]
    pid = os.posix_spawn(sys.executable, argv, {**placement.thread_variables(threads, environ), **environ})
    theirs.close()
    os.set_inheritable(arena.fd, False)
    return pid, ours
