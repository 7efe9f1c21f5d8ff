"""Project -> image: the layers of a project, made or taken from the cache, on top of a base image.

Layers, lowest first: those of the base image, dependencies, server, predictor, artifacts. Each is a function of its own
inputs, so that a changed predictor makes one small layer.
"""

import hashlib
import importlib.metadata
import stat
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from argosy import errors, model_archive
from argosy.contract import LABEL_BIND_TO_PORT, PORT, SERVE_ARGUMENT, Variable
from argosy.errors import ArchiveError
from argosy.image import venv
from argosy.image.blobs import BlobStore
from argosy.image.dependencies import LOCK_NAME, WheelFile, index_credentials, lock, server_requirements
from argosy.image.download import Credentials, Download, fetch
from argosy.image.image import Image
from argosy.image.interpreter import Interpreter, find_interpreter, search_path
from argosy.image.layer import Layer, LayerCache, Member, cache_key, from_bytes, from_file, ordered, write_layer
from argosy.image.manifest import NamedLayer, Settings, assemble, with_gzip_layers
from argosy.project import Project

PROGRAM: Final = "opt/program"
MODEL: Final = "opt/model"
SERVER_PARTS: Final = ("__init__.py", "contract.py", "errors.py", "media_type.py", "py.typed", "serving")
"""What of this package enters the image."""

BASE_DIGEST_LABEL: Final = "org.opencontainers.image.base.digest"
BASE_NAME_LABEL: Final = "org.opencontainers.image.base.name"
_LAYOUT: Final = 1  # raise it when the same inputs are laid out differently
_SETTLED_NS: Final = 2 * 10**9


@dataclass(frozen=True, slots=True)
class BaseImage:
    """What an image is built on; `name` is kept as a label where it means the same on every machine."""

    image: Image
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a build needs beside the project.

    Attributes:
        cache_dir: Where downloads and layers are kept.
        environ: The environment for uv.
        report: Told about each of our layers when it is there.
        say: Told what a person should know.
    """

    cache_dir: Path
    environ: Mapping[str, str]
    report: Callable[["LayerReport"], None]
    say: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class LayerReport:
    """One of our layers: its name, bytes as stored, whether the cache had it, and what is in it."""

    name: str
    size: int
    cached: bool
    content: str


@dataclass(frozen=True, slots=True)
class Parts:
    """What a project's image is made of, before anything is written.

    Attributes:
        python: The base image's.
        dependencies: The wheels that the user's requirements need.
        server: The wheels that only the server needs.
        sources: Source archives of dependencies without a wheel, which an engine compiles; none without one.
    """

    python: Interpreter
    dependencies: tuple[WheelFile, ...]
    server: tuple[WheelFile, ...]
    sources: tuple[WheelFile, ...] = ()


def plan(project: Project, python: Interpreter, around: Surroundings) -> Parts:
    """Lock what is installed for a Python, and choose the wheels.

    Raises:
        ResolutionError: The dependencies have no solution.
        NetworkError: The package index does not answer.
    """
    locked = lock(project, python.version, around.environ, around.say)
    if locked.fresh:
        around.say(f"wrote {project.root / LOCK_NAME}: keep it under version control")
    installed = {candidates[0].distribution for candidates in (*locked.dependencies, *locked.server)}
    if project.serving.bidirectional and "wsproto" not in installed:
        around.say("warning: `bidirectional = true`, but no `wsproto` in the dependencies: the image will answer 501")
    return Parts(
        python,
        tuple(venv.choose_wheel(candidates, python.version) for candidates in locked.dependencies),
        tuple(venv.choose_wheel(candidates, python.version) for candidates in locked.server),
    )


def build(project: Project, base_image: BaseImage, around: Surroundings) -> Image:
    """Build the image of a project; its layers are in the cache's blob store, nothing else is written.

    Raises:
        ImageError: The base does not fit, or a file cannot become part of a layer.
        ResolutionError: The dependencies have no solution.
        NetworkError: A download failed.
        ProjectError: The project has no file for the image.
    """
    python = find_interpreter(base_image.image, project.image.python, around.cache_dir)
    parts = plan(project, python, around)
    maker = _Maker(
        around,
        LayerCache(around.cache_dir),
        BlobStore(around.cache_dir / "downloads", is_cache=True),
        index_credentials(project, around.environ),
    )
    layers = []
    if parts.dependencies:
        layers.append(maker.dependencies(parts))
    layers.append(maker.server(parts))
    layers.append(maker.predictor(project))
    if project.artifacts_dir is not None and project.model.bake:
        layers.append(maker.artifacts(project.artifacts_dir))
    started = settings(project, search_path(base_image.image), base_labels(base_image))
    return assemble(with_gzip_layers(base_image.image, maker.cache), layers, started, maker.cache.store)


def base_labels(base_image: BaseImage) -> dict[str, str]:
    """The labels that tell what an image was built on."""
    labels = {BASE_DIGEST_LABEL: base_image.image.digest}
    if base_image.name is not None:
        labels[BASE_NAME_LABEL] = base_image.name
    return labels


def settings(project: Project, path: str, labels: Mapping[str, str]) -> Settings:
    """What a container of the project's image is started with.

    Args:
        project: Whose image it is.
        path: The base image's PATH.
        labels: Labels beside those that say what the server can do.
    """
    environment = {
        "PATH": f"/{venv.VENV}/bin:{path}",
        "PYTHONUNBUFFERED": "1",
        **project.server_environment(),
        Variable.PROGRAM_DIR: f"/{PROGRAM}",
    }
    if project.artifacts_dir is not None and project.model.bake:
        environment[Variable.BAKED_MODEL_DIR] = f"/{MODEL}"
    return Settings(
        {**environment, **project.image.environment},
        entrypoint=[f"/{venv.VENV}/bin/serve"],
        command=[SERVE_ARGUMENT],
        working_dir=f"/{PROGRAM}",
        port=PORT,
        labels={LABEL_BIND_TO_PORT: "true", **project.labels(), **labels},
    )


def server_files() -> list[tuple[str, Path]]:
    """The server's own files in this installation, with their names below `site-packages`, sorted."""
    package = Path(errors.__file__).parent
    found = []
    for part in SERVER_PARTS:
        path = package / part
        found += [path] if path.is_file() else [file for file in path.rglob("*") if file.suffix in (".py", ".typed")]
    return sorted((f"argosy/{file.relative_to(package).as_posix()}", file) for file in found)


def server_metadata() -> dict[str, bytes]:
    """The `.dist-info` of the server's files: enough for `pip list` and for what reads an image's packages."""
    version = importlib.metadata.version("argosy")
    lines = ["Metadata-Version: 2.1", "Name: argosy", f"Version: {version}"]
    lines += [f"Requires-Dist: {requirement}" for requirement in server_requirements()]
    folder = f"argosy-{version}.dist-info"
    return {f"{folder}/METADATA": "\n".join([*lines, ""]).encode(), f"{folder}/INSTALLER": venv.INSTALLER}


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes our layers, one method each."""

    around: Surroundings
    cache: LayerCache
    downloads: BlobStore
    credentials: Credentials

    def dependencies(self, parts: Parts) -> NamedLayer:
        key = cache_key("dependencies", _LAYOUT, parts.python.version, _names(parts.dependencies))
        notes: list[str] = []
        with ExitStack() as opened:
            return self._layer(
                "dependencies",
                key,
                lambda: self._wheels(parts.dependencies, parts.python, opened, notes),
                f"{len(parts.dependencies)} distributions",
                notes,
            )

    def server(self, parts: Parts) -> NamedLayer:
        site = venv.site_packages(parts.python.version)
        own = [from_file(f"{site}/{name}", file) for name, file in server_files()]
        own += [from_bytes(f"{site}/{name}", content) for name, content in server_metadata().items()]
        own += [*venv.skeleton(parts.python), venv.script("serve", "argosy.serving.main", "main")]
        key = cache_key(
            "server", _LAYOUT, [parts.python.path, parts.python.version], _names(parts.server), _contents(own)
        )
        notes: list[str] = []
        with ExitStack() as opened:
            return self._layer(
                "server",
                key,
                lambda: [*self._wheels(parts.server, parts.python, opened, notes), *own],
                f"argosy {importlib.metadata.version('argosy')} and {len(parts.server)} distributions",
                notes,
            )

    def predictor(self, project: Project) -> NamedLayer:
        files = project.program_files()
        members = [from_file(f"{PROGRAM}/{path.as_posix()}", project.root / path) for path in files]
        content = f"{len(files)} files" if len(files) > 1 else str(files[0])
        return self._layer("predictor", cache_key("predictor", _LAYOUT, _contents(members)), lambda: members, content)

    def artifacts(self, folder: Path) -> NamedLayer:
        files = model_archive.artifact_files(folder)
        stamps = [_stamp(path) for path in files]
        members = [from_file(f"{MODEL}/{path.relative_to(folder).as_posix()}", path) for path in files]
        # A file's change time cannot be set back, so equal stamps mean equal bytes, unless it changed twice within one
        # tick of the clock: what changed just now is not remembered.
        settled = all(time.time_ns() - stamp[-1] > _SETTLED_NS for stamp in stamps)
        key = cache_key("artifacts", _LAYOUT, [[str(path), *stamp] for path, stamp in zip(files, stamps, strict=True)])
        made = self._layer("artifacts", key if settled else None, lambda: members, f"{len(files)} files")
        if [_stamp(path) for path in files] != stamps:
            raise ArchiveError("the artifacts changed while they were read", where=folder, hint="run it again")
        return made

    def _layer(
        self,
        name: str,
        key: str | None,
        members: Callable[[], Sequence[Member]],
        content: str,
        notes: Sequence[str] = (),
    ) -> NamedLayer:
        """A layer from the cache, or made now; its notes are told either way.

        Args:
            name: In the image's history.
            key: In the cache, None when it is not to be remembered.
            members: What is in it.
            content: The same in words.
            notes: What to tell, filled by `members`.
        """
        layer: Layer | None = None if key is None else self.cache.get(key)
        cached = layer is not None
        if layer is None:
            made = write_layer(ordered(members()), self.cache.store)
            layer = replace(made, notes=tuple(notes))
            if key is not None:
                self.cache.put(key, layer)
        for note in layer.notes:
            self.around.say(note)
        self.around.report(LayerReport(name, layer.size, cached, content))
        return NamedLayer(name, layer)

    def _wheels(
        self, wheels: Sequence[WheelFile], python: Interpreter, opened: ExitStack, notes: list[str]
    ) -> list[Member]:
        downloads = [Download(wheel.url, wheel.digest, wheel.size) for wheel in wheels]
        fetch(
            downloads,
            self.downloads,
            lambda missing: self.around.say(f"downloading {missing} of wheels"),
            self.credentials,
        )
        placed = [(wheel, self.downloads.path(wheel.digest)) for wheel in wheels]
        unpacked = venv.unpack_wheels(placed, python.version, opened)
        notes += unpacked.notes
        return unpacked.members


def _names(wheels: Sequence[WheelFile]) -> list[list[str]]:
    return [[wheel.filename, wheel.digest] for wheel in wheels]


def _contents(members: Sequence[Member]) -> list[list[object]]:
    """Members by their content, for a cache key."""
    found: list[list[object]] = []
    for member in members:
        digest = None
        if member.open is not None:
            with member.open() as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]  # any stream does
        found.append([member.path, member.mode, member.link, digest])
    return found


def _stamp(path: Path) -> tuple[int, ...]:
    status = path.stat()
    executable = int(bool(status.st_mode & stat.S_IXUSR))
    return (executable, status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev, status.st_ctime_ns)
