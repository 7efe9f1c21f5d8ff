"""An installed Python distribution as its METADATA describes it: name, version, licence.

Source: packaging.python.org, "Core metadata specifications" 2.5, and PEP 639 on licences (read 2026-11-22).
"""

import email.parser
import zipfile
from pathlib import Path
from typing import Final

import msgspec
from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.utils import canonicalize_name

from argosy.errors import ImageError
from argosy.image.dependencies.wheels import WheelFile
from argosy.image.image import is_digest
from argosy.image.layer import cache_key
from argosy.model_archive import written_aside

METADATA_LIMIT: Final = 4 * 2**20
"""Larger METADATA is not read to its end: what counts is in its head, above the description."""

_FORMAT: Final = 1
_LONGEST_NAME: Final = 100
# Only what PEP 639 does not call ambiguous: which BSD, which GPL, which Apache licence is not said by the others.
_CLASSIFIERS: Final = {
    "License :: OSI Approved :: Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
    "License :: OSI Approved :: GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "License :: OSI Approved :: GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "License :: OSI Approved :: GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "License :: OSI Approved :: GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "License :: OSI Approved :: GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "License :: OSI Approved :: ISC License (ISCL)": "ISC",
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "License :: OSI Approved :: The Unlicense (Unlicense)": "Unlicense",
    "License :: OSI Approved :: zlib/libpng License": "Zlib",
}


class Licence(msgspec.Struct, frozen=True):
    """What somebody declares about a licence.

    Attributes:
        expression: An SPDX licence expression; None when none can be told for sure.
        names: What is declared instead, in the declarer's words.
        files: Names of the files with the texts, as the declarer gives them.
    """

    expression: str | None = None
    names: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


class Distribution(msgspec.Struct, frozen=True):
    """A Python distribution.

    Attributes:
        name: Normalized.
        version: Its version.
        licence: What its METADATA declares.
    """

    name: str
    version: str
    licence: Licence


def parse_metadata(content: bytes) -> Distribution | None:
    """The distribution that METADATA describes; None when it names none."""
    head = email.parser.BytesHeaderParser().parsebytes(content)
    name, version = str(head.get("Name") or "").strip(), str(head.get("Version") or "").strip()
    if not name or not version:
        return None
    classifiers = tuple(str(value) for value in head.get_all("Classifier") or () if str(value).startswith("License ::"))
    files = tuple(str(value) for value in head.get_all("License-File") or ())
    text = str(head.get("License") or "").strip()
    for declared in (str(head.get("License-Expression") or ""), text):
        if expression := spdx_expression(declared):
            return Distribution(canonicalize_name(name), version, Licence(expression, (), files))
    known = sorted({_CLASSIFIERS[classifier] for classifier in classifiers if classifier in _CLASSIFIERS})
    if len(known) == 1 and len(classifiers) == 1:
        return Distribution(canonicalize_name(name), version, Licence(known[0], (), files))
    names = tuple(classifier.rpartition(" :: ")[2] for classifier in classifiers)
    if text not in ("", "UNKNOWN") and ("\n" not in text or not names):  # some write the licence's whole text here
        names = (text.splitlines()[0][:_LONGEST_NAME],)
    return Distribution(canonicalize_name(name), version, Licence(None, names, files))


def spdx_expression(text: str) -> str | None:
    """The text as an SPDX licence expression, None when it is none."""
    try:
        return str(canonicalize_license_expression(text))
    except InvalidLicenseExpression:
        return None


def of_wheel(wheel: WheelFile, downloads: Path, cache_dir: Path) -> Distribution | None:
    """What a wheel's METADATA says, remembered by the wheel's digest; None when the wheel is not here any more.

    Args:
        wheel: Whose it is.
        downloads: The wheel's file, which need not exist.
        cache_dir: The user's cache folder.

    Raises:
        ImageError: The wheel is broken, or has no METADATA.
    """
    remembered = cache_dir / "distributions" / cache_key("distribution", _FORMAT, wheel.digest)
    try:
        return msgspec.json.decode(remembered.read_bytes(), type=Distribution)
    except (FileNotFoundError, msgspec.DecodeError):
        pass
    try:
        with zipfile.ZipFile(downloads) as archive:
            found = _read(archive, wheel)
    except FileNotFoundError:
        return None
    except zipfile.BadZipFile as error:
        raise ImageError("a wheel is broken", got=error, where=wheel.filename) from error
    if is_digest(wheel.digest):
        with written_aside(remembered) as aside:
            aside.write_bytes(msgspec.json.encode(found))
    return found


def _read(archive: zipfile.ZipFile, wheel: WheelFile) -> Distribution:
    for name in archive.namelist():
        folder, _, rest = name.partition("/")
        if rest == "METADATA" and folder.endswith(".dist-info"):
            with archive.open(name) as stream:
                found = parse_metadata(stream.read(METADATA_LIMIT))
            if found is not None:
                return found
    raise ImageError("a wheel has no METADATA with name and version", where=wheel.filename)
