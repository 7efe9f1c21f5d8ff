"""The template process: imports the predictor once, then forks a model process whenever the front asks for one.

It stays single-threaded and serves nobody, so what it forks is clean, at start and after any crash. It is started as
`python -m argosy.serving.model.template CONTROL_FD ARENA_FD`; over the control socket the front sends a number and a
file descriptor for each process it wants, and gets JSON lines: imported, failed, forked, exited.
"""

import faulthandler
import gc
import importlib
import os
import selectors
import signal
import socket
import sys
from struct import Struct
from typing import Final

import orjson

from argosy.errors import LoadError
from argosy.serving import arena, log, settings
from argosy.serving.model import process
from argosy.serving.predictor import Predictor
from argosy.serving.settings import Settings

REQUEST: Final = Struct("<I")


def main() -> None:
    """Run the template until the front closes the control socket."""
    control = socket.socket(fileno=int(sys.argv[1]))
    memory = arena.attach(int(sys.argv[2]))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.enable()
    told = settings.read()
    try:
        predictor_class = import_predictor(told)
    except LoadError as error:
        log.failure("import-failed", error.__cause__ or error)
        _tell(control, event="failed", message=str(error))
        sys.exit(process.EXIT_LOAD_FAILED)
    # What is imported is shared by all model processes as long as nobody writes to it; the collector would.
    gc.collect()
    gc.freeze()
    _tell(control, event="imported")
    _fork_on_request(control, memory, predictor_class, told)


def import_predictor(told: Settings) -> type[Predictor]:
    """The user's class.

    Raises:
        LoadError: Its module cannot be imported, has no such class, or the class is no Predictor.
    """
    if told.program_dir is not None:
        sys.path.insert(0, str(told.program_dir))
    module_name, _, class_name = told.predictor.partition(":")
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        raise LoadError(
            f"`{module_name}` cannot be imported", got=f"{type(error).__name__}: {error}", where=told.program_dir
        ) from error
    found = getattr(module, class_name, None)
    if found is None:
        raise LoadError(f"`{module_name}` has no `{class_name}`", where=getattr(module, "__file__", None))
    if not (isinstance(found, type) and issubclass(found, Predictor)):
        raise LoadError(f"`{told.predictor}` is not a subclass of `argosy.Predictor`")
    return found


def _fork_on_request(
    control: socket.socket, memory: memoryview, predictor_class: type[Predictor], told: Settings
) -> None:
    wake_read, wake_write = socket.socketpair()
    wake_read.setblocking(False)
    wake_write.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write.fileno(), warn_on_full_buffer=False)
    selector = selectors.DefaultSelector()
    selector.register(control, selectors.EVENT_READ)
    selector.register(wake_read, selectors.EVENT_READ)
    while True:
        ready = {key.fileobj for key, _ in selector.select()}
        if wake_read in ready:
            wake_read.recv(4096)
            _reap(control)
        if control not in ready:
            continue
        request, descriptors, _, _ = socket.recv_fds(control, REQUEST.size, 1)
        if not request:
            sys.exit(0)
        link = socket.socket(fileno=descriptors[0])
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            for other in (selector, control, wake_read, wake_write):
                other.close()
            process.run(link, memory, predictor_class, told)
        link.close()
        _tell(control, event="forked", number=REQUEST.unpack(request)[0], pid=pid)


def _reap(control: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        _tell(control, event="exited", pid=pid, code=os.waitstatus_to_exitcode(status))


def _tell(control: socket.socket, **fields: object) -> None:
    try:
        control.sendall(orjson.dumps(fields) + b"\n")
    except (BrokenPipeError, ConnectionResetError):
        sys.exit(0)


if __name__ == "__main__":
    main()
