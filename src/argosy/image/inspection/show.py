"""What is in an image: its layers, what is biggest in each, what later layers hide, how it is started."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from argosy.image.image import Image
from argosy.image.inspection.packages import Ownership, Package
from argosy.image.inspection.settings import Conceal, encodable, shown_settings, steps
from argosy.image.inspection.survey import StoredFile, Survey, survey

LARGEST: Final = 5
"""How many packages, folders, files of a layer are named."""

_MUCH: Final = 0.25
_MOSTLY: Final = 0.8


@dataclass(frozen=True, slots=True)
class Weight:
    """A file or folder and its bytes."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class PackageWeight:
    """A package and the bytes of its files in one layer.

    Attributes:
        package: Which.
        size: Bytes.
        is_declared: Whether the size is what dpkg says, since nobody wrote down which files are the package's.
    """

    package: Package
    size: int
    is_declared: bool


@dataclass(frozen=True, slots=True)
class HiddenFile:
    """A file that is stored and pulled, and that no container sees.

    Attributes:
        path: Without a leading slash.
        size: Bytes.
        replaced_in: Index of the layer whose file is seen instead; None when it is deleted.
    """

    path: str
    size: int
    replaced_in: int | None


@dataclass(frozen=True, slots=True)
class LayerView:
    """One layer.

    Attributes:
        index: 0 the lowest.
        digest: Of the stored bytes.
        diff_id: Of the uncompressed tar.
        media_type: As the manifest says it.
        stored: Bytes as stored.
        unpacked: Bytes of its files.
        files: How many files it has.
        made_by: The step that made it, by the image's history; may be empty.
        packages: The biggest, biggest first; as are the next two.
        folders: With all that is below them.
        largest: Single files.
        hidden: Bytes of files that no container sees.
        hidden_files: The biggest of these.
    """

    index: int
    digest: str
    diff_id: str
    media_type: str
    stored: int
    unpacked: int
    files: int
    made_by: str
    packages: tuple[PackageWeight, ...]
    folders: tuple[Weight, ...]
    largest: tuple[Weight, ...]
    hidden: int
    hidden_files: tuple[HiddenFile, ...]


@dataclass(frozen=True, slots=True)
class ImageView:
    """An image as people look at it.

    Attributes:
        digest: Of the manifest.
        media_type: Of the manifest.
        is_indexed: Whether the name led to an index, of which this is the linux/amd64 image.
        config_digest: By which engines know the image.
        stored: Bytes of all layers as stored.
        unpacked: Bytes of all files of all layers.
        hidden: Bytes of those that no container sees.
        layers: Lowest first.
        settings: How it is started and labelled; values that seem to be secrets are hidden.
    """

    digest: str
    media_type: str
    is_indexed: bool
    config_digest: str
    stored: int
    unpacked: int
    hidden: int
    layers: tuple[LayerView, ...]
    settings: Mapping[str, str]


def show(image: Image, conceal: Conceal) -> ImageView:
    """Look through an image; every layer is read once and verified.

    Args:
        image: Of any format.
        conceal: Tells which values are not to be shown.

    Raises:
        ImageError: The image is broken.
    """
    found = survey(image)
    kept = found.kept()
    ownership = Ownership()
    made_by = steps(image, conceal)
    layers = []
    for index in range(len(image.layers)):
        ownership.add(found.records[index])
        hidden = [file for number, file in found.files[index].items() if (index, number) not in kept]
        layers.append(_layer(image, index, found, ownership, hidden, made_by[index]))
    return ImageView(
        image.digest,
        image.media_type,
        image.index_bytes is not None,
        image.config_descriptor.digest,
        sum(layer.stored for layer in layers),
        sum(layer.unpacked for layer in layers),
        sum(layer.hidden for layer in layers),
        tuple(layers),
        shown_settings(image, conceal),
    )


def _layer(
    image: Image, index: int, found: Survey, ownership: Ownership, hidden: list[StoredFile], made_by: str
) -> LayerView:
    stored = image.layers[index]
    files = found.files[index].values()
    return LayerView(
        index=index,
        digest=stored.digest,
        diff_id=image.diff_ids[index],
        media_type=stored.media_type,
        stored=stored.size,
        unpacked=sum(file.size for file in files),
        files=len(files),
        made_by=made_by,
        packages=_packages(list(files), ownership),
        folders=_folders(list(files)),
        largest=tuple(Weight(encodable(file.path), file.size) for file in _largest(list(files))),
        hidden=sum(file.size for file in hidden),
        hidden_files=tuple(
            HiddenFile(encodable(file.path), file.size, _replacing(found, file, index)) for file in _largest(hidden)
        ),
    )


def _largest(files: list[StoredFile]) -> list[StoredFile]:
    return [file for file in sorted(files, key=lambda file: (-file.size, file.path))[:LARGEST] if file.size]


def _packages(files: list[StoredFile], ownership: Ownership) -> tuple[PackageWeight, ...]:
    sizes: Counter[Package] = Counter(ownership.declared)
    for file in files:
        owner = ownership.owner(file.path)
        if owner is not None:
            sizes[owner] += file.size
    weights = (PackageWeight(key, size, key in ownership.declared) for key, size in sizes.items() if size)
    return tuple(sorted(weights, key=lambda weight: (-weight.size, weight.package.name))[:LARGEST])


def _folders(files: list[StoredFile]) -> tuple[Weight, ...]:
    """The biggest folders; one with much of the layer gives way to its subfolders, where they are what makes it big."""
    sizes: Counter[str] = Counter()
    below: dict[str, set[str]] = {}
    for file in files:
        path = file.path
        while path:
            above = path.rpartition("/")[0]
            sizes[above] += file.size
            if path != file.path:
                below.setdefault(above, set()).add(path)
            path = above
    chosen: list[Weight] = []
    waiting = [""]
    while waiting:
        path = waiting.pop()
        inner = below.get(path, set())
        is_split = sizes[path] > _MUCH * sizes[""] and sum(sizes[name] for name in inner) >= _MOSTLY * sizes[path]
        if is_split or not path:
            waiting += inner
        else:
            chosen.append(Weight(encodable(path), sizes[path]))
    return tuple(sorted(chosen, key=lambda weight: (-weight.size, weight.path))[:LARGEST])


def _replacing(found: Survey, file: StoredFile, index: int) -> int | None:
    entry = found.tree.get(file.path)
    return entry.layer if entry is not None and entry.layer > index else None
