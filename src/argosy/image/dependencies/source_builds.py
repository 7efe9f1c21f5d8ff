"""The wheel for each locked distribution: chosen, or built from its source where the result fits the image.

A build runs the code of its backend, in an environment of its own that uv makes. What was built is kept by the digest
of its source, so that it is built once.
"""

import json
import os
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.metadata import parse_email
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from argosy.errors import ResolutionError
from argosy.image.blobs import BlobStore
from argosy.image.dependencies import wheels
from argosy.image.dependencies.indexes import without_logins
from argosy.image.dependencies.inputs import file_digest
from argosy.image.dependencies.lock_file import LockedPackage, PackageFolder, Sdist
from argosy.image.dependencies.target import Host, marker_environment
from argosy.image.dependencies.uv_command import Uv
from argosy.image.dependencies.wheels import WheelFile, choose_wheel, fitness
from argosy.image.download import Credentials, Download, fetch
from argosy.image.image import canonical_json, digest_of
from argosy.model_archive import written_aside

_FORMAT: Final = 1  # raise it when the same source is built differently
_SETTLED_NS: Final = 2 * 10**9
_UNBUILT: Final = frozenset({"__pycache__", "node_modules"})
_OUTPUTS: Final = frozenset({"build", "dist"})


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where wheels are chosen and built.

    Attributes:
        uv: Builds.
        python: `3.x` of the image.
        glibc_minor: `x` of the image's glibc 2.x.
        host: What the machine is.
        cache_dir: Where is kept what was built.
        credentials: Whom package indexes know us as.
        say: Told what is built.
    """

    uv: Uv
    python: str
    glibc_minor: int
    host: Host
    cache_dir: Path
    credentials: Credentials
    say: Callable[[str], None]

    @property
    def store(self) -> BlobStore:
        """The downloads: every wheel from this machine lies there."""
        return BlobStore(self.cache_dir / "downloads", is_cache=True)

    def wheel(self, package: LockedPackage, versions: Mapping[str, str]) -> WheelFile:
        """The wheel of one distribution.

        Args:
            package: The distribution.
            versions: Of every distribution of the lock.

        Raises:
            ResolutionError: No wheel fits, and none that does can be built here.
            ImageError: A file is not what the lock says.
            NetworkError: The source cannot be downloaded.
        """
        if package.source is None or self._fits(package):
            chosen = choose_wheel(package.wheels, self.python)
            if chosen.digest in package.paths:
                self._keep(package.paths[chosen.digest], chosen.digest)
            return chosen
        key = self._key(package.source)
        built = None if key is None else self._remembered(key, package.distribution)
        if built is None:
            built = self._built(package, package.source)
            if key is not None:
                self._remember(key, built)
        self._require_fit(built, package)
        if isinstance(package.source, PackageFolder):
            self._require_locked(built, package.source.path, versions)
        return built

    def source(self, package: LockedPackage) -> WheelFile | None:
        """The source archive of a distribution that has no wheel for the image; None when it has one, or is a folder.

        It is described as a wheel is: pip fetches, verifies and names it in the same way.

        Raises:
            ResolutionError: The archive lies on this machine no more.
        """
        source = package.source
        if not isinstance(source, Sdist) or package.version is None or self._fits(package):
            return None
        if source.path is not None:
            self._keep(source.path, source.digest)
        return WheelFile(package.distribution, package.version, source.filename, source.url, source.digest, None)

    def _fits(self, package: LockedPackage) -> bool:
        return any(fitness(candidate.filename, self.python) is not None for candidate in package.wheels)

    def _keep(self, path: Path, digest: str) -> None:
        """Have a file of this machine among the downloads, where layers are made from."""
        if self.store.size(digest) is None:
            if not path.is_file():
                raise ResolutionError("a file that the lock names is not there", where=path)
            with path.open("rb") as stream:
                self.store.add(stream, digest)

    def _built(self, package: LockedPackage, source: Sdist | PackageFolder) -> WheelFile:
        self.say(f"building a wheel of {package.distribution} {package.version or f'in {_address(source)}'}")
        with tempfile.TemporaryDirectory(prefix="argosy-") as name:
            folder = Path(name)
            made = folder / "wheel"
            if isinstance(source, Sdist):
                place = folder / Path(source.filename).name
                self._fetch(source)
                shutil.copyfile(self.store.require(source.digest), place)
            else:
                place = source.path
            python = self.uv.python(self.python)
            done = self.uv.build_wheel(place, python or Path(sys.executable), made)
            found = sorted(made.glob("*.whl"))
            if done.returncode != 0 or len(found) != 1:
                said = without_logins(" ".join(done.stderr.split()), self.credentials)
                raise ResolutionError(
                    f"`{package.distribution}` has no wheel for the image, and cannot be built here",
                    got=said or f"{len(found)} wheels",
                    where=_address(source),
                    hint=self._elsewhere(package),
                )
            (path,) = found
            built_name, version, _, _ = parse_wheel_filename(path.name)
            is_other_version = package.version is not None and Version(package.version) != version
            if built_name != package.distribution or is_other_version:
                raise ResolutionError(
                    "a source gave another wheel than the lock says",
                    got=path.name,
                    want=f"{package.distribution} {package.version or ''}",
                    where=_address(source),
                )
            digest = file_digest(path)
            self._keep(path, digest)
            return WheelFile(package.distribution, str(version), path.name, "", digest, path.stat().st_size)

    def _fetch(self, source: Sdist) -> None:
        if source.path is not None:
            self._keep(source.path, source.digest)
            return
        downloads = [Download(source.url, source.digest)]
        fetch(downloads, self.store, lambda _: self.say(f"downloading {source.filename}"), self.credentials)

    def _require_fit(self, built: WheelFile, package: LockedPackage) -> None:
        """Pure Python runs anywhere; what is compiled fits only when the machine and its Python are the image's."""
        if wheels.is_pure(built.filename):
            return
        if not self.host.compiles_for_image or fitness(built.filename, self.python) is None:
            raise ResolutionError(
                f"`{package.distribution}` has no wheel for the image, and what is compiled here does not fit it",
                got=f"{built.filename}, built on {self.host}",
                want=f"linux/amd64 with Python {self.python}",
                where="" if package.source is None else _address(package.source),
                hint=self._elsewhere(package),
            )
        wheels.require_loadable(self.store.require(built.digest), built.filename, self.glibc_minor)

    def _require_locked(self, built: WheelFile, source: Path, versions: Mapping[str, str]) -> None:
        """What a package on this machine asks for is in the lock, though only its build can say what it is."""
        with wheels.opened(self.store.require(built.digest), built.filename) as archive:
            name = next((n for n in archive.namelist() if n.endswith(".dist-info/METADATA")), None)
            metadata = parse_email(archive.read(name))[0] if name else {}
        environment: dict[str, str] = {**marker_environment(self.python)}  # type: ignore[dict-item]  # all are str
        for text in metadata.get("requires_dist", []):
            requirement = Requirement(text)
            if requirement.marker is not None and not requirement.marker.evaluate({**environment, "extra": ""}):
                continue
            version = versions.get(canonicalize_name(requirement.name))
            is_met = version == "local" or (version and requirement.specifier.contains(version, prereleases=True))
            if not is_met:
                raise ResolutionError(
                    f"`{built.distribution}` needs what is not in the lock",
                    got=f"{requirement.name} {version}" if version else f"no {requirement.name}",
                    want=f"{requirement}",
                    where=source,
                    hint=f"argosy lock {shlex.quote(str(self.uv.cwd))}",
                )

    def _elsewhere(self, package: LockedPackage) -> str:
        """How to build the wheel on another machine, for pasting."""
        path = None if package.source is None else package.source.path
        named = f"{package.distribution}=={package.version}" if path is None else f"/source/{path.name}"
        mounts = ['--volume "$PWD/wheels:/wheels"']
        mounts += [f"--volume {shlex.quote(f'{path}:{named}')}"] if path is not None else []
        return (
            "build it where it fits, and add the folder `wheels` to `[image] dependencies`:\n"
            f"docker run --rm --platform linux/amd64 {' '.join(mounts)} python:{self.python} "
            f"pip wheel --no-deps --wheel-dir /wheels {shlex.quote(named)}"
        )

    def _key(self, source: Sdist | PackageFolder) -> str | None:
        """What a wheel is remembered by: the sdist's digest, or a folder's files; None when they changed just now."""
        if isinstance(source, Sdist):
            stamp: object = source.digest
        else:
            stamps = list(_stamps(source.path))
            if any(time.time_ns() - last < _SETTLED_NS for _, *_, last in stamps):
                return None
            stamp = [str(source.path), stamps]
        return digest_of(canonical_json([_FORMAT, stamp, self.python])).removeprefix("sha256:")

    def _remembered(self, key: str, distribution: str) -> WheelFile | None:
        try:
            match json.loads((self.cache_dir / "built-wheels" / key).read_bytes()):
                case [str(filename), str(version), str(digest), int(size)] if self.store.size(digest) == size:
                    return WheelFile(distribution, version, filename, "", digest, size)
        except (FileNotFoundError, ValueError):
            pass
        return None

    def _remember(self, key: str, built: WheelFile) -> None:
        with written_aside(self.cache_dir / "built-wheels" / key) as aside:
            aside.write_bytes(canonical_json([built.filename, built.version, built.digest, built.size]))


def _address(source: Sdist | PackageFolder) -> str:
    return str(source.path or source.url) if isinstance(source, Sdist) else str(source.path)


def _stamps(folder: Path) -> Iterator[tuple[str, int, int, int, int]]:
    """Every file that a build may read: path, size, and what changes with its content; the last is when."""
    for place, folders, files in os.walk(folder):
        is_top = Path(place) == folder
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name not in _UNBUILT
            and not (is_top and name in _OUTPUTS)
            and not name.endswith(".egg-info")
            and not (Path(place) / name / "pyvenv.cfg").exists()
        )
        for name in sorted(files):
            path = Path(place) / name
            status = path.lstat()
            relative = path.relative_to(folder).as_posix()
            yield relative, status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns
