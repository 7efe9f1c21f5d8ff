"""What a set of packages needs beside what is installed already.

Source: Debian Policy Manual 7, relationships (read 2026-11-22).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from argosy.errors import ImageError
from argosy.image.debian.packages import Candidate, Index, Package, provides
from argosy.image.debian.relations import Relation, parse_relations

SCRIPTS_ONLY: Final = frozenset({"debconf", "debconf-2.0", "dpkg", "install-info"})
"""Needed by maintainer scripts only, and none is run."""

_HINT: Final = (
    "take a newer base image, ask for a version that fits (`NAME=VERSION` in `system_packages`), or let apt change the"
    " base: argosy build --engine docker"
)


@dataclass(frozen=True, slots=True)
class Installed:
    """A package that an image has.

    Attributes:
        name: As dpkg knows it.
        version: With epoch and revision.
        provides: The field `Provides`.
        excludes: The fields `Conflicts` and `Breaks`, joined.
    """

    name: str
    version: str
    provides: str = ""
    excludes: str = ""


def closure(
    wanted: Iterable[Relation],
    index: Index,
    installed: Sequence[Installed] = (),
    unneeded: frozenset[str] = SCRIPTS_ONLY,
) -> list[Package]:
    """The packages and all that they need before they work, sorted by name, without those that are installed.

    Of alternatives one that is there is taken, else the first that exists; a virtual package is taken from the first
    that provides it. What is not needed is left out unless it is wanted itself, or needed in one exact version: such
    packages are parts of each other.

    Args:
        wanted: What is asked for.
        index: What there is.
        installed: What the base image has; none of it is replaced.
        unneeded: What is left out although packages say that they need it.

    Raises:
        ImageError: Something is needed that no package provides, or in another version than the base image has, or a
            package cannot stand beside another one.
    """
    there = {package.name: package for package in installed}
    brought: dict[str, Candidate] = {}
    rest = [([relation], "") for relation in wanted][::-1]
    while rest:
        alternatives, asker = rest.pop()
        if asker and any(one.name in unneeded and one.comparison != "=" for one in alternatives):
            continue
        if any(_is_there(one, there) for one in alternatives):
            continue
        absent = [one for one in alternatives if one.name not in there]
        found = next(filter(None, map(index.get, absent)), None) or _provider(index, alternatives, there)
        if found is None:
            raise _unmet(alternatives, asker, there, index)
        brought[found.package.name] = found
        there[found.package.name] = _as_installed(found)
        needs = found.relations("Pre-Depends", "Depends")
        rest += [(clause, found.package.name) for clause in reversed(needs)]
    _require_peace(brought, there)
    return [brought[name].package for name in sorted(brought)]


def _is_there(wanted: Relation, there: Mapping[str, Installed]) -> bool:
    found = there.get(wanted.name)
    if found is not None and wanted.fits(found.version):
        return True
    return any(wanted.name in package.provides and provides(package.provides, wanted) for package in there.values())


def _provider(index: Index, wanted: Sequence[Relation], there: Mapping[str, Installed]) -> Candidate | None:
    found = index.provider(wanted)
    return None if found is None or found.package.name in there else found


def _as_installed(candidate: Candidate) -> Installed:
    excludes = ", ".join(str(one) for clause in candidate.relations("Conflicts", "Breaks") for one in clause)
    provided = ", ".join(str(one) for clause in candidate.relations("Provides") for one in clause)
    return Installed(candidate.package.name, candidate.package.version, provided, excludes)


def _unmet(alternatives: Sequence[Relation], asker: str, there: Mapping[str, Installed], index: Index) -> ImageError:
    want = " | ".join(map(str, alternatives))
    needed = f"`{asker}` needs" if asker else "`system_packages` asks for"
    other = next((there[one.name] for one in alternatives if one.name in there), None)
    if other is not None:
        return ImageError(
            f"{needed} another version of a package than the image has",
            got=f"{other.name} {other.version}",
            want=want,
            hint=_HINT,
        )
    versions = index.versions(alternatives[0].name)
    if versions:
        return ImageError(f"{needed} a version that Debian does not have", got=", ".join(versions), want=want)
    return ImageError(
        f"{needed} what Debian does not have" if asker else "Debian has no such package",
        got=want,
        hint=None if asker else "look for its name on packages.debian.org",
    )


def _require_peace(brought: Mapping[str, Candidate], there: Mapping[str, Installed]) -> None:
    """No package stands beside one that it excludes; where both were there before, that is the base image's affair."""
    providing = [package for package in there.values() if package.provides]
    for one in there.values():
        for relation in (relation for clause in parse_relations(one.excludes) for relation in clause):
            others = [p for p in providing if relation.name in p.provides and provides(p.provides, relation)]
            named = there.get(relation.name)
            if named is not None and relation.fits(named.version):
                others.append(named)
            for other in others:
                if other.name != one.name and (one.name in brought or other.name in brought):
                    raise ImageError(
                        "two packages cannot be in one image",
                        got=f"{one.name} {one.version} and {other.name} {other.version}",
                        want=f"`{one.name}` excludes `{relation}`",
                        hint=_HINT,
                    )
