"""What dpkg knows of an image's packages, and the licences that Debian's copyright files declare.

Source: deb-control(5) and dpkg's `status` file; Debian's "machine-readable debian/copyright file", version 1.0; the
folder `status.d` of images without dpkg, as in google/distroless (read 2026-11-22).
"""

import re
from typing import Final

import msgspec

from argosy.image.materials.distributions import Licence

_MACHINE_READABLE: Final = re.compile(
    r"^Format:\s*https?://(www\.debian\.org/doc/packaging-manuals/copyright-format|dep\.debian\.net/deps/dep5)",
    re.IGNORECASE,
)
_FIELD: Final = re.compile(r"^([A-Za-z-]+):[ \t]*(.*)$", re.MULTILINE)
_LICENCE_FIELD: Final = re.compile(r"^License:[ \t]*(\S.*)$", re.MULTILINE | re.IGNORECASE)


class DebianPackage(msgspec.Struct, frozen=True):
    """An installed Debian package.

    Attributes:
        name: As dpkg knows it.
        version: With epoch and revision.
        architecture: `amd64` or `all`.
        source: Name and version of the source package.
        licence: What its copyright file declares.
    """

    name: str
    version: str
    architecture: str
    source: tuple[str, str]
    licence: Licence = Licence()


def parse_status(content: bytes) -> list[DebianPackage]:
    """The packages of a `status` file, or of a file in `status.d`, that are installed."""
    packages = []
    for stanza in re.split(r"\n\s*\n", content.decode("utf-8", "replace")):
        fields: dict[str, str] = dict(_FIELD.findall(stanza))
        name, version = fields.get("Package"), fields.get("Version")
        # A removed package whose settings were kept stays in the file; status.d has no such field.
        if not name or not version or not fields.get("Status", "x x installed").endswith(" installed"):
            continue
        named, _, rest = (fields.get("Source") or name).partition("(")
        source = (named.strip(), rest.rstrip(") ") or version)
        packages.append(DebianPackage(name, version, fields.get("Architecture", "all"), source))
    return packages


def parse_os_release(content: bytes) -> tuple[str, str] | None:
    """`ID` and `VERSION_ID` of os-release(5), as in `debian` and `12`; None when it names no system."""
    fields = dict(re.findall(r"^([A-Z_]+)=[\"']?([^\"'\n]*)", content.decode("utf-8", "replace"), re.MULTILINE))
    return (fields["ID"], fields.get("VERSION_ID", "")) if fields.get("ID") else None


def parse_copyright(content: bytes) -> Licence | None:
    """The short names of the licences in a machine-readable copyright file, sorted; None when it is free text."""
    text = content.decode("utf-8", "replace").lstrip("\ufeff\n")
    if not _MACHINE_READABLE.match(text):
        return None
    found = {name.strip() for name in _LICENCE_FIELD.findall(text)}
    return Licence(None, tuple(sorted(found)))
