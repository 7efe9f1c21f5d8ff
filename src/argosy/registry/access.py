"""What reading and writing images needs of the surroundings."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from argosy.registry.progress import SILENT, Progress


@dataclass(frozen=True, slots=True)
class Access:
    """What reading and writing images needs of the surroundings.

    Attributes:
        docker_config: Folder of Docker's `config.json`.
        environ: The environment, for the programs that are started and for where settings of registries are.
        cache_dir: Where layers are kept.
        progress: Told how far blobs are on their way.
    """

    docker_config: Path
    environ: Mapping[str, str]
    cache_dir: Path
    progress: Progress = SILENT
