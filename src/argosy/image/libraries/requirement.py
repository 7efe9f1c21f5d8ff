"""What becomes of the findings of a proof: warnings, or an error that names the Debian packages to add."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from argosy.errors import ImageError, MissingLibraryError, NetworkError
from argosy.image.image import Image
from argosy.image.libraries.absent import is_ignored, is_rightly_absent
from argosy.image.libraries.gpu import advice, is_toolkit, toolkit
from argosy.image.libraries.proof import Finding, certain, prove
from argosy.image.manifest import variables
from argosy.project import Project

_SHOWN: Final = 8


def require_libraries(
    image: Image, base_image: Image, project: Project, cache_dir: Path, say: Callable[[str], None]
) -> None:
    """Prove that the programs in an image find their libraries; what is the base image's own fault is a warning.

    Args:
        image: The project's image.
        base_image: What it is built on.
        project: Says which libraries may be missing.
        cache_dir: The user's cache folder.
        say: Told what was found.

    Raises:
        MissingLibraryError: A program that we added cannot be loaded.
    """
    proof = prove(image, len(base_image.layers), cache_dir)
    ignored = project.image.ignore_missing_libraries
    findings = [one for one in proof.findings if not is_rightly_absent(one.program, one.library, ignored)]
    faults = certain(findings)
    for line in _lines([one for one in findings if one not in faults]):
        say(f"warning: {line}")
    if proof.assumed:
        names = ", ".join(sorted(proof.assumed))
        say(f"{names}: found only after the distribution that has them is imported, as their users do")
    lacking = {
        one.library: one.program
        for one in proof.findings
        if one.kind == "missing" and not one.below and is_toolkit(one.library) and not is_ignored(one.library, ignored)
    }
    for line in advice(proof.for_gpus, {} if faults else lacking, variables(image)):
        say(line)
    if faults:
        raise _error(faults, image, base_image, cache_dir, say)
    say(f"{'libraries':<14}{proof.programs:>9,} programs have the libraries that they name")


def _error(
    faults: Sequence[Finding], image: Image, base_image: Image, cache_dir: Path, say: Callable[[str], None]
) -> MissingLibraryError:
    missing = sorted({one.library for one in faults if one.kind == "missing"})
    packages: tuple[str, ...] = ()
    hints: list[str] = []
    if missing:
        from argosy.image.debian.system import read_debian_system
        from argosy.image.libraries.debian_names import debian_packages

        try:
            found = debian_packages(missing, base_image, cache_dir, say)
            there = {one.name for one in read_debian_system(image, cache_dir).installed}
            packages = tuple(sorted(set(found.values()) - there))
            hints += _hints(missing, found, packages)
        except NetworkError as error:
            hints.append(f"which Debian package has them was not looked up ({error.what})")
        except ImageError as error:
            hints.append(error.hint or error.what)
        if wanted := [library for library in missing if is_toolkit(library)]:
            hints.append(f"add NVIDIA's wheels, or build on a base image with {toolkit(wanted)}")
        hints.append(f"if nothing loads it: ignore_missing_libraries = {json.dumps(missing)} below [image]")
    if any(one.kind == "version" for one in faults):
        hints.append("take a newer base image, or an older version of the distribution, whose wheel asks for less")
    if any(one.kind == "machine" for one in faults):
        hints.append("the wheel is for another machine: name another version in the dependencies")
    return MissingLibraryError(
        "programs in the image lack libraries",
        got="".join(f"\n  {line}" for line in _lines(faults)),
        hint="\n      ".join(hints),
        packages=packages,
    )


def _hints(missing: Sequence[str], found: Mapping[str, str], packages: Sequence[str]) -> Iterator[str]:
    """What to do about each missing library, by the package that has it."""
    listed = ", ".join(f"{library} is in {found[library]}" for library in missing if found.get(library) in packages)
    if listed:
        yield f"{listed}: system_packages = {json.dumps(packages)} below [image], or build with --add-missing"
    for library in missing:
        if library not in found:
            yield f"no Debian package of the base image's suites has {library}"
        elif found[library] not in packages:
            yield (
                f"{found[library]} is in the image, but its maintainer script, which is not run, would put {library} in"
                " place: argosy build --engine docker"
            )


def _lines(findings: Iterable[Finding]) -> list[str]:
    """One line for each library or machine, with the first program that has the fault."""
    grouped: dict[tuple[str, str, str], list[str]] = {}
    for one in findings:
        grouped.setdefault((one.kind, one.library, one.detail), []).append(one.program)
    lines = [_line(kind, library, detail, programs) for (kind, library, detail), programs in grouped.items()]
    return lines if len(lines) <= _SHOWN else [*lines[:_SHOWN], f"and {len(lines) - _SHOWN} more"]


def _line(kind: str, library: str, detail: str, programs: Sequence[str]) -> str:
    others = f" and {len(programs) - 1} more" if len(programs) > 1 else ""
    program = f"/{programs[0]}{others}"
    match kind:
        case "missing":
            return f"`{library}` is not in the image: {program}"
        case "version":
            return f"`{library}` is too old: {detail}: {program}"
        case "machine":
            return f"for {detail}, not x86-64: {program}"
    return f"no program that can be read ({detail}): {program}"
