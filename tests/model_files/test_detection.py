"""Which saved model a file or folder is: every framework's own files, and what is refused."""

import pickle
import zipfile
from pathlib import Path

import pytest

from argosy.errors import ProjectError
from argosy.model_files import detection
from argosy.model_files.saved_model import ArrayInput, ColumnInput, SavedModel
from tests.model_files.saved_models import SAVED, copied

PETALS = ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)")


def read(name: str) -> SavedModel:
    found = detection.find(SAVED / name) if (SAVED / name).is_dir() else detection.read_file(SAVED / name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "flavor", "versions", "form"),
    [
        ("logistic.onnx", "onnx", {}, "ONNX model, opset 1 of ai.onnx.ml, opset 9"),
        ("tree.skops", "sklearn", {"skops": "0.16.0", "scikit-learn": "1.9.1"}, "scikit-learn model in a skops file"),
        ("pipeline.pkl", "sklearn", {"scikit-learn": "1.9.1"}, "scikit-learn model in a pickle"),
        ("pipeline.joblib", "sklearn", {"scikit-learn": "1.9.1"}, "scikit-learn model in a pickle"),
        ("packed.joblib", "sklearn", {"scikit-learn": "1.9.1"}, "scikit-learn model in a pickle"),
        ("booster.json", "xgboost", {"xgboost": "3.2.0"}, "XGBoost model in JSON"),
        ("named.ubj", "xgboost", {"xgboost": "3.2.0"}, "XGBoost model in UBJSON"),
        ("lightgbm.txt", "lightgbm", {}, "LightGBM model, format v4, regression"),
        ("categories.cbm", "catboost", {"catboost": "1.2.10"}, "CatBoost model"),
        ("two.keras", "keras", {"keras": "3.15.1"}, "Keras model"),
        ("dense.tflite", "litert", {}, "TensorFlow Lite model"),
        ("saved_model", "tensorflow", {"tensorflow": "2.21.0"}, "TensorFlow SavedModel"),
        ("linear.pt2", "torch", {"torch": "2.13.0"}, "PyTorch ExportedProgram"),
        ("script.pt", "torch", {}, "TorchScript module"),
        ("weights.pt", "torch", {}, "PyTorch state_dict"),
        ("linear.safetensors", "torch", {}, "2 tensors of a PyTorch module in safetensors"),
        ("mxnet", "mxnet", {"mxnet": "1.9.1"}, "MXNet graph and weights"),
        ("mlflow", "mlflow", {"mlflow": "3.17.2"}, "MLflow model, loaded by mlflow.sklearn"),
    ],
)
def test_a_saved_model_says_what_it_is(name: str, flavor: str, versions: dict[str, str], form: str) -> None:
    found = read(name)
    assert (found.flavor, dict(found.versions), found.format) == (flavor, versions, form)


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("logistic.onnx", (ArrayInput("X", "float32", (None, 4)),)),
        ("two.keras", (ArrayInput("a", "float32", (None, 4)), ArrayInput("b", "int32", (None, None)))),
        ("dense.tflite", (ArrayInput("serving_default_x:0", "float32", (None, 4)),)),
        ("saved_model", (ArrayInput("x", "float32", (None, 4)),)),
        ("linear.pt2", (ArrayInput("x", "float32", (None, 4)),)),
        ("mxnet", (ArrayInput("data", "", ()),)),
        ("booster.json", (ColumnInput("", "float32"),) * 4),
        ("named.ubj", tuple(ColumnInput(name, "float32") for name in PETALS)),
        ("lightgbm.txt", tuple(ColumnInput(f"Column_{place}") for place in range(4))),
        ("categories.cbm", (*(ColumnInput(name, "float32") for name in PETALS), ColumnInput("kind", "str"))),
        ("mlflow", tuple(ColumnInput(name, "float64") for name in PETALS)),
        ("tree.skops", (ColumnInput(""),) * 3),
        ("pipeline.joblib", (ColumnInput(""),) * 4),
        ("weights.pt", ()),
    ],
)
def test_a_saved_model_says_what_it_takes(name: str, inputs: tuple[object, ...]) -> None:
    assert read(name).inputs == inputs


def test_outputs_requirements_and_types_to_be_trusted_are_read() -> None:
    assert read("logistic.onnx").outputs == ("output_label", "output_probability")
    assert read("saved_model").outputs == ("total",)
    assert read("mlflow").requirements == ("scikit-learn==1.9.1", "mlflow==3.17.2")
    assert read("tree.skops").trusted == ("sklearn.tree._tree.Tree",)


def test_what_may_run_code_is_known_by_its_opcodes() -> None:
    assert {name for name in ("pipeline.pkl", "packed.joblib", "whole.pt", "mlflow") if read(name).is_pickle} == {
        "pipeline.pkl",
        "packed.joblib",
        "whole.pt",
        "mlflow",
    }
    assert not any(read(name).is_pickle for name in ("tree.skops", "weights.pt", "script.pt", "linear.pt2"))
    assert "sklearn" in read("pipeline.pkl").modules


def test_the_content_decides_and_a_wrong_name_is_told(tmp_path: Path) -> None:
    assert detection.read_file(copied("named.ubj", tmp_path, "model.bin")) is not None
    assert detection.read_file(copied("logistic.onnx", tmp_path, "model.dat")) is not None
    with pytest.raises(ProjectError, match="not what its name says: got ONNX model") as caught:
        detection.read_file(copied("logistic.onnx", tmp_path, "model.tflite"))
    assert "want a file of the flavor litert" in caught.value.message


@pytest.mark.parametrize("suffix", sorted(detection.FLAVOR_BY_SUFFIX))
def test_an_empty_or_foreign_file_with_a_models_name_is_told(tmp_path: Path, suffix: str) -> None:
    for content in (b"", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n"):
        (tmp_path / f"model{suffix}").write_bytes(content)
        with pytest.raises(ProjectError, match=r"a saved model is (not what its name says|damaged)") as caught:
            detection.read_file(tmp_path / f"model{suffix}")
        assert f"model{suffix}" in caught.value.message


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"learner": 3}', b"[[1,2]]", b"a,b\n1,2\n", b"\x08\x01\x12\x03abc", b"PK"]
)
def test_what_is_no_saved_model_is_none(tmp_path: Path, content: bytes) -> None:
    for name in ("rows.json", "notes.txt", "table.bin"):
        (tmp_path / name).write_bytes(content)
        assert detection.read_file(tmp_path / name) is None
    assert detection.find(tmp_path) is None


def test_a_pickle_of_something_else_is_no_model_and_in_no_models_way(tmp_path: Path) -> None:
    copied("logistic.onnx", tmp_path)
    for name in ("labels.pkl", "labels.joblib"):
        (tmp_path / name).write_bytes(pickle.dumps({"cat": 0, "dog": 1}))
        assert detection.read_file(tmp_path / name) is None
    found = detection.find(tmp_path)
    assert found is not None
    assert found.flavor == "onnx"


@pytest.mark.parametrize(("name", "suffix"), [("two.keras", ".keras"), ("tree.skops", ".skops")])
def test_a_file_that_is_loaded_by_its_name_has_to_be_called_so(tmp_path: Path, name: str, suffix: str) -> None:
    copied(name, tmp_path, "my model.zip")
    with pytest.raises(ProjectError, match="only by its right name") as caught:
        detection.find(tmp_path)
    assert caught.value.hint == f"mv '{tmp_path}/my model.zip' '{tmp_path}/my model{suffix}'"
    assert detection.find(tmp_path, "onnx") is None


def test_what_runs_once_at_the_start_is_no_signature() -> None:
    assert read("saved_model").notes == ()


def test_of_several_models_none_is_taken(tmp_path: Path) -> None:
    copied("logistic.onnx", tmp_path)
    copied("pipeline.joblib", tmp_path, "old/pipeline.joblib")
    with pytest.raises(ProjectError, match="hold several saved models") as caught:
        detection.find(tmp_path)
    assert "logistic.onnx (ONNX model" in caught.value.message
    assert 'file = "old/pipeline.joblib"' in str(caught.value.hint)
    only = detection.find(tmp_path, "sklearn")
    assert only is not None
    assert only.path == tmp_path / "old/pipeline.joblib"
    named = detection.find(tmp_path, None, "logistic.onnx")
    assert named is not None
    assert named.flavor == "onnx"


def test_the_outermost_folder_wins(tmp_path: Path) -> None:
    copied("mlflow", tmp_path, "model")
    copied("saved_model", tmp_path / "model", "data")
    copied("linear.safetensors", tmp_path / "model")
    found = detection.find(tmp_path)
    assert found is not None
    assert (found.flavor, found.path) == ("mlflow", tmp_path / "model")
    inner = detection.find(tmp_path, "tensorflow")
    assert inner is not None
    assert inner.path == tmp_path / "model/data"


def test_a_folder_of_transformers_is_one_model(tmp_path: Path) -> None:
    copied("linear.safetensors", tmp_path, "model.safetensors")
    config = (
        '{"model_type": "bert", "architectures": ["BertForSequenceClassification"], "transformers_version": "4.40.1"}'
    )
    (tmp_path / "config.json").write_text(config)
    found = detection.find(tmp_path)
    assert found is not None
    assert (found.flavor, found.task, dict(found.versions)) == (
        "huggingface",
        "text-classification",
        {"transformers": "4.40.1"},
    )
    (tmp_path / "modules.json").write_text('[{"path": "../.."}]')
    found = detection.find(tmp_path)
    assert found is not None
    assert "sentence-transformers" in found.format


def test_no_link_is_followed_out_of_the_artifacts(tmp_path: Path) -> None:
    (tmp_path / "artifacts").mkdir()
    copied("logistic.onnx", tmp_path)
    (tmp_path / "artifacts/model.onnx").symlink_to(tmp_path / "logistic.onnx")
    assert detection.find(tmp_path / "artifacts") is None
    (tmp_path / "artifacts/model.onnx").unlink()
    copied("logistic.onnx", tmp_path / "artifacts", "deep/real.onnx")
    (tmp_path / "artifacts/model.onnx").symlink_to("deep/real.onnx")
    with pytest.raises(ProjectError, match="several"):
        detection.find(tmp_path / "artifacts")


def test_a_folder_whose_files_are_links_out_of_it_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked/MLmodel").symlink_to(SAVED / "mlflow/MLmodel")
    assert detection.read_folder(tmp_path / "linked") is None


def test_a_graph_without_its_weights_is_told(tmp_path: Path) -> None:
    copied("mxnet/model-symbol.json", tmp_path, "model-symbol.json")
    with pytest.raises(ProjectError, match=r"has no weights: want `model-0000\.params` beside it"):
        detection.find(tmp_path)


def test_an_archive_is_unpacked_up_to_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "bomb.skops"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("schema.json", "w") as stream:
        for _ in range(65):
            stream.write(bytes(2**20))
    with pytest.raises(ProjectError, match=r"`schema\.json` has more than 67,108,864 bytes"):
        detection.read_file(path)
