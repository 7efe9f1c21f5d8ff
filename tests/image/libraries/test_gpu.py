"""What is said of an image with programs for GPUs."""

import pytest

from argosy.errors import MissingLibraryError
from argosy.image.libraries.gpu import advice, is_for_gpus
from tests.image.conftest import Shop
from tests.image.images import file
from tests.image.libraries.programs import program
from tests.image.libraries.test_requirement import built

PROVIDER = "onnxruntime/capi/libonnxruntime_providers_cuda.so"
NEEDED = ["libcublasLt.so.12", "libcudnn.so.9", "libcufft.so.11"]
ASKED = {"NVIDIA_VISIBLE_DEVICES": "all"}


def warnings(shop: Shop) -> list[str]:
    return [line for line in shop.said if "GPUs" in line]


def test_an_image_without_programs_for_gpus_is_none_of_it(shop: Shop) -> None:
    built(shop, program())
    assert warnings(shop) == []


def test_a_wheel_that_cannot_be_imported_without_cuda_stops_the_build_and_names_its_version(shop: Shop) -> None:
    with pytest.raises(MissingLibraryError) as caught:
        built(shop, program(["libcudart.so.12", "libcudnn.so.9"]))
    assert "build on a base image with CUDA 12 and cuDNN 9" in str(caught.value.hint)


def test_a_base_image_with_cuda_has_it_all(shop: Shop) -> None:
    cuda = [file(f"usr/lib/{name}", program(soname=name)) for name in NEEDED]
    built(shop, program(NEEDED), cuda, environment=ASKED)
    assert warnings(shop) == []


@pytest.mark.parametrize("environment", [{}, {"NVIDIA_VISIBLE_DEVICES": ""}, {"NVIDIA_VISIBLE_DEVICES": "void"}])
def test_an_image_that_asks_for_no_gpu_is_told_how(shop: Shop, environment: dict[str, str]) -> None:
    built(shop, program(["libcuda.so.1"]), environment=environment)
    (line,) = warnings(shop)
    assert 'NVIDIA_VISIBLE_DEVICES = "all" and NVIDIA_DRIVER_CAPABILITIES = "compute,utility"' in line


def test_what_goes_on_without_its_gpu_is_a_warning_with_the_base_to_take(shop: Shop) -> None:
    built(shop, program(NEEDED), name=PROVIDER, environment=ASKED)
    (line,) = warnings(shop)
    assert "lacks `libcublasLt.so.12`, `libcudnn.so.9`, `libcufft.so.11`" in line
    assert f"/opt/venv/lib/python3.11/site-packages/{PROVIDER} needs" in line
    assert line.endswith("or build on a base image with CUDA 12 and cuDNN 9")


def test_what_the_project_ignores_is_not_spoken_of(shop: Shop) -> None:
    built(shop, program(NEEDED), environment=ASKED, ignore_missing_libraries=["libcu*.so.*"])
    assert warnings(shop) == []


@pytest.mark.parametrize(
    ("library", "is_one"),
    [
        ("libcuda.so.1", True),
        ("libnvidia-ml.so.1", True),
        ("libnvinfer_plugin.so.10", True),
        ("libnccl.so.2", True),
        ("libcurl.so.4", False),
        ("libcups.so.2", False),
        ("libc.so.6", False),
    ],
)
def test_libraries_for_gpus_are_told_by_name(library: str, is_one: bool) -> None:
    assert is_for_gpus(library) is is_one


def test_without_a_version_it_is_cuda() -> None:
    (line,) = advice(["libnccl.so.2"], {"libnccl.so.2": "a.so"}, ASKED)
    assert line.endswith("a base image with CUDA")
