import io
import json
import pickle
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import joblib
import numpy as np
import pytest
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from argosy.flavors.estimators.saved_version import recorded, release
from tests.flavors.environments import EXAMPLES

ROWS = np.arange(40.0).reshape(10, 4)
MODEL = make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS, [0, 1] * 5)
HERE = frozenset({sklearn.__version__})


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_the_version_in_a_pickle(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(MODEL, protocol))
    assert recorded(path) == HERE


@pytest.mark.parametrize("compress", [0, 9, *((name, 3) for name in ("zlib", "gzip", "bz2", "xz", "lzma"))])
def test_the_version_in_what_joblib_writes(tmp_path: Path, compress: object) -> None:
    path = tmp_path / "model.joblib"
    joblib.dump(MODEL, path, compress=compress)
    assert recorded(path) == HERE


def test_the_version_behind_large_arrays(tmp_path: Path) -> None:
    """They are laid between the opcodes, and are larger than what is read at a time."""
    path = tmp_path / "model.joblib"
    rows = np.random.default_rng(0).random((20_000, 20))
    joblib.dump(KNeighborsClassifier().fit(rows, rows[:, 0] > 0.5), path)
    assert path.stat().st_size > 3 * 2**20
    assert recorded(path) == HERE


@given(ahead=st.integers(0, 400))
def test_the_version_across_two_reads(tmp_path_factory: pytest.TempPathFactory, ahead: int) -> None:
    path = tmp_path_factory.mktemp("model") / "model.pkl"
    path.write_bytes(b"\x80" + bytes(2**20 - ahead) + pickle.dumps(MODEL))
    assert recorded(path) == HERE


def test_all_versions_in_a_skops_file(tmp_path: Path) -> None:
    state = {"_sklearn_version": {"__class__": "str", "__loader__": "JsonNode", "content": '"1.7.2"', "__id__": 1}}
    other = {"_sklearn_version": {"__class__": "str", "__loader__": "JsonNode", "content": '"1.9.1"', "__id__": 2}}
    path = tmp_path / "model.skops"
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", json.dumps({"content": [state, other, state]}, indent=2))
    assert recorded(path) == {"1.7.2", "1.9.1"}
    assert recorded(EXAMPLES / "sklearn/model/iris.skops") == {"1.9.1"}


def test_what_names_none_has_none(tmp_path: Path) -> None:
    archive = io.BytesIO()
    with ZipFile(archive, "w") as other:
        other.writestr("readme.txt", "_sklearn_version")
    whole = EXAMPLES.joinpath("sklearn/model/iris.skops").read_bytes()
    compressed = tmp_path / "compressed.joblib"
    joblib.dump(MODEL, compressed, compress=9)
    for content in (
        b"",
        b"PK",
        pickle.dumps({"a": 1}),
        b"_sklearn_version",
        pickle.dumps({"_sklearn_version": None}),
        archive.getvalue(),
        whole[: len(whole) // 2],
        compressed.read_bytes()[:60],
        compressed.read_bytes()[:50] + bytes(100),
    ):
        path = tmp_path / "file"
        path.write_bytes(content)
        assert recorded(path) == frozenset(), content[:20]


def test_a_release_is_major_and_minor() -> None:
    assert [release(version) for version in ("1.9.1", "1.10.dev0", "0.24.2", "2")] == ["1.9", "1.10", "0.24", "2"]
