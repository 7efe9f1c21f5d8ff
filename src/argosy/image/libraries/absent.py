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


_FOLDERS: Final = ("*/site-packages", "*/lib-dynload", "*/lib")
"""Of Python's distributions, of its own extension modules, and where wheels and systems put libraries."""


@dataclass(frozen=True, slots=True)
class Optional:
    """A program of a distribution that is loaded only where its libraries happen to be.

    Attributes:
        program: Pattern of its path, from below one of these folders.
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
    Optional(
        "libtbbbind*.so*",
        ("libhwloc.so.*",),
        "oneTBB, `src/tbb/governor.cpp`, `initialization_impl`: where it cannot be loaded TBB does without (read"
        " 2026-11-23)",
    ),
    Optional(
        "daal4py/mpi_transceiver.*.so",
        ("libmpi.so.*",),
        "scikit-learn-intelex, `src/transceiver.cpp`: imported when a computation asks for its peers in a cluster"
        " (read 2026-11-23)",
    ),
    Optional("libmkl_blacs_*.so*", ("libmpi*.so.*",), "for clusters, and named by none of mkl's other libraries"),
    Optional("libmkl_sycl*.so*", ("libsycl.so.*", "libOpenCL.so.*"), "for GPUs, and named by none of mkl's others"),
    Optional(
        "libomptarget.*.so*",
        ("*",),
        "openmp.llvm.org, `Support, Getting Involved, and FAQ`: plugins that `libomptarget.so` loads, for devices"
        " (read 2026-11-23)",
    ),
    Optional(
        "_tkinter.*.so",
        ("libtcl*.so*", "libtk*.so*"),
        "docker-library/python, `Dockerfile-linux.template`: the slim images leave out what tkinter alone needs (read"
        " 2026-11-23)",
    ),
    Optional(
        "libawt_xawt.so",
        ("libX*.so.*",),
        "OpenJDK, `java.desktop`: loaded by a program that draws on a display, and in JREs for servers all the same"
        " (read 2026-11-23)",
    ),
    Optional("libsplashscreen.so", ("libX*.so.*",), "OpenJDK, as the one above"),
    Optional("libarcher.so*", ("*",), "finds data races, and is loaded for programs built with ThreadSanitizer only"),
)


def is_rightly_absent(program: str, library: str, ignored: tuple[str, ...] = ()) -> bool:
    """Whether a program may lack a library.

    Args:
        program: Path in the image.
        library: As the program names it.
        ignored: The project's own patterns of libraries.
    """
    if is_ignored(library, (*DRIVER, *ignored)):
        return True
    return any(
        any(fnmatchcase(program, f"{folder}/{one.program}") for folder in _FOLDERS)
        and any(fnmatchcase(library, pattern) for pattern in one.libraries)
        for one in OPTIONAL
    )


def is_ignored(library: str, patterns: tuple[str, ...]) -> bool:
    """Whether a library has one of these patterns."""
    return any(fnmatchcase(library, pattern) for pattern in patterns)
