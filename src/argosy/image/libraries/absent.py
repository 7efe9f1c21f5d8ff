"""Libraries that an image rightly lacks: the machine has them, or the program that needs them is never loaded."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

DRIVER: Final = (
    "libcuda.so.*",
    "libcudadebugger.so.*",
    "libnvcuvid.so.*",
    "libnvidia-*.so.*",
    "libnvoptix.so.*",
    "libvdpau_nvidia.so.*",
)
"""Put into a container from the machine's driver, so that no image may have them.

Source: NVIDIA/libnvidia-container, `src/nvc_info.c`, the lists of libraries (read 2026-11-22).
"""


@dataclass(frozen=True, slots=True)
class Optional:
    """A program of a distribution that is loaded only where its libraries happen to be.

    Attributes:
        program: Pattern of its path, from below site-packages.
        libraries: Patterns of what it may lack.
        source: Who says so.
    """

    program: str
    libraries: tuple[str, ...]
    source: str


OPTIONAL: Final = (
    Optional(
        "cv2/qt/plugins/platforms/*.so",
        ("*",),
        "Qt 5, `Qt Platform Abstraction`: a platform plugin is loaded when a window is opened (read 2026-11-22)",
    ),
    Optional("opencv_python*.libs/libQt5XcbQpa-*", ("*",), "needed by the plugin above and nothing else"),
    Optional(
        "numba/np/ufunc/tbbpool.*.so",
        ("libtbb.so.*",),
        "numba manual, `The Threading Layers`: `tbb` is taken when TBB is installed, else another (read 2026-11-22)",
    ),
    Optional(
        "onnxruntime/capi/libonnxruntime_providers_*.so",
        ("*",),
        "ONNX Runtime, `Execution Providers`: a provider's library is loaded when a session asks for it (read"
        " 2026-11-22)",
    ),
)


def is_rightly_absent(program: str, library: str, ignored: tuple[str, ...] = ()) -> bool:
    """Whether a program may lack a library.

    Args:
        program: Path in the image.
        library: As the program names it.
        ignored: The project's own patterns of libraries.
    """
    if any(fnmatchcase(library, pattern) for pattern in (*DRIVER, *ignored)):
        return True
    return any(
        fnmatchcase(program, f"*/site-packages/{one.program}") and any(fnmatchcase(library, p) for p in one.libraries)
        for one in OPTIONAL
    )
