"""What `argosy build` does through a Dockerfile: `--eject` writes it, `--engine` has an engine build it."""

import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Final

from argosy import engine as engines
from argosy.cli import output
from argosy.cli.order import DEBIAN, Order
from argosy.engine import Engine
from argosy.errors import UsageError
from argosy.image import build, reference
from argosy.image.blobs import BlobStore
from argosy.image.build import BaseImage
from argosy.image.debian.rootfs import PYTHON
from argosy.image.dependencies.lock import credentials_of
from argosy.image.dockerfile import context
from argosy.image.dockerfile.context import Ejection, Foundation
from argosy.image.dockerfile.engine_build import build_by_engine
from argosy.image.dockerfile.locked_files import Downloads
from argosy.image.image import Image
from argosy.image.interpreter import Interpreter, find_interpreter
from argosy.registry import transports

_SLIM: Final = "/usr/local/bin/python{}"


_NO_ENGINE: Final = "leave `--engine` out: the build needs none"


def eject(order: Order, *, has_buildkit: bool) -> Path:
    """Write the Dockerfile, say how to build it, and return where it is."""
    root = order.project.root
    folder = root / "build" / context.FOLDER
    ejection = _ejection(order, None, has_buildkit=has_buildkit)
    context.eject(ejection, folder)
    output.say(f"wrote {folder}, to be written again when the project changes\n")
    name = re.sub("[^a-z0-9]+", "-", root.name.lower()).strip("-") or "model"
    flags = " ".join(ejection.recipe().flags())
    output.say(f"next: docker build {flags} --tag {name} {shlex.quote(str(folder))}")
    return folder / "Dockerfile"


def build_with(program: str, order: Order) -> Image:
    """The image of a project as a container engine builds it; what the engine says is said."""
    engine = engines.find(program, order.access.environ, _NO_ENGINE)
    ejection = _ejection(order, engine, has_buildkit=engine.mounts_while_building())

    def read(name: str) -> Image:
        return transports.read_from_engine(engine, name, order.access)

    return build_by_engine(ejection, engine, read, order.access.cache_dir, output.say)


def _ejection(order: Order, engine: Engine | None, *, has_buildkit: bool) -> Ejection:
    foundation, python = _foundation(order, engine)
    downloads = Downloads(
        BlobStore(order.access.cache_dir / "downloads", is_cache=True),
        credentials_of(order.project, order.access.environ),
        output.say,
    )
    parts = build.plan(order.project, python, order.around, compiles=False)
    return Ejection(order.project, foundation, parts, downloads, has_buildkit)


def _foundation(order: Order, engine: Engine | None) -> tuple[Foundation, Interpreter]:
    """What the Dockerfile starts from, and the Python in it.

    Debian's packages cannot be laid out by a Dockerfile, so that `debian` becomes Python's slim image.
    """
    wanted = order.project.image.python
    if order.base == DEBIAN:
        version = wanted or PYTHON
        return Foundation(f"docker.io/library/python:{version}-slim"), Interpreter(_SLIM.format(version), version)
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
    return Foundation(name, base_image), find_interpreter(base_image.image, wanted, order.access.cache_dir)
