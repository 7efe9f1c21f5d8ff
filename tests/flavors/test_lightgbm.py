import importlib.metadata
import io
import json
import shutil
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.flavors.environments import EXAMPLES, ROOT, environment, run
from tests.flavors.inside import inside, load_errors
from tests.flavors.serving import Ended, direct, failed_start, serving
from tests.serving.server_process import ServerProcess

EXAMPLE = EXAMPLES / "lightgbm"
ROWS = np.loadtxt(EXAMPLE / "samples/job.csv", delimiter=",")
NAMES = ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"]
NPY: dict[str, Any] = {"Content_Type": "application/x-npy", "Accept": "application/x-npy"}
FRAMES = """
import sys
sys.path.append(sys.argv[1])
import lightgbm, numpy as np, pandas as pd

rng = np.random.default_rng(0)
frame = pd.DataFrame({
    "age": rng.normal(size=400),
    "town": pd.Categorical(rng.choice(["Bonn", "Kiel", "Ulm"], 400)),
    "rooms": pd.Categorical(rng.choice([1, 2, 4], 400)),
    "new": rng.random(400) > 0.5,
})
target = np.where(frame.town == "Ulm", 3.0, frame.rooms.astype(float)) + frame.age * frame.new
how = {"objective": "regression", "verbose": -1, "num_threads": 1, "min_data_in_leaf": 5, "min_data_per_group": 5}
model = lightgbm.train(how, lightgbm.Dataset(frame, target), 20)
model.save_model("frame.txt")
np.save("frame.npy", model.predict(frame))
frame.astype({"town": object, "rooms": int, "new": int}).to_json("frame.json", orient="records")
ordered = frame.assign(rooms=frame.rooms.cat.as_ordered())
lightgbm.train(how, lightgbm.Dataset(ordered, target), 2).save_model("ordered.txt")
classes = lightgbm.train({**how, "objective": "multiclass", "num_class": 3}, lightgbm.Dataset(
    frame[["age"]].to_numpy(), frame.town.cat.codes), 5)
classes.save_model("classes.txt")
rows = frame[["age"]].to_numpy()[:7]
np.savez("classes.npz", rows=rows, predict=classes.predict(rows), raw_score=classes.predict(rows, raw_score=True),
    pred_leaf=classes.predict(rows, pred_leaf=True), pred_contrib=classes.predict(rows, pred_contrib=True))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with serving("lightgbm", tmp_path_factory.mktemp("lightgbm") / "log", ARGOSY_WORKERS="2") as found:
        yield found


@pytest.fixture(scope="module")
def pandas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the pandas of the tests, for an environment that has none."""
    folder = tmp_path_factory.mktemp("pandas")
    for name in ("pandas", "python-dateutil", "six"):
        try:
            files = importlib.metadata.files(name) or []
        except importlib.metadata.PackageNotFoundError:  # not every dateutil needs six
            continue
        for top in {file.parts[0] for file in files} - {"..", "__pycache__"}:
            found = Path(str(files[0].locate())).parents[len(files[0].parts) - 1] / top
            (folder / top).symlink_to(found)
    return folder


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, pandas: Path) -> Path:
    folder = tmp_path_factory.mktemp("models")
    run([environment("lightgbm"), "-c", FRAMES, pandas], cwd=folder)
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


def project(folder: Path, content: bytes, text: str = "") -> Path:
    """A project with one file, and more lines of argosy.toml."""
    (folder / "model").mkdir()
    (folder / "model/model.txt").write_bytes(content)
    head = '[model]\nflavor = "lightgbm"\nartifacts = "model/"\n'
    (folder / "argosy.toml").write_text(head + textwrap.dedent(text))
    return folder


def ended(folder: Path, name: str = "lightgbm", **environ: str) -> Ended:
    """How a server ended that cannot load its model: with one clear line, and nothing of anybody else's."""
    found = failed_start(name, folder / "log", folder, **environ)
    assert found.exit_code == 1
    assert found.chatter == []
    return found


def test_served_is_what_lightgbm_says(server: ServerProcess, tmp_path: Path) -> None:
    said = direct("lightgbm", EXAMPLE / "samples/rows.npy", tmp_path / "said.npy")
    assert isinstance(said, np.ndarray)
    assert server.invoke((EXAMPLE / "samples/rows.npy").read_bytes(), **NPY).body == npy(said)
    assert json.loads(server.invoke((EXAMPLE / "samples/rows.json").read_bytes()).body) == said.tolist()
    reply = server.invoke((EXAMPLE / "samples/rows.csv").read_bytes(), Content_Type="text/csv")
    assert [float(row) for row in reply.body.decode().split()] == said.tolist()


def test_a_row_is_the_same_beside_others(server: ServerProcess) -> None:
    whole = answer(server, ROWS)
    for number in range(0, len(ROWS), 20):
        np.testing.assert_array_equal(answer(server, ROWS[number : number + 1])[0], whole[number])


def test_names_put_columns_in_order(server: ServerProcess) -> None:
    row = dict(zip(NAMES, ROWS[5].tolist(), strict=True))
    want = answer(server, ROWS[5:6]).tolist()
    assert json.loads(server.invoke([dict(reversed(row.items()))]).body) == want
    missing = server.invoke([{name: row[name] for name in NAMES[1:]}])
    assert (missing.status, "`age`" in missing.error["message"]) == (400, True)
    assert server.invoke([[1.0, 2.0]]).status == 400


def test_a_missing_value_is_one_for_the_trees(server: ServerProcess) -> None:
    row = ROWS[5:6].copy()
    row[0, 2] = np.nan
    want = answer(server, row).tolist()
    assert json.loads(server.invoke([[None if cell != cell else cell for cell in row[0].tolist()]]).body) == want


def test_the_document_says_what_is_taken(server: ServerProcess) -> None:
    document = json.loads(server.request("GET", "/openapi.json").body)
    operation = document["paths"]["/invocations"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert schema["description"] == "`features` float64 (any, 10)"
    assert [form["items"]["required"] for form in schema["anyOf"] if "required" in form.get("items", {})] == [NAMES]


def test_categories_are_sent_as_they_were_in_the_frame(models: Path, pandas: Path, tmp_path: Path) -> None:
    folder = project(tmp_path, (models / "frame.txt").read_bytes())
    rows, want = json.loads((models / "frame.json").read_text()), np.load(models / "frame.npy").tolist()
    with serving("lightgbm", tmp_path / "log", folder, PYTHONPATH=f"{ROOT / 'src'}:{pandas}") as found:
        assert json.loads(found.invoke(rows).body) == want
        lines = [",".join(str(cell) for cell in row.values()) for row in rows]
        reply = found.invoke("\n".join(lines).encode(), Content_Type="text/csv", Accept="application/json")
        assert json.loads(reply.body) == want
        unknown, missing = ({**rows[0], "town": town} for town in ("Atlantis", None))
        assert json.loads(found.invoke([unknown]).body) == json.loads(found.invoke([missing]).body)


def test_methods(models: Path) -> None:
    """Each is what LightGBM gives for the argument of that name, in the shape that the signature says."""
    code = """
import numpy as np
from argosy.flavors.lightgbm import LightgbmModel
from argosy.flavors.loading import options
said, found = np.load(told["folder"] + "/classes.npz"), {}
for method in told["methods"]:
    os.environ["ARGOSY_FLAVOR_OPTIONS"] = json.dumps({"method": method, "file": "classes.txt"})
    options.read.cache_clear()
    model = LightgbmModel()
    model.load(pathlib.Path(told["folder"]))
    given, (output,) = model.predict(said["rows"]), model.signature().outputs
    found[method] = [
        bool(np.array_equal(given, said[method])),
        (output.dtype, output.shape) == (str(given.dtype), (None, *given.shape[1:])),
    ]
answer(found)
"""
    methods = ["predict", "raw_score", "pred_leaf", "pred_contrib"]
    assert inside("lightgbm", code, folder=str(models), methods=methods) == {method: [True, True] for method in methods}


def test_models_that_cannot_be_loaded(models: Path, tmp_path: Path) -> None:
    whole = (EXAMPLE / "model/diabetes.txt").read_bytes()
    cases: dict[str, tuple[bytes, dict[str, object], str]] = {
        "half": (whole[: len(whole) // 2], {}, "the file is damaged or cut off in `Tree="),
        "empty": (b"", {}, "the model file is empty: want a LightGBM model"),
        "method": (whole, {"method": "transform"}, "a LightGBM model has no `transform`"),
        "ordered": (
            (models / "ordered.txt").read_bytes(), {},
            "the file does not say which columns its categories belong to: got 2 columns of categories, 1",
        ),
        "frame": (
            (models / "frame.txt").read_bytes(), {},
            "the model has categories of a data frame, and pandas is not here",
        ),
    }  # fmt: skip
    folders: list[tuple[str, dict[str, object]]] = []
    for name, (content, options, _) in cases.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.txt").write_bytes(content)
        folders.append((str(tmp_path / name), options))
    said = load_errors("lightgbm", "argosy.flavors.lightgbm:LightgbmModel", folders)
    for (folder, _), (_, _, what), error in zip(folders, cases.values(), said, strict=True):
        first, _, rest = error.partition("\n")
        assert first.startswith("LoadError: ") and what in first, error
        assert folder in first or folder.endswith("/method"), error  # which is no fault of the file
        assert rest.startswith("\nhint: "), error


def test_a_server_with_half_a_model_ends(tmp_path: Path) -> None:
    folder = project(tmp_path, (EXAMPLE / "model/diabetes.txt").read_bytes()[:9000])
    error = ended(folder).error
    assert error.startswith(f"{folder}/model/model.txt: the file is damaged or cut off in `Tree=")
    assert "hint: " in error


def test_a_framework_that_is_missing(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(EXAMPLE, tmp_path / "lightgbm"))
    found = ended(folder, "sklearn")  # whose environment has no LightGBM
    assert "this flavor needs lightgbm" in found.error
    assert "hint: pip install lightgbm" in found.error
