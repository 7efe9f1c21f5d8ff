"""MLflow's model folders: served as `mlflow.pyfunc` predicts them, and clear words for what cannot be loaded."""

import csv
import io
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from argosy.flavors.mlflow import code_of
from tests.flavors.environments import example
from tests.flavors.inside import inside
from tests.flavors.serving import direct, failed_start, serving
from tests.serving.server_process import ServerProcess

PREDICTOR = "argosy.flavors.mlflow:MlflowModel"
NPY = "application/x-npy"
_MODELS = """
import os, pathlib
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
import mlflow.pyfunc, numpy as np, pandas as pd
from mlflow.models import ModelSignature, infer_signature
from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec
from argosy.errors import ArgosyError
from argosy.flavors.loading import options
from argosy.flavors.mlflow import MlflowModel
from argosy.serving.model.pipeline import Pipeline

folder = pathlib.Path(told["folder"])

class Scale(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input * (params or {}).get("factor", 1)

class Moments(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input):
        return model_input["at"].dt.year + model_input["n"]

class Names(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input: list[str]) -> list[str]:
        return [name.upper() for name in model_input]

class Broken(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input):
        raise mlflow.exceptions.MlflowException("the model's own fault")

class Total(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input):
        return {"total": model_input["a"] + model_input["b"], "a": model_input["a"]}

def save(name, model, **kwargs):
    requirements = ["mlflow==3.17.2", "pandas==3.1.1"]
    mlflow.pyfunc.save_model(folder / name, python_model=model, pip_requirements=requirements, **kwargs)

def served(name, **said):
    options.read.cache_clear()
    os.environ["ARGOSY_FLAVOR_OPTIONS"] = json.dumps({"file": "MLmodel", **said})
    model = MlflowModel()
    model.load(folder / name)
    return Pipeline(model, None)

def ask(pipeline, body):
    answer = pipeline.answer(b"application/json\\n", json.dumps(body).encode())
    return [answer.status, json.loads(bytes(answer.body))]

def params():
    frame = pd.DataFrame({"x": [1.0, 2.0]})
    schema = ParamSchema([ParamSpec("factor", "double", 3.0)])
    save("params", Scale(), signature=ModelSignature(infer_signature(frame).inputs, params=schema), input_example=frame)
    alone = served("params")
    other = {"dataframe_split": {"columns": ["y"], "data": [[1]]}}
    return {"default": ask(alone, [[2.0]]), "told": ask(served("params", arguments={"factor": 10.0}), [[2.0]]),
            "row_wise": [alone.is_row_wise, served("params", row_wise=True).is_row_wise],
            "example": alone.spec.example, "columns": ask(alone, other)}

def tensors():
    save("tensor", Scale(), signature=ModelSignature(Schema([TensorSpec(np.dtype("float32"), (-1, 2))])))
    save("named", Total(), signature=ModelSignature(
        Schema([TensorSpec(np.dtype("int64"), (-1,), "a"), TensorSpec(np.dtype("int64"), (-1,), "b")])))
    named, body = served("named"), {"inputs": {"a": [1, 2], "b": [10, 20]}}
    return {"one": ask(served("tensor"), [[1.5, 2]]), "narrow": ask(served("tensor"), [[1.5]]),
            "several": ask(named, body), "chosen": ask(served("named", outputs=["total"]), body)}

def moments():
    save("moments", Moments(), signature=ModelSignature(Schema([ColSpec("datetime", "at"), ColSpec("long", "n")])))
    pipeline = served("moments")
    return [ask(pipeline, [{"at": "2026-11-23T10:00:00", "n": 1}]), ask(pipeline, [{"at": "never", "n": 1}]),
            ask(pipeline, [{"at": "2026-11-23T10:00:00", "n": 1.5}])]

def names():
    save("names", Names(), input_example=["a"])
    pipeline = served("names")
    return [ask(pipeline, ["ada", "bob"]), pipeline.spec.example]

def broken():
    save("broken", Broken(), signature=infer_signature(pd.DataFrame({"x": [1.0]})))
    return ask(served("broken"), [[1.0]])

def unsigned():
    save("unsigned", Scale())
    return ask(served("unsigned"), [{"x": 2}])

answer({"params": params(), "tensors": tensors(), "moments": moments(), "names": names(), "broken": broken(),
        "unsigned": unsigned(), "faults": attempts(told["predictor"], told["faults"])})
"""


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, np.ndarray]]:
    """The server, and what MLflow says of the samples: asked while the server starts, since both take their time."""
    folder = tmp_path_factory.mktemp("mlflow")
    with serving("mlflow", folder / "log", wait=False) as running:
        want = direct("mlflow", sample("npy"), folder / "direct.npy")
        assert isinstance(want, np.ndarray)
        running.wait_ready()
        yield running, want


@pytest.fixture
def server(both: tuple[ServerProcess, np.ndarray]) -> ServerProcess:
    return both[0]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the flavor answers for other models than the example's, and says of broken ones, all in one process."""
    folder, copies = tmp_path_factory.mktemp("models"), tmp_path_factory.mktemp("faults")
    cases = list(faults(copies))
    told = [(str(broken), options) for broken, options, _ in cases]
    found: dict[str, Any] = inside("mlflow", _MODELS, folder=str(folder), predictor=PREDICTOR, faults=told)
    said = [each.get("error", "") for each in found["faults"]]
    found["faults"] = [(broken, want, line) for (broken, _, want), line in zip(cases, said, strict=True)]
    return found


def test_served_is_what_mlflow_says_to_the_last_bit(both: tuple[ServerProcess, np.ndarray]) -> None:
    server, want = both
    reply = server.invoke(sample("npy").read_bytes(), Content_Type=NPY, Accept=NPY)
    assert reply.status == 200, reply.body
    found = np.load(io.BytesIO(reply.body))
    assert (found.dtype, found.shape, found.tobytes()) == (want.dtype, want.shape, want.tobytes())
    assert np.array_equal(json.loads(server.invoke(sample("json").read_bytes()).body), want)
    from_csv = server.invoke(sample("csv").read_bytes(), Content_Type="text/csv", Accept="text/csv").body.decode()
    assert np.array_equal(np.array(list(csv.reader(io.StringIO(from_csv))), "float64"), want)


def test_all_forms_of_mlflows_own_server_are_understood(server: ServerProcess) -> None:
    split = json.loads(sample("json").read_bytes())["dataframe_split"]
    names, rows = split["columns"], split["data"]
    records = [dict(zip(names, row, strict=True)) for row in rows]
    columns = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    shuffled = {"columns": names[::-1], "data": [row[::-1] for row in rows]}
    bodies: list[object] = [{"dataframe_split": split}, {"dataframe_split": shuffled}, {"dataframe_records": records}]
    bodies += [{"instances": records}, {"inputs": columns}, {"inputs": rows}, {"instances": rows}, rows, records]
    replies = [server.invoke(body) for body in bodies]
    assert {reply.status for reply in replies} == {200}
    assert len({reply.body for reply in replies}) == 1


def test_rows_together_are_rows_one_by_one(server: ServerProcess) -> None:
    rows = np.load(sample("npy")).tolist()
    alone = [json.loads(server.invoke([row]).body)[0] for row in rows]
    np.testing.assert_allclose(json.loads(server.invoke(rows).body), alone, rtol=1e-12)


def test_the_schema_and_the_example_are_the_models(server: ServerProcess) -> None:
    said = json.loads(server.request("GET", "/openapi.json").body)["paths"]["/invocations"]["post"]
    body = said["requestBody"]["content"]["application/json"]
    assert "od280/od315_of_diluted_wines" in json.dumps(body["schema"])
    saved = json.loads((example("mlflow") / "model/serving_input_example.json").read_text())
    assert body["example"] == saved
    answer = said["responses"]["200"]["content"]["application/json"]["schema"]
    assert (answer["items"]["minItems"], answer["items"]["maxItems"]) == (3, 3)
    split = json.loads(sample("json").read_bytes())["dataframe_split"]
    short = {"columns": split["columns"][1:], "data": [row[1:] for row in split["data"]]}
    reply = server.invoke({"dataframe_split": short})
    assert reply.status == 400
    assert "want `alcohol`" in reply.error["message"]


def test_the_log_has_events_alone(server: ServerProcess) -> None:
    server.invoke(sample("json").read_bytes())
    assert [line for line in server.log.splitlines() if not line.startswith("{")] == []


def test_parameters_have_their_defaults_or_what_the_options_say(models: dict[str, Any]) -> None:
    found = models["params"]
    assert found["default"] == [200, [{"x": 6.0}]]
    assert found["told"] == [200, [{"x": 20.0}]]
    assert found["example"] == {"dataframe_split": {"columns": ["x"], "data": [[1.0], [2.0]]}}
    assert found["columns"][0] == 400


def test_a_model_of_python_code_shares_no_call_unless_its_owner_says_so(models: dict[str, Any]) -> None:
    assert models["params"]["row_wise"] == [False, True]


def test_tensors_are_arrays_by_their_names(models: dict[str, Any]) -> None:
    found = models["tensors"]
    assert found["one"] == [200, [[1.5, 2.0]]]
    assert found["narrow"][0] == 400
    assert found["several"] == [200, {"total": [11, 22], "a": [1, 2]}]
    assert found["chosen"] == [200, [11, 22]]


def test_times_are_read_and_mlflow_enforces_the_rest(models: dict[str, Any]) -> None:
    good, no_time, no_integer = models["moments"]
    assert good == [200, [2027]]
    assert (no_time[0], "column `at`" in no_time[1]["error"]["message"]) == (400, True)
    assert no_integer[0] == 400
    assert "Incompatible input types for column n" in no_integer[1]["error"]["message"]


def test_a_list_is_what_its_type_hint_says(models: dict[str, Any]) -> None:
    assert models["names"] == [[200, ["ADA", "BOB"]], ["a"]]


def test_a_fault_of_the_models_own_is_not_the_clients(models: dict[str, Any]) -> None:
    assert models["broken"][0] == 500


def test_without_a_signature_it_is_a_data_frame(models: dict[str, Any]) -> None:
    assert models["unsigned"] == [200, [{"x": 2}]]


def test_what_cannot_be_loaded_is_told_in_one_line(models: dict[str, Any]) -> None:
    for folder, want, said in models["faults"]:
        assert str(folder) in said.partition("\n")[0], (folder.name, said)
        assert all(words in said for words in want), (folder.name, said)


def test_a_server_that_cannot_load_ends_with_the_line(tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(example("mlflow"), project)
    damaged = project / "model/model.skops"
    damaged.write_bytes(damaged.read_bytes()[:9000])
    requirements = project / "model/requirements.txt"
    requirements.write_text(re.sub("pandas==.*", "pandas==2.0.0", requirements.read_text()))
    ended = failed_start("mlflow", tmp_path / "log", project)
    assert ended.exit_code == 1
    assert "MLflow cannot load the model: got BadZipFile" in ended.error
    assert ended.chatter == []
    differ = next(line for line in ended.log.splitlines() if '"event":"requirements-differ"' in line)
    assert [*json.loads(differ)["differences"]] == ["pandas"]


@pytest.mark.parametrize(
    ("flavors", "runs_code"),
    [
        ({"python_function": {"loader_module": "mlflow.catboost"}}, False),
        ({"python_function": {"loader_module": "mlflow.onnx"}, "onnx": {"data": "model.onnx"}}, False),
        ({"python_function": {"loader_module": "mlflow.xgboost"}, "xgboost": {}}, False),
        (
            {
                "python_function": {"loader_module": "mlflow.xgboost"},
                "xgboost": {"model_class": "xgboost.sklearn.XGBClassifier"},
            },
            False,
        ),
        ({"python_function": {"loader_module": "mlflow.xgboost"}, "xgboost": {"model_class": "os.abort"}}, True),
        ({"python_function": {"loader_module": "mlflow.lightgbm"}, "lightgbm": {}}, False),
        (
            {
                "python_function": {"loader_module": "mlflow.lightgbm"},
                "lightgbm": {"model_class": "lightgbm.sklearn.LGBMClassifier"},
            },
            True,
        ),
        (
            {"python_function": {"loader_module": "mlflow.sklearn"}, "sklearn": {"serialization_format": "skops"}},
            False,
        ),
        (
            {
                "python_function": {"loader_module": "mlflow.sklearn"},
                "sklearn": {"serialization_format": "skops", "skops_trusted_types": ["os.system"]},
            },
            True,
        ),
        ({"python_function": {"loader_module": "mlflow.sklearn"}, "sklearn": {}}, True),
        ({"python_function": {"loader_module": "mlflow.sklearn"}}, True),
        ({"python_function": {"loader_module": "mlflow.catboost", "code": "code"}}, True),
        ({"python_function": {"loader_module": "mlflow.pyfunc.model"}}, True),
        ({"python_function": {"loader_module": "mlflow.pytorch"}, "pytorch": {}}, True),
        ({"python_function": {"loader_module": "my_loader"}}, True),
    ],
)
def test_only_what_is_data_alone_is_loaded_without_the_owners_word(
    flavors: dict[str, dict[str, Any]], runs_code: bool
) -> None:
    assert (code_of(flavors) is not None) is runs_code


def sample(suffix: str) -> Path:
    return example("mlflow") / f"samples/rows.{suffix}"


def faults(folder: Path) -> Iterator[tuple[Path, dict[str, object], list[str]]]:
    """Copies of the model, each with another fault, and what has to be said of it."""

    def copy(name: str, before: str = "", after: str = "") -> Path:
        made = shutil.copytree(example("mlflow") / "model", folder / name)
        text = (made / "MLmodel").read_text()
        assert before in text
        (made / "MLmodel").write_text(text.replace(before, after) if before else text)
        return made

    made = copy("missing")
    (made / "MLmodel").unlink()
    yield made, {}, ["there is not an MLflow model (`MLmodel`)"]
    made = copy("empty")
    (made / "MLmodel").write_text("")
    yield made, {}, ["`MLmodel` is broken: got an empty file"]
    made = copy("no-yaml", "flavors:", "flavors: [")
    yield made, {}, ["`MLmodel` is broken: got "]
    made = copy("no-function", "python_function:", "spark:")
    yield made, {}, ["has no `python_function`: got `spark` and `sklearn`"]
    made = copy("newer", "mlflow_version: 3", "mlflow_version: 99")
    yield made, {}, ["a newer MLflow wrote the model: got MLflow 99.17.2", "pip install mlflow-skinny==99.17.2"]
    pickled = 'file = "MLmodel"'
    made = copy("pickle", "serialization_format: skops", "serialization_format: cloudpickle")
    yield made, {}, ["runs code of its own: got a pickle", pickled]
    made = copy("trusted", "skops_trusted_types: null", "skops_trusted_types: [os.system]")
    yield made, {}, ["runs code of its own: got the types that it says may be trusted: os.system", pickled]
    made = copy("loader", "loader_module: mlflow.sklearn", "loader_module: antigravity")
    yield made, {}, ["runs code of its own: got a pickle, or whatever `antigravity` loads", pickled]
    made = copy("code", "    loader_module:", "    code: code\n    loader_module:")
    yield made, {}, ["runs code of its own: got the Python files in `code`", pickled]
    made = copy("inner", "    loader_module:", "    data: inner\n    loader_module:")
    shutil.copytree(made, made / "inner")
    (made / "inner/MLmodel").write_text((made / "MLmodel").read_text().replace("format: skops", "format: pickle"))
    yield made, {}, ["runs code of its own: got whatever an `MLmodel` in `inner` names", pickled]
    made = copy("outside", "artifact_path: ", "artifact_path: ../")
    (made / "serving_input_example.json").unlink()
    (folder / "input_example.json").write_text('["nothing to show"]')
    yield made, {}, ["the model's example leads out of its folder: got `../"]
    made = copy("no-library", "loader_module: mlflow.sklearn", "loader_module: mlflow.onnx")
    yield made, {}, ["the model needs what is not installed", "onnxruntime", "requirements.txt"]
    made = copy("truncated")
    (made / "model.skops").write_bytes((made / "model.skops").read_bytes()[:9000])
    yield made, {}, ["MLflow cannot load the model: got BadZipFile"]
    made = copy("no-file")
    (made / "model.skops").unlink()
    yield made, {}, ["MLflow cannot load the model: got "]
    made = copy("broken-example")
    (made / "serving_input_example.json").write_text("{")
    yield made, {}, ["serving_input_example.json: the model's example is broken"]
    made = copy("other-file")
    yield made, {"file": "conda.yaml"}, ["there is no `MLmodel`: got `conda.yaml`"]
