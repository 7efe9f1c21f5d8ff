"""What reading and writing images needs of the surroundings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from argosy.registry.auth import Credentials
from argosy.registry.progress import SILENT, Progress


@dataclass(frozen=True, slots=True)
class Access:
    """What reading and writing images needs of the surroundings.

    Attributes:
        docker_config: Folder of Docker's `config.json`.
        environ: The environment, for the programs that are started and for where settings of registries are.
        cache_dir: Where layers are kept.
        progress: Told how far blobs are on their way.
        logins: Host of a registry, perhaps with its port -> finds what to log in with there; asked before Docker's
            config, and again when what it gave has expired.
    """

    docker_config: Path
    environ: Mapping[str, str]
    cache_dir: Path
    progress: Progress = SILENT
    logins: Mapping[str, Callable[[], Credentials]] = field(default_factory=dict)
