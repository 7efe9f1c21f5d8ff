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

EXAMPLE = EXAMPLES / "catboost"
PENGUINS = EXAMPLE / "model/penguins.cbm"
ROWS = json.loads((EXAMPLE / "samples/rows.json").read_text())
JOB = (EXAMPLE / "samples/job.csv").read_text().splitlines()
NPY = "application/x-npy"
MODELS = """
import json, os, sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])
os.environ["OMP_NUM_THREADS"] = "1"
import catboost, numpy as np, pandas as pd
from argosy.flavors.catboost import CatboostModel
from argosy.flavors.loading import options

rng = np.random.default_rng(0)
rows = rng.normal(size=(300, 3)).astype(np.float32)
rows[rng.random(rows.shape) < 0.1] = np.nan
names = pd.DataFrame(rows, columns=["a", "b", "c"])
y = (np.nan_to_num(rows[:, 0]) > 0).astype(int)
z = np.nan_to_num(rows[:, 1]).round().clip(-1, 1).astype(int) + 1
table = names.astype(float).assign(
    code=rng.integers(0, 5, 300),
    town=rng.choice(["Köln", "Ulm", ""], 300),
    text=rng.choice(["so good", "not so bad"], 300),
)
by_name = {
    name: column.astype(str).to_numpy(object) if name in ("code", "town", "text") else column.to_numpy()
    for name, column in table.items()
}
embedded = names.assign(vector=list(rng.normal(size=(300, 4))))
HOW = dict(iterations=6, depth=3, random_seed=0, thread_count=1, verbose=False, allow_writing_files=False)
C, R, K = catboost.CatBoostClassifier, catboost.CatBoostRegressor, catboost.CatBoostRanker
found = {}


def served(folder, method):
    os.environ["ARGOSY_FLAVOR_OPTIONS"] = json.dumps({"method": method})
    options.read.cache_clear()
    model = CatboostModel()
    model.load(folder)
    return model


def part(given, rows):
    return {name: cells[rows] for name, cells in given.items()} if isinstance(given, dict) else given[rows]


def compare(name, method, model, given, said):
    whole = model.predict(given)
    parts = np.concatenate([model.predict(part(given, slice(start, start + 7))) for start in range(0, 70, 7)])
    told = model.signature().outputs[0]
    is_text = whole.dtype.kind == "U" and told.dtype == "str" and said.dtype == object
    found[name + " " + method] = bool(
        np.array_equal(whole, said) and np.array_equal(parts, whole[:70])
        and (is_text or whole.dtype == said.dtype == told.dtype) and whole.shape[1:] == told.shape[1:]
    )


def train(name, estimator, data, label, given=rows, suffix="cbm", **said):
    estimator.fit(data, label, **said)
    folder = Path(name)
    folder.mkdir()
    estimator.save_model(folder / f"model.{suffix}", format=suffix)
    if suffix == "json":  # whose numbers are rounded: what it says is what the file says
        estimator = type(estimator)().load_model(folder / "model.json", format="json")
    compare(name, "predict", served(folder, "predict"), given, estimator.predict(data))
    raw = {} if type(estimator) is K else {"prediction_type": "RawFormulaVal"}
    compare(name, "raw", served(folder, "raw"), given, estimator.predict(data, **raw))
    if type(estimator) is C:
        for method in ("predict_proba", "predict_log_proba"):
            compare(name, method, served(folder, method), given, getattr(estimator, method)(data))
    return estimator


train("texts", C(**HOW), rows, np.where(y, "no", "yes"))
train("several", C(**HOW), rows, np.array(["Adelie", "Gentoo", "Chinstrap"])[z])
train("numbers", C(**HOW), rows, z)
train("truths", C(**HOW), rows, y == 1)
train("labels", C(loss_function="MultiLogloss", **HOW), rows, np.stack([y, 1 - y], 1))
train("regression", R(**HOW), names, z, suffix="json")
train("poisson", R(loss_function="Poisson", **HOW), rows, z)
train("tweedie", R(loss_function="Tweedie:variance_power=1.5", **HOW), rows, z)
train("uncertain", R(loss_function="RMSEWithUncertainty", **HOW), rows, z)
train("quantiles", R(loss_function="MultiQuantile:alpha=0.1,0.9", **HOW), rows, z)
train("rank", K(**HOW), rows, y, group_id=np.arange(300) // 10)
train("unsymmetric", C(grow_policy="Lossguide", **HOW), rows, y)
of_table = C(cat_features=["code", "town"], text_features=["text"], **HOW)
train("table", of_table, table, np.array(["so", "so not", "no"])[z], by_name)
Path("embedded").mkdir()
C(embedding_features=["vector"], **HOW).fit(embedded, y).save_model("embedded/model.cbm")
names = [list(served(Path(name), "raw").signature().features) for name in ("regression", "rank")]
Path("names.json").write_text(json.dumps(names))
print(json.dumps(found))
"""
MADE_OF = 13 * 2 + 7 * 2
"""Comparisons: each model by two methods, one of classes by two more."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The example, by two model processes with two threads each, which share what was loaded before the fork."""
    log = tmp_path_factory.mktemp("catboost") / "log"
    with serving("catboost", log, ARGOSY_WORKERS="2", OMP_NUM_THREADS="2") as found:
        yield found


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bool]]:
    """A folder with a model of each kind, and whether the flavor said of each what CatBoost says."""
    folder = tmp_path_factory.mktemp("models")
    output = run([environment("catboost"), "-c", MODELS, ROOT / "src"], cwd=folder)
    return folder, json.loads(output.splitlines()[-1])


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """What CatBoost says of all penguins."""
    found = direct("catboost", EXAMPLE / "samples/job.csv", tmp_path_factory.mktemp("said") / "said.npy")
    assert isinstance(found, np.ndarray)
    return found


def answer(server: ServerProcess, lines: list[str]) -> np.ndarray:
    reply = server.invoke("\n".join(lines).encode(), Content_Type="text/csv", Accept=NPY)
    assert reply.status == 200, reply.body
    found: np.ndarray = np.load(io.BytesIO(reply.body))
    return found


def project(folder: Path, model: Path, text: str = "") -> Path:
    """A project with one file."""
    (folder / "model").mkdir(parents=True)
    shutil.copy(model, folder / "model")
    (folder / "argosy.toml").write_text(f'[model]\nflavor = "catboost"\nartifacts = "model/"\n{text}')
    return folder


def test_served_is_what_catboost_says(server: ServerProcess, tmp_path: Path) -> None:
    said = direct("catboost", EXAMPLE / "samples/rows.json", tmp_path / "said.npy")
    for suffix, media_type in (("json", "application/json"), ("csv", "text/csv")):  # the same rows
        body = (EXAMPLE / f"samples/rows.{suffix}").read_bytes()
        exact = server.invoke(body, Content_Type=media_type, Accept=NPY)
        np.testing.assert_array_equal(np.load(io.BytesIO(exact.body)), said)
        text = server.invoke(body, Content_Type=media_type, Accept=media_type).body.decode()
        rows = json.loads(text) if suffix == "json" else [row.split(",") for row in text.split()]
        np.testing.assert_array_equal(np.array(rows, dtype=float), said)


def test_a_row_is_the_same_beside_others(server: ServerProcess, said: np.ndarray) -> None:
    np.testing.assert_array_equal(answer(server, JOB), said)
    with ThreadPoolExecutor(8) as clients:  # what waits shares a call
        alone = list(clients.map(lambda line: answer(server, [line])[0], JOB[::6]))
    np.testing.assert_array_equal(alone, said[::6])


def test_forms_of_a_row(server: ServerProcess) -> None:
    row = ROWS[1]
    assert row["bill_length_mm"] is None  # missing
    want = json.loads(server.invoke([row]).body)
    backwards = dict(reversed(row.items()))
    columns = {name: [cell] for name, cell in backwards.items()}
    for body in ([backwards], columns, {"instances": [backwards]}, {"inputs": columns}, [list(row.values())]):
        reply = server.invoke(body)
        assert json.loads(reply.body) == want, body
    text = ",".join(backwards) + "\n" + ",".join("" if cell is None else str(cell) for cell in backwards.values())
    reply = server.invoke(text.encode(), Content_Type="text/csv; header=present", Accept="application/json")
    assert json.loads(reply.body) == want


def test_the_document_says_what_is_taken_and_given(server: ServerProcess) -> None:
    operation = json.loads(server.request("GET", "/openapi.json").body)["paths"]["/invocations"]["post"]
    taken = operation["requestBody"]["content"]["application/json"]["schema"]["anyOf"][0]["properties"]
    assert list(taken) == list(ROWS[0])
    assert taken["island"] == {"type": "array", "items": {"type": "string"}}
    assert taken["body_mass_g"] == {"type": "array", "items": {"type": ["number", "null"]}}
    given = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert (given["items"]["minItems"], given["items"]["maxItems"]) == (3, 3)


def test_what_the_model_does_not_take_is_told(server: ServerProcess) -> None:
    reply = server.invoke([{name: cell for name, cell in ROWS[0].items() if name != "sex"}])
    assert reply.status == 400
    assert "`sex`" in reply.error["message"]
    reply = server.invoke([{**ROWS[0], "sex": None}])
    assert (reply.status, reply.error["message"]) == (400, "input `sex`: cell 1 is not text: got null")
    reply = server.invoke([{**ROWS[0], "body_mass_g": "heavy"}])
    assert (reply.status, "heavy" in reply.body.decode()) == (400, False)
    reply = server.invoke({**{name: [cell, cell] for name, cell in ROWS[0].items()}, "sex": ["male"]})
    assert (reply.status, "differ in rows" in reply.error["message"]) == (400, True)


def test_a_process_that_is_forked_later_answers_as_the_first(server: ServerProcess, said: np.ndarray) -> None:
    server.wait_loaded(2)
    first, *_ = before = server.model_pids()
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: len(server.model_pids()) == 2 and first not in server.model_pids(), 30, lambda: server.log)
    server.wait_loaded(2)
    assert set(server.model_pids()) != set(before)
    for _ in range(6):  # enough rows for two threads, by both processes
        np.testing.assert_array_equal(answer(server, JOB), said)


def test_each_method_of_each_kind_of_model(models: tuple[Path, dict[str, bool]]) -> None:
    folder, found = models
    assert [name for name, is_same in found.items() if not is_same] == []
    assert len(found) == MADE_OF
    assert json.loads((folder / "names.json").read_text()) == [["a", "b", "c"], []]


def test_models_that_cannot_be_loaded(models: tuple[Path, dict[str, bool]], tmp_path: Path) -> None:
    whole = PENGUINS.read_bytes()
    newer = whole.replace(b"tags/v1.2.10", b"tags/v9.2.10")
    text = (models[0] / "regression/model.json").read_bytes()
    cases: list[tuple[str, bytes, dict[str, object], str]] = [
        ("empty.cbm", b"", {}, "the file is empty"),
        ("half.cbm", whole[: len(whole) // 2], {}, "CatBoost does not read the model"),
        ("end.cbm", whole[:-3], {}, "CatBoost does not read the model"),
        ("middle.cbm", whole[:900] + whole[1400:], {}, "CatBoost does not read the model"),
        ("half.json", text[: len(text) // 2], {}, "the file is not whole JSON"),
        ("other.json", b'{"learner": {}}', {}, "JSON without `features_info`"),
        ("newer.cbm", newer, {}, "got saved by 9.2.10, want at most 1.2 of catboost"),
        ("method.cbm", whole, {"method": "guess"}, "got `guess`, want `predict`"),
        ("named.cbm", whole, {"file": "other.cbm"}, "there is no `other.cbm`"),
    ]
    folders: list[tuple[str, dict[str, object]]] = []
    for name, content, told, _ in cases:
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_bytes(content)
        folders.append((str(tmp_path / name), told))
    folders.append((str(models[0] / "embedded"), {}))
    folders.append((str(models[0] / "regression"), {"method": "predict_proba"}))
    said = load_errors("catboost", "argosy.flavors.catboost:CatboostModel", folders)
    wanted = [*(want for *_, want in cases), "the model takes embeddings", "`predict_proba` is for a model of classes"]
    for want, found, (folder, _) in zip(wanted, said, folders, strict=True):
        assert want in found
        assert found.startswith(f"LoadError: {folder}")
        assert ".cpp" not in found  # a place in CatBoost's sources


def test_a_server_with_half_a_model_ends(tmp_path: Path) -> None:
    (tmp_path / "half.cbm").write_bytes(PENGUINS.read_bytes()[:5000])
    folder = project(tmp_path / "half", tmp_path / "half.cbm")
    found = failed_start("catboost", tmp_path / "log", folder)
    assert found.exit_code == 1
    assert found.chatter == []
    assert found.error.startswith(f"{folder}/model/half.cbm: CatBoost does not read the model")
    assert "hint: copy it again" in found.error


def test_a_server_without_catboost_ends(tmp_path: Path) -> None:
    found = failed_start("xgboost", tmp_path / "log", EXAMPLE)  # whose environment has no CatBoost
    assert found.exit_code == 1
    assert "this flavor needs catboost" in found.error
    assert "hint: pip install catboost" in found.error
