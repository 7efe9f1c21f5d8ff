"""Images made in memory, with one thing wrong where a test wants it."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from argosy.image.image import DOCKER_CONFIG, DOCKER_LAYER, DOCKER_MANIFEST, Image

ELF_AMD64 = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\x3e\x00" + bytes(44)
ELF_ARM64 = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xb7\x00" + bytes(44)
SERVE = b"#!/usr/bin/env python3\nimport server\n"


@dataclass(frozen=True)
class File:
    content: bytes = b""
    mode: int = 0o755
    link: str = ""


CLEAN_FILES: Mapping[str, File] = {
    "usr/bin/env": File(ELF_AMD64),
    "usr/bin/python3": File(link="python3.11"),
    "usr/bin/python3.11": File(ELF_AMD64),
    "bin": File(link="usr/bin"),
    "usr/bin/sh": File(ELF_AMD64),
    "opt/program/serve": File(SERVE),
    "etc/os-release": File(b'ID=debian\nVERSION_ID="12"\n', 0o644),
}
CLEAN_RUNTIME: Mapping[str, Any] = {"Env": ["PATH=/opt/program:/usr/local/bin:/usr/bin:/bin"], "WorkingDir": "/opt"}


@dataclass
class MemoryBlobs:
    stored: dict[str, bytes] = field(default_factory=dict)

    def add(self, content: bytes) -> str:
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self.stored[digest] = content
        return digest

    def open(self, digest: str) -> BinaryIO:
        return io.BytesIO(self.stored[digest])


def make_image(
    files: Mapping[str, File] = CLEAN_FILES,
    runtime: Mapping[str, Any] = CLEAN_RUNTIME,
    *,
    config: Mapping[str, Any] | None = None,
    manifest: Mapping[str, Any] | None = None,
    index: bytes | None = None,
    upper: tuple[Mapping[str, File], ...] = (),
) -> Image:
    """An image of one layer and those in `upper`; `config` and `manifest` replace fields of theirs."""
    blobs = MemoryBlobs()
    tars = [_tar(layer) for layer in (files, *upper)]
    layers = [gzip.compress(tar, mtime=0) for tar in tars]
    config_bytes = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": dict(runtime),
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(tar).hexdigest()}" for tar in tars]},
            "history": [{"created_by": "COPY . /"}],
            **(config or {}),
        }
    ).encode()
    manifest_bytes = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": DOCKER_MANIFEST,
            "config": {"mediaType": DOCKER_CONFIG, "digest": blobs.add(config_bytes), "size": len(config_bytes)},
            "layers": [{"mediaType": DOCKER_LAYER, "digest": blobs.add(layer), "size": len(layer)} for layer in layers],
            **(manifest or {}),
        }
    ).encode()
    return Image(manifest_bytes, config_bytes, blobs, index)


def _tar(files: Mapping[str, File]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, file in sorted(files.items()):
            member = tarfile.TarInfo(path)
            member.mode = file.mode
            if file.link:
                member.type, member.linkname = tarfile.SYMTYPE, file.link
            else:
                member.size = len(file.content)
            archive.addfile(member, None if file.link else io.BytesIO(file.content))
    return buffer.getvalue()
