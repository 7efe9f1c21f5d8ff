"""Which files of a package enter an image, and how: without manuals and translations, licences kept."""

import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

from argosy.errors import ImageError
from argosy.image.debian import deb
from argosy.image.layer import Member, folder, symlink

Place = Callable[[str], str | None]
"""A package's path, with no slash first -> the path in the image, None for what is left out."""

_LEFT_OUT: Final = tuple(f"usr/share/{name}/" for name in ("bug", "info", "lintian", "locale", "man", "menu"))


def is_left_out(path: str) -> bool:
    """Whether this is a manual, a translation, or a document that is no licence."""
    if f"{path}/".startswith(_LEFT_OUT):
        return True
    document = path.removeprefix("usr/share/doc/")
    return document != path and "/" in document and not path.endswith("/copyright")


def placed(package: Path, place: Place) -> Iterator[tuple[str, Member]]:
    """The files of a .deb with their own paths, in its order; each has to be read before the next is asked for.

    Raises:
        ImageError: The package is broken, holds a device or a path with `..`.
    """
    with deb.opened(package) as archive:
        for member in archive:
            name = member.name.removeprefix("./").strip("/")
            if ".." in name.split("/"):
                raise ImageError("a file of a package leads out of the image", got=f"`{member.name}`", where=package)
            path = place(name) if name not in ("", ".") else None
            if path is not None:
                yield name, _member(archive, member, path, place)


def _member(archive: tarfile.TarFile, member: tarfile.TarInfo, path: str, place: Place) -> Member:
    mode = member.mode & 0o1777
    if member.isdir():
        return folder(path, mode)
    if member.issym():
        return symlink(path, member.linkname)
    if member.islnk():
        target = place(member.linkname.removeprefix("./").strip("/"))
        if target is None:
            raise ImageError("a hard link of a Debian package leads to what is left out", got=f"`{member.name}`")
        return Member(path, mode, link=target, hard=True)
    return Member(path, mode, member.size, lambda: _content(archive, member))


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = archive.extractfile(member)
    if content is None:
        raise ImageError("a Debian package holds a device", got=f"`{member.name}`")
    return content
