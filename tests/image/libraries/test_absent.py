import pytest

from argosy.image.libraries.absent import is_rightly_absent

SITE = "opt/venv/lib/python3.11/site-packages"


@pytest.mark.parametrize(
    ("program", "library", "ignored", "rightly"),
    [
        (f"{SITE}/torch/lib/libtorch_cuda.so", "libcuda.so.1", (), True),
        (f"{SITE}/torch/lib/libtorch_cuda.so", "libcudart.so.12", (), False),
        (f"{SITE}/numba/np/ufunc/tbbpool.cpython-311-x86_64-linux-gnu.so", "libtbb.so.12", (), True),
        (f"{SITE}/numba/np/ufunc/tbbpool.cpython-311-x86_64-linux-gnu.so", "libstdc++.so.6", (), False),
        (f"{SITE}/other/tbbpool.cpython-311-x86_64-linux-gnu.so", "libtbb.so.12", (), False),
        (f"{SITE}/onnxruntime/capi/libonnxruntime_providers_tensorrt.so", "libnvinfer.so.10", (), True),
        ("opt/venv/lib/libtbbbind_2_5.so.3", "libhwloc.so.15", (), True),
        ("opt/venv/lib/libtbbbind_2_5.so.3", "libstdc++.so.6", (), False),
        ("opt/venv/lib/libother.so.3", "libhwloc.so.15", (), False),
        (f"{SITE}/daal4py/mpi_transceiver.cpython-311-x86_64-linux-gnu.so", "libmpi.so.12", (), True),
        (f"{SITE}/daal4py/_daal4py.cpython-311-x86_64-linux-gnu.so", "libmpi.so.12", (), False),
        ("opt/venv/lib/libmkl_blacs_openmpi_lp64.so.2", "libmpi.so.40", (), True),
        ("opt/venv/lib/libmkl_sycl_blas.so.5", "libsycl.so.8", (), True),
        ("opt/venv/lib/libomptarget.sycl.wrap.so", "libsycl.so.9", (), True),
        ("opt/venv/lib/libomptarget.so", "libz.so.1", (), False),
        ("usr/local/lib/python3.11/lib-dynload/_tkinter.cpython-311-x86_64-linux-gnu.so", "libtk8.6.so", (), True),
        ("usr/local/lib/python3.11/lib-dynload/_ssl.cpython-311-x86_64-linux-gnu.so", "libssl.so.3", (), False),
        ("opt/java/openjdk/lib/libawt_xawt.so", "libXtst.so.6", (), True),
        ("opt/java/openjdk/lib/libjava.so", "libz.so.1", (), False),
        (f"{SITE}/a.so", "libodd.so.1", ("libodd.so.*",), True),
        (f"{SITE}/a.so", "libodd.so.1", ("libeven.so.1",), False),
    ],
)
def test_what_an_image_rightly_lacks(program: str, library: str, ignored: tuple[str, ...], rightly: bool) -> None:
    assert is_rightly_absent(program, library, ignored) is rightly
