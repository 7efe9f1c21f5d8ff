"""ELF files made byte by byte: headers, a dynamic section and its strings, and nothing that could run."""

import struct
from collections.abc import Mapping, Sequence

X86_64, AARCH64 = 62, 183
_DYNAMIC_AT = 64 + 3 * 56


class _Strings:
    """A table of strings."""

    def __init__(self) -> None:
        self.content = b"\0"

    def add(self, text: str) -> int:
        place = len(self.content)
        self.content += text.encode() + b"\0"
        return place


def program(
    needed: Sequence[str] = (),
    *,
    soname: str = "",
    rpath: str = "",
    runpath: str = "",
    interpreter: str = "",
    required: Mapping[str, Sequence[str]] | None = None,
    weak: Sequence[str] = (),
    defined: Sequence[str] = (),
    machine: int = X86_64,
) -> bytes:
    """A shared library; versions of `required` that are in `weak` are asked for weakly."""
    strings = _Strings()
    entries = [(1, strings.add(name)) for name in needed]
    entries += [(tag, strings.add(text)) for tag, text in ((14, soname), (15, rpath), (29, runpath)) if text]
    tables = []
    if required:
        tables.append((0x6FFFFFFE, 0x6FFFFFFF, len(required), _required(required, weak, strings)))
    if defined:
        tables.append((0x6FFFFFFC, 0x6FFFFFFD, len(defined), _defined(defined, strings)))
    at = _DYNAMIC_AT + 16 * (len(entries) + 2 * len(tables) + 2)
    content = b""
    for place_tag, count_tag, count, table in tables:
        entries += [(place_tag, at + len(content)), (count_tag, count)]
        content += table
    entries += [(5, at + len(content)), (0, 0)]
    content += strings.content
    interpreter_at = at + len(content)
    content += interpreter.encode() + b"\0"
    dynamic = b"".join(struct.pack("<QQ", *entry) for entry in entries)
    size = at + len(content)
    parts = [(1, 0, size), (2, _DYNAMIC_AT, len(dynamic))]
    parts.append((3, interpreter_at, len(interpreter) + 1) if interpreter else (0, 0, 0))
    headers = b"".join(struct.pack("<IIQQQQQQ", kind, 4, at, at, at, length, length, 8) for kind, at, length in parts)
    head = b"\x7fELF\x02\x01\x01" + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, 64, 0, 0, 64, 56, len(parts), 64, 0, 0)
    return head + headers + dynamic + content


def _required(required: Mapping[str, Sequence[str]], weak: Sequence[str], strings: _Strings) -> bytes:
    table = b""
    for number, (library, versions) in enumerate(required.items(), 1):
        following = 0 if number == len(required) else 16 + 16 * len(versions)
        table += struct.pack("<HHIII", 1, len(versions), strings.add(library), 16, following)
        for index, version in enumerate(versions, 1):
            after = 0 if index == len(versions) else 16
            table += struct.pack("<IHHII", 0, 2 if version in weak else 0, 0, strings.add(version), after)
    return table


def _defined(defined: Sequence[str], strings: _Strings) -> bytes:
    return b"".join(
        struct.pack("<HHHHIII", 1, 0, 0, 1, 0, 20, 0 if number == len(defined) else 28)
        + struct.pack("<II", strings.add(version), 0)
        for number, version in enumerate(defined, 1)
    )


def loader_cache(*paths: str) -> bytes:
    """An `ld.so.cache` that lists these."""
    strings, entries = b"", b""
    start = 48 + 24 * len(paths)
    for path in paths:
        name, place = path.rpartition("/")[2].encode() + b"\0", path.encode() + b"\0"
        entries += struct.pack("<iIIIQ", 0x303, start + len(strings), start + len(strings) + len(name), 0, 0)
        strings += name + place
    head = b"glibc-ld.so.cache1.1" + struct.pack("<II", len(paths), len(strings)) + bytes(20)
    return head + entries + strings
