"""`argosy build`: the inference image of a project, with no daemon."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict, Unpack

import click

from argosy import project
from argosy.cli import environment, output
from argosy.cli.building import loading, materials
from argosy.cli.environment import Environment
from argosy.cli.transfers import open_access
from argosy.engine import PROGRAMS
from argosy.errors import DamagedCacheError, MissingLibraryError, UsageError
from argosy.image import build, reference
from argosy.image.build import BaseImage, Surroundings
from argosy.image.debian import DEBIAN, LOCK_NAME
from argosy.image.dependencies.target import Host
from argosy.image.image import Image
from argosy.image.layers.making import LayerReport
from argosy.image.materials import scanner
from argosy.model_archive import written_aside
from argosy.project import Project
from argosy.project_file import FILE_NAME
from argosy.registry import transports
from argosy.registry.transports import Access
from argosy.toml_text import with_listed


class Options(TypedDict):
    """What the command line tells."""

    folder: Path
    base: str | None
    outputs: tuple[str, ...]
    keeps_lock: bool
    add_missing: bool
    host: str | None
    engine: str | None
    eject: bool
    no_buildkit: bool
    sbom: bool
    scan: str | None


@dataclass(frozen=True, slots=True)
class Order:
    """What is built, and on what.

    Attributes:
        project: What is built.
        base: `debian`, or a reference to the base image.
        around: For locking the dependencies and making layers.
        access: For reading and writing images.
    """

    project: Project
    base: str
    around: Surroundings
    access: Access


@dataclass(frozen=True, slots=True)
class Wanted:
    """An order, and what is to come of it.

    Attributes:
        order: What is built, on what.
        engine: The engine that builds it, if one does.
        targets: Where the image goes.
        sbom: Whether statements about the image are written.
        scan: Severity that a scan may not find; None when there is none.
    """

    order: Order
    engine: str | None
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
@click.option("--engine", type=click.Choice(PROGRAMS), help="Build a like image with a container engine instead.")
@click.option("--eject", is_flag=True, help="Write the Dockerfile that `--engine` builds, and build nothing.")
@click.option("--no-buildkit", is_flag=True, help="With --eject: for Docker's old builder, without cache and secrets.")
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
    loaded = loading.load(told["folder"])
    access = open_access(around)
    default = reference.LayoutReference(str(told["folder"] / "build" / "image"), reference.DEFAULT_TAG)
    targets = told["outputs"] or (str(default),)
    for target in targets:
        reference.parse_target(target)
    meant = {"--output": told["outputs"], "--engine": told["engine"], "--scan": told["scan"]}
    other = next((flag for flag, value in meant.items() if value), None)
    if told["eject"] and other:
        raise UsageError(f"`--eject` builds no image, so `{other}` means nothing", hint="leave one of them out")
    if told["no_buildkit"] and not told["eject"]:
        raise UsageError("`--no-buildkit` means nothing without `--eject`", hint="`--engine` finds out by itself")
    host = Host.here() if told["host"] is None else Host.parse(told["host"])
    surroundings = replace(_surroundings(access), host=host, keeps_lock=told["keeps_lock"])
    order = Order(loaded, told["base"] or loaded.image.base, surroundings, access)
    if told["eject"]:
        from argosy.cli.building import dockerfile  # with all that makes a Dockerfile, which most builds do not

        output.print_data(str(dockerfile.eject(order, has_buildkit=not told["no_buildkit"])))
        return
    if told["sbom"]:
        materials.require_place(loaded)
    wanted = Wanted(order, told["engine"], targets, told["sbom"], told["scan"])
    image = _build_persistently(wanted, add_missing=told["add_missing"])
    size = sum(layer.size for layer in image.layers)
    output.say(f"{len(image.layers)} layers, {size / 1e6:,.1f} MB\n\nnext: argosy check {shlex.quote(targets[0])}")
    output.print_data(image.digest)


def _build_persistently(wanted: Wanted, *, add_missing: bool) -> Image:
    """Build, and once more for whatever fault can be mended on the way."""
    while True:
        try:
            return _build(wanted)
        except DamagedCacheError as error:
            output.say(f"{error.message}\nit is removed from the cache and made again")
            return _build(wanted)
        except MissingLibraryError as error:
            order = wanted.order
            listed = order.project.image.system_packages
            added = sorted(set(error.packages) - {one.partition("=")[0] for one in listed})
            if not add_missing or not added:
                raise
            order = replace(order, project=_with_system_packages(order.project, [*listed, *added]))
            wanted = replace(wanted, order=order)
            output.say(f"added {', '.join(added)} to the system packages in {order.project.root / FILE_NAME}")


def _with_system_packages(loaded: Project, packages: Sequence[str]) -> Project:
    """The project with these Debian packages in its file."""
    path = loaded.root / FILE_NAME
    text = path.read_text(encoding="utf-8")
    with written_aside(path) as aside:
        aside.write_text(with_listed(text, "image", "system_packages", sorted(packages)), encoding="utf-8")
    return project.load(loaded.root)


def _build(wanted: Wanted) -> Image:
    order = wanted.order
    if wanted.engine is None:
        below = _base_image(order.base, order.access, order.project)
        built = build.build_with_parts(order.project, below, order.around)
    else:
        from argosy.cli.building import dockerfile

        built = dockerfile.build_with(wanted.engine, order)
    if wanted.scan is not None:
        materials.scan(built.image, wanted.scan, order.access.cache_dir, order.access.environ)
    with materials.recorded(order.project, built, order.access.cache_dir, wanted=wanted.sbom):
        for target in wanted.targets:
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
        from argosy.image.debian.rootfs import debian_image

        image, name = debian_image(access.cache_dir, loaded.root / LOCK_NAME, output.say), DEBIAN
    else:
        place = reference.parse(text)
        image = transports.read_image(text, access)
        name = place.name if isinstance(place, reference.RegistryReference) else None
    size = sum(layer.size for layer in image.layers)
    output.say(f"{'base':<14}{size / 1e6:>9,.1f} MB  {text}")
    return BaseImage(image, name)


def _report(layer: LayerReport) -> None:
    state = "cached" if layer.cached else "made"
    output.say(f"{layer.name.partition(':')[0]:<14}{layer.size / 1e6:>9,.1f} MB  {layer.content} ({state})")
