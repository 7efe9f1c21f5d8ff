"""Makes an offering of a project: image as SageMaker takes it, artifacts packed, samples read. AWS is not asked."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from argosy import model_archive
from argosy.aws.upload import LocalFile
from argosy.errors import ProjectError
from argosy.image.convert import convert
from argosy.image.image import Image
from argosy.image.layer import LayerCache
from argosy.marketplace.model_package import PackageTypes
from argosy.planning.journal import FOLDER, make_folder
from argosy.project import Project
from argosy.project_file import FILE_NAME
from argosy.publishing.registration.offering import Offering

_PACKED: Final = "packed.json"


class _Packed(msgspec.Struct, frozen=True):
    """What was packed last.

    Attributes:
        files: Stamp of the artifacts: names, sizes, times.
        archive: Stamp of the archive.
        sha256: Of the archive.
        size: Of the archive, in bytes.
    """

    files: str
    archive: str
    sha256: str
    size: int


def gather(project: Project, image: Image, cache_dir: Path, *, accepts_findings: bool = False) -> Offering:
    """What a project brings to AWS, in its own region.

    Args:
        project: The project; it has a [marketplace] table.
        image: Its image.
        cache_dir: Gets layers that have to be compressed anew.
        accepts_findings: See `Offering`.

    Raises:
        ProjectError: It sells nothing, or its samples are not there.
        ArchiveError: The artifacts cannot be packed.
        ImageError: The image is broken, or for another platform.
    """
    table = project.marketplace
    if table is None:
        raise ProjectError("nothing is sold", want="a [marketplace] table", where=project.root / FILE_NAME)
    conversion = convert(image, LayerCache(cache_dir), trusting=True)
    return Offering(
        table=table,
        types=PackageTypes.of(table, project.serving.content_types or ()),
        image=conversion.image,
        archive=_archive(project),
        samples=tuple(_samples(project)),
        accepts_findings=accepts_findings,
        converted=conversion.changes,
    )


def _archive(project: Project) -> LocalFile | None:
    """model.tar.gz, packed anew where the artifacts have changed since it was packed last."""
    folder = project.artifacts_dir
    if folder is None or project.model.bake:
        return None
    path, remembered = project.root / "build" / "model.tar.gz", project.root / FOLDER / _PACKED
    files = _stamp(folder, model_archive.artifact_files(folder))
    known = _recall(remembered)
    if known is not None and path.is_file() and (known.files, known.archive) == (files, _stamp(path.parent, [path])):
        return LocalFile(path, path.name, known.size, known.sha256)
    digest = model_archive.pack(folder, path).removeprefix("sha256:")
    packed = _Packed(files, _stamp(path.parent, [path]), digest, path.stat().st_size)
    make_folder(remembered.parent)
    with model_archive.written_aside(remembered) as aside:
        aside.write_bytes(msgspec.json.encode(packed))
    return LocalFile(path, path.name, packed.size, packed.sha256)


def _recall(path: Path) -> _Packed | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Packed)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def _stamp(folder: Path, files: list[Path]) -> str:
    """Names and what the system says of the files: their change time cannot be set back."""
    digest = hashlib.sha256()
    for path in files:
        status = path.stat()
        told = (path.relative_to(folder).as_posix(), status.st_size, status.st_mode, status.st_ino, status.st_ctime_ns)
        digest.update(repr(told).encode())
    return digest.hexdigest()


def _samples(project: Project) -> Iterator[LocalFile]:
    """The files of the samples' folder and below it; hidden ones are left out."""
    said = project.marketplace.validation.samples if project.marketplace else None
    if said is None:
        return
    folder = project.root / said
    if not folder.resolve().is_relative_to(project.root.resolve()) or not folder.is_dir():
        raise ProjectError(
            "the samples of the validation are not there",
            got=f"`{said}`",
            want="a folder of the project",
            where=project.root / FILE_NAME,
        )
    for path in sorted(folder.rglob("*")):
        below = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in below.parts):
            if not path.resolve().is_relative_to(project.root.resolve()):
                raise ProjectError("a sample leads out of the project folder", got=f"`{below}`", where=folder)
            yield LocalFile.read(path, below.as_posix())
