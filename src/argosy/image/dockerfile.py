"""Project -> Dockerfile with all that it needs, for those who must, or would rather, build with an engine.

The folder is a whole build context: Dockerfile, requirements with hashes, a wheel of the server, the predictor's files
and the artifacts. What it builds behaves like the image that `build` makes; its bytes are the engine's affair.
"""

import hashlib
import io
import json
import os
import shlex
import shutil
import tempfile
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from argosy import model_archive
from argosy.errors import UsageError
from argosy.image.build import Parts, server_files, server_metadata, settings
from argosy.image.dependencies.wheels import WheelFile
from argosy.image.interpreter import DEFAULT_PATH
from argosy.image.layers.recipes import MODEL, PROGRAM
from argosy.image.manifest import Settings
from argosy.image.venv import VENV
from argosy.project import Project

FOLDER: Final = "docker"
_MARK: Final = "# Written by `argosy build --eject`, which never overwrites what was edited."
_LISTING: Final = ".ejected"
"""What was written, as `sha256sum --check` reads it."""

_ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)
_PIP: Final = "install --no-cache-dir --no-compile --no-deps --only-binary :all: --disable-pip-version-check"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a Dockerfile says.

    Attributes:
        base_image: Default of `FROM`; `--build-arg BASE=...` takes another.
        python: `3.x`; the base must have it on its PATH, with pip and venv.
        has_dependencies: Whether there is a requirements.txt.
        has_artifacts: Whether there is a folder `model`.
        wheel: File name of the server's wheel.
        settings: What a container is started with.
    """

    base_image: str
    python: str
    has_dependencies: bool
    has_artifacts: bool
    wheel: str
    settings: Settings


def eject(project: Project, base_image: str, parts: Parts, folder: Path) -> None:
    """Write the build context, all of copies; one of ours that nobody edited is replaced.

    Args:
        project: What is built.
        base_image: Name of the image that the Dockerfile starts from.
        parts: What is installed.
        folder: The context.

    Raises:
        UsageError: The folder has a file that was edited or is not ours, a wheel is from this machine, or a variable
            cannot stand in a Dockerfile.
    """
    local = [wheel.distribution for wheel in (*parts.dependencies, *parts.server) if not wheel.url]
    if local:
        raise UsageError(
            "a Dockerfile installs from package indexes, and a wheel of this machine is among the dependencies",
            got=", ".join(local),
            hint="build without `--eject`, or publish the wheel to an index",
        )
    artifacts = project.artifacts_dir if project.model.bake else None
    wheel_name, wheel = server_wheel()
    recipe = Recipe(
        base_image,
        parts.python.version,
        has_dependencies=bool(parts.dependencies),
        has_artifacts=artifacts is not None,
        wheel=wheel_name,
        settings=settings(project, DEFAULT_PATH, {}),
    )
    text = render(recipe)
    _require_ours(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as aside:
        written = Path(aside) / "new"
        for path in project.program_files():
            _copy(project.root / path, written / "program" / path)
        for path in model_archive.artifact_files(artifacts) if artifacts is not None else ():
            _copy(path, written / "model" / path.relative_to(artifacts or path))
        ignored = "".join(f"{name}\n" for name in ("Dockerfile", ".dockerignore", _LISTING))
        files = {"Dockerfile": text.encode(), ".dockerignore": ignored.encode(), wheel_name: wheel}
        files["server-requirements.txt"] = requirements(parts.server)
        if parts.dependencies:
            files["requirements.txt"] = requirements(parts.dependencies)
        for name, content in files.items():
            (written / name).write_bytes(content)
            (written / name).chmod(0o644)
        listing = "".join(f"{digest}  {path}\n" for path, digest in _hashes(written).items())
        (written / _LISTING).write_text(listing, encoding="utf-8")
        if folder.exists():
            folder.rename(Path(aside) / "old")
        written.rename(folder)


def render(recipe: Recipe) -> str:
    """The Dockerfile's text.

    Raises:
        UsageError: A variable or label has a line break.
    """
    python = f"python{recipe.python}"
    pip = f"{python} -m pip --python /{VENV}/bin/python {_PIP}"
    lines = [
        _MARK,
        f"# docker build --platform linux/amd64 --tag NAME {FOLDER}",
        "# With buildx add --provenance=false: SageMaker refuses an index with attestations.",
        f"# BASE is any image with glibc, {python}, pip and venv.",
        f"ARG BASE={recipe.base_image}",
        "FROM ${BASE}",
        "",
        f"RUN {python} -m venv --without-pip /{VENV}",
    ]
    if recipe.has_dependencies:
        lines += [
            "COPY requirements.txt /tmp/argosy/",
            f"RUN {pip} --require-hashes --requirement /tmp/argosy/requirements.txt && rm -r /tmp/argosy",
        ]
    lines += [
        f"COPY server-requirements.txt {recipe.wheel} /tmp/argosy/",
        f"RUN {pip} --require-hashes --requirement /tmp/argosy/server-requirements.txt \\",
        f" && {pip} /tmp/argosy/{recipe.wheel} && rm -r /tmp/argosy",
        f"COPY program/ /{PROGRAM}/",
    ]
    if recipe.has_artifacts:
        lines.append(f"COPY model/ /{MODEL}/")
    started = recipe.settings
    environment = {name: value for name, value in started.environment.items() if name != "PATH"}
    lines += [
        "",
        f'ENV PATH="/{VENV}/bin:${{PATH}}" \\',
        *_pairs(environment),
        "LABEL \\",
        *_pairs(started.labels),
        f"WORKDIR {started.working_dir}",
        "USER root",
        f"EXPOSE {started.port}/tcp",
        f"ENTRYPOINT {json.dumps(list(started.entrypoint))}",
        f"CMD {json.dumps(list(started.command))}",
        "",
    ]
    return "\n".join(lines)


def requirements(wheels: Sequence[WheelFile]) -> bytes:
    """A requirements file that pip takes with `--require-hashes`."""
    lines = [f"{wheel.distribution}=={wheel.version} --hash={wheel.digest}" for wheel in wheels]
    return "\n".join([*lines, ""]).encode()


def server_wheel() -> tuple[str, bytes]:
    """The server's own files as a wheel with the console script `serve`: its file name and bytes, always the same."""
    metadata = server_metadata()
    dist_info = next(iter(metadata)).partition("/")[0]
    files = {name: file.read_bytes() for name, file in server_files()}
    files |= {name: content for name, content in metadata.items() if name.endswith("/METADATA")}
    files[f"{dist_info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: argosy\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[f"{dist_info}/entry_points.txt"] = b"[console_scripts]\nserve = argosy.serving.main:main\n"
    record = [f"{name},sha256={_record_hash(content)},{len(content)}" for name, content in sorted(files.items())]
    files[f"{dist_info}/RECORD"] = "\n".join([*record, f"{dist_info}/RECORD,,", ""]).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            member = zipfile.ZipInfo(name, _ZIP_TIME)
            member.external_attr = 0o100644 << 16
            archive.writestr(member, files[name])
    return f"{dist_info.removesuffix('.dist-info')}-py3-none-any.whl", buffer.getvalue()


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
            found[path.relative_to(folder).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
        elif path.is_symlink() or not path.is_dir():
            found[path.relative_to(folder).as_posix()] = ""
    return found


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o755 if os.access(source, os.X_OK) else 0o644)


def _pairs(values: Mapping[str, str]) -> list[str]:
    """`NAME="value"` lines that continue one instruction."""
    for name, value in values.items():
        if "\n" in value or "\r" in value:
            raise UsageError("a value with a line break cannot stand in a Dockerfile", got=f"`{name}`")
    quoted = [f"    {name}={_quoted(value)}" for name, value in values.items()]
    return [f"{line} \\" for line in quoted[:-1]] + quoted[-1:]


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'


def _record_hash(content: bytes) -> str:
    return urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
