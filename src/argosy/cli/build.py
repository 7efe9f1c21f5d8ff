"""`argosy build`: the inference image of a project, with no daemon."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict, Unpack

import click

from argosy import project
from argosy.cli import environment, materials, output
from argosy.cli.environment import Environment
from argosy.cli.transfers import open_access
from argosy.errors import DamagedCacheError, MissingLibraryError, UsageError
from argosy.image import build, dockerfile, reference
from argosy.image.build import BaseImage, Surroundings
from argosy.image.debian.lock import LOCK_NAME
from argosy.image.debian.rootfs import PYTHON, debian_image
from argosy.image.dependencies.target import Host
from argosy.image.image import Image
from argosy.image.interpreter import Interpreter, find_interpreter
from argosy.image.layers.making import LayerReport
from argosy.image.materials import scanner
from argosy.model_archive import written_aside
from argosy.project import Project
from argosy.project_file import FILE_NAME
from argosy.registry import transports
from argosy.registry.transports import Access
from argosy.toml_text import with_listed

DEBIAN = "debian"


class Options(TypedDict):
    """What the command line tells."""

    folder: Path
    base: str | None
    outputs: tuple[str, ...]
    keeps_lock: bool
    add_missing: bool
    host: str | None
    eject: bool
    sbom: bool
    scan: str | None


@dataclass(frozen=True, slots=True)
class Order:
    """One build: the project, what to build on, with what, where to put the image, and what goes with it.

    Attributes:
        sbom: Whether statements about the image are written.
        scan: Severity that a scan may not find; None when there is none.
    """

    project: Project
    base: str
    around: Surroundings
    access: Access
    targets: tuple[str, ...]
    sbom: bool
    scan: str | None


@click.command
@click.argument("folder", metavar="[PROJECT]", type=click.Path(path_type=Path), default=".")
@click.option("--base", metavar="IMAGE|debian", help="What to build on, instead of the project's `image.base`.")
@click.option(
    "--output",
    "outputs",
    metavar="IMAGE",
    multiple=True,
    help="Where to put the image; may be given several times. [default: oci:PROJECT/build/image:latest]",
)
@click.option("--locked", "keeps_lock", is_flag=True, help="Fail when pylock.argosy.toml is not up to date.")
@click.option(
    "--add-missing", is_flag=True, help="Add the Debian packages of missing libraries to argosy.toml, and build again."
)
@click.option(
    "--host-platform",
    "host",
    metavar="[OS/]ARCH",
    help="Build as if on this platform, as in `arm64`: nothing that is compiled here enters the image.",
)
@click.option("--eject", is_flag=True, help="Write a Dockerfile that builds a like image, and build nothing.")
@click.option(
    "--sbom/--no-sbom",
    "sbom",
    default=True,
    help="Write bills of materials, provenance and licences to PROJECT/build/materials. [default: yes]",
)
@click.option(
    "--scan",
    metavar="SEVERITY",
    type=click.Choice(scanner.THRESHOLDS),
    help="Have trivy or grype look at the image, and fail on findings of that severity: critical, high, medium or low.",
)
def command(**told: Unpack[Options]) -> None:
    """Build the inference image of a project; no container engine is needed.

    The same inputs give the same digest on any machine. Dependencies are locked in pylock.argosy.toml, which belongs
    under version control. Prints the digest of the image's manifest.
    """
    around = environment.read()
    loaded = project.load(told["folder"])
    access = open_access(around)
    default = reference.LayoutReference(str(told["folder"] / "build" / "image"), reference.DEFAULT_TAG)
    targets = told["outputs"] or (str(default),)
    for target in targets:
        reference.parse_target(target)
    if told["eject"] and (told["outputs"] or told["scan"]):
        other = "--output" if told["outputs"] else "--scan"
        raise UsageError(f"`--eject` builds no image, so `{other}` means nothing", hint="leave one of them out")
    host = Host.here() if told["host"] is None else Host.parse(told["host"])
    surroundings = replace(_surroundings(access), host=host, keeps_lock=told["keeps_lock"])
    base = told["base"] or loaded.image.base
    order = Order(loaded, base, surroundings, access, targets, told["sbom"], told["scan"])
    if told["eject"]:
        _eject(order)
        return
    if order.sbom:
        materials.require_place(loaded)
    image = _build_persistently(order, add_missing=told["add_missing"])
    size = sum(layer.size for layer in image.layers)
    output.say(f"{len(image.layers)} layers, {size / 1e6:,.1f} MB\n\nnext: argosy check {shlex.quote(targets[0])}")
    output.print_data(image.digest)


def _build_persistently(order: Order, *, add_missing: bool) -> Image:
    """Build, and once more for whatever fault can be mended on the way."""
    while True:
        try:
            return _build(order)
        except DamagedCacheError as error:
            output.say(f"{error.message}\nit is removed from the cache and made again")
            return _build(order)
        except MissingLibraryError as error:
            listed = order.project.image.system_packages
            added = sorted(set(error.packages) - {one.partition("=")[0] for one in listed})
            if not add_missing or not added:
                raise
            order = replace(order, project=_with_system_packages(order.project, [*listed, *added]))
            output.say(f"added {', '.join(added)} to the system packages in {order.project.root / FILE_NAME}")


def _with_system_packages(loaded: Project, packages: Sequence[str]) -> Project:
    """The project with these Debian packages in its file."""
    path = loaded.root / FILE_NAME
    text = path.read_text(encoding="utf-8")
    with written_aside(path) as aside:
        aside.write_text(with_listed(text, "image", "system_packages", sorted(packages)), encoding="utf-8")
    return project.load(loaded.root)


def _build(order: Order) -> Image:
    below = _base_image(order.base, order.access, order.project)
    built = build.build_with_parts(order.project, below, order.around)
    if order.scan is not None:
        materials.scan(built.image, order.scan, order.access.cache_dir, order.access.environ)
    with materials.recorded(order.project, built, order.access.cache_dir, wanted=order.sbom):
        for target in order.targets:
            transports.write_image(built.image, target, order.access)
            output.say(f"wrote {target}")
    return built.image


def build_project(loaded: Project, base: str | None, around: Environment) -> Image:
    """The image of a project on its own base image, or on another one; nothing is written but the cache."""
    access = open_access(around)
    return build.build(loaded, _base_image(base or loaded.image.base, access, loaded), _surroundings(access))


def _surroundings(access: Access) -> Surroundings:
    return Surroundings(access.cache_dir, access.environ, _report, output.say)


def _base_image(text: str, access: Access, loaded: Project) -> BaseImage:
    name: str | None
    if text == DEBIAN:
        image, name = debian_image(access.cache_dir, loaded.root / LOCK_NAME, output.say), DEBIAN
    else:
        place = reference.parse(text)
        image = transports.read_image(text, access)
        name = place.name if isinstance(place, reference.RegistryReference) else None
    size = sum(layer.size for layer in image.layers)
    output.say(f"{'base':<14}{size / 1e6:>9,.1f} MB  {text}")
    return BaseImage(image, name)


def _eject(order: Order) -> None:
    """Write the Dockerfile; Debian's packages cannot be laid out by one, so `debian` becomes Python's slim image."""
    loaded, base, access = order.project, order.base, order.access
    if base == DEBIAN:
        python = Interpreter(f"/usr/local/bin/python{PYTHON}", loaded.image.python or PYTHON)
        name = f"python:{python.version}-slim"
    else:
        place = reference.parse(base)
        if not isinstance(place, reference.RegistryReference | reference.DaemonReference):
            raise UsageError("a Dockerfile can start from an image in a registry or engine only", got=f"`{base}`")
        name = place.name
        python = find_interpreter(transports.read_image(base, access), loaded.image.python, access.cache_dir)
    folder = loaded.root / "build" / dockerfile.FOLDER
    dockerfile.eject(loaded, name, build.plan(loaded, python, order.around), folder)
    output.say(f"wrote {folder}, to be written again when the project changes\n")
    name = re.sub("[^a-z0-9]+", "-", loaded.root.name.lower()).strip("-") or "model"
    output.say(f"next: docker build --platform linux/amd64 --tag {name} {shlex.quote(str(folder))}")
    output.print_data(str(folder / "Dockerfile"))


def _report(layer: LayerReport) -> None:
    state = "cached" if layer.cached else "made"
    output.say(f"{layer.name.partition(':')[0]:<14}{layer.size / 1e6:>9,.1f} MB  {layer.content} ({state})")
