"""Images for GPUs: no driver in them, CUDA's libraries, what they ask of the machine."""

import re
from typing import Final

from argosy.conformance.check import Check, Evidence, Group, Verdict, failed, passed, unknown
from argosy.conformance.clause import fact, must, should
from argosy.conformance.scenes.at_rest import Files
from argosy.conformance.sources import NVIDIA_DOCKER
from argosy.contract import HOSTING_PAGE
from argosy.image.libraries.gpu import CAPABILITIES, DEVICES, is_toolkit, toolkit
from argosy.image.manifest import variables

_DRIVER: Final = re.compile(r"(^|/)(nvidia-smi|libnvidia-ml\.so(\.\d+)*|libcuda\.so(\.\d+)*)$")
_WANTED: Final = re.compile(r"cuda\s*>=\s*(\d+)\.(\d+)")
_OLDEST: Final = (11, 4)
"""CUDA of the oldest driver that SageMaker still offers, 470, which transform jobs have unless told otherwise.

Source: `TransformAmiVersion` of the SageMaker API model; NVIDIA "CUDA Toolkit Release Notes", table of drivers (read
2026-11-22).
"""


def _driver(files: Files) -> Verdict:
    found = sorted(
        entry.path
        for entry in files.filesystem
        # The CUDA toolkit has stubs and a compatibility library of the same names; both are no drivers. Empty files
        # are what the NVIDIA runtime leaves behind where it mounted the host's.
        if _DRIVER.search(entry.path) and not {"stubs", "compat"} & set(entry.path.split("/")) and entry.size
    )
    if found:
        return failed(f"{len(found)} files of an NVIDIA driver", Evidence("files", _listed(found)))
    return passed("no driver files")


def _toolkit(files: Files) -> Verdict:
    lacking = {
        finding.library: finding.program
        for finding in files.proof.findings
        if finding.kind == "missing" and is_toolkit(finding.library)
    }
    if lacking:
        library = min(lacking)
        seen = (Evidence(f"/{program}", f"missing: {name}") for name, program in sorted(lacking.items())[:10])
        return failed(f"`/{lacking[library]}` needs `{library}` of {toolkit(lacking)}", *seen)
    if not files.proof.for_gpus:
        return passed("no program is for GPUs")
    if variables(files.image).get(DEVICES) in (None, "", "void"):
        return unknown(
            f"programs for {toolkit(files.proof.for_gpus)} have their libraries; nothing in the image asks for GPUs"
            f" ({DEVICES}), and nobody wrote down whether SageMaker does"
        )
    return passed(f"programs for {toolkit(files.proof.for_gpus)} have their libraries")


def _requirement(files: Files) -> Verdict:
    environment = variables(files.image)
    wanted = environment.get("NVIDIA_REQUIRE_CUDA", "")
    versions = [(int(major), int(minor)) for major, minor in _WANTED.findall(wanted)]
    is_disabled = environment.get("NVIDIA_DISABLE_REQUIRE", "").lower() in ("1", "true")
    if versions and min(versions) > _OLDEST and not is_disabled:
        version = ".".join(map(str, min(versions)))
        return failed(
            f"the container refuses to start where the driver is older than CUDA {version}",
            Evidence("ENV NVIDIA_REQUIRE_CUDA", wanted[:200]),
        )
    return passed("it refuses no driver that SageMaker offers")


def _listed(names: list[str]) -> str:
    shown = ", ".join(f"/{name}" for name in names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"


_GROUP: Final[Group[Files]] = Group("image", Files)

CHECKS: Final[tuple[Check[Files], ...]] = (
    _GROUP.check(
        must(
            "image-gpu-driver",
            HOSTING_PAGE,
            "The image brings no NVIDIA driver; the host's is mounted.",
            "remove nvidia-smi, libcuda.so and libnvidia-ml.so; keep the CUDA toolkit only",
            rows="C16",
        ),
        _driver,
    ),
    _GROUP.check(
        should(
            "image-gpu-toolkit",
            NVIDIA_DOCKER,
            "Programs for GPUs find CUDA's libraries in the image, and the image asks the machine for its GPUs.",
            f"install NVIDIA's wheels or take a base image with CUDA; ENV {DEVICES}=all {CAPABILITIES}=compute,utility",
            rows="C16",
        ),
        _toolkit,
    ),
    _GROUP.check(
        fact(
            "image-gpu-requirement",
            NVIDIA_DOCKER,
            "The image starts with every driver that SageMaker offers, the oldest of transform jobs too.",
            "ENV NVIDIA_DISABLE_REQUIRE=1, or tell buyers which InferenceAmiVersion and TransformAmiVersion to ask for",
            rows="C16 F28",
        ),
        _requirement,
    ),
)
