"""An image's layers merged into one tree of files, whiteouts applied, links followed inside it and never out of it.

Source: OCI image-spec 1.1 `layer.md`, whiteouts and the order of changes (read 2026-11-22).
"""

import os
import shutil
import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, Literal

from argosy.errors import ImageError
from argosy.image.blobs import fetch_layers
from argosy.image.image import Image
from argosy.image.layer_stream import LayerContents, layer_members
from argosy.image.observation import Observer, finish, shown
from argosy.model_archive import written_aside

Observers = Callable[[int], Sequence[Observer]]
"""Index of a layer -> who observes it while it is read."""

Kind = Literal["file", "directory", "symlink", "hardlink", "device"]

READ_LIMIT: Final = 64 * 2**20
_LINKS_LIMIT: Final = 40  # as the kernel: more links than this in one path are a loop
_DEEPEST: Final = 256  # Python's rmtree is recursive, and gives up at some 900
_WHITEOUT: Final = ".wh."
_OPAQUE: Final = ".wh..wh..opq"


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in the merged tree.

    Attributes:
        path: Without a leading slash.
        kind: What it is; a hardlink reads as the file that it was linked to.
        mode: Permission bits, with setuid, setgid and sticky.
        size: Bytes of a file's (or hardlink's) content, else 0.
        link: Where a link points, as the layer says it.
        layer: Index of the layer that has it, 0 the lowest.
    """

    path: str
    kind: Kind
    mode: int
    size: int
    link: str
    layer: int


@dataclass(slots=True)
class _Node:
    """A name with what lies below it, and where its content is: (layer, number of the member in the layer)."""

    entry: Entry
    source: tuple[int, int]
    children: "dict[str, _Node]" = field(default_factory=dict)


class Filesystem:
    """The layers of an image merged; `read_filesystem` makes it."""

    def __init__(self, image: Image) -> None:
        self.image = image
        self._root = _Node(Entry("", "directory", 0o755, 0, "", 0), (-1, -1))
        self._contents: dict[int, LayerContents] = {}

    def __iter__(self) -> Iterator[Entry]:
        """Every entry but the root, folders before what is in them, in the order of names."""
        for node in _below(self._root):
            yield node.entry

    def nodes(self) -> Iterator[tuple[Entry, tuple[int, int]]]:
        """Every entry with the place of its content: layer, and number of the member in it."""
        for node in _below(self._root):
            yield node.entry, node.source

    def get(self, path: str) -> Entry | None:
        """What is at exactly this path; links on the way are not followed."""
        node = self._root
        for part in _parts(path):
            below = node.children.get(part)
            if below is None:
                return None
            node = below
        return node.entry

    def source(self, path: str) -> tuple[int, int] | None:
        """Where the content of a file is, links followed: layer, and number of the member in it."""
        node = self._follow(path)
        return None if node is None else node.source

    def resolve(self, path: str) -> Entry | None:
        """What is at this path when links are followed, as a process in the image would; None when nothing is."""
        node = self._follow(path)
        return None if node is None else node.entry

    def open(self, path: str) -> BinaryIO:
        """The content of a file, links followed, as a seekable stream that the caller closes.

        Raises:
            ImageError: There is no such file.
        """
        node = self._follow(path)
        if node is None or node.entry.kind not in ("file", "hardlink"):
            raise ImageError("no such file in the image", got=f"`/{path.lstrip('/')}`")
        layer, number = node.source
        contents = self._contents.get(layer)
        if contents is None:
            contents = self._contents[layer] = LayerContents(self.image, layer)
        return contents.open(number)

    def read(self, path: str, limit: int = READ_LIMIT) -> bytes:
        """At most the first `limit` bytes of a file, links followed.

        Raises:
            ImageError: There is no such file.
        """
        with self.open(path) as stream:
            return stream.read(limit)

    def listing(self, path: str) -> list[str]:
        """The names in a folder, links followed, sorted; none when it is no folder."""
        node = self._follow(path)
        return [] if node is None else sorted(node.children)

    def _follow(self, path: str) -> _Node | None:
        trail = [self._root]
        rest = _parts(path)[::-1]
        links = 0
        while rest:
            part = rest.pop()
            if part == "..":
                if len(trail) > 1:
                    trail.pop()
                continue
            node = trail[-1].children.get(part)
            if node is None:
                return None
            if node.entry.kind != "symlink":
                trail.append(node)
                continue
            links += 1
            if links > _LINKS_LIMIT:
                return None
            if node.entry.link.startswith("/"):
                trail = [self._root]
            rest += _parts(node.entry.link)[::-1]
        return trail[-1]

    # Applying a layer. A member's parent folders may be links in the layers below (/lib -> usr/lib): they are followed,
    # so that a path has one place in the tree.

    def apply(self, layer: int, members: Iterable[tarfile.TarInfo]) -> None:
        """Put the members of a layer over what the tree has; for those who read layers in their own way."""
        for number, member in enumerate(members):
            parts = _parts(member.name)
            if not parts:
                continue
            if ".." in parts:
                raise ImageError(
                    "a layer's member leads out of the image", got=f"`{member.name}`", where=f"layer {layer}"
                )
            parent = self._parent(parts[:-1], layer)
            name = parts[-1]
            if name == _OPAQUE:
                _keep_own(parent, layer)
            elif name.startswith(_WHITEOUT):
                hidden = parent.children.get(name.removeprefix(_WHITEOUT))
                if hidden is not None and hidden.entry.layer != layer:
                    del parent.children[name.removeprefix(_WHITEOUT)]
                elif hidden is not None:
                    _keep_own(hidden, layer)
            else:
                self._put(parent, name, member, (layer, number))

    def _parent(self, parts: list[str], layer: int) -> _Node:
        node = self._root
        for index, part in enumerate(parts):
            below = node.children.get(part)
            if below is not None and below.entry.kind == "symlink":
                below = self._follow("/".join(parts[: index + 1]))
            if below is None or below.entry.kind != "directory":
                path = f"{node.entry.path}/{part}".lstrip("/")
                below = node.children[part] = _Node(Entry(path, "directory", 0o755, 0, "", layer), (-1, -1))
            node = below
        return node

    def _put(self, parent: _Node, name: str, member: tarfile.TarInfo, source: tuple[int, int]) -> None:
        path = f"{parent.entry.path}/{name}".lstrip("/")
        size, link, kind, layer = 0, "", _kind(member), source[0]
        children: dict[str, _Node] = {}
        if kind == "file":
            size = member.size
        elif kind == "symlink":
            link = member.linkname
        elif kind == "hardlink":
            link = "/".join(_parts(member.linkname))
            target = None if ".." in _parts(link) else self._follow(link)
            if target is None or target.entry.kind not in ("file", "hardlink"):
                raise ImageError("a hard link to nothing", got=f"`{member.name}` -> `{member.linkname}`")
            size, source = target.entry.size, target.source
        elif kind == "directory" and name in parent.children:
            below = parent.children[name]
            children = below.children if below.entry.kind == "directory" else {}
        parent.children[name] = _Node(Entry(path, kind, member.mode & 0o7777, size, link, layer), source, children)


def read_filesystem(image: Image, observers: Observers = lambda _: ()) -> Filesystem:
    """Read the names in all layers, verify every layer's digest and diff ID on the way, and merge them.

    Args:
        image: Whose layers are read.
        observers: Who sees the members of a layer on the way, hidden ones too.

    Raises:
        ImageError: A layer is broken, or has a member that leads out of it.
    """
    fetch_layers(image.blobs, image.layers)
    tree = Filesystem(image)
    for index in range(len(image.layers)):
        observing = observers(index)
        with layer_members(image, index) as archive:
            tree.apply(index, shown(archive, observing))
        finish(image, index, observing)
    return tree


def unpack(image: Image, folder: Path) -> None:
    """Write the merged root filesystem, all of it or nothing; works as root and as anybody.

    Owners are dropped (everything belongs to the caller), as are devices and setuid and setgid bits. Every file is
    written before the first link is made, so that none is written through a link; absolute links stay as they are and
    mean something only inside the folder.

    Raises:
        ImageError: A layer is broken, folders lie deeper in each other than tools can remove again, or `folder` is not
            empty.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ImageError("the folder to unpack to is not empty", where=folder)
    tree = read_filesystem(image)
    for entry in tree:
        if entry.path.count("/") >= _DEEPEST:
            raise ImageError(
                "the image has too many folders in each other to be unpacked",
                got=f"{entry.path[:40]}...",
                want=f"at most {_DEEPEST}",
            )
    with written_aside(folder) as aside:
        aside.mkdir(mode=0o755)
        _write(tree, aside)


def _write(tree: Filesystem, folder: Path) -> None:
    wanted: dict[tuple[int, int], list[Entry]] = {}
    folders: list[Entry] = []
    links: list[Entry] = []
    for entry, source in tree.nodes():
        if entry.kind == "directory":
            (folder / entry.path).mkdir(mode=0o755)
            folders.append(entry)
        elif entry.kind == "symlink":
            links.append(entry)
        elif entry.kind in ("file", "hardlink"):
            wanted.setdefault(source, []).append(entry)
    for layer in sorted({source[0] for source in wanted}):
        with layer_members(tree.image, layer) as archive:
            for number, member in enumerate(archive):
                entries = wanted.get((layer, number))
                if entries is not None:
                    _write_file(archive, member, folder, entries)
    for entry in links:
        (folder / entry.path).symlink_to(entry.link)
    for entry in reversed(folders):
        (folder / entry.path).chmod(entry.mode & 0o1777 | 0o700)


def _write_file(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path, entries: list[Entry]) -> None:
    content = archive.extractfile(member)
    if content is None:
        raise ImageError("not a file", got=f"`{member.name}`")
    first, *others = (folder / entry.path for entry in entries)
    with first.open("wb") as file:
        shutil.copyfileobj(content, file, 1 << 20)
    first.chmod(entries[0].mode & 0o777 | 0o400)
    for other in others:
        os.link(first, other)


def _keep_own(folder: _Node, layer: int) -> None:
    """Drop what is below a folder, but for what this layer itself put there and the folders on the way to it."""
    below: list[_Node] = []
    rest = [folder]
    while rest:
        node = rest.pop()
        below.append(node)
        rest += node.children.values()
    for node in reversed(below):  # the deepest first
        kept = {name: child for name, child in node.children.items() if child.entry.layer == layer or child.children}
        node.children = kept


def _kind(member: tarfile.TarInfo) -> Kind:
    if member.isdir():
        return "directory"
    if member.issym():
        return "symlink"
    if member.islnk():
        return "hardlink"
    return "file" if member.isfile() else "device"


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]


def _below(node: _Node) -> Iterator[_Node]:
    rest = _latest_first(node)
    while rest:
        child = rest.pop()
        yield child
        rest += _latest_first(child)


def _latest_first(node: _Node) -> list[_Node]:
    return [node.children[name] for name in sorted(node.children, reverse=True)]
