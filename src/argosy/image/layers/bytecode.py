"""Sources -> bytecode, the same on any machine with the same release of Python, so that no container compiles.

Two things make bytecode differ between machines, and neither is here: the time of the source (the files are of the kind
that is never checked against it, PEP 552), and references between objects, which say what else the compiling process
held (marshal's format 2 has none).

Source: docs.python.org, "py_compile", "marshal" (read 2026-11-22).
"""

import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Final

import uv

from argosy.errors import ImageError
from argosy.image.blobs import CHUNK
from argosy.image.layer import Member, from_file

_LARGEST: Final = 8 * 2**20
"""Bytes of a source; what is larger is no module that a person wrote."""
_PROGRAM: Final = """\
import importlib.util, marshal, sys, warnings
warnings.simplefilter("ignore")
read = sys.stdin.buffer.read
while size := int.from_bytes(read(4), "little"):
    target, name, source = (read(int.from_bytes(read(4), "little")) for _ in range(3))
    try:
        code = compile(source, name.decode(), "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError, RecursionError):
        continue  # a template, or for another Python: whoever imports it is told
    head = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + importlib.util.source_hash(source)
    with open(target.decode(), "wb") as file:
        file.write(head + marshal.dumps(code, 2))
"""


@dataclass(frozen=True, slots=True)
class Compiler:
    """A CPython on this machine: `3.x`, the exact release, and its program. Nothing of what it is given is run."""

    version: str
    release: str
    program: Path


def find_compiler(version: str, environ: Mapping[str, str]) -> Compiler:
    """A CPython of a version on this machine, its own or one that uv finds.

    Args:
        version: `3.x` of the image.
        environ: The environment for uv.

    Raises:
        ImageError: There is none.
    """
    if sys.version_info[:2] == tuple(map(int, version.split("."))) and sys.implementation.name == "cpython":
        return Compiler(version, platform.python_version(), Path(sys.executable))
    command = [uv.find_uv_bin(), "python", "find", "--no-project", "--system", f"cpython@{version}"]
    quiet = {**environ, "UV_PYTHON_DOWNLOADS": "never", "NO_COLOR": "1"}
    found = subprocess.run(command, env=quiet, capture_output=True, text=True, check=False)
    path = shutil.which(found.stdout.strip()) if found.returncode == 0 else None
    if path is None:
        raise ImageError(
            f"there is no Python {version} here to make the image's bytecode with",
            want="`image.bytecode = true` needs the image's Python on the machine that builds",
            hint=f"uv python install {version}",
        )
    release = [path, "-I", "-S", "-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])"]
    told = subprocess.run(release, capture_output=True, text=True, check=False)
    return Compiler(version, told.stdout.strip() or version, Path(path))


@contextmanager
def compiled(members: Sequence[Member], compiler: Compiler) -> Iterator[list[Member]]:
    """The members with the bytecode of each module among them, which can be read while the block lasts.

    Args:
        members: Of a layer.
        compiler: Of the image's Python.

    Raises:
        ImageError: The compiler failed.
    """
    tag = f"cpython-{compiler.version.replace('.', '')}"
    sources = [member for member in members if _is_module(member)]
    with TemporaryDirectory(prefix="argosy-") as folder, TemporaryDirectory(prefix="argosy-") as empty:
        targets = [Path(folder) / str(number) for number in range(len(sources))]
        _compile(list(zip(sources, targets, strict=True)), compiler.program, Path(empty))
        made = [
            from_file(_cached_name(source.path, tag), target)
            for source, target in zip(sources, targets, strict=True)
            if target.exists()
        ]
        yield [*members, *made]


def _is_module(member: Member) -> bool:
    return member.open is not None and member.path.endswith(".py") and 0 < member.size <= _LARGEST


def _cached_name(path: str, tag: str) -> str:
    found = PurePosixPath(path)
    return str(found.parent / "__pycache__" / f"{found.stem}.{tag}.pyc")


def _compile(sources: Sequence[tuple[Member, Path]], compiler: Path, folder: Path) -> None:
    # In an empty folder, without site packages and variables: nothing of this machine has a say. `-I` would do that,
    # and ignore the seed, too; older Pythons write sets in the order of their hashes.
    argv, environ = [str(compiler), "-s", "-S", "-c", _PROGRAM], {"PYTHONHASHSEED": "0"}
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder, env=environ) as process:
        assert process.stdin is not None
        try:
            for member, target in sources:
                assert member.open is not None
                with member.open() as stream:
                    content = b"".join(iter(lambda: stream.read(CHUNK), b""))
                process.stdin.write((1).to_bytes(4, "little"))
                for field in (str(target).encode(), f"/{member.path}".encode(), content):
                    process.stdin.write(len(field).to_bytes(4, "little") + field)
            process.stdin.write(bytes(4))
            process.stdin.close()
        except BrokenPipeError:
            pass  # it says why
        except BaseException:
            process.kill()
            raise
        assert process.stderr is not None
        said = process.stderr.read().decode(errors="replace").strip()
    if process.returncode:
        raise ImageError("the bytecode cannot be made", got=said or f"exit code {process.returncode}", where=compiler)
