"""Where the dynamic loader of an image finds a library: the search of ld.so(8), played on the merged files.

Source: ld.so(8), "Description" and "Dynamic string tokens" (read 2026-11-22).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final

from argosy.image.filesystem import Filesystem
from argosy.image.libraries.elf import Program
from argosy.image.libraries.layer_programs import LayerName

DEFAULT_FOLDERS: Final = (
    "lib/x86_64-linux-gnu",
    "usr/lib/x86_64-linux-gnu",
    "lib64",
    "usr/lib64",
    "lib",
    "usr/lib",
)
"""Those of Debian's loader, and of Amazon Linux's; where a folder is not there it does no harm."""

_MUSL_LOADER: Final = "lib/ld-musl-x86_64.so.1"
_MUSL_NAMES: Final = ("libc.", "libpthread.", "librt.", "libm.", "libdl.", "libutil.", "libxnet.")
"""Musl's loader has these in itself, whatever follows, and looks into `/usr/local/lib` too.

Source: musl 1.2.5, `ldso/dynlink.c`, `load_library` and `sys_path` (read 2026-11-23).
"""

_TOKEN: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_TOKENS: Final = {"LIB": "lib/x86_64-linux-gnu", "PLATFORM": "x86_64"}


class Libraries:
    """The programs of an image, and where each finds the libraries that it needs.

    Args:
        files: The merged names; programs, links and folders are enough.
        names: What lies behind the names: (layer, number in the layer's names) as the merged names have it.
        library_path: The image's LD_LIBRARY_PATH.
    """

    def __init__(self, files: Filesystem, names: Sequence[Sequence[LayerName]], library_path: str) -> None:
        self._files = files
        self._library_path = [folder for folder in library_path.split(":") if folder]
        self.programs: dict[str, Program] = {}
        self.layers: dict[str, int] = {}
        self.broken: dict[str, str] = {}
        self._cached: dict[str, list[str]] = {}
        self._elsewhere: dict[str, list[str]] = {}
        loader = files.resolve(_MUSL_LOADER)
        self._musl_loader = None if loader is None else loader.path
        for entry, (layer, number) in files.nodes():
            if layer < 0:
                continue
            found = names[layer][number]
            self.layers[entry.path] = entry.layer
            if found.broken:
                self.broken[entry.path] = found.broken
            if found.program is not None:
                self.programs[entry.path] = found.program
                for name in {found.program.soname, entry.path.rpartition("/")[2]} - {""}:
                    self._elsewhere.setdefault(name, []).append(entry.path)
            for path in found.listed:
                self._cached.setdefault(path.rpartition("/")[2], []).append(path)

    def find(self, path: str, program: Program, name: str) -> str | None:
        """The path of the library that the loader takes for a name that a program needs; None when there is none."""
        for place in self._places(path, program, name):
            found = self.program_at(place)
            if found is not None:
                return found
        return self._musl_loader if name.startswith(_MUSL_NAMES) else None

    def loaded_with(self, path: str) -> set[str]:
        """A program and all libraries that the loader loads with it, as far as it finds them; their paths."""
        loaded: set[str] = set()
        rest = [path]
        while rest:
            one = rest.pop()
            if one in loaded or one not in self.programs:
                continue
            loaded.add(one)
            rest += filter(None, (self.find(one, self.programs[one], name) for name in self.programs[one].needed))
        return loaded

    def program_at(self, path: str) -> str | None:
        """The real path of a program for our machine that is at a path, links followed."""
        entry = self._files.resolve(path)
        found = None if entry is None else self.programs.get(entry.path)
        return entry.path if entry is not None and found is not None and found.is_ours else None

    def elsewhere(self, name: str) -> Iterator[str]:
        """The libraries of that name anywhere in the image."""
        return (path for path in self._elsewhere.get(name, ()) if self.programs[path].is_ours)

    def _places(self, path: str, program: Program, name: str) -> Iterator[str]:
        if "/" in name:
            yield _expanded(name, path)
            return
        yield from self._in(() if program.runpath else program.rpath, path, name)
        yield from self._in(self._library_path, path, name)
        yield from self._in(program.runpath, path, name)
        yield from self._cached.get(name, ())
        yield from self._in(DEFAULT_FOLDERS, path, name)
        if self._musl_loader is not None:
            yield f"usr/local/lib/{name}"

    def _in(self, folders: Iterable[str], path: str, name: str) -> Iterator[str]:
        return (f"{_expanded(folder, path)}/{name}" for folder in folders)


def merged(files: Filesystem, names: Sequence[Sequence[LayerName]]) -> Filesystem:
    """Put the names of all layers into an empty tree, lowest layer first."""
    for layer, found in enumerate(names):
        files.apply(layer, (name.member() for name in found))
    return files


def unmet_versions(program: Program, name: str, library: Program) -> list[str]:
    """The versions of symbols that a program needs of a library, and that it does not have.

    A library without any versions is taken with a warning by the loader, so it is here.
    """
    if not library.defined:
        return []
    there = set(library.defined)
    return [version for version in program.required.get(name, ()) if version not in there]


def _expanded(folder: str, path: str) -> str:
    tokens: Mapping[str, str] = {**_TOKENS, "ORIGIN": f"/{PurePosixPath(path).parent}"}
    return _TOKEN.sub(lambda found: tokens.get(found.group(1) or found.group(2), found.group()), folder)
