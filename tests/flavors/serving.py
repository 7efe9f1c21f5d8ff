"""The real server of an example in the environment of its flavor, and the framework called without it."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from argosy import project
from argosy.contract import Variable
from tests.flavors.environments import ROOT, environment, example, run
from tests.ports import free_port
from tests.serving.server_process import ServerProcess, wait_until

Arrays = np.ndarray | Mapping[str, np.ndarray]
_START_S: Final = 120
"""A framework that is imported for the first time since it was installed is compiled then, beside other tests."""


@dataclass(frozen=True)
class Ended:
    """A server that has ended by itself.

    Attributes:
        exit_code: 1 when the model could not be loaded.
        log: All that it said.
    """

    exit_code: int
    log: str

    @property
    def error(self) -> str:
        """The clear words at the end: `error: ...` and the lines below it; empty when there are none."""
        _, marked, told = f"\n{self.log}".rpartition("\nerror: ")
        return told.strip() if marked else ""

    @property
    def chatter(self) -> list[str]:
        """The lines before that which are no events of ours: what libraries wrote."""
        lines = f"\n{self.log}".partition("\nerror: ")[0].splitlines()
        return [line for line in lines if line and not line.startswith("{")]


@contextlib.contextmanager
def serving(
    name: str, log: Path, folder: Path | None = None, *, wait: bool = True, **environ: str
) -> Iterator[ServerProcess]:
    """Serve an example until the block ends.

    Args:
        name: The flavor; its environment is used.
        log: The file of what the server says.
        folder: The project, when it is another one than `examples/NAME`.
        wait: Whether to wait until `/ping` says 200; fails with the log when the server ends instead.
        environ: Variables beside those of the project.
    """
    server = _start(name, log, folder, environ)
    try:
        if wait:
            server.wait_ready(_START_S)
        yield server
    finally:
        if server.popen.poll() is None:
            server.terminate()
        try:
            server.popen.wait(30)
        finally:
            server.popen.kill()
            server.popen.wait(30)


def failed_start(name: str, log: Path, folder: Path, **environ: str) -> Ended:
    """Serve what cannot be loaded, to the server's own end; fails when it lives on, or says 200 on `/ping` before."""
    server = _start(name, log, folder, environ)
    try:
        wait_until(lambda: _has_ended(server), _START_S, lambda: server.log)
    finally:
        server.popen.kill()
        server.popen.wait(30)
    return Ended(server.popen.returncode, server.log)


def direct(name: str, body: Path, output: Path, folder: Path | None = None) -> Arrays:
    """What the framework itself says of a file with rows: `direct.py` of the example, which knows nothing of Argosy.

    Args:
        name: The flavor.
        body: A file as `samples/` has them: `.npy`, `.json` or `.csv`.
        output: Where it writes; ends in `.npy`, or in `.npz` when there are several outputs.
        folder: The project, when it is another one than `examples/NAME`.
    """
    project_folder = folder or example(name)
    run([environment(name), "direct.py", body.resolve(), output], cwd=project_folder)
    found = np.load(output, allow_pickle=False)
    return found if isinstance(found, np.ndarray) else dict(found)


def _has_ended(server: ServerProcess) -> bool:
    """Whether a server that cannot load its model is gone; until then `/ping` must not say 200."""
    if server.popen.poll() is not None:
        return True
    with contextlib.suppress(OSError):
        assert server.ping() != 200, f"/ping says 200: {server.log}"
    return False


def _start(name: str, log: Path, folder: Path | None, environ: Mapping[str, str]) -> ServerProcess:
    """The server as `argosy serve` and the image start it, with the Python of the flavor."""
    found = project.load(folder or example(name))
    variables: dict[str, str] = {
        **{name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ},
        **found.server_environment(),
        **found.image.environment,
        Variable.PROGRAM_DIR: str(found.root),
        **({Variable.MODEL_DIR: str(found.artifacts_dir)} if found.artifacts_dir else {}),
        "PYTHONPATH": str(ROOT / "src"),
        **environ,
    }
    return ServerProcess(variables[Variable.PREDICTOR], free_port(), variables, log, python=environment(name))
