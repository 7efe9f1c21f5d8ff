"""The licences that are declared for what is in an image, for people and for programs."""

from typing import Any, Final

from argosy.image.materials.distributions import Licence
from argosy.image.materials.subject import Subject

UNDECLARED: Final = "none declared"


def licence_list(subject: Subject) -> dict[str, Any]:
    """Name, version and declared licence of everything in the image that has one, as a JSON object (hence `Any`)."""
    return {
        "image": subject.image.digest,
        "python": [
            _entry(installed.distribution.name, installed.distribution.version, installed.distribution.licence)
            for installed in subject.inventory.distributions
        ],
        "debian": [_entry(package.name, package.version, package.licence) for package in subject.inventory.packages],
    }


def licence_table(subject: Subject) -> str:
    """The same as lines for people, with a heading for each kind."""
    listed = licence_list(subject)
    lines = [f"Licences declared for what is in {subject.image.digest}; nobody has judged them."]
    for heading, key in (("Python distributions", "python"), ("Debian packages", "debian")):
        if entries := listed[key]:
            lines += ["", heading]
            width = max(len(f"{entry['name']} {entry['version']}") for entry in entries)
            lines += [f"  {entry['name'] + ' ' + entry['version']:<{width}}  {_said(entry)}" for entry in entries]
    return "\n".join([*lines, ""])


def _entry(name: str, version: str, licence: Licence) -> dict[str, Any]:
    return {
        "name": name,
        "version": version,
        "expression": licence.expression,
        "names": list(licence.names),
        "files": list(licence.files),
    }


def _said(entry: dict[str, Any]) -> str:
    if entry["expression"]:
        return str(entry["expression"])
    where = f"see {', '.join(entry['files'])}" if entry["files"] else UNDECLARED
    return ", ".join(entry["names"]) or where
