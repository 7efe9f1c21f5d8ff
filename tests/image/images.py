"""Small images made with the standard library alone, so that ours is read and written against other code."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from argosy.image.blobs import BlobStore
from argosy.image.image import DOCKER_CONFIG, DOCKER_LAYER, DOCKER_MANIFEST, Image

ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\x3e\x00" + bytes(44)


def sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def file(name: str, content: bytes = b"", mode: int = 0o644) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    member.mode, member.size = mode, len(content)
    return member, content


def folder(name: str, mode: int = 0o755) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    member.type, member.mode = tarfile.DIRTYPE, mode
    return member, b""


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.mode = kind, target, 0o777
    return member, b""


Member = tuple[tarfile.TarInfo, bytes]


def tar(members: Iterable[Member]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for member, content in members:
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


PYTHON: Sequence[Member] = (
    file("usr/bin/python3.11", ELF, 0o755),
    link("usr/local/bin/python3", "/usr/bin/python3.11"),
    file("usr/lib64/ld-linux-x86-64.so.2", ELF, 0o755),
    link("lib64", "usr/lib64"),
)


def image(
    store: BlobStore,
    layers: Sequence[Sequence[Member]] = (PYTHON,),
    *,
    config: dict[str, Any] | None = None,
    compressed: bool = True,
    layer_type: str = DOCKER_LAYER,
    manifest_type: str = DOCKER_MANIFEST,
) -> Image:
    """An image in the store; fields of `config` win over those made here."""
    tars = [tar(layer) for layer in layers]
    stored = [gzip.compress(content, 1, mtime=0) if compressed else content for content in tars]
    for content in stored:
        store.add_bytes(content, sha256(content))
    config_bytes = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin"]},
            "rootfs": {"type": "layers", "diff_ids": [sha256(content) for content in tars]},
            "history": [{"created_by": "a test"}],
            **(config or {}),
        }
    ).encode()
    manifest_bytes = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": manifest_type,
            "config": {"mediaType": DOCKER_CONFIG, "digest": sha256(config_bytes), "size": len(config_bytes)},
            "layers": [
                {"mediaType": layer_type, "digest": sha256(content), "size": len(content)} for content in stored
            ],
        }
    ).encode()
    store.add_bytes(config_bytes, sha256(config_bytes))
    store.add_bytes(manifest_bytes, sha256(manifest_bytes))
    return Image(manifest_bytes, config_bytes, store)


def tree(root: Path) -> dict[str, bytes | str]:
    """Every file's content and link's target below a folder."""
    return {
        path.relative_to(root).as_posix(): str(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in root.rglob("*")
        if path.is_symlink() or path.is_file()
    }
