"""The bill of materials as CycloneDX 1.6 writes it.

Source: cyclonedx.org/docs/1.6/json (read 2026-11-22). No time is in it, and its serial number is the image's digest's:
the same image has the same bill.
"""

import uuid
from typing import Any, Final

from argosy.image.materials.distributions import Licence
from argosy.image.materials.inventory import InstalledFile
from argosy.image.materials.subject import NAME, TOOL_VERSION, Subject, bare_digest, debian_url, python_url

SCHEMA: Final = "http://cyclonedx.org/schema/bom-1.6.schema.json"


def bill_of_materials(subject: Subject) -> dict[str, Any]:
    """What is in the image, as the JSON object (hence `Any`) that CycloneDX's schema describes."""
    inventory = subject.inventory
    components = [*_distributions(subject), *_packages(subject)]
    if inventory.program:
        components.append(_files("application", "predictor", inventory.program))
    if inventory.artifacts:
        components.append(_files("machine-learning-model", "model", inventory.artifacts))
    return {
        "$schema": SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid.uuid5(uuid.NAMESPACE_URL, subject.image.digest).urn,
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "argosy", "version": TOOL_VERSION}]},
            "component": {
                "type": "container",
                "bom-ref": NAME,
                "name": NAME,
                "version": subject.image.digest,
                "hashes": _hashes(subject.image.digest),
            },
        },
        "components": components,
        "dependencies": [{"ref": NAME, "dependsOn": [component["bom-ref"] for component in components]}],
    }


def _distributions(subject: Subject) -> list[dict[str, Any]]:
    found = []
    for installed in subject.inventory.distributions:
        known = installed.distribution
        url = python_url(known)
        component: dict[str, Any] = {"type": "library", "bom-ref": url, "name": known.name, "version": known.version}
        component["purl"] = url
        if installed.wheel is not None:
            component["hashes"] = _hashes(installed.wheel.digest)
        found.append(component | _licences(known.licence))
    return found


def _packages(subject: Subject) -> list[dict[str, Any]]:
    found = []
    for package in subject.inventory.packages:
        url = debian_url(package, subject.inventory.system)
        component: dict[str, Any] = {"type": "library", "bom-ref": url, "name": package.name}
        component |= {"version": package.version, "purl": url}
        found.append(component | _licences(package.licence))
    return found


def _files(kind: str, name: str, files: tuple[InstalledFile, ...]) -> dict[str, Any]:
    listed = [{"type": "file", "name": f"/{file.path}", "hashes": _hashes(file.digest)} for file in files]
    return {"type": kind, "bom-ref": name, "name": name, "components": listed}


def _hashes(digest: str) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": bare_digest(digest)}]


def _licences(licence: Licence) -> dict[str, Any]:
    if licence.expression is not None:
        return {"licenses": [{"expression": licence.expression, "acknowledgement": "declared"}]}
    if not licence.names:
        return {}
    return {"licenses": [{"license": {"name": name, "acknowledgement": "declared"}} for name in licence.names]}
