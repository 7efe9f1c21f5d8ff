"""What of a wheel no container uses when it runs: tests, caches, what only a C compiler reads, manuals.

Only what follows from names and from what the code itself says goes, and the answer is the same on any machine:

==================== ==========================================================================================
`tests/` in packages unless a module that stays imports it, or names a file in it
`__pycache__`, .pyc  always: the image's Python makes its own
.pyx .pxd .a         unless the image has a C compiler
headers              of a few large libraries, where nobody but such a compiler reads them
plugins              of a few libraries, for hardware that no instance of SageMaker's has
`share/doc`, `man`   always, of a wheel's `.data`; what lies in packages is theirs
==================== ==========================================================================================

Never licences and metadata (`.dist-info`), never data, never type stubs: some libraries read theirs at run time.
"""

import re
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Final

RULES: Final = 3
"""Part of every cache key: raise it when the same wheel is pruned differently."""

_TESTS: Final = "tests"
_SOURCES: Final = (".a", ".pxd", ".pxi", ".pyx")
"""Of Cython, and for linkers. Other sources and headers are also read by compilers that a wheel brings along."""
_HEADERS: Final = (
    *("numpy/_core/include/", "numpy/core/include/", "pyarrow/include/", "pyarrow/src/"),
    *("tensorflow/include/", "torch/include/", "torch/share/cmake/"),
)
"""Folders that are there for those who compile against the library, and for nobody else."""
_PLUGINS: Final = ("ai_edge_litert/vendors/",)
"""Of LiteRT, for the neural processors of telephones and notebooks; they name libraries that no image has."""
_CACHES: Final = (".pyc", ".pyo")
_MANUALS: Final = (("data", "share", "doc"), ("data", "share", "man"), ("data", "share", "info"))
_IMPORT: Final = re.compile(
    rb"^[ \t]*from[ \t]+([.\w]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n]*)|^[ \t]*import[ \t]+([^\n]*)", re.MULTILINE
)
_STRING: Final = re.compile(rb"""['"]([\w./-]*\btests[./][\w./-]+|[\w.]+\.tests)['"]""")
_NAME: Final = re.compile(r"[.\w]+")


def superfluous(archive: zipfile.ZipFile, *, has_compiler: bool) -> frozenset[str]:
    """The names of a wheel's members that need not enter an image.

    Args:
        archive: The wheel.
        has_compiler: Whether the image has a C compiler.
    """
    names = [name for name in archive.namelist() if not name.endswith("/")]
    candidates = {name: parts for name in names if not (parts := _parts(name))[0].endswith(".dist-info")}
    found = {name for name, parts in candidates.items() if _is_cache(parts) or _is_manual(parts)}
    found |= {name for name in candidates if name.startswith(_PLUGINS)}
    if not has_compiler:
        found |= {
            name for name, parts in candidates.items() if name.startswith(_HEADERS) or _has_suffix(parts, _SOURCES)
        }
    tests = {name: folder for name, parts in candidates.items() if (folder := _tests_folder(parts)) is not None}
    if tests:
        wanted = _wanted(archive, candidates, tests)
        found |= {name for name, folder in tests.items() if folder not in wanted}
    return frozenset(found)


def without(record: bytes, pruned: Collection[str]) -> bytes:
    r"""A wheel's RECORD, which lists its files, without those that are not there.

    >>> without(b"a/b.py,sha256=x,1\na/tests/c.py,,\n", {"a/tests/c.py"})
    b'a/b.py,sha256=x,1\n'
    """
    return b"".join(line for line in record.splitlines(keepends=True) if _listed(line) not in pruned)


def _listed(line: bytes) -> str:
    path = line.decode("utf-8", "surrogateescape").rsplit(",", 2)[0]
    return path[1:-1].replace('""', '"') if path.startswith('"') else path


def _parts(name: str) -> list[str]:
    """The folders that a member lies in, and its own name; wheels have many members, and `PurePosixPath` is slow."""
    return [part for part in name.split("/") if part not in ("", ".")] or [""]


def _has_suffix(parts: list[str], suffixes: tuple[str, ...]) -> bool:
    return parts[-1].endswith(suffixes) and parts[-1] not in suffixes


def _is_cache(parts: list[str]) -> bool:
    return "__pycache__" in parts or _has_suffix(parts, _CACHES)


def _is_manual(parts: list[str]) -> bool:
    return parts[0].endswith(".data") and tuple(parts[1:4]) in _MANUALS


def _tests_folder(parts: list[str]) -> str | None:
    """The outermost folder of tests in a package that a member lies in; one at the top is a package of its own."""
    if _TESTS not in parts[1:-1]:
        return None
    return "/".join(parts[: parts.index(_TESTS, 1) + 1])


def _wanted(archive: zipfile.ZipFile, members: Iterable[str], tests: Mapping[str, str]) -> set[str]:
    """The folders of tests that a module which stays speaks of, directly or through another such folder.

    Args:
        archive: The wheel.
        members: All that may be left out of it.
        tests: The folder of tests that a member lies in, for those that do.
    """
    sources: dict[str | None, list[str]] = {}
    for name in members:
        if name.endswith(".py"):
            sources.setdefault(tests.get(name), []).append(name)
    stays = [name for name in sources.pop(None, ()) if not _is_of_tests(name)]
    folders, wanted = set(tests.values()), set[str]()
    while stays:
        named = {place for name in stays for place in _spoken_of(archive.read(name), name)}
        new = {folder for folder in folders if folder not in wanted and _is_among(folder, named)}
        wanted |= new
        stays = [name for folder in new for name in sources.get(folder, ())]
    return wanted


def _is_of_tests(name: str) -> bool:
    """Whether a module is a part of the tests although it lies elsewhere: pytest's, or one that builds the package."""
    stem = PurePosixPath(name).stem
    return stem in ("conftest", "setup") or stem.startswith("test_") or stem.endswith("_test")


def _is_among(folder: str, named: Iterable[str]) -> bool:
    return any(f"/{folder}".endswith(f"/{place}") for place in named)


def _spoken_of(source: bytes, name: str) -> Iterator[str]:
    """The folders of tests that a module imports or names, as paths or as the ends of paths."""
    if b"tests" not in source:
        return
    package = PurePosixPath(name).parts[:-1]
    for found in _IMPORT.finditer(source):
        if b"tests" in found.group():
            yield from _imported(found, package)
    for found in _STRING.finditer(source):
        text = found.group(1).decode()
        yield from _ends([part for part in re.split(r"[/.]", text) if part])


def _imported(found: "re.Match[bytes]", package: tuple[str, ...]) -> Iterator[str]:
    if found.group(3) is not None:
        for name in _NAME.findall(found.group(3).decode("utf-8", "replace")):
            yield from _ends(name.split("."))
        return
    origin = found.group(1).decode()
    dots = len(origin) - len(origin.lstrip("."))
    place = [*(package[: len(package) - dots + 1] if dots else ()), *filter(None, origin.split("."))]
    if _TESTS in place:
        yield from _ends(place)
    elif _TESTS in _NAME.findall(found.group(2).decode("utf-8", "replace")):
        yield "/".join([*place, _TESTS])


def _ends(parts: list[str]) -> Iterator[str]:
    """The path up to its first folder `tests`.

    >>> list(_ends(["numba", "tests", "support"]))
    ['numba/tests']
    """
    if _TESTS in parts:
        yield "/".join(parts[: parts.index(_TESTS) + 1])
