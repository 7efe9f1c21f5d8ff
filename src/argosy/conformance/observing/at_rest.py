"""Looks at an image and its artifacts at rest: each layer is read once, for all that the checks want of it."""

import re
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from argosy import model_archive
from argosy.conformance.case import Case
from argosy.conformance.scenes.at_rest import OTHERS_FOLDERS, Archive, Files, Room, Scanned, Still
from argosy.errors import ImageError, NotScannedError
from argosy.image.filesystem import Filesystem, read_filesystem
from argosy.image.image import Image
from argosy.image.libraries.elf import MAGIC
from argosy.image.libraries.layer_programs import ProgramObserver
from argosy.image.libraries.proof import examined
from argosy.image.libraries.search import Libraries, merged
from argosy.image.manifest import variables
from argosy.image.materials.scanner import Scan
from argosy.image.materials.secrets import SecretObserver, search_result
from argosy.image.observation import Observer, Sink

NO_IMAGE: Final = "a project is no image: build it, and check what was built"
NO_ARCHIVE: Final = "no --model-data was given"
NO_SCANNER: Final = "no scanner was asked"

_SOURCES: Final = re.compile(r"\.(py|sh|bash|conf|cfg|ini|toml|m?js|cjs|ts|rb|R|lua)$|(^|/)nginx/")
_OS_RELEASE: Final = ("etc/os-release", "usr/lib/os-release")
_TEXT_LIMIT: Final = 512 * 2**10
_TEXTS_LIMIT: Final = 32 * 2**20
_HEAD: Final = 512
"""Of an executable: a `#!` line is at most 255 bytes long (execve(2))."""
_MACHINE_HEAD: Final = 64


def observe_at_rest(
    image: Image | None,
    *,
    is_stored: bool = True,
    target: str = "",
    model_data: Path | None = None,
    scan: Callable[[Image], Scan] | None = None,
) -> Case:
    """The scenes that need no container.

    Args:
        image: None for a project that is run as it is.
        is_stored: As `Still` has it.
        target: As `Still` has it.
        model_data: A model.tar.gz; None when there is none.
        scan: Has an image scanned for known vulnerabilities, or raises `NotScannedError`; None when none is wanted.
    """
    case = Case()
    archive = None
    if model_data is None:
        case = case.without((Archive,), NO_ARCHIVE)
    else:
        lint = model_archive.lint(model_data)
        archive = Archive(model_data.name, lint.faults, model_data.stat().st_size, lint.unpacked_bytes)
        case = case.joined(Case.of(archive))
    if image is None:
        return case.without((Still, Files, Room, Scanned), NO_IMAGE)
    case = case.joined(Case.of(Still(image, is_stored, target), _scanned(image, scan)))
    reading = _Reading()
    try:
        files = reading.files_of(image)
    except ImageError as error:
        return case.without((Files, Room), f"the layers cannot be read: {error.message}")
    artifacts = None if archive is None else archive.unpacked_bytes
    return case.joined(Case.of(files, Room(reading.unpacked_bytes, artifacts)))


def files_of(image: Image) -> Files:
    """The scene of an image's files.

    Raises:
        ImageError: A layer is broken.
    """
    return _Reading().files_of(image)


def _scanned(image: Image, scan: Callable[[Image], Scan] | None) -> Scanned:
    if scan is None:
        return Scanned(None, NO_SCANNER)
    try:
        return Scanned(scan(image))
    except NotScannedError as error:
        return Scanned(None, str(error.got or error.what))


class _Reading:
    """One reading of an image's layers.

    Attributes:
        unpacked_bytes: Sizes of all files in all layers, hidden ones too.
    """

    def __init__(self) -> None:
        self.unpacked_bytes = 0
        self._secrets: list[SecretObserver] = []
        self._programs: list[ProgramObserver] = []
        self._contents: dict[tuple[int, int], bytes] = {}
        self._room = _TEXTS_LIMIT
        self._is_whole = True

    def files_of(self, image: Image) -> Files:
        """Read all layers."""
        filesystem = read_filesystem(image, self._observers)
        names = [observer.names for observer in self._programs]
        library_path = variables(image).get("LD_LIBRARY_PATH", "")
        libraries = Libraries(merged(Filesystem(image), names), names, library_path)
        found = search_result(self._secrets, filesystem)
        proof = examined(libraries, base_layers=0)
        return Files(image, filesystem, found, libraries, proof, self._contents, self._is_whole)

    def note_size(self, size: int) -> None:
        """There is a file more."""
        self.unpacked_bytes += size

    def has_room(self, size: int) -> bool:
        """Whether a text of that size is to be kept; then its room is taken."""
        if size > self._room:
            self._is_whole = False
            return False
        self._room -= size
        return True

    def keep(self, place: tuple[int, int], content: bytes) -> None:
        """Keep what a file begins with, or all of it."""
        self._contents[place] = content

    def _observers(self, layer: int) -> list[Observer]:
        self._secrets.append(SecretObserver())
        self._programs.append(ProgramObserver())
        return [self._secrets[-1], self._programs[-1], _ContentObserver(self, layer)]


class _ContentObserver:
    """Keeps of one layer the texts that may be the project's own, and of other executables the first bytes."""

    def __init__(self, reading: _Reading, layer: int) -> None:
        self._reading = reading
        self._layer = layer
        self._number = -1

    def begin(self, member: tarfile.TarInfo) -> Sink | None:
        """Whether a file is of interest."""
        self._number += 1
        if not member.isfile():
            return None
        self._reading.note_size(member.size)
        path = member.name.removeprefix("./").strip("/")
        is_others = OTHERS_FOLDERS.search(f"{path}/") is not None and path not in _OS_RELEASE
        is_source = not is_others and (_SOURCES.search(path) is not None or path in _OS_RELEASE)
        if not is_source and not member.mode & 0o111:
            return None
        limit = _TEXT_LIMIT if not is_others and member.size <= _TEXT_LIMIT else _HEAD
        return _Kept(self._reading, (self._layer, self._number), member.size, limit, is_source)

    def finish(self, digest: str, diff_id: str) -> None:
        """Nothing is remembered."""


class _Kept:
    """A file of which something is kept.

    Args:
        reading: Takes it.
        place: Layer, and number of the member in it.
        size: Of the file.
        limit: How much of a text is kept.
        is_source: Whether its name says that it is a text; else its first bytes tell.
    """

    def __init__(self, reading: _Reading, place: tuple[int, int], size: int, limit: int, is_source: bool) -> None:
        self._reading = reading
        self._place = place
        self._limit = limit
        self._size = size
        self._is_source = is_source
        self._content = b""

    def write(self, chunk: bytes, /) -> None:
        if not self._content:
            self._limit = self._bounded(chunk)
        if len(self._content) < self._limit:
            self._content += chunk[: self._limit - len(self._content)]

    def close(self) -> None:
        self._reading.keep(self._place, self._content)

    def _bounded(self, start: bytes) -> int:
        if start.startswith(MAGIC) or not (self._is_source or start.startswith(b"#!")):
            return _MACHINE_HEAD
        if self._limit > _HEAD and not self._reading.has_room(min(self._size, self._limit)):
            return _HEAD
        return self._limit
