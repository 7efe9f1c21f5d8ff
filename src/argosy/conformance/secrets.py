"""Signs of secrets in an image: in texts, in the names of files, in small files, in layers below others.

No layer is changed by those above it: a file that a later step deletes is pulled with the image all the same. So every
layer is read for itself, and not only what the merged tree leaves of it. What is found is named by its place; the
secret itself is in no value that leaves this module.
"""

import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from argosy.image.filesystem import Filesystem
from argosy.image.image import Image
from argosy.image.layer_stream import layer_members

TEXT_LIMIT: Final = 64 * 1024
"""Larger files are not read: keys and credentials are small."""

_FILES: Final = re.compile(
    r"(^|/)(\.aws/credentials|\.netrc|\.pypirc|\.docker/config\.json|\.git/config|\.git-credentials"
    r"|id_(rsa|ed25519|ecdsa|dsa))$"
)
_NAMES: Final = re.compile(
    r"(?i)(AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|ACCESS_?TOKEN|AUTH_?TOKEN|HF_TOKEN)"
)
_ASSIGNMENT: Final = re.compile(r"""(?<![\w-])([A-Za-z_]\w*)=("[^"]*"|'[^']*'|\S+)""")
_URL: Final = ("a URL with a password", re.compile(r"\b[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s@$]+@"))
# A program that reads keys has the first line of one in it; a key has its Base64 below, or after `\n` in JSON.
_PRIVATE_KEY: Final = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:\s*\n|\\r|\\n)+[A-Za-z0-9+/=]{4}")
_PRIVATE_KEY_HEAD: Final = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_KEYS: Final = (
    ("an AWS access key", re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b")),
    ("a private key", _PRIVATE_KEY),
    ("an AWS secret key", re.compile(r"(?i)aws_secret_access_key\W{1,4}[A-Za-z0-9/+]{40}")),
)
_MARKS: Final = (b"PRIVATE KEY-----", b"AKIA", b"ASIA", b"aws_secret_access_key", b"AWS_SECRET_ACCESS_KEY")
"""No file without one of these has a key: most are passed over without a regular expression."""

# Packages bring keys that everybody knows: those of their tests, and AWS's own examples in boto's documentation.
_PUBLISHED: Final = re.compile(r"(^|/)(site-packages|dist-packages|node_modules|python3\.\d+|share/doc)/")
_TESTS: Final = re.compile(r"/tests?/")
_EXAMPLE: Final = re.compile(r"EXAMPLE")


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A file of one layer that seems to be a secret.

    Attributes:
        path: Without a leading slash.
        what: Why, as the end of a sentence about the file.
    """

    path: str
    what: str


@dataclass(frozen=True, slots=True)
class Search:
    """What came of looking through all layers.

    Attributes:
        layers: How many there are.
        files: How many files they have, deleted ones too.
        found: In the order of layers, each path once.
    """

    layers: int
    files: int
    found: tuple[SecretFile, ...]


def search_layers(image: Image, filesystem: Filesystem) -> Search:
    """Look at every file of every layer: its name, and its content when it is small and text.

    Args:
        image: Whose layers are read.
        filesystem: The same layers merged: tells what is left of a file.

    Raises:
        ImageError: A layer is broken.
    """
    found: dict[str, SecretFile] = {}
    files = 0
    for layer in range(len(image.layers)):
        with layer_members(image, layer) as archive:
            for member in archive:
                if not (member.isfile() or member.islnk()):
                    continue
                files += 1
                path = member.name.removeprefix("./").strip("/")
                what = _of_file(archive, member, path)
                if what and path not in found:
                    found[path] = SecretFile(path, what + _fate(filesystem, path, layer))
    return Search(len(image.layers), files, tuple(found.values()))


def secret_in(text: str) -> str | None:
    """What secret a text of the configuration holds, in words; None when none is seen."""
    if _PRIVATE_KEY_HEAD.search(text):
        return "a private key"
    return next((what for what, pattern in (_URL, *_KEYS) if pattern.search(text)), None)


def is_secret_name(name: str) -> bool:
    """Whether a variable of that name usually holds a secret."""
    return _NAMES.search(name) is not None


def secret_assignments(command: str) -> Iterator[str]:
    """The names of secrets that a build step gives a value: `ARG NAME=value`, `|1 NAME=value /bin/sh -c …`.

    A value that a shell would look up (`$NAME`, `$(cat file)`) is none.
    """
    for name, value in _ASSIGNMENT.findall(command):
        bare = value.strip("\"'")
        if bare and not bare.startswith(("$", "`")) and is_secret_name(name):
            yield name


def _of_file(archive: tarfile.TarFile, member: tarfile.TarInfo, path: str) -> str | None:
    if _FILES.search(path) and (member.size or member.islnk()):
        return "usually holds secrets"
    if not member.isfile() or not 0 < member.size <= TEXT_LIMIT:
        return None
    stream = archive.extractfile(member)
    content = stream.read() if stream else b""
    if b"\0" in content or not any(mark in content for mark in _MARKS):
        return None
    text = content.decode(errors="replace")
    published = _PUBLISHED.search(path)
    if published and _TESTS.search(path, published.end() - 1):
        return None
    for what, pattern in _KEYS:
        if any(not (published and _EXAMPLE.search(match.group())) for match in pattern.finditer(text)):
            return f"holds {what}"
    return None


def _fate(filesystem: Filesystem, path: str, layer: int) -> str:
    """What later layers made of a file."""
    left = filesystem.resolve(path)
    if left is None:
        return "; a later layer deletes it, and it is shipped all the same"
    if left.layer != layer:
        return "; a later layer replaces it, and it is shipped all the same"
    return ""
