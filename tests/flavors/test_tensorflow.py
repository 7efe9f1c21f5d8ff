import io
import json
import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.flavors.environments import EXAMPLES
from tests.flavors.inside import signatures
from tests.flavors.saved_models import MODELS
from tests.flavors.serving import direct, failed_start, serving
from tests.serving.server_process import ServerProcess, wait_until

SAMPLES = EXAMPLES / "tensorflow/samples"
FLAVOR = "argosy.flavors.tensorflow:TensorflowModel"
JSON, CSV, NPY = "application/json", "text/csv", "application/x-npy"
VARIABLES = "variables/variables.data-00000-of-00001"

Damage = Callable[[Path], object]


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with serving("tensorflow", tmp_path_factory.mktemp("tensorflow") / "log", ARGOSY_WORKERS="2") as server:
        server.wait_loaded(2)
        yield server


def saved_model(folder: Path, at: str = ".", damage: Damage | None = None, options: str = "", file: str = "") -> Path:
    """A project with the SavedModel of several signatures somewhere in its artifacts; gives `folder`."""
    shutil.copytree(MODELS / "tensorflow/several", folder / "model" / at, dirs_exist_ok=True)
    if damage is not None:
        damage(folder / "model" / at)
    named = f'file = "{file}"\n' if file else ""
    toml = f'[model]\nflavor = "tensorflow"\nartifacts = "model/"\n{named}[model.options]\n{options}\n'
    (folder / "argosy.toml").write_text(toml)
    return folder


def npy(body: bytes) -> np.ndarray:
    found: np.ndarray = np.load(io.BytesIO(body), allow_pickle=False)
    return found


def csv(body: bytes) -> np.ndarray:
    return np.loadtxt(body.decode().splitlines(), delimiter=",", ndmin=2)


def test_what_is_served_is_what_tensorflow_says(digits: ServerProcess, tmp_path: Path) -> None:
    wanted = direct("tensorflow", SAMPLES / "rows.npy", tmp_path / "direct.npy")
    assert isinstance(wanted, np.ndarray)
    assert wanted.dtype == np.float32
    read: Mapping[str, Callable[[bytes], Any]] = {NPY: npy, JSON: json.loads, CSV: csv}
    for suffix, content_type in (("npy", NPY), ("json", JSON), ("csv", CSV)):
        body = (SAMPLES / f"rows.{suffix}").read_bytes()
        for accept in (NPY, content_type):
            reply = digits.invoke(body, Content_Type=content_type, Accept=accept)
            assert reply.status == 200, reply.body
            assert np.asarray(read[accept](reply.body), np.float32).tobytes() == wanted.tobytes(), (suffix, accept)


def test_rows_together_are_rows_one_by_one(digits: ServerProcess) -> None:
    rows = np.loadtxt(SAMPLES / "job.csv", delimiter=",")
    together = np.array(json.loads(digits.invoke(rows.tolist()).body))
    alone = np.concatenate([json.loads(digits.invoke([row]).body) for row in rows.tolist()])
    # A product of matrices sums in an order that depends on how many rows there are.
    np.testing.assert_allclose(alone, together, rtol=1e-4, atol=1e-6)


def test_the_signature_says_what_is_taken_and_answered(digits: ServerProcess) -> None:
    operation = json.loads(digits.request("GET", "/openapi.json").body)["paths"]["/invocations"]["post"]
    assert operation["requestBody"]["content"][JSON]["schema"]["description"] == "`pixels` float32 (any, 64)"
    answered = operation["responses"]["200"]["content"][JSON]["schema"]
    assert answered["items"]["minItems"] == 10
    reply = digits.invoke([[1, 2, 3]])
    assert reply.status == 400
    assert reply.error["message"] == "input `pixels`: the array has another shape: got (1, 3), want (any, 64)"


def test_nothing_of_what_tensorflow_says_by_itself_is_in_the_log(digits: ServerProcess) -> None:
    assert [line for line in digits.log.splitlines() if not line.startswith("{")] == []


def test_what_takes_the_place_of_a_killed_process_predicts_too(digits: ServerProcess) -> None:
    """TensorFlow is imported before the fork, and that is all: no thread is missing in the next process."""
    body = (SAMPLES / "rows.npy").read_bytes()
    wanted = digits.invoke(body, Content_Type=NPY, Accept=NPY).body
    for _ in range(2):
        killed = set(digits.model_pids())
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda gone=killed: gone.isdisjoint(digits.model_pids()), 30, lambda: digits.log)
        digits.wait_loaded(2)
        replies = [digits.invoke(body, Content_Type=NPY, Accept=NPY) for _ in range(4)]
        assert [reply.body for reply in replies] == [wanted] * 4


def test_texts_go_in_and_out_and_what_an_operation_refuses_is_the_clients_fault(tmp_path: Path) -> None:
    folder = saved_model(tmp_path / "words", at="export/Servo/3")
    saved_model(folder, at="export/Servo/12")
    with serving("tensorflow", tmp_path / "log", folder) as server:
        reply = server.invoke(["öl", "a"])
        assert json.loads(reply.body) == {"length": [2, 1], "price": [2.5, 1.5], "upper": ["ÖL", "A"]}
        table = server.invoke(b"text\nb\n", Content_Type=f"{CSV}; header=present", Accept=JSON)
        assert json.loads(table.body)["upper"] == ["B"]
        reply = server.invoke(["a", "bark"])
        assert (reply.status, reply.error["message"]) == (400, "the model does not take these values")
        assert json.loads(server.invoke(["a"]).body)["price"] == [1.5]
        lines = [json.loads(line) for line in server.log.splitlines()]
        chosen = next(line for line in lines if line["event"] == "version-chosen")
        assert (chosen["folder"], chosen["versions"]) == ("export/Servo/12", [3, 12])
        assert any(line["event"] == "values-refused" for line in lines)


OPTIONS = {
    "default": "",
    "scaled": 'signature = "scaled"',
    "less": 'signature = "less"',
    "alone": 'signature = "less"\nrow_wise = false',
    "length": 'outputs = ["length"]',
    "shaped": 'signature = "anything"\ninputs = [{ name = "x", dtype = "float32", shape = ["rows", 3] }]',
}


def replaced(old: bytes, new: bytes, file: str = "saved_model.pb") -> Damage:
    def damage(folder: Path) -> None:
        told = (folder / file).read_bytes()
        assert old in told
        (folder / file).write_bytes(told.replace(old, new))

    return damage


def cut(file: str, keep: int) -> Damage:
    return lambda folder: (folder / file).write_bytes((folder / file).read_bytes()[:keep])


FAULTS: dict[str, tuple[Damage | None, str, str]] = {
    "cut": (cut("saved_model.pb", 5000), "", "the SavedModel cannot be loaded: got OSError: Cannot parse file"),
    "empty": (cut("saved_model.pb", 0), "", "the SavedModel cannot be loaded: got RuntimeError: MetaGraphDef associ"),
    "weights": (cut(VARIABLES, 100), "", "the SavedModel cannot be loaded: got IndexError: Read less bytes"),
    "half": (lambda folder: shutil.rmtree(folder / "variables"), "", "got FileNotFoundError: Unsuccessful TensorSlice"),
    "flipped": (replaced(b"\x00\x00 @", b"\x00\x00 A", VARIABLES), "", "got DataLossError: .*Checksum does not match"),
    "operation": (
        replaced(b"StringUpper", b"StringOpper"), "",
        "got the operation `StringOpper`, want operations of TensorFlow 2",
    ),
    "newer": (
        replaced(b"2.21.0", b"2.99.0"), "",
        "the SavedModel is newer than TensorFlow here: got saved with TensorFlow 2.99.0, and here is 2.21.0",
    ),
    "signature": (None, 'signature = "serve"', "no signature `serve`: got `anything`, `less`, `scaled`, `serving_d"),
    "shapeless": (None, 'signature = "anything"', "the input `x` of the SavedModel cannot be served: got `float32` of"),
    "outputs": (None, 'outputs = ["lower"]', "`outputs` names what the model has not: got `lower`, want `length`"),
}  # fmt: skip


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Mapping[str, Any]]:
    """What the flavor says of each project, in one process: importing TensorFlow takes longer than to load a model."""
    folder = tmp_path_factory.mktemp("said")
    projects = {name: saved_model(folder / name, options=told) for name, told in OPTIONS.items()}
    projects |= {name: saved_model(folder / name, damage=how, options=told) for name, (how, told, _) in FAULTS.items()}
    projects["none"] = saved_model(folder / "none", damage=lambda model: (model / "saved_model.pb").unlink())
    projects["several"] = saved_model(saved_model(folder / "several", at="a"), at="b")
    projects["named"] = saved_model(saved_model(folder / "named", at="a"), at="b", file="b", options=OPTIONS["less"])
    return signatures("tensorflow", FLAVOR, projects)


def test_the_project_chooses_signature_shapes_outputs_and_folder(said: Mapping[str, Mapping[str, Any]]) -> None:
    assert {name: said[name]["row_wise"] for name in (*OPTIONS, "named")} == {
        "default": True, "scaled": False, "less": True, "alone": False, "length": True, "shaped": True, "named": True,
    }  # fmt: skip
    assert said["default"]["inputs"] == [{"name": "text", "dtype": "str", "shape": [None]}]
    assert said["length"]["outputs"] == [{"name": "length", "dtype": "int32", "shape": [None]}]
    assert [each["name"] for each in said["less"]["inputs"]] == ["a", "x"]
    assert said["scaled"]["outputs"] == [{"name": "y", "dtype": "float32", "shape": [None, None]}]
    assert said["shaped"]["inputs"] == [{"name": "x", "dtype": "float32", "shape": [None, 3]}]


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_one_clear_line(said: Mapping[str, Mapping[str, Any]], name: str) -> None:
    first, _, rest = said[name]["error"].partition("\n")
    assert re.search(f"/{name}/model: .*{FAULTS[name][-1]}", first), first
    assert name == "outputs" or rest.startswith("\nhint: ")


def test_no_folder_and_several_are_told(said: Mapping[str, Mapping[str, Any]]) -> None:
    assert "there is not a SavedModel among the artifacts" in said["none"]["error"]
    assert "more than one of a SavedModel among the artifacts: got `a/saved_model.pb`, `b/" in said["several"]["error"]


def test_what_cannot_be_loaded_ends_the_server(tmp_path: Path) -> None:
    damage, _, line = FAULTS["operation"]
    ended = failed_start("tensorflow", tmp_path / "log", saved_model(tmp_path / "project", damage=damage))
    assert ended.exit_code == 1
    assert line in ended.error.splitlines()[0], ended.log
    assert ended.chatter == []


def test_a_missing_framework_is_told_with_the_command_that_installs_it(tmp_path: Path) -> None:
    ended = failed_start("litert", tmp_path / "log", saved_model(tmp_path / "project"))
    assert ended.exit_code == 1
    assert ended.error.startswith("this flavor needs tensorflow-cpu: got ModuleNotFoundError")
    assert ended.error.endswith("hint: pip install tensorflow-cpu")
