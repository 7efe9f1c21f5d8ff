"""`argosy build`: the inference image of a project, with no daemon."""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from argosy import project
from argosy.cli import environment, output
from argosy.cli.environment import Environment
from argosy.errors import DamagedCacheError, MissingLibraryError, UsageError
from argosy.image import build, dockerfile, reference
from argosy.image.build import BaseImage, LayerReport, Surroundings
from argosy.image.debian.lock import LOCK_NAME
from argosy.image.debian.rootfs import PYTHON, debian_image
from argosy.image.image import Image
from argosy.image.interpreter import Interpreter, find_interpreter
from argosy.model_archive import written_aside
from argosy.project import Project
from argosy.registry import transports
from argosy.registry.transports import Access
from argosy.toml_text import with_listed

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
    "--add-missing", is_flag=True, help="Add the Debian packages of missing libraries to argosy.toml, and build again."
)
def command(folder: Path, base: str | None, outputs: tuple[str, ...], eject: bool, add_missing: bool) -> None:
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
    if eject and outputs:
        raise UsageError("`--eject` builds no image, so `--output` means nothing", hint="leave one of them out")
    if eject:
        _eject(loaded, base or loaded.image.base, access)
        return
    image = _build_persistently(targets, loaded, base, around, add_missing)
    size = sum(layer.size for layer in image.layers)
    output.say(f"{len(image.layers)} layers, {size / 1e6:,.1f} MB\n\nnext: argosy check {shlex.quote(targets[0])}")
    output.print_data(image.digest)


def _build_persistently(
    targets: Sequence[str], loaded: Project, base: str | None, around: Environment, add_missing: bool
) -> Image:
    """Build, and once more for whatever fault can be mended on the way."""
    while True:
        try:
            return _build_to(targets, loaded, base, around)
        except DamagedCacheError as error:
            output.say(f"{error.message}\nit is removed from the cache and made again")
            return _build_to(targets, loaded, base, around)
        except MissingLibraryError as error:
            added = sorted(set(error.packages) - {one.partition("=")[0] for one in loaded.image.system_packages})
            if not add_missing or not added:
                raise
            path = loaded.root / project.FILE_NAME
            text = path.read_text(encoding="utf-8")
            listed = sorted({*loaded.image.system_packages, *added})
            with written_aside(path) as aside:
                aside.write_text(with_listed(text, "image", "system_packages", listed), encoding="utf-8")
            output.say(f"added {', '.join(added)} to the system packages in {path}")
            loaded = project.load(loaded.root)


def _build_to(targets: Sequence[str], loaded: Project, base: str | None, around: Environment) -> Image:
    image = build_project(loaded, base, around)
    for target in targets:
        transports.write_image(image, target, Access(around.docker_config, around.variables, around.cache_dir))
        output.say(f"wrote {target}")
    return image


def build_project(loaded: Project, base: str | None, around: Environment) -> Image:
    """The image of a project on its own base image, or on another one; nothing is written but the cache."""
    access = Access(around.docker_config, around.variables, around.cache_dir)
    below = _base_image(base or loaded.image.base, access, loaded.root / LOCK_NAME)
    return build.build(loaded, below, _surroundings(access))


def _surroundings(access: Access) -> Surroundings:
    return Surroundings(access.cache_dir, access.environ, _report, output.say)


def _base_image(text: str, access: Access, lock: Path) -> BaseImage:
    name: str | None
    if text == DEBIAN:
        image, name = debian_image(access.cache_dir, lock, output.say), DEBIAN
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
