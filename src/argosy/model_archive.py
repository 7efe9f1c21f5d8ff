"""model.tar.gz: the artifacts of a model as SageMaker downloads and unpacks them to /opt/ml/model."""

import errno
import hashlib
import io
import os
import shlex
import shutil
import stat
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, Final, cast

from zlib_ng import gzip_ng, zlib_ng

from argosy.contract import Level
from argosy.errors import ArchiveError

SUFFIX: Final = ".tar.gz"
COMPRESSION_LEVEL: Final = 6
BATCH_VOLUME_BYTES: Final = 25 * 10**9
"""Unpacked, above this an archive and its image may not fit the 30 GB volume of a transform job."""

_GZIP_MAGIC: Final = b"\x1f\x8b"
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_LITTER: Final = ("__pycache__", "__MACOSX", ".DS_Store")
BROKEN_ARCHIVE: Final = (
    tarfile.TarError,
    EOFError,
    zlib.error,
    cast("type[Exception]", zlib_ng.error),
    gzip_ng.BadGzipFile,
)
"""What reading a broken tar or gzip raises."""


class FaultKind(StrEnum):
    """What a fault of an archive is about."""

    FORM = "form"
    """It is not, or holds what is not, unpacked at all."""
    MODE = "mode"
    TWICE = "twice"
    LITTER = "litter"
    TOP_FOLDER = "top-folder"
    SIZE = "size"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing in an archive that SageMaker, or the model's code, would stumble over.

    Attributes:
        kind: What it is about.
        member: Name of the archive's member; empty when the archive as a whole is meant.
        what: The fault, one clause.
        remedy: What to do about it.
        level: How hard it is.
    """

    kind: FaultKind
    member: str
    what: str
    remedy: str
    level: Level


@dataclass(frozen=True, slots=True)
class Lint:
    """What was found when an archive was read once, whole.

    Attributes:
        faults: Every one, not only the first.
        unpacked_bytes: The sizes of its files together, as far as it could be read.
    """

    faults: tuple[Fault, ...]
    unpacked_bytes: int


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; it becomes `path` when the block ends well, and is removed when not.

    What was there before stays whole until then. Files and folders both; a folder replaces only an empty one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        full_disk_named(path),
        tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.", ignore_cleanup_errors=True) as aside,
    ):
        written = Path(aside) / path.name
        yield written
        written.replace(path)


@contextmanager
def full_disk_named(path: Path) -> Iterator[None]:
    """A write that fails since there is no room names no file: let it name this one."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM and error.filename is None:
            error.filename = str(path)
        raise


def gzip_writer(raw: IO[bytes] | io.RawIOBase) -> io.BufferedIOBase:
    """A gzip stream into `raw` whose header carries neither name nor time, from a compressor of a pinned version."""
    stream: io.BufferedIOBase = gzip_ng.GzipNGFile(  # type: ignore[no-untyped-call]  # the library has no types here
        filename="", mode="wb", compresslevel=COMPRESSION_LEVEL, fileobj=raw, mtime=0
    )
    return stream


def gzip_reader(raw: IO[bytes]) -> BinaryIO:
    """The uncompressed bytes of a gzip stream."""
    stream: BinaryIO = gzip_ng.open(raw, "rb")  # type: ignore[no-untyped-call]  # the library has no types here
    return stream


def artifact_files(folder: Path) -> list[Path]:
    """The files of an artifacts folder, absolute, in the order of their names within it.

    Left out, as nothing that a model reads: `__pycache__`, and macOS's `.DS_Store`, `__MACOSX` and `._*`.

    Raises:
        ArchiveError: A link, device, socket or pipe, a name that is not UTF-8, or no file at all.
    """
    found: list[Path] = []
    _walk(folder, found.append)
    if not found:
        raise ArchiveError("no file to pack", where=folder, hint="put the model's files there first")
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def pack(folder: Path, output: Path) -> str:
    """Write the files of `folder` as an archive that is the same bytes for the same files, on any machine.

    Files lie at the archive's root in the order of their names, with modes 0644 or 0755 (whoever may execute a file may
    read it), owner 0 and time 0. What `artifact_files` leaves out is left out.

    Returns:
        `sha256:` digest of the archive.

    Raises:
        ArchiveError: As `artifact_files`; or `output` lies in `folder`, or a file changes while it is read.
    """
    if output.resolve().is_relative_to(folder.resolve()):
        raise ArchiveError("the archive would contain itself", got=f"`{output}`", want=f"a place outside `{folder}`")
    files = artifact_files(folder)
    digest = hashlib.sha256()
    with written_aside(output) as aside:
        with aside.open("wb") as raw, gzip_writer(raw) as stream, tarfile.open(fileobj=stream, mode="w|") as archive:
            folders: set[PurePosixPath] = set()
            for path in files:
                name = PurePosixPath(path.relative_to(folder).as_posix())
                for parent in reversed(name.parents[:-1]):
                    if parent not in folders:
                        folders.add(parent)
                        archive.addfile(_member(str(parent), tarfile.DIRTYPE, 0o755, 0))
                _add(archive, str(name), path)
        with aside.open("rb") as written:
            while chunk := written.read(1 << 20):
                digest.update(chunk)
    return f"sha256:{digest.hexdigest()}"


def unpack(archive: Path, folder: Path) -> None:
    """Unpack as SageMaker does: what lies at the archive's root lands directly in `folder`, all of it or nothing.

    Raises:
        ArchiveError: `folder` has files already; the archive is broken, or holds a link, a device, an absolute name or
            one that leads out of it.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ArchiveError("the folder to unpack to is not empty", where=folder)
    with written_aside(folder) as aside, _opened(archive) as members:
        aside.mkdir()
        for member in members:
            fault = _unsafe(member)
            if fault is not None:
                raise ArchiveError(f"`{member.name}`: {fault[0]}", where=archive, hint=fault[1])
            target = aside / member.name
            if member.isdir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            content = members.extractfile(member)
            if content is None:
                raise ArchiveError(f"`{member.name}`: not a file", where=archive)
            with target.open("wb") as file:
                shutil.copyfileobj(content, file, 1 << 20)
            target.chmod(0o755 if member.mode & 0o111 else 0o644)
        aside.chmod(0o755)


def lint(archive: Path) -> Lint:
    """Read an archive once: its faults, and how large it is.

    Sources:
        Rows A01-A05 of AWS Marketplace's demands; symbolic links break SageMaker's extraction (re:Post
        "endpoint-creation-fail", read 2026-11-22).
    """
    faults: list[Fault] = []
    if not archive.name.endswith(SUFFIX):
        what = f"the name does not end in {SUFFIX}"
        faults.append(Fault(FaultKind.FORM, "", what, f"rename it to model{SUFFIX}", Level.MUST))
    with archive.open("rb") as file:
        start = file.read(2)
    if start != _GZIP_MAGIC:
        faults.append(Fault(FaultKind.FORM, "", "not compressed with gzip", "pack it with `argosy pack`", Level.MUST))
        return Lint(tuple(faults), 0)
    names: set[str] = set()
    size = 0
    try:
        with _opened(archive) as members:
            for member in members:
                faults += _member_faults(member, names)
                names.add(member.name)
                size += member.size
    except ArchiveError as error:
        faults.append(Fault(FaultKind.FORM, "", error.message, "pack it again with `argosy pack`", Level.MUST))
        return Lint(tuple(faults), size)
    return Lint((*faults, *_whole_faults(names, size)), size)


def _walk(folder: Path, found: Callable[[Path], None]) -> None:
    with os.scandir(folder) as listed:
        entries = sorted(listed, key=lambda entry: entry.name)
    for entry in entries:
        path = Path(entry.path)
        if entry.name in _LITTER or entry.name.startswith("._"):
            continue
        try:
            entry.name.encode()
        except UnicodeEncodeError:
            raise ArchiveError("a file name is not UTF-8", got=ascii(entry.name), where=folder) from None
        if entry.is_dir(follow_symlinks=False):
            _walk(path, found)
        elif entry.is_file(follow_symlinks=False):
            found(path)
        else:
            kind = "a symbolic link" if entry.is_symlink() else "neither a file nor a folder"
            quoted = shlex.quote(str(path))
            hint = f'replace it by what it points to: cp --remove-destination "$(realpath {quoted})" {quoted}'
            if path.is_dir():
                swap = f"cp -rL {quoted} {quoted}.copy && rm {quoted} && mv {quoted}.copy {quoted}"
                hint = f"replace it by what it points to: {swap}"
            raise ArchiveError(
                "cannot be packed: SageMaker would not unpack it",
                got=kind,
                where=path,
                hint=hint if entry.is_symlink() else None,
            )


def _add(archive: tarfile.TarFile, name: str, path: Path) -> None:
    with path.open("rb") as file:
        before = os.fstat(file.fileno())
        mode = 0o755 if before.st_mode & stat.S_IXUSR else 0o644
        try:
            archive.addfile(_member(name, tarfile.REGTYPE, mode, before.st_size), file)
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise
            raise ArchiveError("cannot be read whole", got=error, where=path) from error
        after = os.fstat(file.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise ArchiveError("the file changed while it was packed", where=path, hint="run it again")


def _member(name: str, kind: bytes, mode: int, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.mode, member.size = kind, mode, size
    return member


@contextmanager
def _opened(archive: Path) -> Iterator[tarfile.TarFile]:
    """The members as a stream; whatever is wrong with the bytes becomes an ArchiveError."""
    try:
        with archive.open("rb") as raw, gzip_reader(raw) as stream, tarfile.open(fileobj=stream, mode="r|") as members:
            yield members
    except BROKEN_ARCHIVE as error:
        raise ArchiveError("not a whole tar archive in gzip", got=error, where=archive) from error


def _unsafe(member: tarfile.TarInfo) -> tuple[str, str] | None:
    """What makes a member impossible to unpack safely, and the remedy; None when it is a plain file or folder."""
    parts = PurePosixPath(member.name).parts
    if member.name.startswith("/"):
        return "an absolute name", "pack with relative names: `argosy pack`, or tar -C FOLDER -czf model.tar.gz ."
    if ".." in parts or "\0" in member.name:
        return "the name leads out of the archive", "pack the folder itself: `argosy pack`"
    if member.issym() or member.islnk():
        kind = "symbolic" if member.issym() else "hard"
        return f"a {kind} link, which SageMaker does not unpack", "pack the file it points to: tar --dereference"
    if not (member.isfile() or member.isdir()):
        return "neither a file nor a folder", "leave it out"
    return None


def _member_faults(member: tarfile.TarInfo, seen: set[str]) -> list[Fault]:
    faults: list[Fault] = []
    unsafe = _unsafe(member)
    if unsafe is not None:
        faults.append(Fault(FaultKind.FORM, member.name, *unsafe, Level.MUST))
    needed = 0o555 if member.isdir() else 0o444
    if (member.isfile() or member.isdir()) and member.mode & needed != needed:
        faults.append(
            Fault(
                FaultKind.MODE,
                member.name,
                f"mode {member.mode & 0o777:04o} keeps some users from reading it",
                "files 0644, folders and programs 0755: `argosy pack` does that",
                Level.SHOULD,
            )
        )
    if member.isfile() and member.name in seen:
        faults.append(Fault(FaultKind.TWICE, member.name, "twice in the archive", "pack it again", Level.SHOULD))
    name = PurePosixPath(member.name).name
    if name in _LITTER or name.startswith("._"):
        what = "nothing that a model reads"
        faults.append(Fault(FaultKind.LITTER, member.name, what, "`argosy pack` leaves it out", Level.INFO))
    return faults


def _whole_faults(names: set[str], size: int) -> list[Fault]:
    faults: list[Fault] = []
    parts = [PurePosixPath(name).parts for name in names if PurePosixPath(name).parts]
    tops = {part[0] for part in parts}
    if not parts:
        remedy = "pack the folder with the model's files"
        faults.append(Fault(FaultKind.FORM, "", "no file in it", remedy, Level.MUST))
    elif len(tops) == 1 and all(len(part) > 1 for part in parts if part != (next(iter(tops)),)) and len(parts) > 1:
        (top,) = tops
        remedy = f"pack the content of `{top}`, not the folder: files then lie directly in /opt/ml/model"
        what = "everything lies in one extra top folder"
        faults.append(Fault(FaultKind.TOP_FOLDER, top, what, remedy, Level.SHOULD))
    if size > BATCH_VOLUME_BYTES:
        what = f"{size / 1e9:.0f} GB unpacked, and a transform job's volume has 30 GB for image and model"
        remedy = "make the model smaller, or sell it for endpoints only"
        faults.append(Fault(FaultKind.SIZE, "", what, remedy, Level.SHOULD))
    return faults
