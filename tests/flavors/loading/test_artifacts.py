"""Which file of the artifacts is loaded: what is named, what was found, what is called like a model."""

from pathlib import Path

import pytest

from argosy.errors import LoadError
from argosy.flavors.loading.artifacts import find, located
from argosy.flavors.loading.options import FlavorOptions


@pytest.mark.parametrize(
    ("told", "path"),
    [
        (FlavorOptions(), "a.onnx"),
        (FlavorOptions(file="deep/b.bin"), "deep/b.bin"),
        (FlavorOptions(found="deep/b.bin"), "deep/b.bin"),
        (FlavorOptions(found="gone.bin"), "a.onnx"),
        (FlavorOptions(file="deep"), "deep"),
    ],
)
def test_what_is_named_goes_before_what_was_found_and_that_before_names(
    tmp_path: Path, told: FlavorOptions, path: str
) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("a.onnx", "deep/b.bin"):
        (tmp_path / name).touch()
    assert find(tmp_path, told, ("*.onnx",), "an ONNX model") == tmp_path / path


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (FlavorOptions(file="gone.bin"), r"there is no `gone\.bin` among the artifacts: want an ONNX model"),
        (FlavorOptions(file="../out"), "`file` leads out of the artifacts: got `../out`"),
        (FlavorOptions(found="../out"), "leads out of the artifacts"),
        (FlavorOptions(), r"there is not an ONNX model among the artifacts: want `\*\.onnx`"),
    ],
)
def test_what_cannot_be_taken_is_told(tmp_path: Path, told: FlavorOptions, message: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").touch()
    with pytest.raises(LoadError, match=message):
        find(tmp_path / "in", told, ("*.onnx",), "an ONNX model")


def test_nothing_told_is_nothing_located(tmp_path: Path) -> None:
    assert located(tmp_path, FlavorOptions(), "a model") is None
