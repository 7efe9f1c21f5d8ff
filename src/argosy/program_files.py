"""The files of a project that enter its image, chosen by patterns and whole paths."""

import fnmatch
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from argosy.errors import ProjectError

IGNORED_FOLDERS: Final = frozenset({"__pycache__", "build", "dist", "node_modules", "tests", "venv"})
"""What a pattern with wildcards never enters, beside hidden folders and virtual environments."""

_WILDCARD: Final = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Choice:
    """Which files of a folder are meant.

    Attributes:
        root: The folder, absolute.
        include: Patterns, each of which has to match something.
        exclude: Patterns of what is left out; they win.
        unwalked: A folder, absolute, that patterns with wildcards do not enter, or None.
        where: What an error names.
    """

    root: Path
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    unwalked: Path | None
    where: Path

    def files(self, named: Sequence[tuple[str, str]], may_be_empty: frozenset[str] = frozenset()) -> list[Path]:
        """The files, sorted, relative to `root`.

        Args:
            named: A field and a path: files that are meant whatever `include` says.
            may_be_empty: Patterns that need not match anything.

        Raises:
            ProjectError: A pattern matches nothing, a named file is excluded, a link leads to nothing or out of the
                folder, a folder cannot be read, or a name is not UTF-8.
        """
        shippable = list(self._walk())
        chosen = {self._named(field, path) for field, path in named}
        for pattern in self.include:
            matched = self._matched(pattern, shippable)
            if not matched and pattern not in may_be_empty:
                raise ProjectError(
                    "`image.include` names no file of the project that may enter the image",
                    got=f"`{pattern}`",
                    where=self.where,
                    hint="name a folder with what is in it (`pkg/**/*`), and a file in a folder that is ignored "
                    f"({', '.join(sorted(IGNORED_FOLDERS))}) by its whole path",
                )
            chosen |= matched
        for path in chosen:
            self._require_shippable(path)
        return sorted(chosen)

    def _matched(self, pattern: str, shippable: Sequence[Path]) -> set[Path]:
        if _WILDCARD.search(pattern):
            parts = _pattern_parts(pattern)
            return {path for path in shippable if _matches(path.parts, parts)}
        path = Path(pattern)
        is_there = os.path.lexists(self.root / path) and not (self.root / path).is_dir()
        return {path} if is_there and not self._is_excluded(path) else set()

    def _named(self, field: str, name: str) -> Path:
        path = Path(os.path.normpath(name))
        if self._is_excluded(path):
            raise ProjectError(
                f"`image.exclude` leaves out the file that `{field}` names", got=f"`{name}`", where=self.where
            )
        return path

    def _walk(self) -> Iterator[Path]:
        """The files that a pattern with wildcards may match, relative to the project."""

        def fail(error: OSError) -> None:
            raise ProjectError(
                "a folder of the project cannot be read",
                got=error.strerror,
                where=error.filename,
                hint="let it be read, or name it in `image.exclude`",
            )

        for folder, folders, files in os.walk(self.root, onerror=fail):
            here = Path(folder).relative_to(self.root)
            folders[:] = [name for name in folders if self._may_enter(here / name)]
            yield from (here / name for name in files if name[0] != "." and not self._is_excluded(here / name))

    def _may_enter(self, folder: Path) -> bool:
        ignored = folder.name.startswith(".") or folder.name in IGNORED_FOLDERS
        unwalked = self.unwalked is not None and self.root / folder == Path(os.path.normpath(self.unwalked))
        virtual = os.path.lexists(self.root / folder / "pyvenv.cfg")
        return not (ignored or unwalked or virtual or self._is_excluded(folder))

    def _is_excluded(self, path: Path) -> bool:
        """Whether `exclude` names the file or folder, or a folder on the way to it."""
        patterns = [_pattern_parts(pattern) for pattern in self.exclude]
        return any(
            _matches(path.parts[:depth], pattern) for depth in range(1, len(path.parts) + 1) for pattern in patterns
        )

    def _require_shippable(self, path: Path) -> None:
        file = self.root / path
        if not file.exists():
            raise ProjectError("a link leads to nothing", got=f"`{file.readlink()}`", where=file)
        if not file.is_file():
            raise ProjectError("neither a file nor a link to one", where=file)
        if not file.resolve().is_relative_to(self.root):
            raise ProjectError(f"`{path}` leads out of the project folder", where=self.where)
        try:
            str(path).encode()
        except UnicodeEncodeError:
            raise ProjectError("a file name is not UTF-8", got=ascii(str(path)), where=self.root) from None


def require_patterns(field: str, patterns: Sequence[str], where: Path) -> None:
    """Refuse what is no pattern of paths inside a folder: relative, nothing upwards, `**` only as a whole part.

    Raises:
        ProjectError: One is not; names the field.
    """
    for pattern in patterns:
        parts = _pattern_parts(pattern)
        if not parts or pattern.startswith("/") or ".." in parts or any("**" in p and p != "**" for p in parts):
            raise ProjectError(
                f"`{field}` has something else than a pattern of paths in the project",
                got=f"`{pattern}`",
                want="a relative path; `*` stands for a part of a name, `**` between slashes for any folders",
                where=where,
            )


def holds_module(paths: Sequence[Path], module: PurePosixPath) -> bool:
    """Whether importing the module, `pkg/name`, reads one of these files."""
    names = (Path(module), Path(module, "__init__"))
    return any(
        path.suffix in (".py", ".pyc", ".so") and path.with_name(path.name.partition(".")[0]) in names for path in paths
    )


def _pattern_parts(pattern: str) -> tuple[str, ...]:
    return tuple(part for part in pattern.split("/") if part not in ("", "."))


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether the parts of a path match those of a pattern; the same on every Python, unlike `Path.glob`."""
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_matches(parts[start:], pattern[1:]) for start in range(len(parts) + 1))
    return bool(parts) and fnmatch.fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])
