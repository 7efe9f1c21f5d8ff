"""Model artifacts on their way to a container: from a bucket, or a file or folder of this machine, into a folder.

What lies there afterwards is what SageMaker puts under /opt/ml/model. All functions block.

Sources:
    `ContainerDefinition.ModelDataUrl`, `S3ModelDataSource` and `AdditionalModelDataSource` in botocore's sagemaker
    2017-07-24 model; the failure texts as people reported them:
    https://github.com/aws-samples/cvat-on-aws-china/issues/3 (download, 2022),
    https://github.com/aws/deep-learning-containers/pull/569 (extraction, 2020); since 2024 the latter is seen without
    the container's name (all read 2026-11-23).
"""

import errno
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

from argosy import model_archive
from argosy.errors import ArchiveError, StorageError, UsageError
from argosy.simulator.hosting.definition import ArtifactSource, ContainerDefinition, Mode
from argosy.simulator.storage.objects import ObjectStore, ObjectUri

FIRST_CONTAINER: Final = "container_1"
"""What failure texts call a model's only container, or the first of several."""

_SCHEME: Final = "s3://"
_DOWNLOAD: Final = (
    'Failed to download model data for container "{container}" from URL: "{url}". Please ensure that there is an '
    "object located at the URL and that the role passed to CreateModel has permissions to download the object."
)
_EXTRACT: Final = (
    'Failed to extract model data archive from URL "{url}". Please ensure that the object located at the URL is a '
    "valid tar.gz archive."
)
_TOO_LARGE: Final = (
    'Failed to extract model data archive from URL "{url}". The model data archive is too large. Please reduce the '
    "size of the model data archive or move to an instance type with more memory."
)
_LONGEST_NAME: Final = 255
_CHANNEL: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CHUNK: Final = 1 << 20

Open = Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True)
class Fetched:
    """The artifacts of one container, on this machine.

    Attributes:
        model_dir: What is seen at /opt/ml/model; None when the image brings its artifacts, or has many models.
        channels: What is seen below /opt/ml/additional-model-data-sources, by channel.
    """

    model_dir: Path | None
    channels: Mapping[str, Path]


def fetch_all(definition: ContainerDefinition, store: ObjectStore, folder: Path, container: str) -> Fetched:
    """Fetch what a container is given before it starts; the models of a multi-model one come later.

    Args:
        definition: Of the container.
        store: Where `s3://` leads.
        folder: An empty folder of the caller's, who removes it.
        container: `container_1`, `container_2`, …: what failure texts call it.

    Raises:
        StorageError: Something is not there, or breaks a rule of names; the service's words.
        ArchiveError: An archive cannot be unpacked; the service's words.
        UsageError: A channel has a name that cannot be one.
    """
    model_dir = None
    if definition.artifacts is not None and definition.mode is Mode.SINGLE_MODEL:
        model_dir = folder / "model"
        fetch(definition.artifacts, store, model_dir, container)
    channels = {}
    for name, source in definition.channels.items():
        if not _CHANNEL.fullmatch(name) or name in (".", ".."):
            raise UsageError("this is no name of a channel", got=f"`{name}`", want="1 to 64 of A-Z a-z 0-9 . - _")
        channels[name] = folder / "channels" / name
        fetch(source, store, channels[name], container)
    return Fetched(model_dir, channels)


def fetch(source: ArtifactSource, store: ObjectStore, folder: Path, container: str = FIRST_CONTAINER) -> None:
    """Fetch artifacts into a folder that is not there yet: it appears when all of them are in it, or not at all.

    A folder of this machine that stands for an archive is packed and unpacked again, so that what SageMaker would not
    unpack is found here.

    Raises:
        StorageError: There is nothing at the URL, or names that cannot be files; the service's words.
        ArchiveError: It is no archive that SageMaker unpacks; the service's words.
    """
    if source.is_archive:
        _fetch_archive(source, store, folder, container)
        return
    with model_archive.written_aside(folder) as aside:
        aside.mkdir()
        count = 0
        for name, open_file in _files(source, store, container):
            fault = name_fault(name)
            target = aside / name if fault is None else aside
            if fault is None and (target.exists() or any(parent.is_file() for parent in _between(target, aside))):
                fault = "it is a file and a folder at once"
            if fault is not None:
                raise _not_there(source, container, f"`{name}`: {fault}")
            target.parent.mkdir(parents=True, exist_ok=True)
            with open_file() as content, target.open("wb") as file:
                shutil.copyfileobj(content, file, _CHUNK)
            count += 1
        if not count:
            raise _not_there(source, container, "no object below it")
        aside.chmod(0o755)


def size_of(folder: Path) -> int:
    """Bytes of the files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def name_fault(name: str) -> str | None:
    """Why a key, less its prefix, cannot be a path below /opt/ml/model; None when it can.

    >>> name_fault("weights/part1"), name_fault("weights/")
    (None, 'a folder or file without a name: a key must not end in a slash')

    Source:
        `S3ModelDataSource.CompressionType` in botocore's sagemaker 2017-07-24 model (read 2026-11-23).
    """
    for part in name.split("/"):
        if not part.strip():
            return "a folder or file without a name: a key must not end in a slash"
        if "\0" in part:
            return "a null byte in a name"
        if part in (".", ".."):
            return f"`{part}` as a name"
        if len(part.encode(errors="surrogateescape")) > _LONGEST_NAME:
            return f"a name longer than {_LONGEST_NAME} bytes"
    return None


def _fetch_archive(source: ArtifactSource, store: ObjectStore, folder: Path, container: str) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".download-") as made:
        archive = Path(made) / "model.tar.gz"
        try:
            local = None if source.url.startswith(_SCHEME) else Path(source.url)
            if local is not None and local.is_dir():
                model_archive.pack(local, archive)
            elif local is not None and local.is_file():
                archive = local
            else:
                with _opened(source, store, container) as content, archive.open("wb") as file:
                    shutil.copyfileobj(content, file, _CHUNK)
            model_archive.unpack(archive, folder)
        except ArchiveError as error:
            raise ArchiveError(_EXTRACT.format(url=source.url), got=_reason(error, archive), hint=error.hint) from error
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise ArchiveError(_TOO_LARGE.format(url=source.url), got=error) from error


def _opened(source: ArtifactSource, store: ObjectStore, container: str) -> BinaryIO:
    """The one object of a source."""
    reason = "no such file or folder"
    if source.url.startswith(_SCHEME):
        uri = ObjectUri.parse(source.url)
        try:
            if store.find(uri) is not None:
                return store.open(uri)
            reason = "no such object"
        except StorageError as error:
            reason = error.message
    raise _not_there(source, container, reason)


def _files(source: ArtifactSource, store: ObjectStore, container: str) -> Iterator[tuple[str, Open]]:
    """Relative names of a source that is taken as it is, each with what opens it."""
    if not source.url.startswith(_SCHEME):
        yield from _local_files(source, container)
        return
    uri = ObjectUri.parse(source.url)
    if not source.is_prefix:
        yield uri.key.rpartition("/")[2], partial(_opened, source, store, container)
        return
    if not uri.key.endswith("/"):
        raise _not_there(source, container, "a prefix must end in a slash")
    try:
        for found in store.list(uri):
            yield found.key.removeprefix(uri.key), partial(store.open, ObjectUri(uri.bucket, found.key))
    except StorageError as error:
        raise _not_there(source, container, error.message) from error


def _local_files(source: ArtifactSource, container: str) -> Iterator[tuple[str, Open]]:
    path = Path(source.url)
    if path.is_file() and not source.is_prefix:
        yield path.name, partial(_read, path)
        return
    if not path.is_dir():
        raise _not_there(source, container, "no such file or folder")
    for found in model_archive.artifact_files(path):
        yield found.relative_to(path).as_posix(), partial(_read, found)


def _read(path: Path) -> BinaryIO:
    return path.open("rb")


def _between(target: Path, top: Path) -> Iterator[Path]:
    """The folders above `target` and below `top`."""
    yield from (parent for parent in target.parents if parent != top and parent.is_relative_to(top))


def _not_there(source: ArtifactSource, container: str, reason: str) -> StorageError:
    return StorageError(_DOWNLOAD.format(container=container, url=source.url), got=reason)


def _reason(error: ArchiveError, archive: Path) -> str:
    """What is wrong with an archive, without the name of the file that it was downloaded to."""
    return error.message.removeprefix(f"{archive}: ")
