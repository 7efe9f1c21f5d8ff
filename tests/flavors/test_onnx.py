import io
import json
import re
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path

import numpy as np
import pytest

from tests.flavors.environments import EXAMPLES
from tests.flavors.inside import signatures
from tests.flavors.saved_models import MODELS, Damage, project
from tests.flavors.serving import direct, failed_start, serving
from tests.serving.server_process import ServerProcess

SAMPLES = EXAMPLES / "onnx/samples"
FLAVOR = "argosy.flavors.onnx:OnnxModel"
JSON, CSV, NPY = "application/json", "text/csv", "application/x-npy"


@pytest.fixture(scope="module")
def file_types(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with serving("onnx", tmp_path_factory.mktemp("onnx") / "log") as server:
        yield server


def npy(body: bytes) -> np.ndarray:
    found: np.ndarray = np.load(io.BytesIO(body), allow_pickle=False)
    return found


def read(body: bytes, content_type: str) -> np.ndarray:
    if content_type == NPY:
        return npy(body)
    if content_type == JSON:
        return np.array(json.loads(body), dtype=np.float32)
    return np.loadtxt(body.decode().splitlines(), dtype=np.float32, delimiter=",")


@pytest.mark.parametrize(("suffix", "content_type"), [("npy", NPY), ("json", JSON), ("csv", CSV)])
def test_what_is_served_is_what_onnx_runtime_says(
    file_types: ServerProcess, tmp_path: Path, suffix: str, content_type: str
) -> None:
    body = SAMPLES / f"rows.{suffix}"
    wanted = direct("onnx", body, tmp_path / "direct.npy")
    assert isinstance(wanted, np.ndarray)
    reply = file_types.invoke(body.read_bytes(), Content_Type=content_type, Accept=NPY)
    assert reply.status == 200, reply.body
    assert npy(reply.body).tobytes() == wanted.tobytes()
    assert npy(reply.body).dtype == np.float32
    reply = file_types.invoke(body.read_bytes(), Content_Type=content_type, Accept=content_type)
    assert read(reply.body, content_type).tobytes() == wanted.tobytes()


def test_the_labels_are_those_of_the_files(file_types: ServerProcess) -> None:
    labels = json.loads((EXAMPLES / "onnx/labels.json").read_text())
    scores = npy(file_types.invoke((SAMPLES / "rows.npy").read_bytes(), Content_Type=NPY, Accept=NPY).body)
    assert [labels[column] for column in scores.argmax(axis=1)] == ["python", "json", "txt", "c"]


def test_rows_together_are_rows_one_by_one(file_types: ServerProcess) -> None:
    rows = np.load(SAMPLES / "rows.npy")
    together = npy(file_types.invoke((SAMPLES / "rows.npy").read_bytes(), Content_Type=NPY, Accept=NPY).body)
    alone = [json.loads(file_types.invoke(row.tolist()).body) for row in rows]
    # A product of matrices sums in an order that depends on how many rows there are.
    np.testing.assert_allclose(np.array(alone).reshape(together.shape), together, rtol=1e-4, atol=1e-6)


def test_the_graph_says_what_is_taken_and_answered(file_types: ServerProcess) -> None:
    document = json.loads(file_types.request("GET", "/openapi.json").body)
    operation = document["paths"]["/invocations"]["post"]
    taken = operation["requestBody"]["content"][JSON]["schema"]
    assert taken["description"] == "`bytes` int32 (any, 2048)"
    answered = operation["responses"]["200"]["content"][JSON]["schema"]
    assert (answered["items"]["minItems"], answered["items"]["items"]["type"]) == (214, ["number", "null"])


def test_another_width_is_refused_with_got_and_want(file_types: ServerProcess) -> None:
    reply = file_types.invoke([[1, 2, 3]])
    assert reply.status == 400
    assert reply.error["message"] == "input `bytes`: the array has another shape: got (1, 3), want (any, 2048)"


def test_a_converted_classifier_takes_a_column_each_and_answers_labels_and_an_array(tmp_path: Path) -> None:
    folder = project(tmp_path / "project", "onnx", "columns.onnx")
    with serving("onnx", tmp_path / "log", folder) as server:
        reply = server.invoke([{"size": 1, "colour": "red"}, {"size": 59.5, "colour": "unseen"}])
        assert reply.status == 200, reply.body
        answer = json.loads(reply.body)
        assert answer["output_label"] == ["small", "large"]
        probabilities = np.array(answer["output_probability"])  # the classes in ascending order: large, small
        assert probabilities.shape == (2, 2)
        assert probabilities[0, 1] > 0.9
        assert probabilities[1, 0] > 0.9
        columns = {"inputs": {"size": [[1], [59.5]], "colour": [["red"], ["unseen"]]}}
        assert json.loads(server.invoke(columns).body) == answer
        table = b"colour,size\nred,1\nunseen,59.5\n"
        assert json.loads(server.invoke(table, Content_Type=f"{CSV}; header=present", Accept=JSON).body) == answer
        reply = server.invoke(columns, Accept="application/x-npz")
        assert reply.status == 200, reply.body
        assert server.invoke({"size": [[1]]}).status == 400


def test_data_beside_the_model_is_found_and_a_cell_that_the_graph_refuses_is_the_clients_fault(tmp_path: Path) -> None:
    folder = project(tmp_path / "external", "onnx", "external.onnx", "weights.bin")
    with serving("onnx", tmp_path / "log", folder) as server:
        assert json.loads(server.invoke([[1, 2, 3, 4]]).body) == [[1, 2, 3, 4]]
    with serving("onnx", tmp_path / "other", project(tmp_path / "lookup", "onnx", "lookup.ort")) as server:
        assert json.loads(server.invoke([3, 9]).body) == [3, 9]
        reply = server.invoke([3, 10])
        assert reply.status == 400
        assert reply.error["message"].startswith(
            "the model does not take these inputs: got Gather: indices element out"
        )
        assert json.loads(server.invoke([4]).body) == [4]


def test_rows_are_a_free_first_dimension_everywhere_unless_the_project_says_otherwise(tmp_path: Path) -> None:
    wanted = {"external": True, "columns": True, "one_row": False, "signal": False, "total": False}
    files = {name: [f"{name}.onnx", *(["weights.bin"] if name == "external" else [])] for name in wanted}
    plain = {name: project(tmp_path / name, "onnx", *files[name]) for name in wanted}
    told = {
        f"not {name}": project(tmp_path / f"not-{name}", "onnx", *files[name], row_wise=not is_row_wise)
        for name, is_row_wise in wanted.items()
    }
    found = signatures("onnx", FLAVOR, {**plain, **told})
    assert {name: found[name]["row_wise"] for name in wanted} == wanted
    assert all(found[f"not {name}"]["row_wise"] is not wanted[name] for name in wanted)


def test_the_project_may_say_what_the_graph_leaves_open_and_choose_what_is_answered(tmp_path: Path) -> None:
    inputs = [{"name": "x", "dtype": "float32", "shape": ["rows", 4]}]
    told = project(tmp_path / "told", "onnx", "one_row.onnx", inputs=inputs)
    chosen = project(tmp_path / "chosen", "onnx", "columns.onnx", outputs=["output_probability"])
    found = signatures("onnx", FLAVOR, {"told": told, "chosen": chosen})
    assert found["told"]["inputs"] == [{"name": "x", "dtype": "float32", "shape": [None, 4]}]
    assert found["chosen"]["outputs"] == [{"name": "output_probability", "dtype": "float32", "shape": [None, None]}]


def cut(model: bytes) -> bytes:
    return model[:-1]


def half(model: bytes) -> bytes:
    return model[: len(model) // 2]


def empty(model: bytes) -> bytes:
    return b""


def pickled(model: bytes) -> bytes:
    return b"\x80\x04" + model


FAULTS: dict[str, tuple[str, Damage | None, dict[str, object], str]] = {
    "cut": ("one_row.onnx", cut, {}, "the file is cut short, damaged, or no ONNX model: got 8. bytes that do not"),
    "ort": ("lookup.ort", half, {}, "the file is cut short, damaged, or no ONNX model: got [0-9]+ bytes that do not"),
    "empty": ("one_row.onnx", empty, {}, "the model file is empty: want an ONNX model"),
    "pickle": ("one_row.onnx", pickled, {}, "has another format than its name says: got a pickle, want an ONNX model"),
    "external": ("external.onnx", None, {}, "the model's external data is missing: want `weights.bin` beside it"),
    "own": ("own_operator.onnx", None, {}, "has not an operator of the model: got `Fancy` of `my.ops`"),
    "unknown": (
        "unknown_operator.onnx",
        None,
        {},
        "not an operator of the model: got `Fancy` of opset 17 of `ai.onnx`",
    ),
    "opset": (
        "late_opset.onnx",
        None,
        {},
        "the model is newer than onnxruntime [0-9.]+: got opset 99, want at most ..",
    ),
    "ir": ("late_ir.onnx", None, {}, "newer than onnxruntime [0-9.]+: got IR version 99, want at most .."),
    "sequence": ("sequence.onnx", None, {}, r"no request can carry the input `x`: got `seq\(tensor\(float\)\)`, want"),
    "bfloat": ("bfloat.onnx", None, {}, r"numpy has no numbers for the output `y`: got `tensor\(bfloat16\)`"),
    "outputs": ("total.onnx", None, {"outputs": ["z"]}, "`outputs` names what the model has not: got `z`, want `y`"),
}


def test_each_fault_is_one_clear_line(tmp_path: Path) -> None:
    folders = {
        name: project(tmp_path / name, "onnx", file, damage=damage, **told)
        for name, (file, damage, told, _) in FAULTS.items()
    }
    found = signatures("onnx", FLAVOR, folders)
    for name, (file, _, _, line) in FAULTS.items():
        error = str(found[name]["error"])
        first, _, rest = error.partition("\n")
        assert re.search(line, first), (name, error)
        assert first.startswith(f"{folders[name]}/model/{file}: "), (name, error)
        assert rest.startswith("\nhint: "), (name, error)


def test_wherever_a_file_is_cut_it_is_refused(tmp_path: Path) -> None:
    size = (MODELS / "onnx/columns.onnx").stat().st_size
    lengths = range(8, size, 23)
    folders = {
        str(length): project(tmp_path / str(length), "onnx", "columns.onnx", damage=itemgetter(slice(length)))
        for length in lengths
    }
    found = signatures("onnx", FLAVOR, folders)
    assert len(found) == len(lengths)
    assert all("the file is cut short, damaged, or no ONNX model" in str(each["error"]) for each in found.values()), (
        found
    )


@pytest.mark.parametrize("name", ["cut", "own"])
def test_what_cannot_be_loaded_ends_the_server(tmp_path: Path, name: str) -> None:
    file, damage, _, line = FAULTS[name]
    ended = failed_start("onnx", tmp_path / "log", project(tmp_path / "project", "onnx", file, damage=damage))
    assert ended.exit_code == 1
    assert re.search(line, ended.error.splitlines()[0]), ended.log
    assert ended.chatter == []


def test_external_data_that_is_cut_short_is_told(tmp_path: Path) -> None:
    folder = project(tmp_path / "project", "onnx", "external.onnx", "weights.bin")
    (folder / "model/weights.bin").write_bytes(bytes(10))
    error = str(signatures("onnx", FLAVOR, {"cut": folder})["cut"]["error"])
    assert "the file with the model's external data is too short: got 10 bytes, want at least 64 for `w`" in error


def test_a_missing_framework_is_told_with_the_command_that_installs_it(tmp_path: Path) -> None:
    folder = project(tmp_path / "project", "onnx", "one_row.onnx")
    ended = failed_start("litert", tmp_path / "log", folder)
    assert ended.exit_code == 1
    assert ended.error.startswith("this flavor needs onnxruntime: got ModuleNotFoundError")
    assert ended.error.endswith("hint: pip install onnxruntime")
