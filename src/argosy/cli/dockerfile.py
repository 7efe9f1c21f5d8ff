"""What `argosy build` does through a Dockerfile: `--eject` writes it, `--engine` has an engine build it."""

import re
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from argosy import engine as engines
from argosy.cli import output
from argosy.engine import Engine
from argosy.errors import UsageError
from argosy.image import build, reference
from argosy.image.blobs import BlobStore
from argosy.image.build import BaseImage, Surroundings
from argosy.image.debian.rootfs import PYTHON
from argosy.image.dependencies import index_credentials
from argosy.image.dockerfile import context
from argosy.image.dockerfile.context import Ejection, Foundation
from argosy.image.dockerfile.locked_files import Downloads
from argosy.image.image import Image
from argosy.image.interpreter import Interpreter, find_interpreter
from argosy.project import Project
from argosy.registry import engine_build, transports
from argosy.registry.transports import Access

DEBIAN: Final = "debian"
_SLIM: Final = "/usr/local/bin/python{}"


_NO_ENGINE: Final = "leave `--engine` out: the build needs none"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be built, where.

    Attributes:
        project: The project.
        base: `debian`, or a reference to the base image.
        access: For reading the base image.
        around: For locking the dependencies.
    """

    project: Project
    base: str
    access: Access
    around: Surroundings


def eject(wish: Wish, *, has_buildkit: bool) -> Path:
    """Write the Dockerfile, say how to build it, and return where it is."""
    root = wish.project.root
    folder = root / "build" / context.FOLDER
    ejection = _ejection(wish, None, has_buildkit=has_buildkit)
    context.eject(ejection, folder)
    output.say(f"wrote {folder}, to be written again when the project changes\n")
    name = re.sub("[^a-z0-9]+", "-", root.name.lower()).strip("-") or "model"
    flags = " ".join(ejection.recipe().flags())
    output.say(f"next: docker build {flags} --tag {name} {shlex.quote(str(folder))}")
    return folder / "Dockerfile"


def build_with(program: str, wish: Wish) -> Image:
    """The image of a project as a container engine builds it; what the engine says is said."""
    engine = engines.find(program, wish.access.environ, _NO_ENGINE)
    ejection = _ejection(wish, engine, has_buildkit=engine.mounts_while_building())
    return engine_build.build_by_engine(ejection, engine, wish.access, output.say)


def _ejection(wish: Wish, engine: Engine | None, *, has_buildkit: bool) -> Ejection:
    foundation, python = _foundation(wish, engine)
    downloads = Downloads(
        BlobStore(wish.access.cache_dir / "downloads", is_cache=True),
        index_credentials(wish.project, wish.access.environ),
        output.say,
    )
    parts = build.plan(wish.project, python, wish.around)
    return Ejection(wish.project, foundation, parts, downloads, has_buildkit)


def _foundation(wish: Wish, engine: Engine | None) -> tuple[Foundation, Interpreter]:
    """What the Dockerfile starts from, and the Python in it.

    Debian's packages cannot be laid out by a Dockerfile, so that `debian` becomes Python's slim image.
    """
    wanted = wish.project.image.python
    if wish.base == DEBIAN:
        version = wanted or PYTHON
        return Foundation(f"docker.io/library/python:{version}-slim"), Interpreter(_SLIM.format(version), version)
    match reference.parse(wish.base):
        case reference.RegistryReference() as place:
            base_image = BaseImage(transports.read_image(wish.base, wish.access), place.name)
            name = replace(place, digest=base_image.image.digest).name
        case reference.DaemonReference(name):
            asked = engine or engines.find(None, wish.access.environ)
            base_image = BaseImage(transports.read_from_engine(asked, name, wish.access))
        case _:
            raise UsageError(
                "a Dockerfile can start from an image in a registry or engine only",
                got=f"`{wish.base}`",
                hint="load it into the engine first, and name it docker-daemon:NAME",
            )
    return Foundation(name, base_image), find_interpreter(base_image.image, wanted, wish.access.cache_dir)
