"""What is installed in an image: Python distributions, Debian packages, the model's and the program's files.

Each layer is read once, as a stream, and remembered by its digest. Layers that are unzipped wheels are not even read
that once: their wheels are known.
"""

import hashlib
import importlib.metadata
import re
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import msgspec

from argosy.image.blobs import BlobStore
from argosy.image.dependencies.wheels import WheelFile
from argosy.image.image import Image
from argosy.image.layer import cache_key
from argosy.image.materials import distributions, dpkg
from argosy.image.materials.distributions import METADATA_LIMIT, Distribution, Licence
from argosy.image.materials.dpkg import DebianPackage
from argosy.image.observation import Collected, Sink, observe
from argosy.model_archive import written_aside

SERVER: Final = Distribution("argosy", importlib.metadata.version("argosy"), Licence("Apache-2.0"))
"""What of this distribution is in the image."""

_FORMAT: Final = 1
_READ_LIMIT: Final = 64 * 2**20
_METADATA: Final = re.compile(r"([^/]+/)*[^/]+\.(dist-info/METADATA|egg-info/PKG-INFO)$")
_STATUS: Final = re.compile(r"var/lib/dpkg/(status|status\.d/[^/.]+)$")
_OS_RELEASE: Final = ("usr/lib/os-release", "etc/os-release")
_DOCUMENTS: Final = re.compile(r"usr/share/doc/([^/]+)(/copyright)?$")
_WHEEL_LAYER: Final = re.compile(r"argosy: (dependencies|server)\b")


class InstalledFile(msgspec.Struct, frozen=True):
    """A file in the image: path with no leading slash, bytes, and `sha256:` digest."""

    path: str
    size: int
    digest: str


class _Layer(msgspec.Struct, frozen=True):
    """What one layer has and takes away, each by its path."""

    distributions: dict[str, Distribution] = {}
    packages: dict[str, list[DebianPackage]] = {}
    licences: dict[str, Licence] = {}
    links: dict[str, str] = {}
    files: dict[str, InstalledFile] = {}
    systems: dict[str, tuple[str, str]] = {}
    removed: tuple[str, ...] = ()


class InstalledDistribution(msgspec.Struct, frozen=True):
    """A Python distribution in the image; the wheel is None when it came with the base image."""

    distribution: Distribution
    wheel: WheelFile | None


@dataclass(frozen=True, slots=True)
class Inventory:
    """What is in an image.

    Attributes:
        system: `ID` and `VERSION_ID` of its os-release, None when it has none.
        distributions: Python's, sorted by name and version.
        packages: Debian's, sorted by name.
        program: The project's own files.
        artifacts: The model's files.
    """

    system: tuple[str, str] | None
    distributions: tuple[InstalledDistribution, ...]
    packages: tuple[DebianPackage, ...]
    program: tuple[InstalledFile, ...]
    artifacts: tuple[InstalledFile, ...]


@dataclass(frozen=True, slots=True)
class Places:
    """Where in an image the build put what.

    Attributes:
        program: Folder of the project's files, without a slash at start and end; so are the next two.
        artifacts: Folder of the model's files.
        environment: Folder of the Python environment.
        base_layers: How many of the layers came with the base image: whatever they are called, they are none of ours.
    """

    program: str
    artifacts: str
    environment: str
    base_layers: int


def take_inventory(image: Image, wheels: Sequence[WheelFile], places: Places, cache_dir: Path) -> Inventory:
    """What is installed in an image that was built here.

    Args:
        image: The finished image.
        wheels: What was unzipped into it.
        places: Where our own files are.
        cache_dir: The user's cache folder.

    Raises:
        ImageError: A layer or a wheel is broken.
    """
    downloads = BlobStore(cache_dir / "downloads")
    of_wheels = {wheel: distributions.of_wheel(wheel, downloads.path(wheel.digest), cache_dir) for wheel in wheels}
    are_known = None not in of_wheels.values()
    merged = _Layer()
    for index, name in enumerate(_layer_names(image)):
        if index < places.base_layers or not (are_known and _WHEEL_LAYER.match(name)):
            merged = _put_on(merged, _read_layer(image, index, places, cache_dir))
    packages = {package.name: package for listed in merged.packages.values() for package in listed}
    return Inventory(
        next((merged.systems[path] for path in _OS_RELEASE if path in merged.systems), None),
        _installed(merged, of_wheels, places.environment),
        tuple(_with_licence(packages[name], merged) for name in sorted(packages)),
        _below(merged, places.program),
        _below(merged, places.artifacts),
    )


def _installed(
    merged: _Layer, of_wheels: Mapping[WheelFile, Distribution | None], environment: str
) -> tuple[InstalledDistribution, ...]:
    """What layers and wheels say together; the server is ours, and has no wheel."""
    by_name = {wheel.distribution: wheel for wheel in of_wheels}
    found = {(SERVER.name, SERVER.version): InstalledDistribution(SERVER, None)}
    for path, known in merged.distributions.items():
        is_ours = path.startswith(f"{environment}/")
        if not (is_ours and known.name == SERVER.name):
            wheel = by_name.get(known.name) if is_ours else None
            found.setdefault((known.name, known.version), InstalledDistribution(known, wheel))
    for wheel, distribution in of_wheels.items():
        if distribution is not None:
            found[distribution.name, distribution.version] = InstalledDistribution(distribution, wheel)
    return tuple(found[key] for key in sorted(found))


def _layer_names(image: Image) -> list[str]:
    """What made each layer, as far as the history says so; that of the lowest layers may be shorter than they are."""
    steps = [step for step in image.config.get("history") or [] if isinstance(step, dict)]
    names = [str(step.get("created_by") or "") for step in steps if not step.get("empty_layer")]
    missing = len(image.layers) - len(names)
    return ["" for _ in range(missing)] + names if missing >= 0 else names[-len(image.layers) :]


def _read_layer(image: Image, index: int, places: Places, cache_dir: Path) -> _Layer:
    try:
        remembered = _remembered(image.layers[index].digest, places, cache_dir)
        return msgspec.json.decode(remembered.read_bytes(), type=_Layer)
    except (FileNotFoundError, msgspec.DecodeError):
        pass
    observer = InventoryObserver(places, cache_dir)
    observe(image, index, [observer])
    return observer.found()


class InventoryObserver:
    """Notes what one layer has and takes away, and remembers it.

    Args:
        places: Where our own files are; of the number of layers nothing depends.
        cache_dir: The user's cache folder.
    """

    def __init__(self, places: Places, cache_dir: Path) -> None:
        self._places = places
        self._cache_dir = cache_dir
        self._found = _Layer()
        self._removed: list[str] = []

    def found(self) -> _Layer:
        """What was noted so far."""
        return msgspec.structs.replace(self._found, removed=tuple(self._removed))

    def begin(self, member: tarfile.TarInfo) -> Sink | None:
        """Note what a member's name says, and have those read whose content counts."""
        found, path = self._found, member.name.removeprefix("./").strip("/")
        folder, _, name = path.rpartition("/")
        if name == ".wh..wh..opq":
            self._removed.append(folder)
            return None
        if name.startswith(".wh."):
            self._removed.append(f"{folder}/{name.removeprefix('.wh.')}".lstrip("/"))
            return None
        document = _DOCUMENTS.match(path)
        if document and member.issym():
            found.links[document.group(1)] = member.linkname.rstrip("/").rpartition("/")[2]
        if not member.isfile():
            return None
        if path.startswith((f"{self._places.program}/", f"{self._places.artifacts}/")):
            return _Hashed(found.files, path)
        if _METADATA.match(path):
            return Collected(lambda content: _note_metadata(found, path, content), METADATA_LIMIT)
        if path in _OS_RELEASE:
            return Collected(lambda content: _note_system(found, path, content), METADATA_LIMIT)
        if _STATUS.match(path):
            return Collected(
                lambda content: found.packages.update({path: dpkg.parse_status(content.read())}), _READ_LIMIT
            )
        if document and document.group(2):
            return Collected(lambda content: _note_licence(found, path, content), METADATA_LIMIT)
        return None

    def finish(self, digest: str, diff_id: str) -> None:
        """Remember what was found by the layer's digest."""
        with written_aside(_remembered(digest, self._places, self._cache_dir)) as aside:
            aside.write_bytes(msgspec.json.encode(self.found()))


class _Hashed:
    """One of our own files, of which size and digest are noted."""

    def __init__(self, files: dict[str, InstalledFile], path: str) -> None:
        self._files = files
        self._path = path
        self._hash = hashlib.sha256()
        self._size = 0

    def write(self, chunk: bytes, /) -> None:
        self._hash.update(chunk)
        self._size += len(chunk)

    def close(self) -> None:
        self._files[self._path] = InstalledFile(self._path, self._size, f"sha256:{self._hash.hexdigest()}")


def _remembered(digest: str, places: Places, cache_dir: Path) -> Path:
    return cache_dir / "inventories" / cache_key("inventory", _FORMAT, [places.program, places.artifacts], digest)


def _note_metadata(found: _Layer, path: str, content: IO[bytes]) -> None:
    described = distributions.parse_metadata(content.read())
    if described is not None:
        found.distributions[path] = described


def _note_system(found: _Layer, path: str, content: IO[bytes]) -> None:
    system = dpkg.parse_os_release(content.read())
    if system is not None:
        found.systems[path] = system


def _note_packages(found: _Layer, path: str, content: IO[bytes]) -> None:
    found.packages[path] = dpkg.parse_status(content.read())


def _note_licence(found: _Layer, path: str, content: IO[bytes]) -> None:
    declared = dpkg.parse_copyright(content.read()) or Licence()
    found.licences[path.split("/")[3]] = msgspec.structs.replace(declared, files=(f"/{path}",))


def _put_on(below: _Layer, above: _Layer) -> _Layer:
    """Two layers as one: what the upper one removes is gone, what it has is on top."""

    def is_left(path: str) -> bool:
        return not any(path == gone or path.startswith(f"{gone}/" if gone else "") for gone in above.removed)

    return _Layer(
        {path: each for path, each in below.distributions.items() if is_left(path)} | above.distributions,
        {path: each for path, each in below.packages.items() if is_left(path)} | above.packages,
        {name: each for name, each in below.licences.items() if is_left(f"usr/share/doc/{name}/copyright")}
        | above.licences,
        below.links | above.links,
        {path: each for path, each in below.files.items() if is_left(path)} | above.files,
        below.systems | above.systems,
    )


def _with_licence(package: DebianPackage, merged: _Layer) -> DebianPackage:
    name = package.name if package.name in merged.licences else merged.links.get(package.name, package.name)
    licence = merged.licences.get(name)
    return package if licence is None else msgspec.structs.replace(package, licence=licence)


def _below(merged: _Layer, folder: str) -> tuple[InstalledFile, ...]:
    return tuple(file for path, file in sorted(merged.files.items()) if path.startswith(f"{folder}/"))
