"""One thing changed in a clean image: a file, a setting, the manifest or the archive beside it."""

import io
import json
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from argosy.conformance.probes import Request
from argosy.image.blobs import BlobStore, JoinedBlobs
from argosy.image.filesystem import Filesystem, read_filesystem
from argosy.image.image import DOCKER_CONFIG, DOCKER_LAYER, Descriptor, Image, canonical_json, digest_of
from argosy.image.layer import Member, from_bytes, write_layer
from argosy.simulator.containers.instance_types import InstanceType
from tests.foreign.stock import Server


@dataclass(frozen=True)
class File:
    """A file as a mutant has it; None for `content` removes it."""

    content: bytes | None
    mode: int = 0o755


Change = Callable[[File], File]


def edit(*replaced: tuple[str, str]) -> Change:
    """Replace texts, each of which is in the file once."""

    def change(file: File) -> File:
        assert file.content is not None
        content = file.content.decode()
        for old, new in replaced:
            assert content.count(old) == 1, f"{old!r} is not there once"
            content = content.replace(old, new)
        return replace(file, content=content.encode())

    return change


def crlf(file: File) -> File:
    """Line ends as Windows writes them."""
    assert file.content is not None
    return replace(file, content=file.content.replace(b"\n", b"\r\n"))


def for_arm(file: File) -> File:
    """The head of a program for another processor."""
    assert file.content is not None
    assert file.content.startswith(b"\x7fELF")
    return replace(file, content=file.content[:18] + b"\xb7" + file.content[19:])


def mode(bits: int) -> Change:
    """Other permissions."""
    return lambda file: replace(file, mode=bits)


def gone(file: File) -> File:
    """Without the file."""
    return replace(file, content=None)


def written(content: str, bits: int = 0o644) -> Change:
    """A new file, or a whole other one."""
    return lambda _: File(content.encode(), bits)


@dataclass(frozen=True)
class Mutant:
    """A clean image with one defect.

    Attributes:
        base: Name of the clean server.
        clause: The only clause that fails because of it.
        rows: The failures and requirements of which this is one, as clauses name them.
        files: Path in the image -> what becomes of that file.
        runtime: Fields of the config's `config` object; None removes one.
        config: Other fields of the config.
        manifest: What becomes of the manifest.
        index: An index through which the image is found.
        archive: What becomes of the folder of artifacts, before it is packed as it is.
        samples: Requests that the image is said to understand.
        startup_s: How long it is waited for; what never gets healthy need not be waited for long.
        instance_type: What a further container is given; None tries none.
        also: Further clauses, of which the same answer is a breach.
        is_inert: Whether its containers do what the clean server's do, so that nothing is learnt by running one.
    """

    base: str
    clause: str
    rows: str
    files: Mapping[str, Change] = field(default_factory=dict)
    runtime: Mapping[str, object] = field(default_factory=dict)
    config: Mapping[str, object] = field(default_factory=dict)
    manifest: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    index: bytes | None = None
    archive: Callable[[tarfile.TarFile], None] | None = None
    samples: tuple[Request, ...] = ()
    startup_s: float = 60.0
    instance_type: InstanceType | None = None
    also: frozenset[str] = frozenset()
    is_inert: bool = False

    def made_of(self, clean: Server, folder: Path, name: str) -> Server:
        """The server with the defect.

        Args:
            clean: The base.
            folder: Takes its files; not there yet.
            name: What reports call it.
        """
        files = _changed(self.files, read_filesystem(clean.image)) if self.files else {}
        folder.mkdir()
        root = clean.root
        if files:
            root = folder / "root"
            _write_root(clean.root, root, files)
        model_data = clean.model_data
        if self.archive is not None:
            model_data = folder / "model.tar.gz"
            with tarfile.open(model_data, "w:gz") as archive:
                self.archive(archive)
        image = self._image(clean.image, files, BlobStore(folder / "blobs"))
        samples = self.samples or clean.samples
        return Server(name, image, root, model_data, samples, self.startup_s, self.instance_type)

    def _image(self, clean: Image, files: Mapping[str, File], store: BlobStore) -> Image:
        config = {**json.loads(clean.config_bytes), **self.config}
        manifest = json.loads(clean.manifest_bytes)
        config["config"] = {**config["config"], **self.runtime}
        if files:
            layer = write_layer(sorted(_members(files), key=lambda member: member.path), store)
            config["rootfs"]["diff_ids"].append(layer.diff_id)
            manifest["layers"].append(Descriptor(DOCKER_LAYER, layer.digest, layer.size).to_json())
        config_bytes = canonical_json(config)
        manifest["config"] = Descriptor(DOCKER_CONFIG, digest_of(config_bytes), len(config_bytes)).to_json()
        if self.manifest is not None:
            manifest = self.manifest(manifest)
        return Image(canonical_json(manifest), config_bytes, JoinedBlobs(store, clean.blobs), self.index)


def _changed(changes: Mapping[str, Change], clean: Filesystem) -> dict[str, File]:
    changed = {}
    for path, change in changes.items():
        entry = clean.resolve(path)
        before = File(None) if entry is None else File(clean.read(path), entry.mode)
        changed[path] = change(before)
    return changed


def _members(files: Mapping[str, File]) -> Iterator[Member]:
    for path, file in files.items():
        if file.content is None:
            folder, _, name = path.rpartition("/")
            yield from_bytes(f"{folder}/.wh.{name}", b"")
        else:
            yield Member(path, file.mode, len(file.content), partial(io.BytesIO, file.content))


def _write_root(clean: Path, root: Path, files: Mapping[str, File]) -> None:
    """The clean server's files, linked, with those that are changed as files of its own."""
    subprocess.run(["cp", "--archive", "--link", clean, root], check=True, timeout=60)
    for path, file in files.items():
        target = root / path
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        target.unlink(missing_ok=True)
        if file.content is not None:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.content)
            target.chmod(file.mode)
