"""What `argosy build` does beside the image: statements about it, and a scan for known vulnerabilities."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from argosy.cli import output
from argosy.errors import ImageError
from argosy.image import venv
from argosy.image.build import Built
from argosy.image.debian.lock import LOCK_NAME as DEBIAN_LOCK_NAME
from argosy.image.dependencies.inputs import LOCK_NAME
from argosy.image.image import Image
from argosy.image.layers.recipes import MODEL, PROGRAM
from argosy.image.materials import scanner
from argosy.image.materials.inventory import Places, take_inventory
from argosy.image.materials.record import FOLDER, file_digest, remove_record, write_record
from argosy.image.materials.subject import Subject
from argosy.project import Project
from argosy.project_file import FILE_NAME
from argosy.registry.layout import write_layout


def record(project: Project, built: Built, cache_dir: Path, *, wanted: bool) -> None:
    """Write bills of materials, provenance and licences into the project's `build`, or remove an earlier image's."""
    folder = project.root / "build" / FOLDER
    if not wanted:
        remove_record(folder)
        return
    sources = [project.root / FILE_NAME, project.root / LOCK_NAME]
    sources += [project.root / DEBIAN_LOCK_NAME, *(path for path, _ in project.dependencies)]
    parts, base = built.parts, built.base_image
    places = Places(PROGRAM, MODEL, venv.VENV, len(base.image.layers))
    subject = Subject(
        built.image,
        take_inventory(built.image, (*parts.dependencies, *parts.server), places, cache_dir),
        base.name,
        base.image.digest,
        {_named(path, project.root): file_digest(path) for path in sources if path.is_file()},
    )
    write_record(subject, folder)
    output.say(f"wrote {folder}: bills of materials, provenance (unsigned), licences")


def _named(path: Path, root: Path) -> str:
    """A file by its path in the project, or by its name where it lies elsewhere."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def scan(image: Image, threshold: str, cache_dir: Path, environ: Mapping[str, str]) -> None:
    """Have the image scanned before it goes anywhere.

    Raises:
        NotScannedError: No scanner came to a result.
        ImageError: It found something as bad as `threshold`, or worse.
    """
    with tempfile.TemporaryDirectory(dir=cache_dir, prefix=".scan.", ignore_cleanup_errors=True) as folder:
        write_layout(image, Path(folder) / "image", "latest")
        with output.step("scanning for known vulnerabilities"):
            found = scanner.scan(Path(folder) / "image", environ)
    output.say(str(found))
    if found.at_least(threshold):
        raise ImageError(
            "the image has known vulnerabilities",
            got=", ".join(f"{count} {name}" for name, count in found.counts.items() if count),
            want=f"none that is {threshold} or worse",
            hint=f"take newer versions or a newer base; `{found.scanner}` itself names each of them",
        )
