"""How each server is started: ours as an image runs it, the peers as their `peer.toml` says, the two yardsticks."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from argosy.contract import Variable
from benchmarks.serving import bodies, environments, processes
from benchmarks.serving.processes import Launch
from benchmarks.serving.rows import FLOOR

ONE_THREAD: Final = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_PREDICTORS: Final = {
    "echo": "echo:Echo",
    "logistic": "scikit:Logistic",
    "forest": "scikit:Forest",
    "mlp": "mlp:Network",
    "slow": "slow:Slow",
    "stream": "streams:Stream",
    "stream_5ms": "streams:PacedStream",
}
_NGINX_CONF: Final = """\
worker_processes 1; daemon off; pid {scratch}/nginx.pid; error_log {scratch}/nginx.error.log;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 1000000000; client_body_temp_path {scratch}/body;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 "ok"; }} }} }}
"""


def our_launch(work: str, *, short_path: bool = True, predictor: str = "", **variables: str) -> Launch:
    """Our server as an image runs it; `predictor` in place of the one that does `work`."""
    port = processes.free_port()
    environ = {
        "PATH": os.environ["PATH"],
        Variable.PREDICTOR: predictor or _PREDICTORS[work],
        Variable.PROGRAM_DIR: str(environments.HERE / "predictors"),
        Variable.MODEL_DIR: str(bodies.folder()),
        Variable.HOST: "127.0.0.1",
        Variable.WORKERS: "1",
        Variable.SHORT_PATH: "1" if short_path else "0",
        "SAGEMAKER_BIND_TO_PORT": str(port),
        **variables,
    }
    python = str(environments.python(environments.OURS))
    return Launch([python, "-P", "-m", "argosy.serving", "serve"], environ, Path("/"), port)


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer's `peer.toml`; `{python}`, `{bin}`, `{port}` and `{scratch}` are filled in."""

    name: str
    folder: Path
    title: str
    settings: str
    command: tuple[str, ...]
    ready: str
    path: str
    bodies: Mapping[str, str]
    paths: Mapping[str, str]
    environ: Mapping[str, str]
    needs: Mapping[str, str]


@cache
def peers() -> dict[str, Peer]:
    """All peers and their variants."""
    found = {}
    for file in sorted((environments.HERE / "peers").glob("*/peer.toml")):
        told: dict[str, Any] = tomllib.loads(file.read_text())
        variants = told.pop("variants", {})
        told = {"paths": {}, "environ": {}, "needs": {}} | told | {"command": tuple(told["command"])}
        plain = Peer(name=file.parent.name, folder=file.parent, **told)
        found[plain.name] = plain
        for name, changed in variants.items():
            environ = {**plain.environ, **changed["environ"]}
            found[name] = replace(
                plain, name=name, title=changed["title"], settings=changed["settings"], environ=environ
            )
    return found


def peer_launch(peer: Peer, work: str, scratch: Path) -> Launch:
    """A peer that does `work`; `scratch` is an empty folder of its own.

    Raises:
        MissingError: Something that it needs is not installed on this machine.
    """
    for program, package in peer.needs.items():
        environments.require(program, package)
    python, port = environments.python(peer.folder.name), processes.free_port()
    words = {"python": str(python), "bin": str(python.parent), "port": str(port), "scratch": str(scratch)}
    (scratch / "work.py").write_bytes((environments.HERE / "work.py").read_bytes())
    environ = {
        "PATH": f"{python.parent}:{os.environ['PATH']}",
        "HOME": str(scratch),
        "PYTHONPATH": str(scratch),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PORT": str(port),
        "WORK": work,
        "MODELS": str(bodies.folder()),
        "SCRATCH": str(scratch),
        **ONE_THREAD,
        **{name: value.format(**words) for name, value in peer.environ.items()},
    }
    return Launch([word.format(**words) for word in peer.command], environ, peer.folder, port, peer.ready)


def yardstick(name: str, scratch: Path) -> Launch:
    """The C floor, or nginx that answers everything with `ok`."""
    port = processes.free_port()
    if name == FLOOR:
        command = [str(environments.compiled(environments.HERE / "load/floor.c")), str(port)]
    else:
        conf = scratch / "nginx.conf"
        conf.write_text(_NGINX_CONF.format(scratch=scratch, port=port))
        command = [environments.require("nginx", "nginx-light"), "-c", str(conf)]
    return Launch(command, {"PATH": os.environ["PATH"]}, scratch, port)
