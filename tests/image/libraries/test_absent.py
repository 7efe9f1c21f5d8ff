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
        (f"{SITE}/a.so", "libodd.so.1", ("libodd.so.*",), True),
        (f"{SITE}/a.so", "libodd.so.1", ("libeven.so.1",), False),
    ],
)
def test_what_an_image_rightly_lacks(program: str, library: str, ignored: tuple[str, ...], rightly: bool) -> None:
    assert is_rightly_absent(program, library, ignored) is rightly
