"""Who is told how far blobs are on their way."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final, Protocol


class Transfer(Protocol):
    """One blob on its way."""

    def advance(self, count: int) -> None:
        """So many bytes more have gone over; fewer than none when a part has to go again."""
        ...

    def end(self, outcome: str) -> None:
        """Nothing more happens; how it came to be where it should, as in `sent` or `is there`, or that it failed."""
        ...


class Progress(Protocol):
    """Told about every blob that goes to or comes from a registry, by several threads at once."""

    def begin(self, name: str, size: int) -> Transfer:
        """A blob of so many bytes sets out."""
        ...


class _Unseen:
    """A transfer that nobody watches."""

    def advance(self, count: int) -> None:
        """Nothing."""

    def end(self, outcome: str) -> None:
        """Nothing."""


class Silent:
    """Tells nobody."""

    def begin(self, name: str, size: int) -> Transfer:
        """A transfer that nobody watches."""
        return _Unseen()


SILENT: Final = Silent()


def transferring(progress: Progress, digest: str, size: int) -> AbstractContextManager[Transfer]:
    """As `transferring_file`, for a blob of a registry."""
    return transferring_file(progress, digest.removeprefix("sha256:")[:12], size)


@contextmanager
def transferring_file(progress: Progress, name: str, size: int) -> Iterator[Transfer]:
    """A transfer that is ended, at the latest, when the block fails."""
    transfer = progress.begin(name, size)
    try:
        yield transfer
    except BaseException:
        transfer.end("failed")
        raise
