"""Where objects are: a URI of S3, or files of this machine that are staged there."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final, Protocol

from argosy.aws.api import Reader
from argosy.aws.call import Call
from argosy.aws.upload import LocalFile
from argosy.errors import PlanError, UsageError

_URI: Final = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<key>.*))?")


class Objects(Protocol):
    """What carries files: S3, several parts at a time."""

    def upload(self, bucket: str, key: str, stream: BinaryIO) -> None:
        """Store what a file holds.

        Raises:
            StorageError: S3 refuses or does not answer.
        """

    def download(self, bucket: str, key: str, stream: BinaryIO) -> None:
        """Write an object into a file.

        Raises:
            StorageError: It is not there, or S3 refuses or does not answer.
        """


@dataclass(frozen=True, slots=True)
class Uri:
    """A place in S3.

    Attributes:
        bucket: Its bucket.
        key: A key, or what keys begin with.
    """

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def below(self, *names: str) -> "Uri":
        """A folder further down, with a slash at its end."""
        parts = [part for part in (self.key.rstrip("/"), *names) if part]
        return Uri(self.bucket, "/".join(parts) + "/")


@dataclass(frozen=True, slots=True)
class Listed:
    """An object that is there.

    Attributes:
        name: Its key behind the prefix.
        size: In bytes.
        etag: Its entity tag, without quotes.
        modified_s: When it was stored, in seconds since 1970.
    """

    name: str
    size: int
    etag: str
    modified_s: float = 0.0


def is_uri(text: str) -> bool:
    """Whether a text is meant as a place in S3."""
    return text.startswith("s3://")


def uri(text: str) -> Uri:
    """Read a URI.

    Raises:
        UsageError: It is none of S3's.
    """
    found = _URI.fullmatch(text)
    if found is None:
        raise UsageError("this is no place in S3", got=f"`{text}`", want="s3://BUCKET/PREFIX")
    return Uri(found["bucket"], found["key"] or "")


def local_files(source: Path) -> tuple[LocalFile, ...]:
    """The files of a folder and below it, or a single file, by name.

    Raises:
        UsageError: There is none.
    """
    if source.is_file():
        return (LocalFile.read(source, source.name),)
    if not source.is_dir():
        raise UsageError("the input is not there", where=source, want="a folder, a file, or s3://BUCKET/PREFIX")
    found = tuple(LocalFile.read(path, path.relative_to(source).as_posix()) for path in _walk(source))
    if not found:
        raise UsageError("the input folder holds no file", where=source)
    return found


def list_call(region: str, place: Uri) -> Call:
    """The call that lists what is below a place."""
    return Call("s3", "ListObjectsV2", region, {"Bucket": place.bucket, "Prefix": place.key})


def listed(reader: Reader, region: str, place: Uri) -> Sequence[Listed] | None:
    """The objects below a place; None where nobody was asked, as in a plan without an account. Folders are left out.

    Raises:
        AwsError: AWS refuses or does not answer.
    """
    pages: list[Any] = list(reader.pages(list_call(region, place)))  # Any: JSON of the API
    if not pages:
        return None
    return [
        Listed(
            str(one["Key"]).removeprefix(place.key),
            int(one["Size"]),
            str(one["ETag"]).strip('"'),
            one["LastModified"].timestamp(),
        )
        for page in pages
        for one in page.get("Contents", ())
        if not str(one["Key"]).endswith("/")
    ]


def safe_path(folder: Path, name: str) -> Path:
    """Where an object's file goes.

    Args:
        folder: In which it stays.
        name: Its key behind the prefix.

    Raises:
        PlanError: It would be somewhere else.
    """
    parts = PurePosixPath(name.lstrip("/")).parts
    if not parts or any(part in ("..", ".") or "\0" in part for part in name.split("/")):
        raise PlanError("an object's key leads out of the output folder", got=f"`{name}`", where=folder)
    return folder.joinpath(*parts)


def _walk(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders.sort()
        yield from (Path(root) / name for name in sorted(files) if (Path(root) / name).is_file())
