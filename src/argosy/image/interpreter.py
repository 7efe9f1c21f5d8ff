"""The Python of a base image, found in its files."""

import json
import re
import tarfile
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final

from argosy.errors import ImageError
from argosy.image.dependencies.wheels import newest_glibc
from argosy.image.filesystem import Filesystem, Observers, read_filesystem
from argosy.image.image import Image, canonical_json
from argosy.image.layer import cache_key
from argosy.image.observation import Collected, Sink
from argosy.model_archive import written_aside

DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_COMPILERS: Final = ("cc", "gcc", "clang", "nvcc")
_COMPILER_PACKAGE: Final = re.compile(r"build-essential|(gcc|g\+\+|clang|tcc)(-[0-9.]+)?")
_NAME: Final = re.compile(r"python(3\.\d+)")
_LOADER: Final = "lib64/ld-linux-x86-64.so.2"
_LIBRARIES: Final = ("lib/x86_64-linux-gnu/libc.so.6", "lib64/libc.so.6", "usr/lib64/libc.so.6", "usr/lib/libc.so.6")
"""Debian and Ubuntu; Amazon Linux and its kin."""
_LIBRARY: Final = re.compile(r"(?:^|/)libc(?:\.so\.6|-2\.\d+\.so)$")
"""What they are, or, before glibc 2.34, link to."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A CPython in an image.

    Attributes:
        path: Absolute, with links followed.
        version: `3.x`.
        has_compiler: Whether a C compiler is on the image's PATH, too.
        glibc_minor: `x` of the glibc 2.x beside it; None when it could not be told.
    """

    path: str
    version: str
    has_compiler: bool = False
    glibc_minor: int | None = None


def is_compiler(package: str) -> bool:
    """Whether a Debian package brings a C compiler.

    >>> is_compiler("gcc-12"), is_compiler("gcc-12-base"), is_compiler("libgcc-s1")
    (True, False, False)
    """
    return _COMPILER_PACKAGE.fullmatch(package.partition("=")[0]) is not None


def search_path(image: Image) -> str:
    """The image's PATH."""
    variables: list[str] = image.runtime.get("Env") or []
    for variable in variables:
        name, _, value = variable.partition("=")
        if name == "PATH":
            return value
    return DEFAULT_PATH


def find_interpreter(
    image: Image, wanted: str | None, cache_dir: Path, observers: Observers = lambda _: ()
) -> Interpreter:
    """The first Python on the image's PATH, or the first of a version.

    What an image has is remembered by its digest.

    Args:
        image: The base image.
        wanted: `3.x`, or None for the one that `python3` starts.
        cache_dir: The user's cache folder.
        observers: Who else sees the layers of an image that is not remembered, so that it is read once for all.

    Raises:
        ImageError: None, only other versions, or an image whose C library wheels do not fit.
    """
    remembered = cache_dir / "interpreters" / cache_key("interpreters", 3, image.digest)
    try:
        found = [Interpreter(*fields) for fields in json.loads(remembered.read_bytes())]
    except (FileNotFoundError, ValueError, TypeError):
        libraries = [_LibraryObserver() for _ in image.layers]
        files = read_filesystem(image, lambda index: [libraries[index], *observers(index)])
        found = _interpreters(files, libraries, search_path(image))
        with written_aside(remembered) as aside:
            aside.write_bytes(canonical_json([[*astuple(python)] for python in found]))
    for python in found:
        if wanted in (None, python.version):
            return python
    versions = ", ".join(dict.fromkeys(python.version for python in found))
    if not found:
        raise ImageError("the base image has no Python", want="python3 on its PATH", hint='take `base = "debian"`')
    raise ImageError(
        "the base image has another Python",
        got=versions,
        want=f'`image.python = "{wanted}"`',
        hint=f'set `python = "{found[0].version}"`, or a base that has Python {wanted}',
    )


def _interpreters(files: Filesystem, libraries: "Sequence[_LibraryObserver]", path: str) -> list[Interpreter]:
    if files.resolve(_LOADER) is None:
        raise ImageError(
            "the base image has no glibc for amd64",
            want=f"`/{_LOADER}`: wheels of numpy and its like are built against it",
            hint="take a Debian, Ubuntu or Amazon Linux base, not Alpine",
        )
    found: list[Interpreter] = []
    folders = path.split(":")
    has_compiler = any(files.resolve(f"{folder}/{name}") is not None for folder in folders for name in _COMPILERS)
    glibc = _glibc_minor(files, libraries)
    for folder in folders:
        names = [name for name in files.listing(folder) if _NAME.fullmatch(name)]
        names.sort(key=lambda name: int(name.rpartition(".")[2]), reverse=True)
        for name in ["python3", *names]:
            entry = files.resolve(f"{folder}/{name}")
            version = None if entry is None else _NAME.fullmatch(entry.path.rpartition("/")[2])
            if entry is not None and version is not None and entry.kind in ("file", "hardlink") and entry.mode & 0o111:
                python = Interpreter(f"/{entry.path}", version.group(1), has_compiler, glibc)
                if python not in found:
                    found.append(python)
    return found


def _glibc_minor(files: Filesystem, libraries: "Sequence[_LibraryObserver]") -> int | None:
    """The newest symbol version that the C library has is its own."""
    for path in _LIBRARIES:
        entry, source = files.resolve(path), files.source(path)
        if entry is None or source is None or entry.kind not in ("file", "hardlink"):
            continue
        layer, number = source
        if number in libraries[layer].newest:
            return libraries[layer].newest[number]
        with files.open(path) as stream:  # under a name that nobody foresaw: its layer is decompressed once more
            return newest_glibc(stream)
    return None


class _LibraryObserver:
    """The newest symbol version in whatever may be the C library, by the number of the member in its layer."""

    def __init__(self) -> None:
        self.newest: dict[int, int | None] = {}
        self._number = -1

    def begin(self, member: tarfile.TarInfo) -> Sink | None:
        self._number += 1
        if not member.isfile() or not _LIBRARY.search(member.name):
            return None
        number = self._number
        return Collected(lambda content: self.newest.update({number: newest_glibc(content)}))

    def finish(self, digest: str, diff_id: str) -> None:
        """Nothing: what the image has is remembered as a whole."""
