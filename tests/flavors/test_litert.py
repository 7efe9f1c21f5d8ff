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

SAMPLES = EXAMPLES / "litert/samples"
FLAVOR = "argosy.flavors.litert:LitertModel"
JSON, CSV, NPY = "application/json", "text/csv", "application/x-npy"


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with serving("litert", tmp_path_factory.mktemp("litert") / "log") as server:
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
def test_what_is_served_is_what_litert_says(
    digits: ServerProcess, tmp_path: Path, suffix: str, content_type: str
) -> None:
    body = SAMPLES / f"rows.{suffix}"
    wanted = direct("litert", body, tmp_path / "direct.npy")
    assert isinstance(wanted, np.ndarray)
    reply = digits.invoke(body.read_bytes(), Content_Type=content_type, Accept=NPY)
    assert reply.status == 200, reply.body
    assert npy(reply.body).tobytes() == wanted.tobytes()
    assert npy(reply.body).dtype == np.float32
    reply = digits.invoke(body.read_bytes(), Content_Type=content_type, Accept=content_type)
    assert read(reply.body, content_type).tobytes() == wanted.tobytes()


def test_rows_together_are_rows_one_by_one_whatever_number_came_before(digits: ServerProcess) -> None:
    rows = np.load(SAMPLES / "rows.npy")
    together = npy(digits.invoke((SAMPLES / "rows.npy").read_bytes(), Content_Type=NPY, Accept=NPY).body)
    alone = [json.loads(digits.invoke(row.tolist()).body) for row in rows]
    np.testing.assert_allclose(np.array(alone).reshape(together.shape), together, rtol=1e-5)
    pair = json.loads(digits.invoke(rows[2:4].tolist()).body)
    np.testing.assert_allclose(pair, together[2:4], rtol=1e-5)


def test_the_file_says_what_is_taken_and_answered(digits: ServerProcess) -> None:
    document = json.loads(digits.request("GET", "/openapi.json").body)
    operation = document["paths"]["/invocations"]["post"]
    taken = operation["requestBody"]["content"][JSON]["schema"]
    assert taken["description"] == "`pixels` float32 (any, 64)"
    assert operation["responses"]["200"]["content"][JSON]["schema"]["items"]["minItems"] == 10
    reply = digits.invoke([[1, 2, 3]])
    assert reply.status == 400
    assert reply.error["message"] == "input `pixels`: the array has another shape: got (1, 3), want (any, 64)"


def test_a_quantised_model_takes_and_gives_its_own_integers(tmp_path: Path) -> None:
    with serving("litert", tmp_path / "log", project(tmp_path / "project", "litert", "quantised.tflite")) as server:
        answer = json.loads(server.invoke([[-128, 0, 64, 127]]).body)
        assert np.array(answer).shape == (1, 3)
        assert abs(sum(answer[0]) + 3 * 128 - 256) <= 2  # a softmax, of scale 1/256 and zero point -128
        reply = server.invoke([[0.5, 0, 0, 0]])
        assert reply.status == 400
        assert "want `int8`" in reply.error["message"]


def test_a_signature_with_several_arrays_is_served_by_its_names(tmp_path: Path) -> None:
    folder = project(tmp_path / "project", "litert", "signatures.tflite", signature="both")
    with serving("litert", tmp_path / "log", folder) as server:
        body = {"left": [[1, 2, 3, 4], [0, 0, 0, 1]], "right": [[1, 1, 1, 1], [5, 5, 5, 5]]}
        wanted = {"sum": [[2, 3, 4, 5], [5, 5, 5, 6]], "dot": [10, 5]}
        assert json.loads(server.invoke(body).body) == wanted
        assert json.loads(server.invoke([{"left": [1, 2, 3, 4], "right": [1, 1, 1, 1]}]).body) == {
            "sum": [[2, 3, 4, 5]],
            "dot": [10],
        }
        reply = server.invoke({"left": [[1, 2, 3, 4]], "right": body["right"]})
        assert reply.status == 400
        assert reply.error["message"] == "the inputs differ in rows: got `left` 1, `right` 2"


def test_text_and_a_cell_that_the_model_refuses(tmp_path: Path) -> None:
    with serving("litert", tmp_path / "log", project(tmp_path / "words", "litert", "words.tflite")) as server:
        assert json.loads(server.invoke({"words": ["é", "two words", ""]}).body) == ["é", "two words", ""]
    with serving("litert", tmp_path / "other", project(tmp_path / "lookup", "litert", "lookup.tflite")) as server:
        assert json.loads(server.invoke([3, 9]).body) == [3, 9]
        reply = server.invoke([3, 10])
        assert reply.status == 400
        assert reply.error["message"] == "the model does not take these inputs: got GATHER: gather index out of bounds"
        assert json.loads(server.invoke([4]).body) == [4]


def test_rows_are_a_free_first_dimension_unless_the_project_says_otherwise(tmp_path: Path) -> None:
    both = project(tmp_path / "both", "litert", "signatures.tflite", signature="both", outputs=["dot"])
    one = project(tmp_path / "one", "litert", "signatures.tflite", signature="one_row")
    inputs = [{"name": "x", "dtype": "float32", "shape": ["rows", 4]}]
    more = project(tmp_path / "more", "litert", "signatures.tflite", signature="one_row", inputs=inputs, row_wise=True)
    found = signatures("litert", FLAVOR, {"both": both, "one": one, "more": more})
    assert {name: each["row_wise"] for name, each in found.items()} == {"both": True, "one": False, "more": True}
    assert found["more"]["inputs"] == [{"name": "x", "dtype": "float32", "shape": [None, 4]}]
    assert found["both"]["outputs"] == [{"name": "dot", "dtype": "float32", "shape": [None]}]


def cut(model: bytes) -> bytes:
    return model[:-4]


def empty(model: bytes) -> bytes:
    return b""


def zipped(model: bytes) -> bytes:
    return b"PK\x03\x04" + model


FAULTS: dict[str, tuple[str, Damage | None, dict[str, object], str]] = {
    "cut": ("lookup.tflite", cut, {}, "the file is cut short, damaged, or no LiteRT model: got 852 bytes that do not"),
    "empty": ("lookup.tflite", empty, {}, "the model file is empty: want a LiteRT model"),
    "zip": ("lookup.tflite", zipped, {}, "another format than its name says: got a zip file, .* want a LiteRT model"),
    "flex": ("flex.tflite", None, {}, "has not an operator of the model: got `MatrixDeterminant` of TensorFlow"),
    "own": ("own_operator.tflite", None, {}, "has not an operator of the model: got the custom `Fancy`"),
    "late": ("late_operator.tflite", None, {}, "has not an operator of the model: got version 99 of `GATHER`"),
    "several": ("signatures.tflite", None, {}, "several signatures: got `both`, `one_row`, want one of them"),
    "signature": ("lookup.tflite", None, {"signature": "x"}, "the model has no such signature: got none, want `x`"),
    "outputs": ("lookup.tflite", None, {"outputs": ["z"]}, "`outputs` names what the model has not: got `z`, want "),
}


def test_each_fault_is_one_clear_line(tmp_path: Path) -> None:
    folders = {
        name: project(tmp_path / name, "litert", file, damage=damage, **told)
        for name, (file, damage, told, _) in FAULTS.items()
    }
    found = signatures("litert", FLAVOR, folders)
    for name, (file, _, _, line) in FAULTS.items():
        error = str(found[name]["error"])
        first, _, rest = error.partition("\n")
        assert re.search(line, first), (name, error)
        assert first.startswith(f"{folders[name]}/model/{file}: "), (name, error)
        assert rest.startswith("\nhint: "), (name, error)


def test_wherever_a_file_is_cut_it_is_refused(tmp_path: Path) -> None:
    size = (MODELS / "litert/signatures.tflite").stat().st_size
    lengths = range(8, size, 23)
    folders = {
        str(length): project(tmp_path / str(length), "litert", "signatures.tflite", damage=itemgetter(slice(length)))
        for length in lengths
    }
    found = signatures("litert", FLAVOR, folders)
    assert len(found) == len(lengths)
    assert all("the file is cut short, damaged, or no LiteRT model" in str(each["error"]) for each in found.values()), (
        found
    )


@pytest.mark.parametrize("name", ["cut", "flex"])
def test_what_cannot_be_loaded_ends_the_server(tmp_path: Path, name: str) -> None:
    file, damage, _, line = FAULTS[name]
    ended = failed_start("litert", tmp_path / "log", project(tmp_path / "project", "litert", file, damage=damage))
    assert ended.exit_code == 1
    assert re.search(line, ended.error.splitlines()[0]), ended.log
    assert ended.chatter == []


def test_a_missing_framework_is_told_with_the_command_that_installs_it(tmp_path: Path) -> None:
    ended = failed_start("onnx", tmp_path / "log", project(tmp_path / "project", "litert", "lookup.tflite"))
    assert ended.exit_code == 1
    assert ended.error.startswith("this flavor needs ai-edge-litert: got ModuleNotFoundError")
    assert ended.error.endswith("hint: pip install ai-edge-litert")


def test_the_log_has_nothing_but_events(digits: ServerProcess) -> None:
    assert all(line.startswith("{") for line in digits.log.splitlines()), digits.log
