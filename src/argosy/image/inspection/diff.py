"""What two images differ in: files, packages, settings; contents are compared by digest, where they may differ."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from argosy.image.filesystem import Entry
from argosy.image.image import Image
from argosy.image.inspection.packages import installed, is_status
from argosy.image.inspection.settings import Conceal, encodable, settings, shown
from argosy.image.inspection.survey import Place, Survey, content_digests, survey


@dataclass(frozen=True, slots=True)
class FileState:
    """What is at a path: kind, octal mode, bytes, and where a link points."""

    kind: str
    mode: str
    size: int
    link: str


@dataclass(frozen=True, slots=True)
class FileChange:
    """A path that is not the same in both.

    Attributes:
        path: Without a leading slash.
        before: None when it is added.
        after: None when it is removed.
        differs: In what two states differ: `kind`, `mode`, `size`, `content`, `link`.
    """

    path: str
    before: FileState | None
    after: FileState | None
    differs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PackageChange:
    """A package whose versions are not the same; None where it is not installed."""

    kind: str
    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class SettingChange:
    """A setting that is not the same; None where it is not set, hidden where it seems to be a secret."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """What two images differ in.

    Attributes:
        before: Digest of the first image's manifest.
        after: Digest of the second's.
        shared_layers: How many of the lowest layers are the same.
        settings: In the order of the settings.
        packages: By kind and name.
        files: By path.
    """

    before: str
    after: str
    shared_layers: int
    settings: tuple[SettingChange, ...]
    packages: tuple[PackageChange, ...]
    files: tuple[FileChange, ...]

    @property
    def is_empty(self) -> bool:
        """Whether a container could not tell one image from the other; they may be stored differently."""
        return not (self.settings or self.packages or self.files)


def diff(before: Image, after: Image, conceal: Conceal) -> Difference:
    """Compare two images; all layers are read and verified, no content is held.

    Args:
        before: The first image.
        after: The second.
        conceal: Tells which values are not to be shown.

    Raises:
        ImageError: An image is broken.
    """
    shared = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(before.diff_ids, after.diff_ids)))  # noqa: B905  # the shorter ends it
    old, new = survey(before), survey(after)
    return Difference(
        before.digest,
        after.digest,
        shared,
        tuple(_settings(before, after, conceal)),
        tuple(_packages(old, new)),
        tuple(_files((before, old), (after, new), shared)),
    )


def _settings(before: Image, after: Image, conceal: Conceal) -> Iterator[SettingChange]:
    old, new = settings(before), settings(after)
    for name in dict.fromkeys([*old, *new]):
        if old.get(name) != new.get(name):
            given = (old.get(name), new.get(name))
            yield SettingChange(
                encodable(name), *(None if value is None else shown(name, value, conceal) for value in given)
            )


def _packages(before: Survey, after: Survey) -> Iterator[PackageChange]:
    old, new = (installed((entry.path for entry in found.tree), _statuses(found)) for found in (before, after))
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            yield PackageChange(*key, old.get(key), new.get(key))


def _statuses(found: Survey) -> Iterator[bytes]:
    """What dpkg says in the merged tree."""
    for entry in found.tree:
        if is_status(entry.path) and entry.kind == "file":
            yield found.records[entry.layer].get(entry.path, b"")


def _files(before: tuple[Image, Survey], after: tuple[Image, Survey], shared: int) -> Iterator[FileChange]:
    (old_image, old_survey), (new_image, new_survey) = before, after
    old, new = _placed(old_survey), _placed(new_survey)
    suspects = {
        path: (old[path][1], new[path][1])
        for path in old.keys() & new.keys()
        if _has_content(old[path][0]) and _has_content(new[path][0]) and old[path][0].size == new[path][0].size
        if not (old[path][1] == new[path][1] and old[path][1][0] < shared)
    }
    old_digests = content_digests(old_image, {place for place, _ in suspects.values()})
    new_digests = content_digests(new_image, {place for _, place in suspects.values()})
    for path in sorted(old.keys() | new.keys()):
        if path not in new:
            yield FileChange(encodable(path), _state(old[path][0]), None)
        elif path not in old:
            yield FileChange(encodable(path), None, _state(new[path][0]))
        else:
            differs = list(_differs(old[path][0], new[path][0]))
            if path in suspects and old_digests.get(suspects[path][0]) != new_digests.get(suspects[path][1]):
                differs.append("content")
            if differs:
                yield FileChange(encodable(path), _state(old[path][0]), _state(new[path][0]), tuple(differs))


def _placed(found: Survey) -> dict[str, tuple[Entry, Place]]:
    return {entry.path: (entry, place) for entry, place in found.tree.nodes()}


def _has_content(entry: Entry) -> bool:
    return entry.kind in ("file", "hardlink")


def _differs(old: Entry, new: Entry) -> Iterator[str]:
    """In what two entries differ, contents apart; a hard link is a file like any other to who reads it."""
    same_kind = old.kind == new.kind or (_has_content(old) and _has_content(new))
    if not same_kind:
        yield "kind"
    if old.mode != new.mode and old.kind != "symlink":
        yield "mode"
    if old.size != new.size:
        yield "size"
    if old.link != new.link and old.kind == new.kind == "symlink":
        yield "link"


def _state(entry: Entry) -> FileState:
    return FileState(entry.kind, f"{entry.mode:04o}", entry.size, encodable(entry.link))
