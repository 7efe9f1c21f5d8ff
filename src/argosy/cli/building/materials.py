"""What `argosy build` does beside the image: statements about it, and a scan for known vulnerabilities."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from argosy.cli import output
from argosy.errors import ImageError
from argosy.image import venv
from argosy.image.blobs import folder_aside
from argosy.image.build import Built
from argosy.image.debian import LOCK_NAME as DEBIAN_LOCK_NAME
from argosy.image.dependencies.inputs import LOCK_NAME
from argosy.image.image import Image
from argosy.image.layers.recipes import MODEL, PROGRAM
from argosy.image.materials import record, scanner
from argosy.image.materials.inventory import Places, take_inventory
from argosy.image.materials.subject import Subject
from argosy.project import Project
from argosy.project_file import FILE_NAME
from argosy.registry.layout import write_layout


def require_place(project: Project) -> None:
    """Refuse a project whose `build` cannot take the statements, before anything is built for it.

    Raises:
        ImageError: Something else is there.
    """
    record.require_place(_folder(project))


@contextmanager
def recorded(project: Project, built: Built, cache_dir: Path, *, wanted: bool) -> Iterator[None]:
    """Write bills of materials, provenance and licences aside while the image is delivered.

    When that went well they are put into the project's `build`, or an earlier image's are removed; else all stays.

    Args:
        project: As it was built.
        built: The image, and what it was made of.
        cache_dir: The user's cache folder.
        wanted: Whether there are to be any.
    """
    folder = _folder(project)
    if not wanted:
        yield
        record.remove_record(folder)
        return
    with record.recorded(_subject(project, built, cache_dir), folder):
        yield
    output.say(f"wrote {folder}: bills of materials, provenance (unsigned), licences")


def _folder(project: Project) -> Path:
    return project.root / "build" / record.FOLDER


def _subject(project: Project, built: Built, cache_dir: Path) -> Subject:
    sources = [project.root / FILE_NAME, project.root / LOCK_NAME]
    sources += [project.root / DEBIAN_LOCK_NAME, *(path for path, _ in project.dependencies)]
    parts, base = built.parts, built.base_image
    places = Places(PROGRAM, MODEL, venv.VENV, len(base.image.layers))
    return Subject(
        built.image,
        take_inventory(built.image, (*parts.dependencies, *parts.server), places, cache_dir),
        base.name,
        base.image.digest,
        {_named(path, project.root): record.file_digest(path) for path in sources if path.is_file()},
    )


def _named(path: Path, root: Path) -> str:
    """A file by its path in the project, or by its name where it lies elsewhere."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def scan(image: Image, threshold: str, cache_dir: Path, environ: Mapping[str, str]) -> None:
    """Have the image scanned before it goes anywhere.

    Raises:
        NotScannedError: None is installed, or none came to a result.
        ImageError: It found something as bad as `threshold`, or worse.
    """
    with output.step("scanning for known vulnerabilities"):
        found = scanned(image, cache_dir, environ)
    output.say(str(found))
    if found.at_least(threshold):
        raise ImageError(
            "the image has known vulnerabilities",
            got=", ".join(f"{count} {name}" for name, count in found.counts.items() if count),
            want=f"none that is {threshold} or worse",
            hint=f"take newer versions or a newer base; `{found.scanner}` itself names each of them",
        )


def scanned(image: Image, cache_dir: Path, environ: Mapping[str, str]) -> scanner.Scan:
    """What a scanner finds in an image.

    Raises:
        NotScannedError: None is installed, or none came to a result.
    """
    scanner.require_installed(environ)  # before gigabytes are written that nobody reads
    cache_dir.mkdir(parents=True, exist_ok=True)
    with folder_aside(cache_dir) as folder:
        write_layout(image, folder / "image", "latest")
        return scanner.scan(folder / "image", environ)
