"""Descriptions beside the project, one a digest: safe to delete, since the image can be run again."""

from pathlib import Path
from typing import Final

import msgspec

from argosy.errors import ProjectError
from argosy.model_archive import written_aside
from argosy.planning.journal import FOLDER, make_folder
from argosy.project import Project
from argosy.publishing.description.completed import completed
from argosy.publishing.description.description import VERSION, Description

_FOLDER: Final = "descriptions"


def keep(root: Path, description: Description) -> Path:
    """Write a description of an image into the state folder of a project; the file.

    Args:
        root: The project's folder.
        description: Of an image, whose digest it is kept by.
    """
    make_folder(root / FOLDER)
    path = _path(root, description.digest)
    with written_aside(path) as aside:
        aside.write_bytes(msgspec.json.format(msgspec.json.encode(description), indent=2) + b"\n")
    return path


def find(root: Path, digest: str) -> Description | None:
    """The description of an image that a project keeps; None when there is none.

    Args:
        root: The project's folder.
        digest: Of the image's manifest.

    Raises:
        ProjectError: The file cannot be read.
    """
    return _read(_path(root, digest))


def kept(root: Path) -> tuple[Description, ...]:
    """All descriptions that a project keeps.

    Args:
        root: The project's folder.

    Raises:
        ProjectError: A file cannot be read.
    """
    paths = sorted((root / FOLDER / _FOLDER).glob("*.json"))
    return tuple(description for path in paths if (description := _read(path)) is not None)


def as_sold(project: Project, digest: str | None) -> Project:
    """A project whose `[marketplace]` says what is known of its image wherever the seller says nothing.

    Args:
        project: The project.
        digest: Of its image's manifest; None takes the description that was made last.

    Raises:
        ProjectError: A description cannot be read.
    """
    if project.marketplace is None:
        return project
    if digest is None:
        description = max(kept(project.root), key=lambda one: one.made_at, default=None)
    else:
        description = find(project.root, digest)
    if description is None:
        return project
    return msgspec.structs.replace(project, marketplace=completed(project.marketplace, description))


def _path(root: Path, digest: str) -> Path:
    return root / FOLDER / _FOLDER / f"{digest.replace(':', '-').replace('/', '-')}.json"


def _read(path: Path) -> Description | None:
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Description)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise _unreadable(path, error) from error
    if found.version != VERSION:
        raise _unreadable(path, f"version {found.version}")
    return found


def _unreadable(path: Path, got: object) -> ProjectError:
    return ProjectError(
        "what is known of the image cannot be read",
        got=got,
        where=path,
        hint=f"rm {path}  (it is safe), argosy describe",
    )
