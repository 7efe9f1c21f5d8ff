"""The environment of the seller's or buyer's process, read here and nowhere else in it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Environment:
    """What the toolkit takes from the environment.

    Attributes:
        cache_dir: Where downloads and finished layers are kept; safe to delete.
        docker_config: Folder of Docker's `config.json`, for registry credentials.
        variables: The whole environment, for the programs that are started (uv, docker, podman).
    """

    cache_dir: Path
    docker_config: Path
    variables: Mapping[str, str]


def read() -> Environment:
    """Read `ARGOSY_CACHE_DIR`, `XDG_CACHE_HOME` and `DOCKER_CONFIG`, with their usual defaults."""
    home = Path.home()
    xdg = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return Environment(
        cache_dir=Path(os.environ.get("ARGOSY_CACHE_DIR") or xdg / "argosy"),
        docker_config=Path(os.environ.get("DOCKER_CONFIG") or home / ".docker"),
        variables=dict(os.environ),
    )
