import io
from pathlib import Path

import pytest

from argosy.errors import ResolutionError
from argosy.image.dependencies.wheels import WheelFile, choose_wheel, newest_glibc, require_loadable
from tests.image.images import ELF
from tests.image.web import wheel


def named(filename: str) -> WheelFile:
    return WheelFile("numpy", "1", filename, "https://x", "sha256:" + "0" * 64, None)


@pytest.mark.parametrize(
    ("tags", "best"),
    [
        (["py3-none-any", "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64"], 1),
        (["cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-manylinux_2_28_x86_64"], 1),
        (["cp311-cp311-manylinux_2_34_x86_64", "cp311-cp311-manylinux1_x86_64"], 1),
        (["cp312-cp312-manylinux_2_17_x86_64", "cp39-abi3-manylinux_2_17_x86_64"], 1),
        (["cp311-cp311-manylinux_2_17_aarch64", "cp311-cp311-musllinux_1_2_x86_64", "py2.py3-none-any"], 2),
        (["cp311-cp311-win_amd64", "cp311-cp311-macosx_11_0_arm64", "cp311-none-linux_x86_64"], 2),
    ],
)
def test_the_wheel_that_fits_best_is_chosen(tags: list[str], best: int) -> None:
    candidates = [named(f"numpy-1-{tag}.whl") for tag in tags]
    assert choose_wheel(candidates, "3.11") == candidates[best]
    assert choose_wheel(candidates[::-1], "3.11") == candidates[best]


@pytest.mark.parametrize(
    "filename", ["numpy-1-cp311-cp311-win_amd64.whl", "numpy-1-cp311-cp311-manylinux_2_35_x86_64.whl"]
)
def test_no_fitting_wheel_is_an_error_that_names_what_there_is(filename: str) -> None:
    with pytest.raises(ResolutionError, match=filename):
        choose_wheel([named(filename)], "3.11")


def so(*versions: str, padding: int = 0) -> bytes:
    return ELF + bytes(padding) + b"".join(f"\0GLIBC_{version}".encode() for version in versions) + b"\0"


@pytest.mark.parametrize(
    ("content", "newest"),
    [
        (so("2.2.5", "2.34", "2.17"), 34),
        (so("PRIVATE"), None),
        (ELF, None),
        (ELF + b"GLIBC_2.99 is what this text speaks of", None),
        *((so("2.31", padding=(1 << 20) - number), 31) for number in range(50, 90)),
    ],
)
def test_the_newest_symbol_version_is_found_wherever_it_stands(content: bytes, newest: int | None) -> None:
    assert newest_glibc(io.BytesIO(content)) == newest


def test_a_file_for_another_machine_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.whl").write_bytes(wheel("x", "1", {"x.so": ELF[:18] + b"\xb7\0" + ELF[20:]}))
    with pytest.raises(ResolutionError, match="another machine") as raised:
        require_loadable(tmp_path / "x.whl", "x-1.whl", 36)
    assert raised.value.where == "x-1.whl: x.so"


def test_text_and_fitting_files_are_taken(tmp_path: Path) -> None:
    (tmp_path / "x.whl").write_bytes(wheel("x", "1", {"x.so": so("2.36"), "x.py": b"\0GLIBC_2.99\0", "empty": b""}))
    require_loadable(tmp_path / "x.whl", "x-1.whl", 36)
