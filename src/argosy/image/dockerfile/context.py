"""The folder that an engine builds from: Dockerfile, what pip installs, the predictor's files and the artifacts.

What it builds behaves like the image that `build` makes; its bytes are the engine's affair.
"""

import os
import shlex
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from argosy import model_archive
from argosy.errors import UsageError
from argosy.image.build import BaseImage, Parts, base_labels, settings
from argosy.image.dependencies.inputs import file_digest
from argosy.image.dependencies.wheels import WheelFile
from argosy.image.dockerfile.locked_files import Downloads, write_locked
from argosy.image.dockerfile.server_wheel import server_wheel
from argosy.image.dockerfile.text import Recipe, render
from argosy.image.image import Image, digest_of
from argosy.image.interpreter import DEFAULT_PATH, search_path
from argosy.image.layer import Member, from_file
from argosy.image.layers.recipes import MODEL, PROGRAM
from argosy.image.materials.secrets import SecretCheck
from argosy.image.venv import VENV
from argosy.project import Project

FOLDER: Final = "docker"
_ROOT: Final = (None, "", "0", "root", "0:0", "root:root")
_LISTING: Final = ".ejected"
"""What was written, as `sha256sum --check` reads it."""


@dataclass(frozen=True, slots=True)
class Foundation:
    """What a Dockerfile starts from.

    Attributes:
        name: As `FROM` names it, with its digest where one is known.
        base_image: The image itself; None when nobody looked at it.
    """

    name: str
    base_image: BaseImage | None = None


@dataclass(frozen=True, slots=True)
class Ejection:
    """What a context is made of.

    Attributes:
        project: What is built.
        foundation: What it is built on.
        parts: What is installed.
        downloads: For files that the engine cannot fetch.
        has_buildkit: Whether the engine knows cache and secret mounts.
    """

    project: Project
    foundation: Foundation
    parts: Parts
    downloads: Downloads
    has_buildkit: bool = True

    @property
    def installed(self) -> tuple[WheelFile, ...]:
        """Everything that pip fetches."""
        return (*self.parts.sources, *self.parts.dependencies, *self.parts.server)

    @property
    def needs_login(self) -> bool:
        """Whether the engine has to be lent the passwords of package indexes."""
        return self.has_buildkit and self.downloads.needs_login(self.installed)

    def recipe(self) -> Recipe:
        """What the Dockerfile says."""
        base = self.foundation.base_image
        path = DEFAULT_PATH if base is None else search_path(base.image)
        labels = {} if base is None else base_labels(base)
        return Recipe(
            self.foundation.name,
            self.parts.python,
            settings(self.project, path, labels),
            self.project.image.system_packages,
            has_sources=bool(self.parts.sources),
            has_dependencies=bool(self.parts.dependencies),
            has_artifacts=_artifacts(self.project) is not None,
            needs_login=self.needs_login,
            has_buildkit=self.has_buildkit,
            has_other_user=base is not None and base.image.runtime.get("User") not in _ROOT,
            resets=() if base is None else _resets(base.image),
        )


def eject(ejection: Ejection, folder: Path) -> None:
    """Write the build context, all of copies; one of ours that nobody edited is replaced.

    Raises:
        UsageError: The folder has a file that was edited or is not ours; or a variable cannot stand in a Dockerfile.
        SecretFoundError: A file seems to be a secret.
        NetworkError: A file that the engine cannot fetch could not be fetched here either.
    """
    text = render(ejection.recipe())
    _require_ours(folder)
    secret_check(ejection.project).require_none_in_layer("predictor", None, lambda: _own_members(ejection.project))
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as aside:
        written = Path(aside) / "new"
        written.mkdir()
        _write(ejection, text, written)
        if folder.exists():
            folder.rename(Path(aside) / "old")
        written.rename(folder)


def secret_check(project: Project) -> SecretCheck:
    """Looks for secrets in what a project itself brings; nothing is remembered."""
    return SecretCheck(Path(), project.image.allow_secrets, f"{VENV}/")


def _own_members(project: Project) -> list[Member]:
    """The predictor's files and the artifacts, where they will be in the image."""
    artifacts = _artifacts(project)
    baked = model_archive.artifact_files(artifacts) if artifacts is not None else []
    return [
        *(from_file(f"{PROGRAM}/{path.as_posix()}", project.root / path) for path in project.program_files()),
        *(from_file(f"{MODEL}/{path.relative_to(artifacts or path).as_posix()}", path) for path in baked),
    ]


def _write(ejection: Ejection, text: str, folder: Path) -> None:
    project, artifacts = ejection.project, _artifacts(ejection.project)
    (folder / "program").mkdir()
    for path in project.program_files():
        _copy(project.root / path, folder / "program" / path)
    for path in model_archive.artifact_files(artifacts) if artifacts is not None else ():
        _copy(path, folder / "model" / path.relative_to(artifacts or path))
    wheel_name, wheel = server_wheel()
    own = WheelFile("argosy", wheel_name.split("-")[1], wheel_name, "", digest_of(wheel), len(wheel))
    ejection.downloads.store.add_bytes(wheel, own.digest)
    parts = ejection.parts
    for name, files in (
        ("sources", parts.sources),
        ("dependencies", parts.dependencies),
        ("server", (*parts.server, own)),
    ):
        if files:
            write_locked(files, folder / name, ejection.downloads, may_log_in=ejection.has_buildkit)
    ignored = "".join(f"{name}\n" for name in ("Dockerfile", ".dockerignore", _LISTING))
    for name, content in (("Dockerfile", text.encode()), (".dockerignore", ignored.encode())):
        (folder / name).write_bytes(content)
    for path in (folder, *folder.rglob("*")):  # whatever the umask is, the image gets these
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
    listing = "".join(f"{digest}  {path}\n" for path, digest in _hashes(folder).items())
    (folder / _LISTING).write_text(listing, encoding="utf-8")


def _artifacts(project: Project) -> Path | None:
    """The folder that is baked into the image."""
    return project.artifacts_dir if project.model.bake else None


def _resets(image: Image) -> tuple[str, ...]:
    """What takes back those settings of the base that would stand against what SageMaker does."""
    found = {
        "HEALTHCHECK NONE": image.runtime.get("Healthcheck"),
        "STOPSIGNAL SIGTERM": image.runtime.get("StopSignal"),
    }
    return tuple(instruction for instruction, is_set in found.items() if is_set)


def _require_ours(folder: Path) -> None:
    """Refuse a folder with anything but what was written here before."""
    try:
        lines = (folder / _LISTING).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    known = {path: digest for digest, _, path in (line.partition("  ") for line in lines)}
    found = _hashes(folder)
    found.pop(_LISTING, None)
    for path, digest in found.items():
        if known.get(path) != digest:
            what = "was edited" if path in known else "is not from `argosy build --eject`"
            raise UsageError(
                f"a file in the folder for the Dockerfile {what}, and would be lost",
                where=folder / path,
                hint=f"move the folder away first: mv {shlex.quote(str(folder))} {shlex.quote(f'{folder}.mine')}",
            )


def _hashes(folder: Path) -> dict[str, str]:
    """The sha256 of every file below a folder by its path; nothing for what is no file."""
    found = {}
    for path in sorted(folder.rglob("*") if folder.is_dir() else [folder] if os.path.lexists(folder) else []):
        if path.is_file() and not path.is_symlink():
            found[path.relative_to(folder).as_posix()] = file_digest(path).removeprefix("sha256:")
        elif path.is_symlink() or not path.is_dir():
            found[path.relative_to(folder).as_posix()] = ""
    return found


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o755 if os.access(source, os.X_OK) else 0o644)
