"""Whether `docker run IMAGE serve` finds a program that the kernel can execute, and programs their libraries."""

from collections.abc import Sequence
from typing import Final

from argosy.conformance.check import Check, Evidence, Group, Verdict, failed, passed, skipped, unknown
from argosy.conformance.clause import must, should
from argosy.conformance.image_checks.start_command import RefusedError, chain, command
from argosy.conformance.scenes.at_rest import Files
from argosy.contract import HOSTING_PAGE
from argosy.image.libraries.absent import is_rightly_absent
from argosy.image.libraries.gpu import is_toolkit
from argosy.image.libraries.proof import Finding

_SHOWN: Final = 10
_LOADERS: Final = frozenset({"/lib64/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1"})
"""The loaders whose search is known; one that lies elsewhere has folders of its own."""
_MUSL_PATH: Final = "etc/ld-musl-x86_64.path"
"""Says where musl's loader looks, in place of its own folders."""


def _serve(files: Files) -> Verdict:
    arguments = command(files.image)
    try:
        found = chain(files)
    except RefusedError as refused:
        return failed(refused.reason, Evidence(f"command {arguments}", "cannot be executed"), refused.evidence)
    return passed(f"{arguments} runs {' by '.join(f'`{path}`' for path in found)}")


def _libraries(files: Files) -> Verdict:
    loaded = _loaded(files)
    if not loaded:
        return skipped("nothing that is started is a program of this machine that names libraries")
    faults = [finding for finding in files.proof.findings if finding.program in loaded]
    loaders = {program.interpreter for path in loaded if (program := files.libraries.programs[path]).interpreter}
    if faults and (loaders - _LOADERS or files.filesystem.get(_MUSL_PATH)):
        return unknown(f"{_reason(faults)}, as far as is known where its loader looks", *_evidence(faults))
    if faults:
        return failed(_reason(faults), *_evidence(faults))
    return passed(f"{len(loaded)} programs that are loaded at the start have the libraries that they name")


def _other_libraries(files: Files) -> Verdict:
    loaded = _loaded(files)
    faults = [
        finding
        for finding in files.proof.findings
        if finding.certain and finding.program not in loaded and not _is_excused(finding)
    ]
    if faults:
        return failed(_reason(faults), *_evidence(faults))
    return passed(f"{files.proof.programs} programs have the libraries that they name")


def _loaded(files: Files) -> set[str]:
    """The programs that are started, and the libraries that are loaded with them."""
    loaded: set[str] = set()
    for path in chain(files):
        program = files.libraries.program_at(path)
        if program is not None:
            loaded |= files.libraries.loaded_with(program)
    return loaded


def _is_excused(finding: Finding) -> bool:
    """Whether a library may be missing, or image-gpu-toolkit says so."""
    return is_rightly_absent(finding.program, finding.library) or is_toolkit(finding.library)


def _reason(faults: Sequence[Finding]) -> str:
    first = faults[0]
    more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
    match first.kind:
        case "missing":
            return f"`/{first.program}` needs `{first.library}`, which is not in the image{more}"
        case "version":
            return f"`/{first.program}` needs a newer `{first.library}`: {first.detail}{more}"
        case "machine":
            return f"`/{first.program}` is for {first.detail}{more}"
    return f"`/{first.program}` cannot be read: {first.detail}{more}"


def _evidence(faults: Sequence[Finding]) -> list[Evidence]:
    return [
        Evidence(f"/{fault.program}", f"{fault.kind}: {' '.join(filter(None, (fault.library, fault.detail)))}")
        for fault in faults[:_SHOWN]
    ]


_GROUP: Final[Group[Files]] = Group("image", Files, causes=("image-platform",))

CHECKS: Final[tuple[Check[Files], ...]] = (
    _GROUP.check(
        must(
            "image-serve",
            HOSTING_PAGE,
            "`docker run IMAGE serve` finds a program that this image can execute.",
            "name the program in an exec-form ENTRYPOINT, or put an executable `serve` on PATH: chmod 755, LF line"
            " ends, a first line whose interpreter is in the image, and for x86-64 with its loader all the way",
            rows="C01 C02 C03 F02 F03 S03",
        ),
        _serve,
    ),
    _GROUP.check(
        must(
            "image-libraries",
            HOSTING_PAGE,
            "The program that is started, and the libraries that it is linked with, find all their libraries.",
            "install the package that has the library (Debian: apt-get install, after apt-file search LIBRARY), or copy"
            " the program from a stage with the same base image",
            rows="C02 F04",
        ),
        _libraries,
        "image-serve",
    ),
    _GROUP.check(
        should(
            "image-other-libraries",
            HOSTING_PAGE,
            "Every other program and library in the image finds the libraries that it is linked with.",
            "install the package that has the library (Debian: apt-get install, after apt-file search LIBRARY), or"
            " leave out what is not needed",
            rows="C02 F04",
        ),
        _other_libraries,
        "image-serve",
    ),
)
