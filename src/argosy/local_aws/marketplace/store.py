"""Where the state is kept: in memory, and in a file when a folder is given."""

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from argosy.errors import UsageError
from argosy.local_aws.marketplace.state import State

_FILE: Final = "marketplace.json"


class Store:
    """The state of one AWS Marketplace; used by one event loop.

    Args:
        folder: Where it is kept as JSON, made where it is missing; None keeps it in memory.

    Raises:
        UsageError: The file in the folder is not what this version of Argosy writes.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._file = None if folder is None else folder / _FILE
        self._state = State() if self._file is None else _read(self._file)

    @property
    def state(self) -> State:
        """As it was last kept."""
        return self._state

    def keep(self, state: State) -> None:
        """Take a state as the present one; the file has the one before or this one, whenever the process ends."""
        if state is self._state:
            return
        if self._file is not None:
            _write(self._file, msgspec.json.encode(state))
        self._state = state


def _read(file: Path) -> State:
    try:
        return msgspec.json.decode(file.read_bytes(), type=State)
    except FileNotFoundError:
        return State()
    except (OSError, msgspec.MsgspecError) as error:
        raise UsageError(
            "the state of AWS Marketplace cannot be read",
            got=error,
            where=file,
            hint="start in an empty folder, or remove this file",
        ) from error


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "wb") as written:
            written.write(content)
            written.flush()
            os.fsync(written.fileno())
        Path(name).replace(file)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
        raise
