"""Debian archives made in memory: .deb files, indexes and releases."""

import gzip
import hashlib
import io
import lzma
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.image.images import Member, file, tar
from tests.image.web import Answer, Request


def deb(
    members: list[Member],
    name: str = "a",
    version: str = "1.0",
    *,
    compression: str = "xz",
    control: Mapping[str, bytes] | None = None,
) -> bytes:
    """A .deb with these files; `control` wins over the paragraph made here, and adds scripts to it."""
    packs: Mapping[str, Callable[[bytes], bytes]] = {
        "xz": lzma.compress,
        "gz": lambda c: gzip.compress(c, mtime=0),
        "zst": bytes,
    }
    pack = packs[compression]
    said = {"control": f"Package: {name}\nVersion: {version}\nArchitecture: amd64\n".encode(), **(control or {})}
    parts = {
        "debian-binary": b"2.0\n",
        f"control.tar.{compression}": pack(tar([file(f"./{path}", content) for path, content in said.items()])),
        f"data.tar.{compression}": pack(tar(members)),
    }
    buffer = io.BytesIO(b"!<arch>\n")
    buffer.seek(0, io.SEEK_END)
    for name, part in parts.items():
        buffer.write(f"{name:<16}{'0':<12}{'0':<6}{'0':<6}{'100644':<8}{len(part):<10}`\n".encode())
        buffer.write(part + b"\n" * (len(part) % 2))
    return buffer.getvalue()


def stanza(name: str, content: bytes = b"", version: str = "1.0", **fields: str) -> bytes:
    """A paragraph of an index."""
    described = {
        "Package": name,
        "Version": version,
        **{field.replace("_", "-"): value for field, value in fields.items()},
        "Filename": f"pool/{name}.deb",
        "Size": str(len(content)),
        "SHA256": hashlib.sha256(content).hexdigest(),
    }
    return "".join(f"{field}: {value}\n" for field, value in described.items()).encode()


def release(indexes: Mapping[str, bytes]) -> bytes:
    """A release file that lists index files."""
    lines = (f" {hashlib.sha256(content).hexdigest()} {len(content)} {name}\n" for name, content in indexes.items())
    return f"Suite: bookworm\nSHA256:\n{''.join(lines)}Other: x\n".encode()


@dataclass
class Mirror:
    """Debian as a test wants it."""

    debs: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)

    def add(
        self,
        name: str,
        members: list[Member],
        version: str = "1.0",
        control: Mapping[str, bytes] | None = None,
        **fields: str,
    ) -> None:
        content = deb(members, name, version, control=control)
        self.debs[name] = (content, stanza(name, content, version, **fields))

    def __call__(self, request: Request) -> Answer:
        self.requests.append(request.path)
        index = lzma.compress(b"\n".join(text for _, text in self.debs.values()))
        if request.path.endswith("/InRelease"):
            return Answer(200, release({"main/binary-amd64/Packages.xz": index}))
        if "/by-hash/" in request.path:
            return Answer(200, index)
        found = self.debs.get(request.path.rpartition("/")[2].removesuffix(".deb"))
        return Answer(404) if found is None else Answer(200, found[0])
