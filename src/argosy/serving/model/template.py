"""The template process: imports the predictor once, then forks a model process whenever the front asks for one.

It stays single-threaded and serves nobody, so what it forks is clean, at start and after any crash. The first is forked
from the front before that has imported anything of its own, any other is started as
`python -m argosy.serving.model.template CONTROL_FD ARENA_FD`. Over the control socket the front sends a JSON object and
a file descriptor for each process it wants, and gets JSON lines: imported, failed, forked, exited. A predictor that
says `load_before_fork` is loaded here, once, and its memory is shared by all model processes.
"""

import contextlib
import faulthandler
import gc
import importlib
import os
import selectors
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from argosy.contract import Variable
from argosy.errors import LoadError
from argosy.serving import arena, frames, log, placement, settings
from argosy.serving.frames import FORK_REQUEST
from argosy.serving.model import process
from argosy.serving.model.process import Seat
from argosy.serving.predictor import Predictor
from argosy.serving.settings import Settings

Make = Callable[[Path], Predictor]
"""Model directory -> loaded predictor."""


def main() -> None:
    """Run the template in an interpreter of its own."""
    run(socket.socket(fileno=int(sys.argv[1])), arena.attach(int(sys.argv[2])))


def run(control: socket.socket, memory: memoryview) -> None:
    """Run the template until the front closes the control socket.

    Args:
        control: Its end of the control socket.
        memory: The arena.
    """
    os.set_inheritable(control.fileno(), False)
    os.register_at_fork(after_in_child=control.close)  # who is forked by the user's code must not hold it open
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.enable()
    told = settings.read()
    log.tell_messages(told.logs.messages)
    # Imports make many objects and no garbage; a model process has its collector back when it has loaded.
    gc.disable()
    try:
        make = _maker(told)
    except LoadError as error:
        log.failure("import-failed", error.__cause__ or error)
        _tell(control, event="failed", message=str(error))
        sys.exit(process.EXIT_LOAD_FAILED)
    _name_lost_threads()
    # What is there by now is shared by all model processes as long as nobody writes to it; the collector would.
    gc.freeze()
    _tell(control, event="imported")
    _fork_on_request(control, memory, make, told)


def _name_lost_threads() -> None:
    """Say which threads of the user's code no model process will have: a fork takes only the one that forks."""
    names = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    if names:
        hint = "start threads in `load`, without `load_before_fork`: every model process then has its own"
        log.event("threads-not-forked", threads=names, hint=hint)


def import_predictor(told: Settings) -> type[Predictor]:
    """The user's class, or the one that stands for an inference script.

    Raises:
        LoadError: Its module cannot be imported, has no such class, or the class is no Predictor.
    """
    if told.program_dir is not None:
        sys.path.insert(0, str(told.program_dir))
    if told.predictor is None:
        return _imported_script(told)
    module_name, _, class_name = told.predictor.partition(":")
    try:
        module = importlib.import_module(module_name)
    except LoadError:  # a flavor's own words: its framework is missing
        raise
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


def _imported_script(told: Settings) -> type[Predictor]:
    from argosy.serving import inference_script  # here: a predictor has no use for it

    script = inference_script.find_script(told.model_dir, told)
    if script is None:
        raise LoadError(
            "there is nothing to serve",
            got=f"neither `{Variable.PREDICTOR}` nor an inference script",
            where=told.model_dir,
        )
    return inference_script.predictor_class(script, told.script.default_accept)


def _maker(told: Settings) -> Make:
    """How a model process gets its predictor: by loading it, or from what was loaded here.

    Raises:
        LoadError: As `import_predictor`, or the model cannot be loaded here.
    """
    if told.is_multi_model and told.predictor is None:
        return _scripts_maker(told)
    predictor_class = import_predictor(told)
    if not predictor_class.load_before_fork or told.is_multi_model:
        return lambda model_dir: process.load(predictor_class, model_dir, told)
    loaded = process.load(predictor_class, told.model_dir, told)
    return lambda model_dir: loaded


def _scripts_maker(told: Settings) -> Make:
    """How each model of a multi-model endpoint gets the predictor that serves its script.

    A script that all may share is imported here, for the sake of its libraries; a model's own only in its processes.
    """
    from argosy.serving import inference_script  # here: a predictor has no use for it

    if told.program_dir is not None:
        sys.path.insert(0, str(told.program_dir))
    shared = inference_script.find_shared_script(told)
    if shared is not None:
        inference_script.predictor_class(shared)

    def make(model_dir: Path) -> Predictor:
        return process.load(inference_script.own_predictor_class(model_dir, told), model_dir, told)

    return make


def _fork_on_request(control: socket.socket, memory: memoryview, make: Make, told: Settings) -> None:
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
        request, link = _next_request(control)
        sys.stdout.flush()
        try:
            pid = os.fork()
        except OSError as error:  # no room for another process just now
            _refuse(link, error)
            continue
        if pid == 0:
            signal.set_wakeup_fd(-1)
            for other in (selector, control, wake_read, wake_write):
                other.close()
            _run(request, link, memory, make, told)
        link.close()
        _tell(control, event="forked", number=request["number"], pid=pid)


def _refuse(link: socket.socket, error: OSError) -> None:
    """Say why there is no process, where the front would else only see the end of a link."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the front has given it up already
        link.sendall(frames.pack_message({"event": "not-forked", "reason": str(error.strerror)}))
    link.close()


def _next_request(control: socket.socket) -> tuple[dict[str, Any], socket.socket]:
    try:
        head, descriptors, _, _ = socket.recv_fds(control, FORK_REQUEST.size, 1)
    except ConnectionResetError:
        head = b""  # the front was killed
    if not head:
        sys.exit(0)
    (size,) = FORK_REQUEST.unpack(head)
    text = b""
    while len(text) < size:
        piece = control.recv(size - len(text))
        if not piece:
            sys.exit(0)
        text += piece
    request: dict[str, Any] = orjson.loads(text)
    os.set_inheritable(descriptors[0], False)
    return request, socket.socket(fileno=descriptors[0])


def _run(request: dict[str, Any], link: socket.socket, memory: memoryview, make: Make, told: Settings) -> None:
    """Be a model process."""
    gpus = placement.own_gpus(settings.environment())
    place = placement.place(request["seat"], request["seats"], placement.own_cpus(), gpus)
    settings.set_variables(place.environment)
    seat = Seat(Path(request["model_dir"]), place.cpus)
    process.run(link, memory, lambda: make(seat.model_dir), seat, told)


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
