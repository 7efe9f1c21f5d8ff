"""`argosy build`: the inference image of a project, with no daemon."""

import shlex
from pathlib import Path

import click

from argosy import project
from argosy.cli import environment, output
from argosy.image import build, reference
from argosy.image.build import BaseImage, LayerReport, Surroundings
from argosy.image.debian.rootfs import debian_image
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
def command(folder: Path, base: str | None, outputs: tuple[str, ...], eject: bool) -> None:
    """Build the inference image of a project; no container engine is needed.

    The same inputs give the same digest on any machine. Dependencies are locked in pylock.argosy.toml, which belongs
    under version control. Prints the digest of the image's manifest.
    """
    around = environment.read()
    loaded = project.load(folder)
    access = Access(around.docker_config, around.variables, around.cache_dir)
    surroundings = Surroundings(around.cache_dir, around.variables, _report, output.say)
    targets = outputs or (str(reference.LayoutReference(str(folder / "build" / "image"), reference.DEFAULT_TAG)),)
    for target in targets:
        reference.parse(target)
    base_image = _base_image(base or loaded.image.base, access)
    image = build.build(loaded, base_image, surroundings)
    for target in targets:
        transports.write_image(image, target, access)
        output.say(f"wrote {target}")
    size = sum(layer.size for layer in image.layers)
    output.say(f"{len(image.layers)} layers, {size / 1e6:,.1f} MB\n\nnext: argosy check {shlex.quote(targets[0])}")
    output.print_data(image.digest)


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
