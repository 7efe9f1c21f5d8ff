"""argosy init, as a user types it; and that what is served without a flavor is said."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from argosy import project
from argosy.contract import Variable
from tests.model_files.saved_models import SAVED, copied


def argosy(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "argosy", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=cwd)


def tree(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def test_a_file_from_elsewhere_is_copied_and_the_project_loads(tmp_path: Path) -> None:
    done = argosy("init", SAVED / "logistic.onnx", tmp_path / "new")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path}/new/argosy.toml\n"
    assert tree(tmp_path / "new") == ["argosy.toml", "model/logistic.onnx", "samples/rows.json"]
    assert "ONNX model, opset 1 of ai.onnx.ml, opset 9, flavor onnx" in done.stderr
    assert "takes X float32 (any, 4)" in done.stderr
    assert f"next: argosy build {tmp_path}/new" in done.stderr
    loaded = project.load(tmp_path / "new")
    assert (loaded.model.flavor, loaded.model.artifacts, loaded.detected) == ("onnx", "model/", None)
    assert json.loads((tmp_path / "new/samples/rows.json").read_text()) == [[0.0, 0.0, 0.0, 0.0]]
    assert loaded.serving.warm_up == ()


def test_a_model_in_a_folder_of_the_project_stays(tmp_path: Path) -> None:
    copied("named.ubj", tmp_path, "weights/named.ubj")
    done = argosy("init", "weights/named.ubj", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert tree(tmp_path) == ["argosy.toml", "samples/rows.json", "weights/named.ubj"]
    assert project.load(tmp_path).model.artifacts == "weights/"
    assert "saved with xgboost 3.2.0" in done.stderr
    assert "takes 4 columns: sepal length (cm), " in done.stderr


def test_a_folder_is_copied_as_a_whole_with_its_recorded_example(tmp_path: Path) -> None:
    refused = argosy("init", SAVED / "mlflow", tmp_path)
    assert refused.returncode == 2
    assert f"argosy init {SAVED}/mlflow/MLmodel" in refused.stderr
    done = argosy("init", SAVED / "mlflow/MLmodel", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "model/MLmodel" in tree(tmp_path)
    assert project.load(tmp_path).model.file == "MLmodel"
    assert project.load(tmp_path).serving.warm_up == ("samples/rows.json",)


def test_a_graph_comes_with_its_weights(tmp_path: Path) -> None:
    done = argosy("init", SAVED / "mxnet/model-symbol.json", tmp_path)
    assert done.returncode == 0, done.stderr
    assert tree(tmp_path) == ["argosy.toml", "model/model-0000.params", "model/model-symbol.json"]
    assert "no sample input: the file does not say the shapes" in done.stderr


def test_naming_a_pickle_is_the_owners_word(tmp_path: Path) -> None:
    done = argosy("init", SAVED / "pipeline.joblib", tmp_path)
    assert done.returncode == 0, done.stderr
    assert project.load(tmp_path).model.file == "pipeline.joblib"
    assert "a pickle: naming it is your word" in (tmp_path / "argosy.toml").read_text()
    copied("pipeline.joblib", tmp_path / "other")
    refused = argosy("init", tmp_path / "other", tmp_path / "new")
    assert refused.returncode == 2
    assert f"name the file itself: argosy init {tmp_path}/other/pipeline.joblib" in refused.stderr
    assert not (tmp_path / "new").exists()


def test_of_several_models_each_is_named_with_its_command(tmp_path: Path) -> None:
    for name in ("logistic.onnx", "linear.pt2", "two.keras"):
        copied(name, tmp_path, f"my models/{name}")
    refused = argosy("init", "my models", cwd=tmp_path)
    assert refused.returncode == 2
    assert "argosy init 'my models/logistic.onnx'" in refused.stderr
    assert not (tmp_path / "argosy.toml").exists()
    done = argosy("init", "my models/two.keras", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert project.load(tmp_path).model.file is None  # which would let code in it run
    assert project.load(tmp_path).server_environment()[Variable.FLAVOR_OPTIONS] == '{"found":"two.keras"}'


def test_one_of_several_is_named_unless_that_is_the_owners_word(tmp_path: Path) -> None:
    for name in ("logistic.onnx", "two.keras"):
        copied(name, tmp_path, f"models/{name}")
        copied(name, tmp_path, f"models/older-{name}")
    refused = argosy("init", "models/two.keras", cwd=tmp_path)
    assert refused.returncode == 2
    assert "put it into a folder of its own: mkdir models/two && mv models/two.keras models/two/" in refused.stderr
    assert not (tmp_path / "argosy.toml").exists()
    assert argosy("init", "models/logistic.onnx", cwd=tmp_path).returncode == 0
    assert project.load(tmp_path).model.file == "logistic.onnx"


def test_types_that_need_trust_and_weights_that_need_a_class_are_told(tmp_path: Path) -> None:
    argosy("init", SAVED / "tree.skops", tmp_path / "tree")
    assert project.load(tmp_path / "tree").model.options.trusted == ("sklearn.tree._tree.Tree",)
    done = argosy("init", SAVED / "weights.pt", tmp_path / "weights")
    assert "next: name the class of the module" in done.stderr
    assert project.load(tmp_path / "weights").model.flavor == "torch"


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "argosy.toml").write_text("mine")
    done = argosy("init", SAVED / "logistic.onnx", tmp_path)
    assert (done.returncode, tree(tmp_path)) == (2, ["argosy.toml"])
    assert "the project is there already" in done.stderr
    (tmp_path / "argosy.toml").unlink()
    (tmp_path / "model").mkdir()
    (tmp_path / "model/logistic.onnx").write_text("mine")
    done = argosy("init", SAVED / "logistic.onnx", tmp_path)
    assert (done.returncode, tree(tmp_path)) == (2, ["model/logistic.onnx"])
    assert "got `model/logistic.onnx`" in done.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no such file or folder"),
        (b"1,2\n", "no saved model is known here"),
    ],
)
def test_what_is_no_saved_model_is_told(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "rows.csv").write_bytes(content)
    done = argosy("init", tmp_path / "rows.csv", tmp_path / "new")
    assert done.returncode == 2
    assert message in done.stderr
    assert not (tmp_path / "new").exists()


def test_a_full_disk_leaves_no_project(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    command = [sys.executable, "-m", "argosy", "init", str(SAVED / "two.keras"), str(tmp_path / "new")]
    done = subprocess.run(
        ["prlimit", "--fsize=4096", *command],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 3
    assert tree(tmp_path / "new") == []


def test_a_detected_flavor_is_said_and_a_pickle_is_not_taken_unasked(tmp_path: Path) -> None:
    copied("logistic.onnx", tmp_path, "model/deep/logistic.onnx")
    (tmp_path / "argosy.toml").write_text('[model]\nartifacts = "model/"\n')
    done = argosy("pack", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "flavor onnx, detected from model/deep/logistic.onnx (ONNX model" in done.stderr
    assert 'say so with flavor = "onnx"' in done.stderr
    loaded = project.load(tmp_path)
    assert loaded.model.file is None  # which would be the owner's word that code in it may run
    assert loaded.server_environment()[Variable.FLAVOR_OPTIONS] == '{"found":"deep/logistic.onnx"}'
    (tmp_path / "model/deep/logistic.onnx").unlink()
    copied("pipeline.pkl", tmp_path / "model")
    done = argosy("pack", tmp_path)
    assert done.returncode == 2
    assert 'say so in [model]: file = "pipeline.pkl"' in done.stderr
    (tmp_path / "model/pipeline.pkl").unlink()
    (tmp_path / "model/notes.txt").write_text("")
    assert "no saved model is known among them" in argosy("pack", tmp_path).stderr
