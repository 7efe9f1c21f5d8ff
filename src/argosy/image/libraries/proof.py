"""Every program in an image against the libraries that it names: is each there, for this machine, and new enough?

What a program asks for while it runs (`dlopen`) is in no header, so nothing is said about it.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from argosy.image.filesystem import Filesystem
from argosy.image.image import Image
from argosy.image.layer import cache_key
from argosy.image.libraries.elf import Program
from argosy.image.libraries.layer_programs import read_layer_programs
from argosy.image.libraries.search import Libraries, merged, unmet_versions
from argosy.image.manifest import variables
from argosy.model_archive import written_aside

Kind = Literal["missing", "version", "machine", "broken"]

_FORMAT: Final = 1
_SITE: Final = "/site-packages/"
_EXTENSION: Final = re.compile(r"\.(?:cpython-\d+-x86_64-linux-gnu|abi3)\.so$")
_DEBUG: Final = "usr/lib/debug/"


class Finding(msgspec.Struct, frozen=True):
    """One program that cannot be loaded as it is.

    Attributes:
        kind: What is wrong: a library is missing, or too old; the program is for another machine, or broken.
        program: Path in the image.
        library: The name that it needs; empty when the program itself is at fault.
        detail: Versions that the library lacks, the program's machine, or why it cannot be read.
        below: Whether the base image has the program.
        certain: Whether loading it is sure to fail; a program for another machine may lie there unused.
    """

    kind: Kind
    program: str
    library: str
    detail: str
    below: bool
    certain: bool = True


class Proof(msgspec.Struct, frozen=True):
    """What was found in an image.

    Attributes:
        programs: How many were looked at.
        findings: Sorted by program.
        assumed: Libraries that the loader does not find by itself, and that another distribution in the image has: they
            work when that one is imported first. Each with one of the programs that need it.
    """

    programs: int
    findings: tuple[Finding, ...]
    assumed: dict[str, str]


def prove(image: Image, base_layers: int, cache_dir: Path) -> Proof:
    """Look at every program of an image; what was found of its layers is remembered.

    Args:
        image: With all layers.
        base_layers: How many of them are the base image's.
        cache_dir: The user's cache folder.

    Raises:
        ImageError: A layer is broken.
    """
    library_path = variables(image).get("LD_LIBRARY_PATH", "")
    key = cache_key("proof", _FORMAT, list(image.diff_ids), base_layers, library_path)
    remembered = cache_dir / "proofs" / key
    try:
        return msgspec.json.decode(remembered.read_bytes(), type=Proof)
    except (FileNotFoundError, ValueError):
        pass
    names = [read_layer_programs(image, index, cache_dir) for index in range(len(image.layers))]
    proof = _examined(Libraries(merged(Filesystem(image), names), names, library_path), base_layers)
    with written_aside(remembered) as aside:
        aside.write_bytes(msgspec.json.encode(proof))
    return proof


def _examined(libraries: Libraries, base_layers: int) -> Proof:
    findings: list[Finding] = []
    assumed: dict[str, str] = {}
    for path in sorted(libraries.programs):
        if not path.startswith(_DEBUG):
            below = libraries.layers[path] < base_layers
            findings += _findings(path, libraries.programs[path], libraries, below, assumed)
    for path, why in sorted(libraries.broken.items()):
        if not path.startswith(_DEBUG):
            findings.append(Finding("broken", path, "", why, libraries.layers[path] < base_layers, certain=False))
    return Proof(len(libraries.programs), tuple(findings), assumed)


def _findings(
    path: str, program: Program, libraries: Libraries, below: bool, assumed: dict[str, str]
) -> Iterator[Finding]:
    if not program.is_ours:
        yield Finding("machine", path, "", program.machine, below, certain=_EXTENSION.search(path) is not None)
        return
    if program.interpreter and libraries.program_at(program.interpreter) is None:
        yield Finding("missing", path, program.interpreter, "its loader", below)
    for name in program.needed:
        found = libraries.find(path, program, name)
        if found is None:
            if _is_brought(path, libraries.elsewhere(name)):
                assumed.setdefault(name, path)
            else:
                yield Finding("missing", path, name, "", below)
            continue
        lacking = unmet_versions(program, name, libraries.programs[found])
        if lacking:
            yield Finding("version", path, name, f"/{found} has no {', '.join(lacking)}", below)


def _is_brought(path: str, others: Iterator[str]) -> bool:
    """Whether a library lies where another import may load it first: the loader looks for no name that is loaded."""
    return _SITE in path and any(_SITE in other for other in others)


def certain(findings: Sequence[Finding]) -> list[Finding]:
    """Those that make an image fail: what we added, and what cannot work."""
    return [finding for finding in findings if not finding.below and finding.certain]
