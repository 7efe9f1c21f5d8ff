"""What a program or shared library says of the libraries that it needs: headers and dynamic section of an ELF file.

Source: System V ABI, chapters 4 and 5; Linux Standard Base 5.0, "Symbol Versioning"; elf(5) (read 2026-11-22).
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO, Final

import msgspec

MAGIC: Final = b"\x7fELF"
HEAD: Final = 20
"""Bytes of a file that tell whether it can be a program."""

_64_BIT: Final = 2
_LITTLE_ENDIAN: Final = 1
_X86_64: Final = 62
_EXECUTABLE, _SHARED = 2, 3
_LOADED, _DYNAMIC, _INTERPRETER = 1, 2, 3
_NEEDED, _STRINGS, _SONAME, _RPATH, _RUNPATH = 1, 5, 14, 15, 29
_DEFINED, _REQUIRED = 0x6FFFFFFC, 0x6FFFFFFE
_WEAK: Final = 2
_MACHINES: Final = {3: "i386", 40: "arm", 62: "x86-64", 183: "aarch64", 243: "riscv", 21: "ppc64", 22: "s390x"}
_LARGEST_TABLE: Final = 1 << 20
_LARGEST_FILE: Final = 1 << 48
_LONGEST_TEXT: Final = 4096


class Program(msgspec.Struct, frozen=True, array_like=True):
    """An executable or shared library.

    Attributes:
        machine: What it runs on, `x86-64` for ours; of others nothing more is read.
        soname: The name by which others need it, where it says one.
        needed: Names of the libraries that the loader has to find.
        rpath: Folders where it looks first, as `$ORIGIN/../lib`; the loader heeds them only without `runpath`.
        runpath: Folders where it looks after LD_LIBRARY_PATH.
        interpreter: The loader that an executable names.
        required: For a needed library the versions of symbols that it must have.
        defined: The versions of symbols that this one has.
    """

    machine: str
    soname: str = ""
    needed: tuple[str, ...] = ()
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()
    interpreter: str = ""
    required: dict[str, tuple[str, ...]] = {}
    defined: tuple[str, ...] = ()

    @property
    def is_ours(self) -> bool:
        """Whether a process on linux/amd64 can load it."""
        return self.machine == "x86-64"


class BrokenProgramError(Exception):
    """An ELF file whose headers lead nowhere."""


def is_program(head: bytes) -> bool:
    """Whether a file that begins so is an executable or a shared library, for whatever machine."""
    if head[:4] != MAGIC or len(head) < HEAD:
        return False
    kind: int = struct.unpack_from(">H" if head[5] != _LITTLE_ENDIAN else "<H", head, 16)[0]
    return kind in (_EXECUTABLE, _SHARED)


def read_program(file: BinaryIO) -> Program:
    """Read what is loaded of an ELF file, and no more of it than that needs.

    Args:
        file: Seekable, for which `is_program` was true.

    Raises:
        BrokenProgramError: An offset or number leads out of the file.
    """
    head = _at(file, 0, HEAD)
    machine = struct.unpack_from(">H" if head[5] != _LITTLE_ENDIAN else "<H", head, 18)[0]
    if head[4] != _64_BIT or head[5] != _LITTLE_ENDIAN or machine != _X86_64:
        bits = "" if head[4] == _64_BIT else " (32 bit)"
        return Program(f"{_MACHINES.get(machine, f'machine {machine}')}{bits}")
    try:
        return _Reader(file).program()
    except struct.error as error:
        raise BrokenProgramError(str(error)) from error


class _Reader:
    """Reads one file of our machine."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        offset, size, count = struct.unpack("<32xQ14xHH6x", _at(file, 0, 64))
        table = _at(file, offset, size * count)
        headers = [struct.unpack_from("<I4xQQ8xQ", table, size * i) for i in range(count)]
        self._loaded = [(start, at, length) for kind, at, start, length in headers if kind == _LOADED]
        self._parts = {kind: (at, length) for kind, at, _, length in headers}
        self._strings = 0

    def program(self) -> Program:
        if _DYNAMIC not in self._parts:
            return Program("x86-64")
        entries = list(self._dynamic())
        first = dict(reversed(entries))
        self._strings = self._place(first.get(_STRINGS, 0))
        interpreter = ""
        if _INTERPRETER in self._parts:
            at, length = self._parts[_INTERPRETER]
            interpreter = _at(self._file, at, min(length, _LONGEST_TEXT)).rstrip(b"\0").decode("utf-8", "replace")
        return Program(
            "x86-64",
            self._text(first[_SONAME]) if _SONAME in first else "",
            tuple(self._text(value) for tag, value in entries if tag == _NEEDED),
            self._folders(first.get(_RPATH)),
            self._folders(first.get(_RUNPATH)),
            interpreter,
            dict(self._required(first[_REQUIRED])) if _REQUIRED in first else {},
            tuple(self._defined(first[_DEFINED])) if _DEFINED in first else (),
        )

    def _dynamic(self) -> Iterator[tuple[int, int]]:
        at, length = self._parts[_DYNAMIC]
        table = _at(self._file, at, min(length, _LARGEST_TABLE))
        for tag, value in struct.iter_unpack("<QQ", table[: len(table) // 16 * 16]):
            if tag == 0:
                return
            yield tag, value

    def _place(self, address: int) -> int:
        """Where in the file an address of memory is."""
        for start, at, length in self._loaded:
            if start <= address < start + length:
                return int(address - start + at)
        raise BrokenProgramError(f"nothing is loaded at address {address:#x}")

    def _text(self, offset: int) -> str:
        text, end, _ = _upto(self._file, self._strings + offset, _LONGEST_TEXT).partition(b"\0")
        if not end:
            raise BrokenProgramError("a name without an end")
        return text.decode("utf-8", "replace")

    def _folders(self, offset: int | None) -> tuple[str, ...]:
        return () if offset is None else tuple(folder for folder in self._text(offset).split(":") if folder)

    def _table(self, address: int) -> bytes:
        return _upto(self._file, self._place(address), _LARGEST_TABLE)

    def _required(self, address: int) -> Iterator[tuple[str, tuple[str, ...]]]:
        table = self._table(address)
        for at in _chain(table, 0, 12):
            library, aux = struct.unpack_from("<4xII", table, at)
            versions = []
            for place in _chain(table, at + aux, 12):
                flags, name = struct.unpack_from("<4xH2xI", table, place)
                if not flags & _WEAK:
                    versions.append(self._text(name))
            yield self._text(library), tuple(versions)

    def _defined(self, address: int) -> Iterator[str]:
        table = self._table(address)
        for at in _chain(table, 0, 16):
            aux: int = struct.unpack_from("<12xI", table, at)[0]
            yield self._text(struct.unpack_from("<I", table, at + aux)[0])


def _chain(table: bytes, first: int, step_at: int) -> Iterator[int]:
    """The places of entries that each say, `step_at` bytes on, how far the next one is; the last one says 0.

    The table's own number of entries is not trusted: every step leads onward, so that there is an end.
    """
    at = first
    while True:
        yield at
        step: int = struct.unpack_from("<I", table, at + step_at)[0]
        if not step:
            return
        at += step


def _at(file: BinaryIO, offset: int, size: int) -> bytes:
    if size > _LARGEST_TABLE:
        raise BrokenProgramError(f"a table of {size} bytes")
    content = _upto(file, offset, size)
    if len(content) != size:
        raise BrokenProgramError("the file ends before what its header names")
    return content


def _upto(file: BinaryIO, offset: int, size: int) -> bytes:
    if offset > _LARGEST_FILE:
        raise BrokenProgramError(f"an offset of {offset} bytes")
    file.seek(offset)
    return file.read(size)
