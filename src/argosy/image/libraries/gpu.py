"""What an image that is meant for GPUs needs of its base image and its environment.

The driver comes from the machine (`absent.DRIVER`). CUDA comes with wheels of NVIDIA's, which most distributions ask
for by themselves or in an extra, or with the base image.

Source: NVIDIA Container Toolkit, "Specialized Configurations with Docker": a container whose environment has no
`NVIDIA_VISIBLE_DEVICES` gets neither GPUs nor driver, unless who starts it asks for them; CUDA needs the capability
`compute`, `nvidia-smi` needs `utility` (read 2026-11-23).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Final

from argosy.image.libraries.absent import DRIVER

DEVICES: Final = "NVIDIA_VISIBLE_DEVICES"
CAPABILITIES: Final = "NVIDIA_DRIVER_CAPABILITIES"

_CUDA: Final = re.compile(r"lib(?:cudart|cublas|cublasLt|nvrtc)\.so\.(\d+)")
"""Of the toolkit's libraries those whose version is the toolkit's own."""

_CUDNN: Final = re.compile(r"libcudnn\w*\.so\.(\d+)")
_TENSORRT: Final = re.compile(r"libnv(?:infer|onnxparser)\w*\.so\.(\d+)")
_VERSIONED: Final = {"CUDA": _CUDA, "cuDNN": _CUDNN, "TensorRT": _TENSORRT}
_OTHERS: Final = re.compile(
    r"lib(?:cufft|cufftw|cufile|cupti|curand|cusolver|cusolverMg|cusparse|nccl|nvJitLink)\.so\.\d+"
)


def is_toolkit(library: str) -> bool:
    """Whether a library is CUDA's, cuDNN's, NCCL's or TensorRT's: of those that an image has to have.

    >>> is_toolkit("libcublasLt.so.12"), is_toolkit("libcuda.so.1")
    (True, False)
    """
    return any(pattern.match(library) for pattern in (*_VERSIONED.values(), _OTHERS))


def is_for_gpus(library: str) -> bool:
    """Whether what names this library computes on GPUs: it is the toolkit's, or the driver's."""
    return is_toolkit(library) or any(fnmatchcase(library, pattern) for pattern in DRIVER)


def toolkit(libraries: Iterable[str]) -> str:
    """What has these libraries, in words.

    >>> toolkit(["libcublas.so.12", "libcudart.so.12", "libcudnn.so.9", "libcufft.so.11"])
    'CUDA 12 and cuDNN 9'
    """
    listed = list(libraries)
    found = {
        f"{name} {matched.group(1)}"
        for name, pattern in _VERSIONED.items()
        for library in listed
        if (matched := pattern.match(library))
    }
    return " and ".join(sorted(found)) or "CUDA"


def advice(named: Iterable[str], lacking: Mapping[str, str], environment: Mapping[str, str]) -> Iterator[str]:
    """What a person should know of an image for GPUs; nothing of any other.

    Args:
        named: The libraries for GPUs that programs above the base image name.
        lacking: Those of the toolkit that the image has not, each with one of the programs.
        environment: The image's.
    """
    if lacking:
        listed = ", ".join(f"`{library}`" for library in sorted(lacking))
        program = lacking[min(lacking)]
        yield (
            f"warning: not for GPUs as it is: the image lacks {listed}, which /{program} needs: add NVIDIA's wheels"
            f" (an extra of the distribution's, or `nvidia-...`), or build on a base image with {toolkit(lacking)}"
        )
    if any(True for _ in named) and environment.get(DEVICES) in (None, "", "void"):
        yield (
            "warning: programs for GPUs are in the image, and nothing in it asks for GPUs; below [image.environment]:"
            f' {DEVICES} = "all" and {CAPABILITIES} = "compute,utility"'
        )
