"""`argosy build`: the inference image of a project, with no daemon."""

import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from argosy import project
from argosy.cli import dockerfile, environment, output
from argosy.cli.dockerfile import DEBIAN
from argosy.cli.environment import Environment
from argosy.engine import PROGRAMS
from argosy.errors import DamagedCacheError, UsageError
from argosy.image import build, reference
from argosy.image.build import BaseImage, LayerReport, Surroundings
from argosy.image.debian.rootfs import debian_image
from argosy.image.image import Image
from argosy.project import Project
from argosy.registry import transports
from argosy.registry.transports import Access


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
@click.option("--engine", type=click.Choice(PROGRAMS), help="Build a like image with a container engine instead.")
@click.option("--eject", is_flag=True, help="Write the Dockerfile that `--engine` builds, and build nothing.")
@click.option("--no-buildkit", is_flag=True, help="With --eject: for Docker's old builder, without cache and secrets.")
def command(
    folder: Path, base: str | None, outputs: tuple[str, ...], engine: str | None, eject: bool, no_buildkit: bool
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
    if eject and (outputs or engine):
        named = "--output" if outputs else "--engine"
        raise UsageError(f"`--eject` builds no image, so `{named}` means nothing", hint="leave one of them out")
    if no_buildkit and not eject:
        raise UsageError("`--no-buildkit` means nothing without `--eject`", hint="`--engine` finds out by itself")
    wish = dockerfile.Wish(loaded, base or loaded.image.base, access, _surroundings(access))
    if eject:
        output.print_data(str(dockerfile.eject(wish, has_buildkit=not no_buildkit)))
        return

    def build_image() -> Image:
        return dockerfile.build_with(engine, wish) if engine else build_project(loaded, base, around)

    try:
        image = _write_to(targets, build_image(), access)
    except DamagedCacheError as error:
        output.say(f"{error.message}\nit is removed from the cache and made again")
        image = _write_to(targets, build_image(), access)
    size = sum(layer.size for layer in image.layers)
    output.say(f"{len(image.layers)} layers, {size / 1e6:,.1f} MB\n\nnext: argosy check {shlex.quote(targets[0])}")
    output.print_data(image.digest)


def _write_to(targets: Sequence[str], image: Image, access: Access) -> Image:
    for target in targets:
        transports.write_image(image, target, access)
        output.say(f"wrote {target}")
    return image


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


def _report(layer: LayerReport) -> None:
    state = "cached" if layer.cached else "made"
    output.say(f"{layer.name:<14}{layer.size / 1e6:>9,.1f} MB  {layer.content} ({state})")
