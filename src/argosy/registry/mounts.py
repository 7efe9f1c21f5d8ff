"""Which repositories of a registry have a blob, as far as this machine has put it there: it can be mounted from them.

A note may be out of date; a registry that does not mount asks for the bytes instead.
"""

import hashlib
from pathlib import Path
from typing import Final

from argosy.model_archive import written_aside

_KEPT: Final = 4


class Mounts:
    """Notes in the cache, one small file a blob and registry; safe for several threads and processes.

    Args:
        cache_dir: The user's cache folder.
        registry: Host and perhaps port.
    """

    def __init__(self, cache_dir: Path, registry: str) -> None:
        self._folder = cache_dir / "mounts" / hashlib.sha256(registry.encode()).hexdigest()[:16]

    def repositories(self, digest: str) -> list[str]:
        """Repositories that have the blob, the latest first."""
        try:
            return self._file(digest).read_text().split()
        except (FileNotFoundError, UnicodeDecodeError):
            return []

    def remember(self, digest: str, repository: str) -> None:
        """Note that a repository has the blob."""
        known = self.repositories(digest)
        if repository in known:
            return
        with written_aside(self._file(digest)) as aside:
            aside.write_text("\n".join([repository, *known][:_KEPT]))

    def _file(self, digest: str) -> Path:
        return self._folder / digest.removeprefix("sha256:")
