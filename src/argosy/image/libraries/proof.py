"""Every program in an image against the libraries that it names: is each there, for this machine, and new enough?

What a program asks for while it runs (`dlopen`) is in no header, so nothing is said about it.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from argosy.image.filesystem import Filesystem
from argosy.image.image import Image
from argosy.image.layer import cache_key
from argosy.image.libraries.elf import Program
from argosy.image.libraries.gpu import is_for_gpus
from argosy.image.libraries.layer_programs import read_layer_programs
from argosy.image.libraries.search import DEFAULT_FOLDERS, Libraries, merged, unmet_versions
from argosy.image.manifest import variables
from argosy.image.venv import VENV
from argosy.model_archive import written_aside

Kind = Literal["missing", "version", "machine", "broken"]

_FORMAT: Final = 3
_SITE: Final = "/site-packages/"
_EXTENSION: Final = re.compile(r"\.(?:cpython-\d+-x86_64-linux-gnu|abi3)\.so$")
_DEBUG: Final = "usr/lib/debug/"


class Finding(msgspec.Struct, frozen=True):
    """One program that cannot be loaded as it is.

    Attributes:
        kind: What is wrong: a library is missing, or too old; the program is for another machine, or broken.
        program: Path in the image.
        library: The name that it needs; empty when the program itself is at fault.
        detail: Versions that the library lacks, the program's machine, or why it cannot be read.
        below: Whether the base image has the program.
        certain: Whether something is sure to fail; a plugin, or a program for another machine, may lie there unused.
    """

    kind: Kind
    program: str
    library: str
    detail: str
    below: bool
    certain: bool = True


class Proof(msgspec.Struct, frozen=True):
    """What was found in an image.

    Attributes:
        programs: How many were looked at.
        findings: Sorted by program.
        assumed: Libraries that the loader does not find by itself, and that another distribution in the image has: they
            work when that one is imported first. Each with one of the programs that need it.
        for_gpus: The libraries for GPUs that programs above the base image name, found or not.
    """

    programs: int
    findings: tuple[Finding, ...]
    assumed: dict[str, str]
    for_gpus: tuple[str, ...] = ()


def prove(image: Image, base_layers: int, cache_dir: Path) -> Proof:
    """Look at every program of an image; what was found of its layers is remembered.

    Args:
        image: With all layers.
        base_layers: How many of them are the base image's.
        cache_dir: The user's cache folder.

    Raises:
        ImageError: A layer is broken.
    """
    library_path = variables(image).get("LD_LIBRARY_PATH", "")
    key = cache_key("proof", _FORMAT, list(image.diff_ids), base_layers, library_path)
    remembered = cache_dir / "proofs" / key
    try:
        return msgspec.json.decode(remembered.read_bytes(), type=Proof)
    except (FileNotFoundError, ValueError):
        pass
    names = [read_layer_programs(image, index, cache_dir) for index in range(len(image.layers))]
    proof = examined(Libraries(merged(Filesystem(image), names), names, library_path), base_layers)
    with written_aside(remembered) as aside:
        aside.write_bytes(msgspec.json.encode(proof))
    return proof


def examined(libraries: Libraries, base_layers: int) -> Proof:
    """Look at every program of an image whose layers were read.

    Args:
        libraries: Its programs.
        base_layers: How many of its layers are the base image's.
    """
    search = _Search(libraries)
    programs = {path: one for path, one in sorted(libraries.programs.items()) if not path.startswith(_DEBUG)}
    for path, program in programs.items():
        if program.is_ours:
            search.follow(path, program)
    search.follow_loaders()
    findings: list[Finding] = []
    for path, program in programs.items():
        findings += _own_faults(path, program, libraries, libraries.layers[path] < base_layers)
    assumed: dict[str, str] = {}
    named = _named(libraries)
    for path, name in search.missing:
        if _is_brought(path, libraries.elsewhere(name)):
            assumed.setdefault(name, path)
        else:
            below = libraries.layers[path] < base_layers
            findings.append(Finding("missing", path, name, "", below, certain=path in named and not _is_plugin(path)))
    for path, name, found in search.found:
        lacking = unmet_versions(programs[path], name, libraries.programs[found])
        if lacking:
            detail = f"/{found} has no {', '.join(lacking)}"
            findings.append(Finding("version", path, name, detail, libraries.layers[path] < base_layers))
    for path, why in sorted(libraries.broken.items()):
        if not path.startswith(_DEBUG):
            findings.append(Finding("broken", path, "", why, libraries.layers[path] < base_layers, certain=False))
    names = {name for path, name, *_ in (*search.found, *search.missing) if libraries.layers[path] >= base_layers}
    for_gpus = tuple(sorted(filter(is_for_gpus, names)))
    return Proof(len(programs), tuple(sorted(findings, key=lambda one: (one.program, one.library))), assumed, for_gpus)


def _own_faults(path: str, program: Program, libraries: Libraries, below: bool) -> Iterator[Finding]:
    if not program.is_ours:
        yield Finding("machine", path, "", program.machine, below, certain=_EXTENSION.search(path) is not None)
    elif program.interpreter and libraries.program_at(program.interpreter) is None:
        yield Finding("missing", path, program.interpreter, "its loader", below)


class _Search:
    """Which library each name of each program leads to, and which names lead nowhere."""

    def __init__(self, libraries: Libraries) -> None:
        self._libraries = libraries
        self._loaders: dict[str, set[str]] = {}
        self.found: list[tuple[str, str, str]] = []
        self.missing: list[tuple[str, str]] = []

    def follow(self, path: str, program: Program) -> None:
        for name in program.needed:
            self._note(path, name, self._libraries.find(path, program, name))

    def follow_loaders(self) -> None:
        """Look for what is missing in the RPATH of those by whom a library is loaded, too, as the loader does."""
        before = -1
        while before != len(self.missing):
            before = len(self.missing)
            rest, self.missing = self.missing, []
            for path, name in rest:
                self._note(path, name, self._inherited(path, name))

    def _note(self, path: str, name: str, found: str | None) -> None:
        if found is None:
            self.missing.append((path, name))
        else:
            self.found.append((path, name, found))
            self._loaders.setdefault(found, set()).add(path)

    def _inherited(self, path: str, name: str) -> str | None:
        programs = self._libraries.programs
        seen: set[str] = set()
        rest = [] if programs[path].runpath else sorted(self._loaders.get(path, ()))
        while rest:
            loader = rest.pop()
            if loader in seen:
                continue
            seen.add(loader)
            found = None if programs[loader].runpath else self._libraries.find(loader, programs[loader], name)
            if found is not None:
                return found
            rest += sorted(self._loaders.get(loader, ()))
        return None


def _is_plugin(path: str) -> bool:
    """Whether a file lies in a folder of the system's where programs keep what they load only when it is there.

    Debian's packages do not depend on what a plugin needs.
    """
    parent = path.rpartition("/")[0]
    return path.startswith(("lib/", "usr/lib/")) and parent not in DEFAULT_FOLDERS and _SITE not in path


def _named(libraries: Libraries) -> set[str]:
    """All programs but the plugins among the libraries that wheels put beside Python's own, into the venv's `lib`.

    Those lie there to be found by name, so that one whose name stands in no program is loaded by choice, if at all, and
    with it what it alone names.
    """
    named = {path for path, program in libraries.programs.items() if program.interpreter or not _is_beside_python(path)}
    rest = list(named)
    while rest:
        for name in libraries.programs[rest.pop()].needed:
            found = set(libraries.elsewhere(name)) - named
            named |= found
            rest += found
    return named


def _is_beside_python(path: str) -> bool:
    """Whether a file is from a wheel's `data` folder, as tbb's and mkl's libraries are."""
    return path.startswith(f"{VENV}/lib/") and _SITE not in path


def _is_brought(path: str, others: Iterator[str]) -> bool:
    """Whether a library lies where another import may load it first: the loader looks for no name that is loaded."""
    return _is_from_wheel(path) and any(map(_is_from_wheel, others))


def _is_from_wheel(path: str) -> bool:
    return path.startswith(f"{VENV}/") or _SITE in path


def certain(findings: Sequence[Finding]) -> list[Finding]:
    """Those that make an image fail: what we added, and what cannot work."""
    return [finding for finding in findings if not finding.below and finding.certain]
