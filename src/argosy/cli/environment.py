"""The environment of the seller's or buyer's process, read here and nowhere else in it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from argosy.errors import UsageError


@dataclass(frozen=True, slots=True)
class Environment:
    """What the toolkit takes from the environment.

    Attributes:
        cache_dir: Where downloads and finished layers are kept; safe to delete.
        state_dir: What is kept between two runs and is not safe to delete.
        docker_config: Folder of Docker's `config.json`, for registry credentials.
        variables: The whole environment, for the programs that are started (uv, docker, podman).
    """

    cache_dir: Path
    state_dir: Path
    docker_config: Path
    variables: Mapping[str, str]


def read() -> Environment:
    """Read `ARGOSY_CACHE_DIR`, `XDG_CACHE_HOME`, `XDG_STATE_HOME` and `DOCKER_CONFIG`, with their usual defaults.

    Registries look into the variables for `CONTAINERS_REGISTRIES_CONF`, and for `HOME` and `PATH`.

    Raises:
        UsageError: The user has no home folder, and no variable says where the cache is.
    """
    try:
        home: Path | None = Path.home()
    except RuntimeError:  # as in a container that is run with any uid: no HOME, and nobody of that uid in /etc/passwd
        home = None
    xdg = os.environ.get("XDG_CACHE_HOME") or (home and home / ".cache")
    cache_dir = os.environ.get("ARGOSY_CACHE_DIR") or (xdg and Path(xdg) / "argosy")
    if cache_dir is None:
        raise UsageError("there is no home folder for the cache", hint="export ARGOSY_CACHE_DIR=/tmp/argosy-cache")
    return Environment(
        cache_dir=Path(cache_dir),
        state_dir=Path(os.environ.get("XDG_STATE_HOME") or (home or Path(cache_dir)) / ".local/state") / "argosy",
        docker_config=Path(os.environ.get("DOCKER_CONFIG") or (home or Path("/")) / ".docker"),
        variables=dict(os.environ),
    )
