"""Debian's control files: paragraphs of `Field: value` lines, divided by empty ones.

Source: Debian Policy Manual 5.1, syntax of control files (read 2026-11-22).
"""

from collections.abc import Iterable, Iterator


def paragraphs(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The paragraphs of a file's lines, each ending with a line break."""
    found: list[bytes] = []
    for line in lines:
        if line.strip():
            found.append(line if line.endswith(b"\n") else line + b"\n")
        elif found:
            yield b"".join(found)
            found = []
    if found:
        yield b"".join(found)


def field(paragraph: bytes, name: str) -> str:
    """A field's first line, empty when there is none."""
    start = b"%s:" % name.encode()
    at = 0 if paragraph.startswith(start) else paragraph.find(b"\n" + start) + 1
    if at == 0 and not paragraph.startswith(start):
        return ""
    return paragraph[at + len(start) : paragraph.index(b"\n", at)].decode("utf-8", "replace").strip()


def folded(paragraph: bytes, name: str) -> list[str]:
    """The words of a field with the lines that continue it."""
    words: list[str] = []
    inside = False
    for line in paragraph.decode("utf-8", "replace").splitlines():
        if not line.startswith((" ", "\t")):
            label, _, line = line.partition(":")
            inside = label == name
        if inside:
            words += line.split()
    return words
