import io
import json
import os
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.flavors.environments import EXAMPLES, ROOT, environment, run
from tests.flavors.inside import load_errors
from tests.flavors.serving import direct, failed_start, serving
from tests.serving.server_process import ServerProcess, wait_until

EXAMPLE = EXAMPLES / "xgboost"
WINE = EXAMPLE / "model/wine.ubj"
ANALYSES = np.loadtxt(EXAMPLE / "samples/job.csv", delimiter=",")
NPY = "application/x-npy"
MEDIA_TYPES = {"npy": "application/x-npy", "json": "application/json", "csv": "text/csv"}
MODELS = """
import json, os, sys, warnings
from pathlib import Path

sys.path.insert(0, sys.argv[1])
os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np, pandas as pd, xgboost
from argosy.flavors.loading import options
from argosy.flavors.xgboost import XgboostModel

rng = np.random.default_rng(0)
rows = rng.normal(size=(300, 4)).astype(np.float32)
rows[rng.random(rows.shape) < 0.1] = np.nan
y = (np.nan_to_num(rows[:, 0]) > 0).astype(int)
z = np.nan_to_num(rows[:, 1]).round().clip(-1, 1).astype(int) + 1
codes = rows.copy()
codes[:, 3] = rng.integers(0, 9, 300)
table = pd.DataFrame({
    "size": rows[:, 0],
    "town": pd.Categorical(rng.choice(["Trier", "Ulm", "Bonn"], 300)),
    "code": pd.Categorical(rng.choice([7, 20, -3], 300)),
    "old": y == 1,
})
table.loc[5, ["town"]] = np.nan


def train(name, data, label, booster="gbtree", **parameters):
    told = {"booster": booster, "seed": 0, "nthread": 1, "verbosity": 0, "max_depth": 3, **parameters}
    if booster == "dart":
        told["rate_drop"] = 0.5
    info = parameters.pop("info", {})
    matrix = data if isinstance(data, xgboost.DMatrix) else xgboost.DMatrix(data, label, enable_categorical=True)
    return name, xgboost.train({k: v for k, v in told.items() if k != "info"}, matrix, 9), matrix


survival = xgboost.DMatrix(rows, label_lower_bound=z + 1.0, label_upper_bound=z + 2.0)
ranked = xgboost.DMatrix(rows, y, group=[100, 100, 100])
coded = xgboost.DMatrix(codes, y, feature_types=["q", "q", "q", "c"], enable_categorical=True)
models = [
    train("binary", rows, y, objective="binary:logistic"),
    train("softprob", rows, z, objective="multi:softprob", num_class=3),
    train("softmax", rows, z, objective="multi:softmax", num_class=3),
    train("regression", rows, z, objective="reg:squarederror"),
    train("poisson", rows, z, objective="count:poisson"),
    train("quantiles", rows, z, objective="reg:quantileerror", quantile_alpha=np.array([0.1, 0.9])),
    train("rank", ranked, None, objective="rank:ndcg"),
    train("survival", survival, None, objective="survival:aft"),
    train("dart", rows, z, "dart", objective="multi:softprob", num_class=3),
    train("linear", rows, z, "gblinear", objective="reg:squarederror"),
    train("coded", coded, None, objective="binary:logistic"),
    train("table", table, y, objective="binary:logistic"),
]
early = xgboost.XGBClassifier(n_estimators=30, learning_rate=1.0, early_stopping_rounds=3, n_jobs=1, random_state=0)
early.fit(rows[:200], rng.permutation(y[:200]), eval_set=[(rows[200:], y[200:])], verbose=False)
assert early.best_iteration + 1 < early.get_booster().num_boosted_rounds()
FLAGS = {"predict": {}, "output_margin": {"output_margin": True}, "pred_leaf": {"pred_leaf": True},
         "pred_contribs": {"pred_contribs": True}}
found = {}


def served(folder, method):
    os.environ["ARGOSY_FLAVOR_OPTIONS"] = json.dumps({"method": method})
    options.read.cache_clear()
    model = XgboostModel()
    model.load(folder)
    return model


def compare(name, method, model, given, said):
    whole = model.predict(given)
    parts = np.concatenate([model.predict(given[start : start + 7]) for start in range(0, 70, 7)])
    shape = model.signature().outputs[0]
    found[name + " " + method] = bool(
        np.array_equal(whole, said, equal_nan=True) and np.array_equal(parts, whole[:70], equal_nan=True)
        and whole.dtype == said.dtype == shape.dtype and whole.shape[1:] == shape.shape[1:]
    )


for name, booster, matrix in models:
    folder = Path(name)
    folder.mkdir()
    booster.save_model(folder / ("model.json" if name == "softprob" else "model.ubj"))
    given = table.astype({"town": object, "code": float}) if name == "table" else codes if name == "coded" else rows
    for method, flags in FLAGS.items():
        if (name, method) == ("linear", "pred_leaf"):
            continue
        compare(name, method, served(folder, method), given, booster.predict(matrix, **flags))
Path("early").mkdir()
early.save_model("early/model.json")
compare("early", "predict", served(Path("early"), "predict"), rows, early.predict_proba(rows)[:, 1])
compare("early", "predict_proba", served(Path("early"), "predict_proba"), rows, early.predict_proba(rows))
compare("early", "class", served(Path("early"), "class"), rows, early.predict(rows))
classifier = xgboost.XGBClassifier(n_estimators=3, n_jobs=1).fit(rows, z)
Path("classes").mkdir()
classifier.save_model("classes/model.ubj")
compare("classes", "class", served(Path("classes"), "class"), rows, classifier.predict(rows))
compare("classes", "predict_proba", served(Path("classes"), "predict_proba"), rows, classifier.predict_proba(rows))
(_, booster, matrix) = models[-1]
given = table.astype({"town": object, "code": float, "old": float}).iloc[:9]
assert XgboostModel.load_before_fork  # there is one thread
Path("rows.json").write_text(given.to_json(orient="records"))
Path("said.json").write_text(json.dumps(booster.predict(matrix)[:9].tolist()))
print(json.dumps(found))
"""
MADE_OF = 12 * 4 - 1 + 5
"""Comparisons: each model by four methods, but for the leaves of a linear one; and the estimators'."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The example, by two model processes with two threads each, so that each has loaded the model itself."""
    log = tmp_path_factory.mktemp("xgboost") / "log"
    with serving("xgboost", log, ARGOSY_WORKERS="2", OMP_NUM_THREADS="2") as found:
        yield found


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bool]]:
    """A folder with a model of each kind, and whether the flavor said of each what XGBoost says."""
    folder = tmp_path_factory.mktemp("models")
    output = run([environment("xgboost"), "-c", MODELS, ROOT / "src"], cwd=folder)
    return folder, json.loads(output.splitlines()[-1])


def npy(rows: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, rows)
    return file.getvalue()


def answer(server: ServerProcess, rows: np.ndarray) -> np.ndarray:
    reply = server.invoke(npy(rows), Content_Type=NPY, Accept=NPY)
    assert reply.status == 200, reply.body
    found: np.ndarray = np.load(io.BytesIO(reply.body))
    return found


def project(folder: Path, model: Path, text: str = "") -> Path:
    """A project with the files of a folder, or one file."""
    folder.mkdir(exist_ok=True)
    if model.is_dir():
        shutil.copytree(model, folder / "model")
    else:
        (folder / "model").mkdir()
        shutil.copy(model, folder / "model")
    (folder / "argosy.toml").write_text(f'[model]\nflavor = "xgboost"\nartifacts = "model/"\n{text}')
    return folder


def test_served_is_what_xgboost_says(server: ServerProcess, tmp_path: Path) -> None:
    said = direct("xgboost", EXAMPLE / "samples/rows.npy", tmp_path / "said.npy")
    assert isinstance(said, np.ndarray)
    for suffix, media_type in MEDIA_TYPES.items():  # the same rows
        body = (EXAMPLE / f"samples/rows.{suffix}").read_bytes()
        reply = server.invoke(body, Content_Type=media_type, Accept=media_type)
        assert reply.status == 200, reply.body
        if suffix == "npy":
            assert reply.body == npy(said)
            continue
        text = reply.body.decode()
        rows = json.loads(text) if suffix == "json" else [row.split(",") for row in text.split()]
        assert np.array_equal(np.array(rows, dtype=np.float32), said)


def test_a_row_is_the_same_beside_others(server: ServerProcess, tmp_path: Path) -> None:
    said = direct("xgboost", EXAMPLE / "samples/job.csv", tmp_path / "said.npy")
    assert isinstance(said, np.ndarray)
    np.testing.assert_array_equal(answer(server, ANALYSES), said)
    with ThreadPoolExecutor(8) as clients:  # what waits shares a call
        alone = list(clients.map(lambda row: answer(server, row[np.newaxis])[0], ANALYSES[::3]))
    np.testing.assert_array_equal(alone, said[::3])


def test_names_put_columns_in_order_and_null_is_missing(server: ServerProcess) -> None:
    names = json.loads(server.request("GET", "/openapi.json").body)["paths"]["/invocations"]["post"]["requestBody"][
        "content"
    ]["application/json"]["schema"]["anyOf"][2]["items"]["required"]
    assert names[0] == "alcohol"
    assert len(names) == 13
    row = [np.nan, *ANALYSES[7, 1:].tolist()]
    want = answer(server, np.array([row]))
    record = {name: None if np.isnan(cell) else cell for name, cell in zip(names, row, strict=True)}
    backwards = dict(reversed(record.items()))
    assert np.array_equal(np.array(json.loads(server.invoke([backwards]).body), dtype=np.float32), want)
    text = ",".join(backwards) + "\n" + ",".join("" if cell is None else repr(cell) for cell in backwards.values())
    reply = server.invoke(text.encode(), Content_Type="text/csv; header=present")
    assert np.array_equal(np.array([reply.body.decode().split(",")], dtype=np.float32), want)


def test_the_document_says_what_is_taken_and_given(server: ServerProcess) -> None:
    operation = json.loads(server.request("GET", "/openapi.json").body)["paths"]["/invocations"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert schema["description"] == "`features` float32 (any, 13)"
    given = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert (given["items"]["minItems"], given["items"]["maxItems"]) == (3, 3)


def test_what_the_model_does_not_take_is_told(server: ServerProcess) -> None:
    reply = server.invoke([[1.5, 2.5]])
    assert (reply.status, reply.error["message"]) == (
        400,
        "input `features`: the array has another shape: got (1, 2), want (any, 13)",
    )
    reply = server.invoke([[*ANALYSES[0, 1:].tolist(), 1e300]])
    assert reply.status == 400
    assert reply.error["message"] == "input `features`: a number is too large: want what `float32` holds"
    reply = server.invoke(npy(np.full((1, 13), np.inf)), Content_Type="application/x-npy")
    assert (reply.status, reply.error["message"]) == (400, "the model does not take these values: got infinity")


def test_each_method_of_each_kind_of_model(models: tuple[Path, dict[str, bool]]) -> None:
    _, found = models
    assert [name for name, is_same in found.items() if not is_same] == []
    assert len(found) == MADE_OF


def test_a_table_with_categories(models: tuple[Path, dict[str, bool]], tmp_path: Path) -> None:
    folder = project(tmp_path / "table", models[0] / "table")
    rows = json.loads((models[0] / "rows.json").read_text())
    said = json.loads((models[0] / "said.json").read_text())
    assert rows[5]["town"] is None
    # With one thread, so that it is loaded once and both processes are forked from there.
    with serving("xgboost", tmp_path / "log", folder, ARGOSY_WORKERS="2", OMP_NUM_THREADS="1") as server:
        assert "example-refused" not in server.log
        found = json.loads(server.invoke(rows).body)
        assert np.array_equal(np.array(found, dtype=np.float32), np.array(said, dtype=np.float32))
        reply = server.invoke([{**rows[0], "town": "Atlantis"}])
        assert (reply.status, "Atlantis" in reply.body.decode()) == (400, False)
        assert reply.error["message"] == "column `town`: a category is none that the model was trained on"
        server.wait_loaded(2)
        first, *_ = server.model_pids()
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: len(server.model_pids()) == 2 and first not in server.model_pids(), 30, lambda: server.log)
        server.wait_loaded(2)
        assert [json.loads(server.invoke(rows).body) for _ in range(6)] == [found] * 6


def test_models_that_cannot_be_loaded(models: tuple[Path, dict[str, bool]], tmp_path: Path) -> None:
    whole = WINE.read_bytes()
    newer = whole[:-7] + b"i\x09i\x00i\x01}"
    text = (models[0] / "softprob/model.json").read_bytes()
    objective = text.replace(b'"name":"multi:softprob"', b'"name":"multi:unknown1"')
    cases: list[tuple[str, bytes, dict[str, object], str]] = [
        ("empty.ubj", b"", {}, "the file is empty"),
        ("half.ubj", whole[: len(whole) // 2], {}, "not a whole model of XGBoost's: got no version"),
        ("middle.ubj", whole[:9000] + whole[9500:], {}, "XGBoost does not read the model"),
        ("middle.json", text[:9000] + text[9500:], {}, "XGBoost does not read the model"),
        ("newer.ubj", newer, {}, "got saved by 9.0.1, want at most 3.2 of xgboost-cpu"),
        ("objective.json", objective, {}, "Unknown objective function: `multi:unknown1`"),
        ("old.bin", b"binf" + bytes(99), {}, "XGBoost's old binary form"),
        ("method.ubj", whole, {"method": "guess"}, "got `guess`, want `predict`"),
        ("named.ubj", whole, {"file": "other.ubj"}, "there is no `other.ubj`"),
    ]
    folders: list[tuple[str, dict[str, object]]] = []
    for name, content, told, _ in cases:
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_bytes(content)
        folders.append((str(tmp_path / name), told))
    folders.append((str(models[0] / "linear"), {"method": "pred_leaf"}))
    folders.append((str(models[0] / "regression"), {"method": "predict_proba"}))
    said = load_errors("xgboost", "argosy.flavors.xgboost:XgboostModel", folders)
    wanted = [*(want for *_, want in cases), "the model does not answer", "got objective `reg:squarederror`"]
    for want, found, (folder, _) in zip(wanted, said, folders, strict=True):
        assert want in found
        assert found.startswith(f"LoadError: {folder}")
        assert "workspace" not in found  # of the machine that built XGBoost


def test_a_server_without_a_whole_model_ends(tmp_path: Path) -> None:
    (tmp_path / "half.ubj").write_bytes(WINE.read_bytes()[:5000])
    folder = project(tmp_path / "half", tmp_path / "half.ubj")
    found = failed_start("xgboost", tmp_path / "log", folder)
    assert found.exit_code == 1
    assert found.chatter == []
    assert found.error.startswith(f"{folder}/model/half.ubj: the file is not a whole model of XGBoost's")
    assert "hint: copy it again" in found.error


def test_a_server_without_xgboost_ends(tmp_path: Path) -> None:
    found = failed_start("catboost", tmp_path / "log", EXAMPLE)  # whose environment has no XGBoost
    assert found.exit_code == 1
    assert "this flavor needs xgboost-cpu" in found.error
    assert "hint: pip install xgboost-cpu" in found.error
