import pickle
import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from argosy.errors import LoadError
from argosy.flavors.estimators.saved_file import find, load, require_method
from argosy.flavors.loading.options import FlavorOptions

ROWS = np.arange(40.0).reshape(10, 4)
MODEL = make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS, [0, 1] * 5)
WHOLE = pickle.dumps(MODEL)


def refusal(content: bytes, path: Path) -> LoadError:
    path.write_bytes(content)
    with pytest.raises(LoadError) as caught:
        load(path)
    assert caught.value.where == path
    return caught.value


def test_a_pickle_is_loaded(tmp_path: Path) -> None:
    for name, write in {"model.joblib": joblib.dump, "model.pkl": lambda model, path: path.write_bytes(WHOLE)}.items():
        write(MODEL, tmp_path / name)
        np.testing.assert_array_equal(load(tmp_path / name).predict_proba(ROWS), MODEL.predict_proba(ROWS))


@pytest.mark.parametrize(
    ("content", "what", "got"),
    [
        (b"", "the model file is empty", None),
        (b"PK\x03\x04", "the model file has another format than its name says", "a zip file"),
        (b"version https://git-lfs", "the model file has another format than its name says", "a pointer of Git LFS"),
        (WHOLE[: len(WHOLE) // 2], "the file cannot be read", "UnpicklingError: pickle exhausted"),
        (WHOLE[:300] + b"\xff" * 100 + WHOLE[400:], "the file cannot be read", None),
        (b"hello world\n", "the file cannot be read", None),
        (pickle.dumps({"a": 1}), "the file holds no estimator", "`dict`"),
        (pickle.dumps(LogisticRegression()), "the estimator was saved before it was fitted", "`LogisticRegression`"),
        (b"\x80\x04cno_such_package\nModel\n.", "the file names a class that is not here", None),
        (b"\x80\x04csklearn.linear_model\nNoSuchModel\n.", "the file names a class that is not here", None),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, content: bytes, what: str, got: str | None) -> None:
    error = refusal(content, tmp_path / "model.joblib")
    assert error.what.startswith(what)
    assert got is None or str(error.got).startswith(got)


def test_a_class_that_is_not_here_is_told_with_what_brings_it(tmp_path: Path) -> None:
    hints = {
        b"\x80\x04cno_such_package\nModel\n.": "add its package",
        b"\x80\x04cnumpy.no_such_module\nModel\n.": "the file was written with another major version of numpy",
        b"\x80\x04c__main__\nNoSuchModel\n.": "save the model from a script that imports the class from a module",
    }
    for content, hint in hints.items():
        assert str(refusal(content, tmp_path / "model.pkl").hint).startswith(hint)


def test_a_pickle_in_a_skops_file_is_not_loaded(tmp_path: Path) -> None:
    error = refusal(WHOLE, tmp_path / "model.skops")
    assert (error.got, error.want) == ("a pickle", "a skops file")


@pytest.mark.parametrize("version", ["0.24.2", "1.8.0", "2.0.0"])
def test_another_version_is_told_before_anything_is_run(tmp_path: Path, version: str) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
            return Path.touch, (tmp_path / "ran",)  # type: ignore[return-value]  # one argument, whatever it is

    content = pickle.dumps({"_sklearn_version": version, "trap": Trap()})
    error = refusal(content, tmp_path / "model.joblib")
    assert f"a file of {version}, and {sklearn.__version__} installed" in str(error.got)
    assert error.hint == f"pip install scikit-learn=={version}"
    assert not (tmp_path / "ran").exists()
    assert any(code.name == "REDUCE" for code, _, _ in pickletools.genops(content))  # the trap is one


def test_another_version_further_inside_is_told_too(tmp_path: Path) -> None:
    """The first version in a pickle is read before it is loaded; what else there is shows while it is."""
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS, [0, 1] * 5)
    path = tmp_path / "model.joblib"

    def read(path: Path) -> Any:
        state = model[-1].__getstate__()
        model[-1].__setstate__({**state, "_sklearn_version": "1.2.0"})
        return joblib.load(path)

    joblib.dump(MODEL, path)
    with pytest.raises(LoadError, match="another version"):
        load(path, read)


def test_another_patch_of_the_same_version_will_do(tmp_path: Path) -> None:
    major, minor, patch = sklearn.__version__.split(".")
    other = f"{major}.{minor}.{int(patch) + 1}".encode()
    assert len(other) == len(sklearn.__version__)
    path = tmp_path / "model.joblib"
    path.write_bytes(WHOLE.replace(sklearn.__version__.encode(), other))
    assert load(path).predict(ROWS).shape == (10,)


def test_the_model_is_found(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="there is not"):
        find(tmp_path, FlavorOptions())
    (tmp_path / "model.pkl").write_bytes(WHOLE)
    with pytest.raises(LoadError, match="runs code in it") as caught:
        find(tmp_path, FlavorOptions())
    assert 'file = "model.pkl"' in str(caught.value.hint)
    assert find(tmp_path, FlavorOptions(file="model.pkl")) == tmp_path / "model.pkl"
    with ZipFile(tmp_path / "model.skops", "w"):
        pass
    assert find(tmp_path, FlavorOptions()) == tmp_path / "model.skops"


def test_a_method_that_is_not_there_is_told(tmp_path: Path) -> None:
    known = ("predict", "transform", "decision_function")
    require_method(tmp_path, MODEL, "decision_function", known)
    for method in ("transform", "fit", "predict_proba"):
        with pytest.raises(LoadError) as caught:
            require_method(tmp_path, MODEL, method, known)
        assert caught.value.want == "`predict` or `decision_function`"
        assert caught.value.hint == 'under [model.options] in argosy.toml: method = "predict"'
