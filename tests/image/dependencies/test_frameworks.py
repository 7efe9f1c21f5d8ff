"""What the image of a flavor gets: the framework's runtime, in the version that the saved model records."""

import json
import re
import tomllib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from argosy import project
from argosy.errors import NetworkError, ResolutionError
from argosy.image.build import with_runtime
from argosy.image.dependencies.frameworks import GPU_VARIABLE, TORCH, Runtime, runtime_of
from argosy.image.dependencies.inputs import LOCK_NAME, read_inputs
from argosy.image.dependencies.lock import lock, resolved_for, staleness
from argosy.image.dependencies.requirements import Requirements
from argosy.image.dependencies.resolver import Solution
from argosy.project import Project
from tests.image.conftest import Shop
from tests.model_files.saved_models import SAVED, copied


def made(root: Path, name: str, model: str = "", image: str = "") -> Project:
    """A project whose artifacts are one of the saved models of the tests."""
    copied(name, root, "model" if (SAVED / name).is_dir() else f"model/{name}")
    (root / "argosy.toml").write_text(f'[model]\nartifacts = "model"\n{model}\n[image]\n{image}\n')
    return project.load(root)


def runtime(root: Path, name: str, model: str = "", image: str = "") -> Runtime:
    found = runtime_of(made(root, name, model, image))
    assert found is not None
    return found


GPU = f'environment = {{ {GPU_VARIABLE} = "all" }}'


@pytest.mark.parametrize(
    ("name", "model", "lines", "on_gpu"),
    [
        ("logistic.onnx", "", ["onnxruntime"], ["onnxruntime-gpu[cuda,cudnn]"]),
        ("tree.skops", "", ["scikit-learn==1.9.1", "skops==0.16.0"], ["scikit-learn==1.9.1", "skops==0.16.0"]),
        ("pipeline.pkl", 'file = "pipeline.pkl"', ["scikit-learn==1.9.1"], ["scikit-learn==1.9.1"]),
        ("named.ubj", "", ["xgboost-cpu==3.2.0"], ["xgboost==3.2.0"]),
        ("lightgbm.txt", "", ["lightgbm"], ["lightgbm"]),
        ("categories.cbm", "", ["catboost==1.2.10"], ["catboost==1.2.10"]),
        ("saved_model", "", ["tensorflow-cpu==2.21.0"], ["tensorflow[and-cuda]==2.21.0"]),
        ("two.keras", "", ["tensorflow-cpu", "keras==3.15.1"], ["tensorflow[and-cuda]", "keras==3.15.1"]),
        ("dense.tflite", "", ["ai-edge-litert"], ["ai-edge-litert"]),
        ("linear.pt2", "", ["numpy", "torch==2.13.0+cpu"], ["numpy", "torch==2.13.0"]),
        ("script.pt", "", ["numpy", f"torch=={TORCH}+cpu"], ["numpy", f"torch=={TORCH}"]),
        ("linear.safetensors", "", ["numpy", "safetensors", f"torch=={TORCH}+cpu"], None),
        ("mxnet", "", ["mxnet==1.9.1", "numpy==1.23.5"], None),
        ("mlflow", 'file = "MLmodel"', ["scikit-learn==1.9.1", "mlflow-skinny==3.17.2", "numpy", "pandas"], None),
    ],
)
def test_the_runtime_is_the_frameworks_in_the_version_that_was_saved(
    tmp_path: Path, name: str, model: str, lines: list[str], on_gpu: list[str] | None
) -> None:
    assert runtime(tmp_path / "cpu", name, model).lines == lines
    if on_gpu is not None:
        assert runtime(tmp_path / "gpu", name, model, GPU).lines == on_gpu


def test_an_old_folder_of_transformers_gets_a_newer_one(tmp_path: Path) -> None:
    copied("linear.safetensors", tmp_path, "model/model.safetensors")
    for version, wanted in (("4.8.2", ">=4.57,<6"), ("5.23.0", ">=5.23.0,<6")):
        config = {"model_type": "bert", "architectures": ["BertModel"], "transformers_version": version}
        (tmp_path / "model/config.json").write_text(json.dumps(config))
        (tmp_path / "argosy.toml").write_text('[model]\nartifacts = "model"\n')
        found = runtime_of(project.load(tmp_path))
        assert found is not None
        assert found.lines == [f"transformers{wanted}", "numpy", f"torch=={TORCH}+cpu"]


@pytest.mark.parametrize(
    ("listed", "lines", "torch"),
    [
        ("mlflow==3.1\ntorch==2.12.0+cpu\n", ["mlflow-skinny==3.1", "numpy", "pandas"], "2.12.0"),
        (
            "tensorflow==2.20.0\npandas==3.0\n",
            ["tensorflow-cpu==2.20.0", "pandas==3.0", "mlflow-skinny==3.17.2", "numpy"],
            None,
        ),
        ("# nothing\n", ["mlflow-skinny==3.17.2", "numpy", "pandas"], None),
        ("mlflow==3.1\ntorch==2.12.0+cu126\n", ["mlflow-skinny==3.1", "numpy", "pandas"], "2.12.0"),
        ("mlflow==3.1\ntorch==2.1.0\n", ["mlflow-skinny==3.1", "numpy<2", "pandas"], "2.1.0"),
        (
            "mlflow==3.1\nscikit-learn==1.2.2\nnumpy==1.24.4\nxgboost==1.7.6\n",
            ["mlflow-skinny==3.1", "scikit-learn==1.2.2", "numpy==1.24.4", "xgboost-cpu==2.1.4", "pandas"],
            None,
        ),
    ],
)
def test_mlflows_own_requirements_become_builds_for_cpus(
    tmp_path: Path, listed: str, lines: list[str], torch: str | None
) -> None:
    copied("mlflow", tmp_path, "model")
    (tmp_path / "model/requirements.txt").write_text(listed)
    (tmp_path / "argosy.toml").write_text('[model]\nartifacts = "model"\nfile = "MLmodel"\n')
    found = runtime_of(project.load(tmp_path))
    assert found is not None
    assert sorted(found.requirements) == sorted(lines)
    assert found.torch == torch


def test_what_mlflow_alone_asks_for_is_left_out_where_nothing_else_may_want_it(tmp_path: Path) -> None:
    found = runtime(tmp_path, "mlflow", 'file = "MLmodel"')
    assert {"cryptography", "gitpython", "google-auth"} <= {*found.excluded}
    (tmp_path / "model/requirements.txt").write_text("mlflow==3.17.2\nsnowflake-connector-python\n")
    found_again = runtime_of(project.load(tmp_path))
    assert found_again is not None
    assert found_again.excluded == ()


@pytest.mark.parametrize(
    ("version", "lines"),
    [
        ("1.2.2", ["scikit-learn==1.2.2", "numpy<2"]),
        ("1.4.2", ["scikit-learn==1.4.2"]),
    ],
)
def test_what_was_built_before_numpy_2_gets_an_older_one(tmp_path: Path, version: str, lines: list[str]) -> None:
    content = (SAVED / "pipeline.pkl").read_bytes().replace(b"1.9.1", version.encode())
    made(tmp_path, "pipeline.pkl", 'file = "pipeline.pkl"')
    (tmp_path / "model/pipeline.pkl").write_bytes(content)
    found = runtime_of(project.load(tmp_path))
    assert found is not None
    assert found.lines == lines


def test_a_tensorflow_of_old_keeps_what_it_asks_for(tmp_path: Path) -> None:
    assert "setuptools" in runtime(tmp_path, "saved_model").excluded
    graph = tmp_path / "model/saved_model.pb"
    graph.write_bytes(graph.read_bytes().replace(b"2.21.0", b"2.12.0"))
    old = runtime_of(project.load(tmp_path))
    assert old is not None
    assert (old.lines, old.excluded) == (["tensorflow-cpu==2.12.0"], ())


@pytest.mark.parametrize(
    "line", ["./code/mine.whl", "--index-url http://127.0.0.1", "mine @ http://127.0.0.1/mine.whl"]
)
def test_a_requirement_that_is_no_distribution_is_told(tmp_path: Path, line: str) -> None:
    copied("mlflow", tmp_path, "model")
    (tmp_path / "model/requirements.txt").write_text(f"{line}\n")
    (tmp_path / "argosy.toml").write_text('[model]\nartifacts = "model"\nfile = "MLmodel"\n')
    with pytest.raises(ResolutionError, match=re.escape(f"got `{line}`")) as caught:
        runtime_of(project.load(tmp_path))
    assert 'dependencies = "requirements.txt"' in str(caught.value.hint)


def test_what_is_no_version_never_reaches_the_resolver(tmp_path: Path) -> None:
    path = tmp_path / "model/model.keras"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.15\n--index-url http://127.0.0.1"}))
        archive.writestr("config.json", "{}")
    (tmp_path / "argosy.toml").write_text('[model]\nartifacts = "model"\n')
    with pytest.raises(ResolutionError, match="records something else than a version of `keras`"):
        runtime_of(project.load(tmp_path))


def test_dependencies_of_ones_own_are_all_there_is(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("onnxruntime-openvino\n")
    own = made(tmp_path, "logistic.onnx", image='dependencies = "requirements.txt"')
    assert runtime_of(own) is None
    assert [given.kind for given in read_inputs(own)] == ["requirements file"]


def test_system_packages_of_a_flavor_are_added_once(tmp_path: Path) -> None:
    added = with_runtime(made(tmp_path, "lightgbm.txt"), None, tmp_path)
    assert added.image.system_packages == ("libgomp1",)
    pinned = made(tmp_path / "pinned", "lightgbm.txt", image='system_packages = ["libgomp1=12.2.0-14"]')
    assert with_runtime(pinned, None, tmp_path).image.system_packages == ("libgomp1=12.2.0-14",)


def test_the_lock_has_the_runtime_and_nothing_for_training(shop: Shop) -> None:
    shop.index.add("catboost", "1.2.10", "plotly", "six")
    shop.index.add("catboost", "1.3")
    for name in ("plotly", "six"):
        shop.index.add(name, "1.0")
    made(shop.root, "categories.cbm")
    found = lock(project.load(shop.root), "3.11", shop.environ, shop.said.append)
    assert {one.distribution: one.version for one in found.dependencies} == {"catboost": "1.2.10", "six": "1.0"}
    assert not [path for path in shop.index.requests if "plotly" in path]


def test_another_recorded_version_makes_the_lock_stale(shop: Shop) -> None:
    for version in ("1.2.10", "1.2.11"):
        shop.index.add("catboost", version)
    loaded = made(shop.root, "categories.cbm")
    lock(loaded, "3.11", shop.environ, shop.said.append)
    table = tomllib.loads((shop.root / LOCK_NAME).read_text())
    assert staleness(loaded, table, "3.11") is None
    path = shop.root / "model/categories.cbm"
    path.write_bytes(path.read_bytes().replace(b"tags/v1.2.10", b"tags/v1.2.11"))
    loaded = project.load(shop.root)
    assert staleness(loaded, table, "3.11") == "its inputs changed"
    assert lock(loaded, "3.11", shop.environ, shop.said.append).dependencies[0].version == "1.2.11"


def test_a_version_that_cannot_be_had_is_told_with_where_it_is_recorded(shop: Shop) -> None:
    shop.index.add("catboost", "1.3")
    loaded = made(shop.root, "categories.cbm")
    with pytest.raises(ResolutionError, match="what the saved model needs cannot be installed") as caught:
        lock(loaded, "3.11", shop.environ, shop.said.append)
    assert "want catboost==1.2.10" in caught.value.message
    assert "model/categories.cbm" in caught.value.message
    assert "catboost 1.2.10 is recorded there" in str(caught.value.hint)


def test_torch_for_cpus_is_taken_from_the_users_own_index(shop: Shop) -> None:
    shop.index.add("torch", "2.13.0")
    shop.index.add("torch", "2.13.0+cpu")
    shop.index.add("numpy", "2.4")
    made(shop.root, "linear.pt2")
    found = lock(project.load(shop.root), "3.11", shop.environ, shop.said.append)
    assert {one.distribution: one.version for one in found.dependencies} == {"numpy": "2.4", "torch": "2.13.0+cpu"}


def test_else_torch_is_taken_from_its_own_index_of_builds_for_cpus() -> None:
    needed = Runtime(None, ("numpy",), (), "2.13.0")
    asked: list[Requirements] = []

    def resolve(wanted: Requirements) -> Solution:
        asked.append(wanted)
        if len(asked) == 1:
            raise ResolutionError("no solution")
        return Solution([], Path(), frozenset())

    resolved_for(needed, Requirements(lines=needed.lines), resolve)
    assert [(one.lines, one.flags) for one in asked] == [
        (["numpy", "torch==2.13.0+cpu"], []),
        (["numpy", "torch==2.13.0"], ["--torch-backend", "cpu"]),
    ]
    asked.clear()
    with pytest.raises(ResolutionError, match="cannot be installed"):
        resolved_for(replace(needed, torch=None), Requirements(lines=["numpy"]), resolve)
    assert len(asked) == 1


def test_pytorchs_index_that_does_not_answer_is_told_with_what_else_may_stand_in() -> None:
    def resolve(asked: Requirements) -> Solution:
        if not asked.flags:
            raise ResolutionError("no solution")
        raise NetworkError("the package index does not answer", got="https://download.pytorch.org/whl/cpu/torch/")

    needed = Runtime(None, ("numpy",), torch="2.13.0")
    with pytest.raises(NetworkError, match="PyTorch's index of builds for CPUs does not answer") as caught:
        resolved_for(needed, Requirements(lines=needed.lines), resolve)
    assert "UV_FIND_LINKS=" in str(caught.value.hint)
