"""The bill of materials as SPDX 2.3 writes it.

Source: spdx.github.io/spdx-spec/v2.3 (read 2026-11-22). Our files stand among the packages, with the purpose FILE:
where SPDX lists files it asks for their SHA-1, which proves nothing.
"""

import hashlib
from collections.abc import Iterator
from typing import Any, Final

from argosy.image.download import shown
from argosy.image.manifest import CREATED
from argosy.image.materials.distributions import Licence
from argosy.image.materials.subject import NAME, TOOL_VERSION, Subject, bare_digest, debian_url, python_url

_UNKNOWN: Final = "NOASSERTION"
_DOCUMENT: Final = "SPDXRef-DOCUMENT"
_IMAGE: Final = "SPDXRef-image"


def bill_of_materials(subject: Subject) -> dict[str, Any]:
    """What is in the image, as the JSON object (hence `Any`) that SPDX's schema describes."""
    digest = subject.image.digest
    image = _package(_IMAGE, NAME, digest, Licence())
    image |= {"primaryPackagePurpose": "CONTAINER", "checksums": _checksums(digest)}
    parts = [*_distributions(subject), *_debian(subject), *_files(subject)]
    described = {"spdxElementId": _DOCUMENT, "relationshipType": "DESCRIBES", "relatedSpdxElement": _IMAGE}
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": _DOCUMENT,
        "name": NAME,
        "documentNamespace": f"https://spdx.org/spdxdocs/{NAME}-{bare_digest(digest)}",
        "creationInfo": {"created": CREATED, "creators": [f"Tool: argosy-{TOOL_VERSION}"]},
        "packages": [image, *parts],
        "relationships": [
            described,
            *(
                {"spdxElementId": _IMAGE, "relationshipType": "CONTAINS", "relatedSpdxElement": part["SPDXID"]}
                for part in parts
            ),
        ],
    }


def _distributions(subject: Subject) -> Iterator[dict[str, Any]]:
    for installed in subject.inventory.distributions:
        known, url = installed.distribution, python_url(installed.distribution)
        package = _package(_reference("python", url), known.name, known.version, known.licence)
        package |= {"externalRefs": _external(url), "primaryPackagePurpose": "LIBRARY"}
        if installed.wheel is not None:
            package |= {
                "checksums": _checksums(installed.wheel.digest),
                "downloadLocation": shown(installed.wheel.url),
                "packageFileName": installed.wheel.filename,
            }
        yield package


def _debian(subject: Subject) -> Iterator[dict[str, Any]]:
    for package in subject.inventory.packages:
        url = debian_url(package, subject.inventory.system)
        found = _package(_reference("debian", url), package.name, package.version, package.licence)
        yield found | {"externalRefs": _external(url), "sourceInfo": f"built from {' '.join(package.source)}"}


def _files(subject: Subject) -> Iterator[dict[str, Any]]:
    for file in (*subject.inventory.program, *subject.inventory.artifacts):
        found = _package(_reference("file", file.path), f"/{file.path}", None, Licence())
        yield found | {"checksums": _checksums(file.digest), "primaryPackagePurpose": "FILE"}


def _package(identifier: str, name: str, version: str | None, licence: Licence) -> dict[str, Any]:
    expression = licence.expression
    # A reference to a licence's text would ask for the text itself.
    is_listed = expression is not None and "LicenseRef-" not in expression
    found = {
        "SPDXID": identifier,
        "name": name,
        "downloadLocation": _UNKNOWN,
        "filesAnalyzed": False,
        "licenseConcluded": _UNKNOWN,
        "licenseDeclared": expression if is_listed else _UNKNOWN,
        "copyrightText": _UNKNOWN,
    }
    if version is not None:
        found["versionInfo"] = version
    declared = ", ".join(licence.names) if expression is None else expression
    if declared and not is_listed:
        found["licenseComments"] = f"declared as: {declared}"
    return found


def _checksums(digest: str) -> list[dict[str, str]]:
    return [{"algorithm": "SHA256", "checksumValue": bare_digest(digest)}]


def _external(url: str) -> list[dict[str, str]]:
    return [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": url}]


def _reference(kind: str, name: str) -> str:
    """An identifier of letters, digits and `-`, whatever is in the name."""
    return f"SPDXRef-{kind}-{hashlib.sha256(name.encode()).hexdigest()[:20]}"
