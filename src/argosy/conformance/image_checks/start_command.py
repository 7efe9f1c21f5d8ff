"""What `docker run IMAGE serve` starts: from the command to the machine code that runs it, told from the files alone.

Source: execve(2) for `#!` lines and their interpreters; ELF-64 object file format, header (read 2026-11-22).
"""

import shlex
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from argosy.conformance.check import Evidence
from argosy.conformance.scenes.at_rest import Files
from argosy.contract import SERVE_ARGUMENT
from argosy.image.filesystem import Entry
from argosy.image.image import Image
from argosy.image.manifest import variables

DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What an engine searches when the image has no PATH (moby `oci/defaults`)."""

_ELF: Final = b"\x7fELF"
_MACHINE_AMD64: Final = 0x3E
_INTERPRETERS_LIMIT: Final = 4


class RefusedError(Exception):
    """Why a program cannot be executed: a sentence and where it was seen. Never leaves this package."""

    def __init__(self, reason: str, evidence: Evidence) -> None:
        super().__init__(reason)
        self.reason = reason
        self.evidence = evidence


def entry_point(image: Image) -> list[str]:
    """The image's ENTRYPOINT in its exec form; empty when it has none, or one that is a single text."""
    value = image.runtime.get("Entrypoint")
    return [str(part) for part in value] if isinstance(value, list) else []


def command(image: Image) -> list[str]:
    """What the platform starts: ENTRYPOINT, with `serve` in place of CMD."""
    return [*entry_point(image), SERVE_ARGUMENT]


def working_dir(image: Image) -> str:
    """Where it is started."""
    return str(image.runtime.get("WorkingDir") or "/")


def chain(files: Files) -> list[str]:
    """The paths from the program that is started to the machine code that runs it.

    Raises:
        RefusedError: It cannot be executed.
    """
    image = files.image
    root = _Root(files, tuple(variables(image).get("PATH", DEFAULT_PATH).split(":")), working_dir(image))
    return root.require_executable(root.find(command(image)[0]))


@dataclass(frozen=True, slots=True)
class _Root:
    """The image's files with what the engine knows when it looks for a program."""

    files: Files
    search: tuple[str, ...]
    working_dir: str

    def find(self, name: str) -> str:
        """The path of a program: as it is when it has a slash, else the first on PATH that may be executed."""
        if "/" in name:
            return str(PurePosixPath("/", self.working_dir, name))
        found = [path for folder in self.search if self._is_file(path := str(PurePosixPath("/", folder, name)))]
        executable = [path for path in found if self._entry(path).mode & 0o111]
        if not found:
            raise RefusedError(f"no `{name}` on PATH", Evidence(f"PATH={':'.join(self.search)}", f"no `{name}`"))
        return (executable or found)[0]

    def require_executable(self, path: str, depth: int = 0) -> list[str]:
        """The chain from a program to the machine code that runs it, or `RefusedError`."""
        if not self._is_file(path):
            raise RefusedError(f"`{path}` is not in the image", Evidence(path, "no such file"))
        if not self._entry(path).mode & 0o111:
            raise RefusedError(f"`{path}` has no execute bit", Evidence(path, f"mode {self._entry(path).mode:04o}"))
        head = self.files.content(path)
        if head.startswith(_ELF):
            self._require_machine(path, head)
            self._require_loader(path)
            return [path]
        if not head.startswith(b"#!"):
            raise RefusedError(f"`{path}` is neither a `#!` script nor an ELF program", Evidence(path, repr(head[:40])))
        if depth >= _INTERPRETERS_LIMIT:
            raise RefusedError(f"`{path}`: too many interpreters", Evidence(path, repr(head[:40])))
        line = head[2:].partition(b"\n")[0]
        if line.endswith(b"\r"):
            raise RefusedError(f"`{path}` has CRLF line ends", Evidence(path, repr(head[: len(line) + 3])))
        return [path, *self._interpreters(path, line.decode(errors="replace"), depth)]

    def _require_machine(self, path: str, head: bytes) -> None:
        machine = int.from_bytes(head[18:20], "little")
        if machine != _MACHINE_AMD64:
            raise RefusedError(f"`{path}` is a program for another processor", Evidence(path, f"ELF, {machine:#x}"))

    def _require_loader(self, path: str) -> None:
        """The kernel starts the loader that a program names, and says that the program is missing when it is."""
        program = self.files.libraries.programs.get(self._entry(path).path)
        if program is None or not program.interpreter:
            return
        loader = program.interpreter
        if not self._is_file(loader):
            raise RefusedError(
                f"`{path}` needs the loader `{loader}`, which is not in the image",
                Evidence(path, f"ELF whose interpreter is {loader}"),
            )
        head = self.files.content(loader)
        if head.startswith(_ELF):
            self._require_machine(loader, head)

    def _interpreters(self, path: str, line: str, depth: int) -> list[str]:
        words = line.split()
        if not words:
            raise RefusedError(f"`{path}` names no interpreter", Evidence(path, f"#!{line}"))
        try:
            chain = self.require_executable(words[0], depth + 1)
            if PurePosixPath(words[0]).name == "env" and len(words) > 1:
                name = next((word for word in _env_arguments(words[1:]) if not word.startswith("-")), "")
                chain += self.require_executable(self.find(name), depth + 1)
        except RefusedError as refused:
            raise RefusedError(f"the interpreter of `{path}`: {refused.reason}", refused.evidence) from refused
        return chain

    def _is_file(self, path: str) -> bool:
        entry = self.files.filesystem.resolve(path)
        return entry is not None and entry.kind in ("file", "hardlink")

    def _entry(self, path: str) -> Entry:
        entry = self.files.filesystem.resolve(path)
        if entry is None:
            raise RefusedError(f"`{path}` is not in the image", Evidence(path, "no such file"))
        return entry


def _env_arguments(words: list[str]) -> list[str]:
    """The arguments of env(1): assignments and `-S` are not programs."""
    text = " ".join(words).removeprefix("-S").strip()
    return [word for word in shlex.split(text) if "=" not in word]
