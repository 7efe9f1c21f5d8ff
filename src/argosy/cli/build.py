"""`argosy build`: the inference image of a project, with no daemon."""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from argosy import project
from argosy.cli import environment, materials, output
from argosy.cli.environment import Environment
from argosy.errors import DamagedCacheError, UsageError
from argosy.image import build, dockerfile, reference
from argosy.image.build import BaseImage, Built, LayerReport, Surroundings
from argosy.image.debian.rootfs import PYTHON, debian_image
from argosy.image.image import Image
from argosy.image.interpreter import Interpreter, find_interpreter
from argosy.image.materials import scanner
from argosy.project import Project
from argosy.registry import transports
from argosy.registry.transports import Access

DEBIAN = "debian"


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
def command(
    folder: Path, base: str | None, outputs: tuple[str, ...], eject: bool, sbom: bool, scan: str | None
) -> None:
    """Build the inference image of a project; no container engine is needed.

    The same inputs give the same digest on any machine. Dependencies are locked in pylock.argosy.toml, which belongs
    under version control. Prints the digest of the image's manifest.
    """
    around = environment.read()
    loaded = project.load(folder)
    access = Access(around.docker_config, around.variables, around.cache_dir)
    targets = outputs or (str(reference.LayoutReference(str(folder / "build" / "image"), reference.DEFAULT_TAG)),)
    for target in targets:
        reference.parse_target(target)
    if eject and (outputs or scan):
        other = "--output" if outputs else "--scan"
        raise UsageError(f"`--eject` builds no image, so `{other}` means nothing", hint="leave one of them out")
    if eject:
        _eject(loaded, base or loaded.image.base, access)
        return
    try:
        built = _build_to(targets, loaded, base, around, scan)
    except DamagedCacheError as error:
        output.say(f"{error.message}\nit is removed from the cache and made again")
        built = _build_to(targets, loaded, base, around, scan)
    materials.record(loaded, built, around.cache_dir, wanted=sbom)
    image = built.image
    size = sum(layer.size for layer in image.layers)
    output.say(f"{len(image.layers)} layers, {size / 1e6:,.1f} MB\n\nnext: argosy check {shlex.quote(targets[0])}")
    output.print_data(image.digest)


def _build_to(
    targets: Sequence[str], loaded: Project, base: str | None, around: Environment, scan: str | None
) -> Built:
    access = Access(around.docker_config, around.variables, around.cache_dir)
    built = build.build_with_parts(loaded, _base_image(base or loaded.image.base, access), _surroundings(access))
    if scan is not None:
        materials.scan(built.image, scan, access.cache_dir, access.environ)
    for target in targets:
        transports.write_image(built.image, target, access)
        output.say(f"wrote {target}")
    return built


def build_project(loaded: Project, base: str | None, around: Environment) -> Image:
    """The image of a project on its own base image, or on another one; nothing is written but the cache."""
    access = Access(around.docker_config, around.variables, around.cache_dir)
    return build.build(loaded, _base_image(base or loaded.image.base, access), _surroundings(access))


def _surroundings(access: Access) -> Surroundings:
    return Surroundings(access.cache_dir, access.environ, _report, output.say)


def _base_image(text: str, access: Access) -> BaseImage:
    name: str | None
    if text == DEBIAN:
        image, name = debian_image(access.cache_dir, output.say), DEBIAN
    else:
        place = reference.parse(text)
        image = transports.read_image(text, access)
        name = place.name if isinstance(place, reference.RegistryReference) else None
    size = sum(layer.size for layer in image.layers)
    output.say(f"{'base':<14}{size / 1e6:>9,.1f} MB  {text}")
    return BaseImage(image, name)


def _eject(loaded: Project, base: str, access: Access) -> None:
    """Write the Dockerfile; Debian's packages cannot be laid out by one, so `debian` becomes Python's slim image."""
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
    dockerfile.eject(loaded, name, build.plan(loaded, python, _surroundings(access)), folder)
    output.say(f"wrote {folder}, to be written again when the project changes\n")
    name = re.sub("[^a-z0-9]+", "-", loaded.root.name.lower()).strip("-") or "model"
    output.say(f"next: docker build --platform linux/amd64 --tag {name} {shlex.quote(str(folder))}")
    output.print_data(str(folder / "Dockerfile"))


def _report(layer: LayerReport) -> None:
    state = "cached" if layer.cached else "made"
    output.say(f"{layer.name:<14}{layer.size / 1e6:>9,.1f} MB  {layer.content} ({state})")
