import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from argosy.errors import LoadError
from argosy.flavors.loading import file_format
from tests.flavors.saved_models import MODELS


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_known_whatever_its_protocol(tmp_path: Path, protocol: int) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(pickle.dumps({"a": 1}, protocol))
    assert file_format.found(file) == "a pickle"


def test_other_formats_are_known_by_what_writes_them(tmp_path: Path) -> None:
    zipped, array = tmp_path / "a.zip", tmp_path / "a.npy"
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("a", "a")
    np.save(array, np.zeros(3))
    assert file_format.found(zipped) == "a zip file, as Keras and PyTorch write"
    assert file_format.found(array) == "a numpy array"
    assert {file_format.found(model) for model in MODELS.glob("litert/*.tflite")} == {"a LiteRT model"}
    assert {file_format.found(model) for model in MODELS.glob("onnx/*.onnx")} == {None}


def test_a_pointer_of_git_lfs_is_told_with_the_command_that_fetches_the_file(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")
    with pytest.raises(LoadError) as raised:
        file_format.require(file, "an ONNX model")
    assert (raised.value.got, raised.value.want, raised.value.hint) == (
        "a pointer of Git LFS",
        "an ONNX model",
        "git lfs pull",
    )


def test_a_folder_and_an_empty_file_are_no_models(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="the model is not a file"):
        file_format.require(tmp_path, "an ONNX model")
    (tmp_path / "model.onnx").touch()
    with pytest.raises(LoadError, match="the model file is empty"):
        file_format.require(tmp_path / "model.onnx", "an ONNX model")


def test_the_own_format_passes_and_no_other(tmp_path: Path) -> None:
    model = MODELS / "litert/lookup.tflite"
    file_format.require(model, "a LiteRT model", own="a LiteRT model")
    file_format.require(MODELS / "onnx/total.onnx", "an ONNX model")
    with pytest.raises(LoadError, match="has another format than its name says"):
        file_format.require(model, "an ONNX model")
