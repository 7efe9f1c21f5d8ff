"""The requests that are replayed: a file of JSON Lines, or a folder of samples; one of them in memory at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from argosy import media_type
from argosy.contract import HEADER_CUSTOM_ATTRIBUTES
from argosy.errors import UsageError

_LONGEST_LINE: Final = 64 * 2**20
_ANYTHING: Final = "*/*"


class RequestLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of the file: an invocation of an endpoint.

    Attributes:
        content_type: Of the body; None means that of the file's suffix, or `application/json` for a `body`.
        accept: What the answer may be.
        body: The body as text; this or `file`.
        file: A file that has it, relative to the folder of the file of requests, and in it.
        custom_attributes: What goes as `X-Amzn-SageMaker-Custom-Attributes`.
        expected: The units that it should be charged as; None expects nothing.
    """

    content_type: str | None = None
    accept: str = _ANYTHING
    body: str | None = None
    file: str | None = None
    custom_attributes: str | None = None
    expected: int | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request to replay.

    Attributes:
        place: Where it comes from: `requests.jsonl:3`, or the name of a sample.
        content_type: Of the body.
        body: The whole body.
        accept: What the answer may be.
        custom_attributes: Of the request; None: none.
        expected: The units that it should be charged as; None expects nothing.
    """

    place: str
    content_type: str
    body: bytes
    accept: str = _ANYTHING
    custom_attributes: str | None = None
    expected: int | None = None

    @property
    def headers(self) -> dict[str, str]:
        """Its header fields as an endpoint gets them, names in lower case."""
        told = {"content-type": self.content_type, "accept": self.accept}
        if self.custom_attributes is not None:
            told[HEADER_CUSTOM_ATTRIBUTES.lower()] = self.custom_attributes
        return told


def read(path: Path, content_type: str | None = None) -> Iterator[Recorded]:
    """The requests of a file of JSON Lines, or of a folder whose files are one request each, in order.

    Args:
        path: The file, or the folder.
        content_type: Of samples in a folder whose suffix tells none.

    Raises:
        UsageError: There is no such file, it cannot be read, or a line is no request; raised when it is reached.
    """
    if path.is_dir():
        yield from _samples(path, content_type)
        return
    try:
        with path.open("rb") as stream:
            number = 0
            while line := stream.readline(_LONGEST_LINE + 1):
                number += 1
                if line.strip():
                    yield _request(path, number, line)
    except OSError as error:
        raise UsageError("the requests cannot be read", got=error.strerror, where=path) from error


def _request(path: Path, number: int, line: bytes) -> Recorded:
    place = f"{path.name}:{number}"
    where = f"{path}:{number}"
    if len(line) > _LONGEST_LINE:
        hint = '{"file": "large.npy", "content_type": "application/x-npy"}'
        raise UsageError(
            "a line is longer than a request may be", want=f"{_LONGEST_LINE} bytes", where=where, hint=hint
        )
    try:
        said = msgspec.json.decode(line, type=RequestLine)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        hint = '{"content_type": "text/csv", "body": "1,2,3"}'
        raise UsageError("a line is no request", got=error, where=where, hint=hint) from error
    if (said.body is None) == (said.file is None):
        got = "neither" if said.body is None else "both"
        raise UsageError("a request has to have one of `body` and `file`", got=got, where=where)
    default = "application/json" if said.file is None else media_type.of_suffix(said.file)
    content_type = said.content_type or default
    if content_type is None:
        raise UsageError("nothing says the media type of a request", got=said.file, where=where, hint="content_type")
    body = (said.body or "").encode() if said.file is None else _content(path.parent, said.file, where)
    return Recorded(place, content_type, body, said.accept, said.custom_attributes, said.expected)


def _content(folder: Path, name: str, where: str) -> bytes:
    """A file in a folder, by its name in a request."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise UsageError("a request names a file outside the folder of the requests", got=f"`{name}`", where=where)
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(
            "the file of a request cannot be read", got=f"`{name}`: {error.strerror}", where=where
        ) from error


def _samples(folder: Path, content_type: str | None) -> Iterator[Recorded]:
    """A request for each file in a folder and below it; hidden files are left out."""
    files = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    if not files:
        raise UsageError("there are no samples in the folder", where=folder)
    for path in files:
        name = path.relative_to(folder).as_posix()
        told = media_type.of_suffix(name) or content_type
        if told is None:
            raise UsageError("nothing says the media type of a sample", where=path, hint="--content-type text/csv")
        yield Recorded(name, told, _content(folder, name, str(folder)))
