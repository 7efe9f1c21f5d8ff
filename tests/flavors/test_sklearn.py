import io
import json
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import joblib
import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from tests.flavors.environments import EXAMPLES, ROOT, environment, run
from tests.flavors.inside import load_errors
from tests.flavors.serving import Ended, direct, failed_start, serving
from tests.serving.server_process import ServerProcess, wait_until

EXAMPLE = EXAMPLES / "sklearn"
ROWS = np.loadtxt(EXAMPLE / "samples/job.csv", delimiter=",")
NAMES = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]
NPY: dict[str, Any] = {"Content_Type": "application/x-npy", "Accept": "application/x-npy"}
MODELS = """
import numpy as np, pandas as pd, skops.io
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PowerTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

rng = np.random.default_rng(0)
rows = rng.random((500, 4)) + 1
target = np.array(["no", "yes"])[(rows[:, 0] > rows[:, 1]).astype(int)]
frame = pd.DataFrame({"age": rows[:, 0], "town": rng.choice(["Ulm", "Bonn"], 500)})
models = {
    "histogram": HistGradientBoostingClassifier(max_iter=5).fit(rows, target),
    "table": make_pipeline(
        make_column_transformer((StandardScaler(), ["age"]), (OneHotEncoder(), ["town"])), DecisionTreeClassifier()
    ).fit(frame, target),
    "positive": make_pipeline(PowerTransformer("box-cox"), LogisticRegression()).fit(rows, target),
}
for name, model in models.items():
    skops.io.dump(model, name + ".skops")
np.save("rows.npy", rows)
np.save("histogram.npy", models["histogram"].predict_proba(rows))
np.save("table.npy", models["table"].predict(frame[:1]).astype(str))
"""
TRUSTED = "sklearn.tree._tree.Tree", "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The example, by two model processes that share what was loaded before they were forked."""
    with serving("sklearn", tmp_path_factory.mktemp("sklearn") / "log", ARGOSY_WORKERS="2") as found:
        yield found


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    run([environment("sklearn"), "-c", MODELS], cwd=folder)
    return folder


def npy(rows: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, rows)
    return file.getvalue()


def answer(server: ServerProcess, rows: np.ndarray) -> np.ndarray:
    reply = server.invoke(npy(rows), **NPY)
    assert reply.status == 200, reply.body
    found: np.ndarray = np.load(io.BytesIO(reply.body))
    return found


def project(folder: Path, file: Path | bytes, name: str = "model.skops", text: str = "") -> Path:
    """A project with one file, and more lines of argosy.toml."""
    (folder / "model").mkdir()
    content = file if isinstance(file, bytes) else file.read_bytes()
    (folder / "model" / name).write_bytes(content)
    head = '[model]\nflavor = "sklearn"\nartifacts = "model/"\n'
    (folder / "argosy.toml").write_text(head + textwrap.dedent(text))
    return folder


def archive(schema: bytes) -> bytes:
    """A skops file with nothing but what it says of itself."""
    file = io.BytesIO()
    with ZipFile(file, "w") as made:
        made.writestr("schema.json", schema)
    return file.getvalue()


def ended(folder: Path, name: str = "sklearn") -> Ended:
    """How a server ended that cannot load its model: with one clear line, and nothing of anybody else's."""
    found = failed_start(name, folder / "log", folder)
    assert found.exit_code == 1
    assert found.chatter == []
    return found


def test_served_is_what_scikit_learn_says(server: ServerProcess, tmp_path: Path) -> None:
    said = direct("sklearn", EXAMPLE / "samples/rows.npy", tmp_path / "said.npy")
    assert isinstance(said, np.ndarray)
    assert server.invoke((EXAMPLE / "samples/rows.npy").read_bytes(), **NPY).body == npy(said)
    assert json.loads(server.invoke((EXAMPLE / "samples/rows.json").read_bytes()).body) == said.tolist()
    reply = server.invoke((EXAMPLE / "samples/rows.csv").read_bytes(), Content_Type="text/csv")
    assert [[float(cell) for cell in row.split(",")] for row in reply.body.decode().split()] == said.tolist()


def test_a_row_is_the_same_beside_others(server: ServerProcess) -> None:
    whole = answer(server, ROWS)
    for number in range(0, len(ROWS), 10):
        np.testing.assert_array_equal(answer(server, ROWS[number : number + 1])[0], whole[number])


def test_names_put_columns_in_order(server: ServerProcess) -> None:
    order = [2, 0, 3, 1]
    row = ROWS[77]
    want = answer(server, row[np.newaxis]).tolist()
    assert json.loads(server.invoke([{NAMES[place]: row[place] for place in order}]).body) == want
    text = (
        ",".join(NAMES[place] for place in order) + "\n" + ",".join(repr(float(row[place])) for place in order) + "\n"
    )
    reply = server.invoke(text.encode(), Content_Type="text/csv; header=present", Accept="application/json")
    assert json.loads(reply.body) == want


def test_the_document_says_what_is_taken(server: ServerProcess) -> None:
    document = json.loads(server.request("GET", "/openapi.json").body)
    operation = document["paths"]["/invocations"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert schema["description"] == "`features` float64 (any, 4)"
    assert [form["items"]["required"] for form in schema["anyOf"] if "required" in form.get("items", {})] == [NAMES]
    given = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert (given["items"]["minItems"], given["items"]["maxItems"]) == (3, 3)


def test_what_the_model_does_not_take_is_told_without_its_value(server: ServerProcess) -> None:
    reply = server.invoke([[1.5, 2.5, 3.5]])
    assert (reply.status, "(any, 4)" in reply.error["message"]) == (400, True)
    reply = server.invoke([[1.5, 2.5, 3.5, 1e300]])
    assert reply.status == 400
    assert reply.error["message"].endswith("got infinity, or a number that is too large")


def test_a_process_that_is_forked_later_answers_as_the_first(server: ServerProcess) -> None:
    want = answer(server, ROWS)
    server.wait_loaded(2)
    first, *_ = before = server.model_pids()
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: len(server.model_pids()) == 2 and first not in server.model_pids(), 30, lambda: server.log)
    server.wait_loaded(2)
    assert set(server.model_pids()) != set(before)
    for _ in range(8):
        np.testing.assert_array_equal(answer(server, ROWS), want)


def test_openmp_in_forks_of_what_was_loaded_before(models: Path, tmp_path: Path) -> None:
    """Trees of histograms are predicted by OpenMP's threads, which no fork has."""
    more = f'[model.options]\nmethod = "predict_proba"\ntrusted = ["{TRUSTED[1]}"]\n'
    folder = project(tmp_path, models / "histogram.skops", text=more)
    with serving("sklearn", tmp_path / "log", folder, ARGOSY_WORKERS="2") as found:
        found.wait_loaded(2)
        rows, want = np.load(models / "rows.npy"), np.load(models / "histogram.npy")
        for _ in range(8):
            np.testing.assert_array_equal(answer(found, rows), want)


def test_a_table_of_texts_and_numbers(models: Path, tmp_path: Path) -> None:
    folder = project(tmp_path, models / "table.skops", text=f'[model.options]\ntrusted = ["{TRUSTED[0]}"]\n')
    row = {"town": "Ulm", "age": float(np.load(models / "rows.npy")[0, 0])}
    with serving("sklearn", tmp_path / "log", folder) as found:
        said = json.loads(found.invoke([row, row]).body)
        assert said[0] == said[1]
        assert said[0] in ("no", "yes")
        reply = found.invoke([{**row, "town": "Atlantis"}])
        assert (reply.status, "Atlantis" in reply.body.decode()) == (400, False)
        assert reply.error["message"].endswith("got a category that the model has not learnt")


def test_a_row_of_zeros_that_is_refused_is_no_fault_of_the_model(models: Path, tmp_path: Path) -> None:
    folder = project(tmp_path, models / "positive.skops")
    with serving("sklearn", tmp_path / "log", folder) as found:
        assert found.invoke([[1.0, 2.0, 3.0, 4.0]]).status == 200
        assert '"event":"example-refused"' in found.log


def test_models_that_cannot_be_loaded(tmp_path: Path) -> None:
    whole = (EXAMPLE / "model/iris.skops").read_bytes()
    (here,) = re.findall("^scikit-learn==(.+)$", (EXAMPLE / "requirements.txt").read_text(), re.MULTILINE)
    schema = ZipFile(io.BytesIO(whole)).read("schema.json")
    trusting: dict[str, object] = {"trusted": [TRUSTED[0]]}
    damaged = "the file cannot be read: it is damaged, or something else than its name says", "save the model again"
    cases: list[tuple[str, bytes, dict[str, object], tuple[str, str]]] = [
        ("half.skops", whole[: len(whole) // 2], trusting, damaged),
        ("zeros.skops", whole[:20_000] + bytes(20_000) + whole[40_000:], trusting, damaged),
        ("without-arrays.skops", archive(schema), trusting, damaged),
        (
            "newer.skops", archive(b'{"protocol": 99}'), trusting,
            ("the file was written by a newer skops", "pip install --upgrade skops"),
        ),
        (
            "untrusted.skops", whole, {},
            (f"the file holds types that skops does not trust: got `{TRUSTED[0]}`", "if the file is your own"),
        ),
        (
            "other.joblib", pickle.dumps({"_sklearn_version": "1.2.2"}), {"file": "other.joblib"},
            (f"got a file of 1.2.2, and {here} installed, want scikit-learn 1.2", "pip install scikit-learn==1.2.2"),
        ),
    ]  # fmt: skip
    folders: list[tuple[str, dict[str, object]]] = []
    for name, content, options, _ in cases:
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_bytes(content)
        folders.append((str(tmp_path / name), options))
    said = load_errors("sklearn", "argosy.flavors.sklearn:SklearnModel", folders)
    for (folder, _), (name, _, _, (what, hint)), error in zip(folders, cases, said, strict=True):
        first, _, rest = error.partition("\n")
        assert first.startswith(f"LoadError: {folder}/{name}: ") and what in first, error
        assert rest.startswith(f"\nhint: {hint}"), error


def test_a_server_with_a_pickle_that_the_project_does_not_name_ends(tmp_path: Path) -> None:
    folder = project(tmp_path, EXAMPLE / "model/iris.skops", "model.joblib")
    error = ended(folder).error
    assert error.startswith(f"{folder}/model: loading a pickle runs code in it")
    assert "hint: if the file is your own" in error


def test_a_framework_that_is_missing(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(EXAMPLE, tmp_path / "sklearn"))
    found = ended(folder, "lightgbm")  # whose environment has no scikit-learn
    assert "this flavor needs scikit-learn" in found.error
    assert "hint: pip install scikit-learn" in found.error


def test_a_named_pickle_keeps_to_the_threads_of_its_process(tmp_path: Path) -> None:
    """A forest that was saved with `n_jobs=-1` would take all processors in every model process."""
    (tmp_path / "model").mkdir()
    forest = RandomForestClassifier(4, n_jobs=-1, random_state=0).fit(ROWS, ROWS[:, 0] > 5)
    joblib.dump(forest, tmp_path / "model/forest.joblib")
    script = """
        from pathlib import Path
        import numpy as np, threadpoolctl
        from argosy.flavors.sklearn import SklearnModel
        assert not SklearnModel.load_before_fork
        model = SklearnModel()
        model.load(Path("model"))
        rows = np.loadtxt({rows!r}, delimiter=",")
        print(model.predict(rows).tolist() == np.load("said.npy").tolist(), model._model.n_jobs)
        print(sorted({{pool["num_threads"] for pool in threadpoolctl.threadpool_info()}}))
    """
    np.save(tmp_path / "said.npy", forest.predict(ROWS))
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script).format(rows=str(EXAMPLE / "samples/job.csv"))],
        cwd=tmp_path,
        env={
            "PYTHONPATH": str(ROOT / "src"),
            "OMP_NUM_THREADS": "1",
            "ARGOSY_FLAVOR_OPTIONS": '{"file": "forest.joblib"}',
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.splitlines() == ["True 1", "[1]"], done.stderr
