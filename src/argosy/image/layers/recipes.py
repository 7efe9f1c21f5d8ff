"""Dependencies, server, predictor, artifacts -> a recipe for each of our layers.

The key of a recipe has all that decides its bytes, so that what did not change is not even read. A large distribution
has a layer of its own: when a small one changes, nobody sends or fetches the large ones again.
"""

import hashlib
import importlib.metadata
import stat
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from argosy import model_archive
from argosy.image import venv
from argosy.image.dependencies.wheels import WheelFile
from argosy.image.interpreter import Interpreter
from argosy.image.layer import Member, cache_key, from_file
from argosy.image.layers import pruning
from argosy.image.layers.bytecode import Compiler
from argosy.image.layers.making import Recipe
from argosy.project import Project

PROGRAM: Final = "opt/program"
MODEL: Final = "opt/model"
_LAYOUT: Final = 2  # raise it when the same inputs are laid out differently
_SETTLED_NS: Final = 2 * 10**9
_LARGE: Final = 8 * 10**6
"""Bytes of a wheel that has a layer of its own: a second or so of sending."""
_MOST_LARGE: Final = 32
"""Layers that large wheels get, the largest first: Docker takes 127 in all, and a base image has some."""


@dataclass(frozen=True, slots=True)
class Wheels:
    """How wheels become members of a layer.

    Attributes:
        python: The image's.
        prune: Whether what no container uses is left out.
        whole: Distributions of which nothing is left out.
        path: Where a wheel's file is, by its digest.
        compiler: Makes bytecode; None makes none.
    """

    python: Interpreter
    prune: bool
    whole: frozenset[str]
    path: Callable[[str], Path]
    compiler: Compiler | None = None

    def key(self, wheels: Sequence[WheelFile]) -> list[object]:
        """What decides the members, for a cache key."""
        named = [[wheel.filename, wheel.digest, wheel.distribution in self.whole] for wheel in wheels]
        rules = [pruning.RULES, self.python.has_compiler] if self.prune else None
        return [self.python.version, self.compiler and self.compiler.release, rules, named]

    def members(self, wheels: Sequence[WheelFile], opened: ExitStack, notes: list[str]) -> list[Member]:
        """The wheels unpacked; what two of them write is noted."""
        placed = [(wheel, self.path(wheel.digest)) for wheel in wheels]
        unpacked = venv.unpack_wheels(placed, self.python.version, opened, self._left_out)
        notes += unpacked.notes
        return unpacked.members

    def paths(self, wheel: WheelFile, opened: ExitStack) -> Iterator[str]:
        """Where a wheel's members go, those that are left out too, whose finding takes long."""
        unpacked = venv.unpack_wheels([(wheel, self.path(wheel.digest))], self.python.version, opened)
        return (member.path for member in unpacked.members)

    def _left_out(self, archive: zipfile.ZipFile, distribution: str) -> frozenset[str]:
        if not self.prune or distribution in self.whole:
            return frozenset()
        return pruning.superfluous(archive, has_compiler=self.python.has_compiler)


def dependencies(wheels: Sequence[WheelFile], how: Wheels) -> list[Recipe]:
    """One layer for each large wheel, and one above them for all others."""
    by_size = sorted((wheel for wheel in wheels if (wheel.size or 0) >= _LARGE), key=lambda wheel: -(wheel.size or 0))
    large = sorted(by_size[:_MOST_LARGE], key=lambda wheel: wheel.distribution)
    small = tuple(wheel for wheel in wheels if wheel not in large)
    recipes = [
        Recipe(
            f"dependencies: {wheel.distribution}",
            cache_key("wheel", _LAYOUT, how.key([wheel])),
            f"{wheel.distribution} {wheel.version}",
            partial(_unpacked, how, (wheel,)),
            (wheel,),
            how.compiler,
            wheel.size or 0,
        )
        for wheel in large
    ]
    if small:
        # The large ones are in the key for the notes alone: files that one of them has, too.
        key = cache_key("dependencies", _LAYOUT, how.key(small), how.key(large))
        content = f"{len(small)} distributions" if len(small) > 1 else f"{small[0].distribution} {small[0].version}"
        members = partial(_unpacked_above, how, small, tuple(large))
        recipes.append(Recipe("dependencies", key, content, members, (*small, *large), how.compiler, _size(small)))
    return recipes


def server(wheels: Sequence[WheelFile], own: Sequence[Member], how: Wheels) -> Recipe:
    """The virtual environment itself, the server and the wheels that only it needs."""
    key = cache_key("server", _LAYOUT, how.python.path, how.key(wheels), _contents(own))
    content = f"argosy {importlib.metadata.version('argosy')} and {len(wheels)} distributions"
    return Recipe(
        "server",
        key,
        content,
        lambda opened, notes: [*how.members(wheels, opened, notes), *own],
        tuple(wheels),
        how.compiler,
        _size(wheels),
    )


def predictor(project: Project, compiler: Compiler | None) -> Recipe:
    """The predictor's files, and their folder, which is there without any, too.

    Raises:
        ProjectError: The project lacks a file for the image.
    """
    files = project.program_files()
    is_unchanged = _watch([project.root / path for path in files])  # first: it is read for the key, too
    members = [from_file(f"{PROGRAM}/{path.as_posix()}", project.root / path) for path in files]
    if not files:  # as where a flavor serves the model: a container starts in this folder
        members = [Member(PROGRAM, 0o755)]
    content = str(files[0]) if len(files) == 1 else f"{len(files)} files"
    key = cache_key("predictor", _LAYOUT, compiler and compiler.release, _contents(members))
    return Recipe("predictor", key, content, lambda opened, notes: members, (), compiler, is_unchanged=is_unchanged)


def artifacts(folder: Path) -> Recipe:
    """The model's files."""
    files = model_archive.artifact_files(folder)
    is_unchanged = _watch(files)
    stamps = [_stamp(path) for path in files]
    members = [from_file(f"{MODEL}/{path.relative_to(folder).as_posix()}", path) for path in files]
    # A file's change time cannot be set back, so equal stamps mean equal bytes, unless it changed twice within one
    # tick of the clock: what changed just now is not remembered.
    settled = all(time.time_ns() - stamp[-1] > _SETTLED_NS for stamp in stamps)
    key = cache_key("artifacts", _LAYOUT, [[str(path), *stamp] for path, stamp in zip(files, stamps, strict=True)])
    content = f"{len(files)} files"
    return Recipe(
        "artifacts",
        key if settled else None,
        content,
        lambda opened, notes: members,
        size=sum(member.size for member in members),
        is_unchanged=is_unchanged,
    )


def _size(wheels: Sequence[WheelFile]) -> int:
    return sum(wheel.size or 0 for wheel in wheels)


def _watch(files: Sequence[Path]) -> Callable[[], bool]:
    """Tells, whenever it is asked, whether the files are what they are now."""
    stamps = [_stamp(path) for path in files]
    return lambda: [_stamp(path) for path in files] == stamps


def _unpacked(how: Wheels, wheels: tuple[WheelFile, ...], opened: ExitStack, notes: list[str]) -> list[Member]:
    return how.members(wheels, opened, notes)


def _unpacked_above(
    how: Wheels, small: tuple[WheelFile, ...], large: tuple[WheelFile, ...], opened: ExitStack, notes: list[str]
) -> list[Member]:
    """The small ones, which lie above the large ones: what both write is noted."""
    members = how.members(small, opened, notes)
    written = {member.path for member in members}
    for wheel in large:
        if not written.intersection(how.paths(wheel, opened)):
            continue
        below = how.members((wheel,), opened, [])
        notes += [
            f"/{member.path} is in {wheel.distribution} and in a smaller distribution: the latter's is kept"
            for member in below
            if member.path in written and member.open is not None
        ]
    return members


def _contents(members: Sequence[Member]) -> list[list[object]]:
    """Members by their content, for a cache key."""
    found: list[list[object]] = []
    for member in members:
        digest = None
        if member.open is not None:
            with member.open() as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]  # any stream does
        found.append([member.path, member.mode, member.link, digest])
    return found


def _stamp(path: Path) -> tuple[int, ...]:
    status = path.stat()
    executable = int(bool(status.st_mode & stat.S_IXUSR))
    return (executable, status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev, status.st_ctime_ns)
