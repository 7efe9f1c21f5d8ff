"""What `argosy build` does through a Dockerfile: `--eject` writes it, `--engine` has an engine build it."""

import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Final

from argosy import engine as engines
from argosy.cli import output
from argosy.cli.build import Order
from argosy.engine import Engine
from argosy.errors import UsageError
from argosy.image import build, reference
from argosy.image.blobs import BlobStore
from argosy.image.build import BaseImage, Built
from argosy.image.debian import DEBIAN
from argosy.image.debian.rootfs import PYTHON
from argosy.image.dependencies.lock import credentials_of
from argosy.image.dockerfile import context
from argosy.image.dockerfile.context import Ejection, Foundation
from argosy.image.dockerfile.engine_build import build_by_engine
from argosy.image.dockerfile.locked_files import Downloads
from argosy.image.image import Image
from argosy.image.interpreter import Interpreter, find_interpreter
from argosy.registry import transports

_SLIM: Final = "docker.io/library/python:{}-slim"
"""What stands in for `debian`, whose packages cannot be laid out by a Dockerfile."""

_NO_ENGINE: Final = "leave `--engine` out: the build needs none"


def eject(order: Order, *, has_buildkit: bool) -> Path:
    """Write the Dockerfile, say how to build it, and return where it is."""
    root = order.project.root
    folder = root / "build" / context.FOLDER
    if order.base == DEBIAN:
        # Nobody has to reach a registry to write a Dockerfile.
        version = order.project.image.python or PYTHON
        foundation, python = Foundation(_SLIM.format(version)), Interpreter(f"/usr/local/bin/python{version}", version)
    else:
        foundation, python = _foundation(order, None)
    ejection = _ejection(order, foundation, python, has_buildkit=has_buildkit)
    context.eject(ejection, folder)
    output.say(f"wrote {folder}, to be written again when the project changes\n")
    name = re.sub("[^a-z0-9]+", "-", root.name.lower()).strip("-") or "model"
    flags = " ".join(ejection.recipe().flags())
    output.say(f"next: docker build {flags} --tag {name} {shlex.quote(str(folder))}")
    return folder / "Dockerfile"


def build_with(program: str, order: Order) -> Built:
    """The image of a project as a container engine builds it; what the engine says is said."""
    engine = engines.find(program, order.access.environ, _NO_ENGINE)
    if order.base == DEBIAN:
        order = replace(order, base=f"docker://{_SLIM.format(order.project.image.python or PYTHON)}")
        output.say(f"`{DEBIAN}` cannot be laid out by a Dockerfile: building on {order.base}")
    foundation, python = _foundation(order, engine)
    ejection = _ejection(order, foundation, python, has_buildkit=engine.mounts_while_building())

    def read(name: str) -> Image:
        return transports.read_from_engine(engine, name, order.access)

    return build_by_engine(ejection, engine, read, order.access.cache_dir, output.say)


def _ejection(order: Order, foundation: Foundation, python: Interpreter, *, has_buildkit: bool) -> Ejection:
    downloads = Downloads(
        BlobStore(order.access.cache_dir / "downloads", is_cache=True),
        credentials_of(order.project, order.access.environ),
        output.say,
    )
    parts = build.plan(order.project, python, order.around, compiles=False)
    below = None if foundation.base_image is None else foundation.base_image.image
    project = build.with_runtime(order.project, below, order.access.cache_dir)
    return Ejection(project, foundation, parts, downloads, has_buildkit)


def _foundation(order: Order, engine: Engine | None) -> tuple[Foundation, Interpreter]:
    """What the Dockerfile starts from, and the Python in it."""
    match reference.parse(order.base):
        case reference.RegistryReference() as place:
            base_image = BaseImage(transports.read_image(order.base, order.access), place.name)
            name = replace(place, digest=base_image.image.digest).name
        case reference.DaemonReference(name, program):
            asked = engine or engines.find(program, order.access.environ)
            base_image = BaseImage(transports.read_from_engine(asked, name, order.access))
        case _:
            raise UsageError(
                "a Dockerfile can start from an image in a registry or engine only",
                got=f"`{order.base}`",
                hint="load it into the engine first, and name it docker-daemon:NAME",
            )
    python = find_interpreter(base_image.image, order.project.image.python, order.access.cache_dir)
    return Foundation(name, base_image), python
