"""Whether `docker run IMAGE serve` finds a program that the kernel can execute, told from the image's files alone.

Source: execve(2) for `#!` lines and their interpreters; ELF-64 object file format, header (read 2026-11-22).
"""

import shlex
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from argosy.conformance.check import Check, Evidence, Group, Verdict, failed, passed
from argosy.conformance.clause import must
from argosy.conformance.scenes.at_rest import Files
from argosy.contract import HOSTING_PAGE, SERVE_ARGUMENT
from argosy.image.filesystem import Entry, Filesystem

DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What an engine searches when the image has no PATH (moby `oci/defaults`)."""

_ELF: Final = b"\x7fELF"
_MACHINE_AMD64: Final = 0x3E
_INTERPRETERS_LIMIT: Final = 4
_HEAD: Final = 4096


class _RefusedError(Exception):
    """Why a program cannot be executed: a sentence and where it was seen. Never leaves this module."""

    def __init__(self, reason: str, evidence: Evidence) -> None:
        super().__init__(reason)
        self.reason = reason
        self.evidence = evidence


@dataclass(frozen=True, slots=True)
class _Root:
    """The image's files with what the engine knows when it looks for a program."""

    filesystem: Filesystem
    search: tuple[str, ...]
    working_dir: str

    def find(self, name: str) -> str:
        """The path of a program: as it is when it has a slash, else the first on PATH that may be executed."""
        if "/" in name:
            return str(PurePosixPath("/", self.working_dir, name))
        found = [path for folder in self.search if self._is_file(path := str(PurePosixPath("/", folder, name)))]
        executable = [path for path in found if self._entry(path).mode & 0o111]
        if not found:
            raise _RefusedError(f"no `{name}` on PATH", Evidence(f"PATH={':'.join(self.search)}", f"no `{name}`"))
        return (executable or found)[0]

    def require_executable(self, path: str, depth: int = 0) -> list[str]:
        """The chain from a program to the machine code that runs it, or `_RefusedError`."""
        if not self._is_file(path):
            raise _RefusedError(f"`{path}` is not in the image", Evidence(path, "no such file"))
        if not self._entry(path).mode & 0o111:
            raise _RefusedError(f"`{path}` has no execute bit", Evidence(path, f"mode {self._entry(path).mode:04o}"))
        head = self.filesystem.read(path, _HEAD)
        if head.startswith(_ELF):
            machine = int.from_bytes(head[18:20], "little")
            if machine != _MACHINE_AMD64:
                raise _RefusedError(
                    f"`{path}` is a program for another processor", Evidence(path, f"ELF, {machine:#x}")
                )
            return [path]
        if not head.startswith(b"#!"):
            raise _RefusedError(
                f"`{path}` is neither a `#!` script nor an ELF program", Evidence(path, repr(head[:40]))
            )
        if depth >= _INTERPRETERS_LIMIT:
            raise _RefusedError(f"`{path}`: too many interpreters", Evidence(path, repr(head[:40])))
        line = head[2:].partition(b"\n")[0]
        if line.endswith(b"\r"):
            raise _RefusedError(f"`{path}` has CRLF line ends", Evidence(path, repr(head[: len(line) + 3])))
        return [path, *self._interpreters(path, line.decode(errors="replace"), depth)]

    def _interpreters(self, path: str, line: str, depth: int) -> list[str]:
        words = line.split()
        if not words:
            raise _RefusedError(f"`{path}` names no interpreter", Evidence(path, f"#!{line}"))
        try:
            chain = self.require_executable(words[0], depth + 1)
            if PurePosixPath(words[0]).name == "env" and len(words) > 1:
                name = next((word for word in _env_arguments(words[1:]) if not word.startswith("-")), "")
                chain += self.require_executable(self.find(name), depth + 1)
        except _RefusedError as refused:
            raise _RefusedError(f"the interpreter of `{path}`: {refused.reason}", refused.evidence) from refused
        return chain

    def _is_file(self, path: str) -> bool:
        entry = self.filesystem.resolve(path)
        return entry is not None and entry.kind in ("file", "hardlink")

    def _entry(self, path: str) -> Entry:
        entry = self.filesystem.resolve(path)
        if entry is None:
            raise _RefusedError(f"`{path}` is not in the image", Evidence(path, "no such file"))
        return entry


def _serve(files: Files) -> Verdict:
    runtime = files.image.runtime
    arguments = [*_words(runtime.get("Entrypoint")), SERVE_ARGUMENT]
    variables = dict(str(entry).partition("=")[::2] for entry in runtime.get("Env") or [])
    root = _Root(
        files.filesystem,
        tuple(variables.get("PATH", DEFAULT_PATH).split(":")),
        str(runtime.get("WorkingDir") or "/"),
    )
    try:
        chain = root.require_executable(root.find(arguments[0]))
    except _RefusedError as refused:
        return failed(refused.reason, Evidence(f"command {arguments}", "cannot be executed"), refused.evidence)
    return passed(f"{arguments} runs {' by '.join(f'`{path}`' for path in chain)}")


def _words(value: Any) -> list[str]:  # Any: a field of a stranger's JSON
    return [str(word) for word in value] if isinstance(value, list) else []


def _env_arguments(words: list[str]) -> list[str]:
    """The arguments of env(1): assignments and `-S` are not programs."""
    text = " ".join(words).removeprefix("-S").strip()
    return [word for word in shlex.split(text) if "=" not in word]


_GROUP: Final[Group[Files]] = Group("image", Files, causes=("image-platform",))

CHECKS: Final[tuple[Check[Files], ...]] = (
    _GROUP.check(
        must(
            "image-serve",
            HOSTING_PAGE,
            "`docker run IMAGE serve` finds a program that this image can execute.",
            "name the program in an exec-form ENTRYPOINT, or put an executable `serve` on PATH: chmod 755, LF line"
            " ends, and a first line whose interpreter is in the image",
            rows="C01 C02 F02 F03",
        ),
        _serve,
    ),
)
