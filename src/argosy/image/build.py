"""Project -> image: the layers of a project, made or taken from the cache, on top of a base image.

Layers, lowest first: those of the base image, system packages, dependencies, server, predictor, artifacts. Each is a
function of its own inputs (`layers/recipes.py`), so that a changed predictor makes one small layer.
"""

import importlib.metadata
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import msgspec
from packaging.utils import canonicalize_name

from argosy import errors
from argosy.contract import LABEL_BIND_TO_PORT, PORT, SERVE_ARGUMENT, Variable
from argosy.errors import ImageError
from argosy.image import venv
from argosy.image.blobs import BlobStore
from argosy.image.convert import convert
from argosy.image.dependencies.frameworks import runtime_of
from argosy.image.dependencies.inputs import LOCK_NAME
from argosy.image.dependencies.lock import credentials_of, lock, server_requirements
from argosy.image.dependencies.source_builds import Workshop
from argosy.image.dependencies.target import NEWEST_GLIBC_MINOR, Host
from argosy.image.dependencies.uv_command import Uv
from argosy.image.dependencies.wheels import WheelFile
from argosy.image.download import Download, fetch
from argosy.image.image import Image
from argosy.image.interpreter import Interpreter, find_interpreter, is_compiler, search_path
from argosy.image.layer import LayerCache, Member, from_bytes, from_file
from argosy.image.layers import recipes
from argosy.image.layers.bytecode import find_compiler
from argosy.image.layers.making import Examination, LayerReport, make_layers
from argosy.image.libraries.layer_programs import ProgramObserver
from argosy.image.libraries.requirement import require_libraries
from argosy.image.manifest import NamedLayer, Settings, assemble
from argosy.image.materials.inventory import InventoryObserver, Places
from argosy.image.materials.secrets import SecretCheck
from argosy.image.observation import Observer
from argosy.project import Project

SERVER_PARTS: Final = (
    "__init__.py",
    "contract.py",
    "errors.py",
    "flavors",
    "http_protocol.py",
    "media_type.py",
    "py.typed",
    "serving",
)
"""What of this package enters the image."""

BASE_DIGEST_LABEL: Final = "org.opencontainers.image.base.digest"
BASE_NAME_LABEL: Final = "org.opencontainers.image.base.name"


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
        host: The machine that builds; what is compiled on another one than the image's does not enter it.
        keeps_lock: Whether an outdated lock is an error, instead of made anew.
    """

    cache_dir: Path
    environ: Mapping[str, str]
    report: Callable[["LayerReport"], None]
    say: Callable[[str], None]
    host: Host = field(default_factory=Host.here)
    keeps_lock: bool = False


@dataclass(frozen=True, slots=True)
class Parts:
    """What a project's image is made of, before anything is written.

    Attributes:
        python: The base image's.
        dependencies: The wheels that the user's requirements need.
        server: The wheels that only the server needs.
        sources: Source archives of what has no wheel, where an engine compiles it; none otherwise.
    """

    python: Interpreter
    dependencies: tuple[WheelFile, ...]
    server: tuple[WheelFile, ...]
    sources: tuple[WheelFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Built:
    """A finished image, and what it was made of."""

    image: Image
    parts: Parts
    base_image: BaseImage


def plan(project: Project, python: Interpreter, around: Surroundings, *, compiles: bool = True) -> Parts:
    """Lock what is installed for a Python, and have a wheel for each, built where there is only source.

    Args:
        project: What is built.
        python: The base image's.
        around: What is needed beside the project.
        compiles: Whether source archives become wheels here; else they are left to an engine.

    Raises:
        ResolutionError: The dependencies have no solution, or one has no wheel and cannot be built here.
        NetworkError: The package index does not answer.
    """
    locked = lock(project, python.version, around.environ, around.say, may_write=not around.keeps_lock)
    if locked.fresh:
        around.say(f"wrote {project.root / LOCK_NAME}: keep it under version control")
    listed = (*locked.dependencies, *locked.server)
    versions = {package.distribution: package.version or "local" for package in listed}
    if project.serving.bidirectional and "wsproto" not in versions:
        around.say("warning: `bidirectional = true`, but no `wsproto` in the dependencies: the image will answer 501")
    workshop = Workshop(
        Uv(project.root, around.environ),
        python.version,
        python.glibc_minor or NEWEST_GLIBC_MINOR,
        around.host,
        around.cache_dir,
        credentials_of(project, around.environ),
        around.say,
    )
    left = () if compiles else (workshop.source(package) for package in locked.dependencies)
    sources = tuple(source for source in left if source is not None)
    named = {source.distribution for source in sources}
    return Parts(
        python,
        tuple(
            workshop.wheel(package, versions) for package in locked.dependencies if package.distribution not in named
        ),
        tuple(workshop.wheel(package, versions) for package in locked.server),
        sources,
    )


def build(project: Project, base_image: BaseImage, around: Surroundings) -> Image:
    """Build the image of a project, as `build_with_parts` does, for who does not ask what it is made of."""
    return build_with_parts(project, base_image, around).image


def build_with_parts(project: Project, base_image: BaseImage, around: Surroundings) -> Built:
    """Build the image of a project; its layers are in the cache's blob store, nothing else is written.

    Raises:
        ImageError: The base does not fit, or a file cannot become part of a layer.
        MissingLibraryError: A program in the image lacks a library.
        ResolutionError: The dependencies have no solution.
        NetworkError: A download failed.
        ProjectError: The project has no file for the image.
        SecretFoundError: A file, a variable or the history seems to be a secret.
    """
    places = Places(recipes.PROGRAM, recipes.MODEL, venv.VENV, len(base_image.image.layers))

    def observers() -> list[Observer]:
        return [ProgramObserver(around.cache_dir), InventoryObserver(places, around.cache_dir)]

    python = find_interpreter(base_image.image, project.image.python, around.cache_dir, lambda _: observers())
    parts = plan(project, python, around)
    project = with_runtime(project, base_image.image, around.cache_dir)
    cache = LayerCache(around.cache_dir)
    system = _system(project, base_image.image, around)
    private = _private_files(parts, around.cache_dir)
    secrets = SecretCheck(around.cache_dir, project.image.allow_secrets, f"{venv.VENV}/", private)
    # What is in the layers of wheels is known from these.
    examination = Examination(
        secrets.require_none_in_layer, lambda recipe: observers()[:1] if recipe.wheels else observers()
    )
    layers = [*system, *_layers(project, parts, cache, examination, around)]
    started = settings(project, search_path(base_image.image), base_labels(base_image))
    below = convert(base_image.image, cache, trusting=True).image
    image = assemble(below, layers, started, cache.store)
    secrets.require_none_in_config(image)
    require_libraries(image, base_image.image, project, around.cache_dir, around.say)
    return Built(image, parts, base_image)


def with_runtime(project: Project, base_image: Image | None, cache_dir: Path) -> Project:
    """The project with what the wheels of its flavor's framework need beside other wheels.

    Debian packages are added where the base image can have them; libraries that only plugins for other hardware name,
    may be missing.

    Args:
        project: The project.
        base_image: What it is built on; None when nobody looked at it, and it is Debian.
        cache_dir: Where what was read of an image is remembered.

    Raises:
        ProjectError: The saved model of the flavor is damaged.
        ResolutionError: The saved model asks for something that no index has.
    """
    runtime = runtime_of(project)
    if runtime is None:
        return project
    table = project.image
    listed = {one.partition("=")[0] for one in table.system_packages}
    wanted = [name for name in runtime.system_packages if name not in listed]
    if wanted and base_image is not None and not _is_debian(base_image, cache_dir):
        wanted = []
    table = msgspec.structs.replace(
        table,
        system_packages=(*table.system_packages, *wanted),
        ignore_missing_libraries=(*table.ignore_missing_libraries, *runtime.unneeded_libraries),
    )
    return msgspec.structs.replace(project, image=table)


def _is_debian(base_image: Image, cache_dir: Path) -> bool:
    from argosy.image.debian.system import read_debian_system

    try:
        read_debian_system(base_image, cache_dir)
    except ImageError:
        return False
    return True


def _private_files(parts: Parts, cache_dir: Path) -> frozenset[str]:
    """Paths in the image of what wheels of this machine bring, given as files or built here."""
    downloads = BlobStore(cache_dir / "downloads", is_cache=True)
    wheels = [wheel for wheel in (*parts.dependencies, *parts.server) if not wheel.url]
    placed = [(wheel, downloads.path(wheel.digest)) for wheel in wheels]
    with ExitStack() as opened:
        try:
            unpacked = venv.unpack_wheels(placed, parts.python.version, opened)
        except ImageError:
            for wheel in wheels:  # one that the cache has damaged is made again, and is not the user's fault
                downloads.require(wheel.digest)
            raise
    return frozenset(member.path for member in unpacked.members)


def _system(project: Project, base_image: Image, around: Surroundings) -> list[NamedLayer]:
    """The layer of system packages, if there are any that the base image has not."""
    if not project.image.system_packages:
        return []
    from argosy.image.debian.system_packages import system_layer

    made = system_layer(project, base_image, around.cache_dir, around.say)
    if made is None:
        return []
    around.report(LayerReport("system", made.layer.size, made.cached, f"{len(made.packages)} Debian packages"))
    return [NamedLayer("system", made.layer)]


def _layers(
    project: Project, parts: Parts, cache: LayerCache, examination: Examination, around: Surroundings
) -> list[NamedLayer]:
    """Our layers above the system packages, lowest first."""
    downloads = BlobStore(around.cache_dir / "downloads", is_cache=True)
    credentials = credentials_of(project, around.environ)
    compiler = find_compiler(parts.python.version, around.environ) if project.image.bytecode else None
    whole = frozenset(canonicalize_name(name) for name in project.image.unpruned)
    has_compiler = parts.python.has_compiler or any(map(is_compiler, project.image.system_packages))
    how = recipes.Wheels(
        replace(parts.python, has_compiler=has_compiler), project.image.prune, whole, downloads.path, compiler
    )

    def fetch_wheels(wheels: Sequence[WheelFile]) -> None:
        wanted = [Download(wheel.url, wheel.digest, wheel.size) for wheel in wheels]
        fetch(wanted, downloads, lambda missing: around.say(f"downloading {missing} of wheels"), credentials)

    wanted = [
        *recipes.dependencies(parts.dependencies, how),
        recipes.server(parts.server, _server_members(parts.python), how),
        recipes.predictor(project, compiler),
    ]
    if project.artifacts_dir is not None and project.model.bake:
        wanted.append(recipes.artifacts(project.artifacts_dir))
    return make_layers(wanted, cache, fetch_wheels, examination, around.report, around.say)


def _server_members(python: Interpreter) -> list[Member]:
    site = venv.site_packages(python.version)
    own = [from_file(f"{site}/{name}", file) for name, file in server_files()]
    own += [from_bytes(f"{site}/{name}", content) for name, content in server_metadata().items()]
    return [*own, *venv.skeleton(python), venv.script("serve", "argosy.serving.main", "main")]


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
        Variable.PROGRAM_DIR: f"/{recipes.PROGRAM}",
    }
    if project.artifacts_dir is not None and project.model.bake:
        environment[Variable.BAKED_MODEL_DIR] = f"/{recipes.MODEL}"
    return Settings(
        {**environment, **project.image.environment},
        entrypoint=[f"/{venv.VENV}/bin/serve"],
        command=[SERVE_ARGUMENT],
        working_dir=f"/{recipes.PROGRAM}",
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
