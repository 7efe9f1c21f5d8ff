import base64
import io
import json
import marshal
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.flavors.environments import EXAMPLES
from tests.flavors.inside import signatures
from tests.flavors.saved_models import Damage, project
from tests.flavors.serving import direct, failed_start, serving
from tests.serving.server_process import ServerProcess

SAMPLES = EXAMPLES / "keras/samples"
FLAVOR = "argosy.flavors.keras:KerasModel"
JSON, CSV, NPY = "application/json", "text/csv", "application/x-npy"
Said = Mapping[str, Mapping[str, Any]]


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with serving("keras", tmp_path_factory.mktemp("keras") / "log", ARGOSY_WORKERS="2") as server:
        server.wait_loaded(2)
        yield server


def npy(body: bytes) -> np.ndarray:
    found: np.ndarray = np.load(io.BytesIO(body), allow_pickle=False)
    return found


def csv(body: bytes) -> np.ndarray:
    return np.loadtxt(body.decode().splitlines(), delimiter=",", ndmin=2)


def test_what_is_served_is_what_keras_says(digits: ServerProcess, tmp_path: Path) -> None:
    wanted = direct("keras", SAMPLES / "rows.npy", tmp_path / "direct.npy")
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
    body = (SAMPLES / "job.csv").read_bytes()
    together = np.array(json.loads(digits.invoke(body, Content_Type=CSV, Accept=JSON).body))
    lines = body.splitlines(keepends=True)
    alone = [json.loads(digits.invoke(line, Content_Type=CSV, Accept=JSON).body) for line in lines]
    # A product of matrices sums in an order that depends on how many rows there are.
    np.testing.assert_allclose(np.concatenate(alone), together, rtol=1e-4, atol=1e-6)


def test_the_model_says_what_is_taken_and_answered(digits: ServerProcess) -> None:
    operation = json.loads(digits.request("GET", "/openapi.json").body)["paths"]["/invocations"]["post"]
    assert operation["requestBody"]["content"][JSON]["schema"]["description"] == "`image` float32 (any, 8, 8, 1)"
    assert operation["responses"]["200"]["content"][JSON]["schema"]["items"]["minItems"] == 10
    reply = digits.invoke([[1, 2, 3]])
    assert reply.status == 400
    assert reply.error["message"] == "input `image`: the array has another shape: got (1, 3), want (any, 8, 8, 1)"


def test_nothing_of_what_keras_and_tensorflow_say_by_themselves_is_in_the_log(digits: ServerProcess) -> None:
    assert [line for line in digits.log.splitlines() if not line.startswith("{")] == []


def test_several_inputs_and_outputs_go_by_their_names(tmp_path: Path) -> None:
    with serving("keras", tmp_path / "log", project(tmp_path / "two", "keras", "two.keras")) as server:
        rows = [{"amounts": [1, -2, 3], "kind": 0}, {"amounts": [0, 0, 4], "kind": 3}]
        reply = server.invoke(rows)
        assert reply.status == 200, reply.body
        answer = json.loads(reply.body)
        assert answer["sizes"] == [[1, 0, 3], [0, 0, 4]]
        assert [len(row) for row in answer["risk"]] == [1, 1]
        columns = {"inputs": {"amounts": [row["amounts"] for row in rows], "kind": [[0], [3]]}}
        assert json.loads(server.invoke(columns).body) == answer
        reply = server.invoke({"amounts": [[1, 2, 3]], "kind": [[4]]})
        assert (reply.status, reply.error["message"]) == (400, "the model does not take these values")


def rewritten(member: str, change: Callable[[bytes], bytes | None]) -> Damage:
    """A .keras file of which a member is another one, or none."""

    def damage(told: bytes) -> bytes:
        written = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(told)) as old, zipfile.ZipFile(written, "w") as new:
            for name in old.namelist():
                body = change(old.read(name)) if name == member else old.read(name)
                if body is not None:
                    new.writestr(name, body)
        return written.getvalue()

    return damage


def with_code_of_this_python(config: bytes) -> bytes:
    """A config whose `Lambda` is code as this Python, which the environment has too, marshals it."""
    code = base64.b64encode(marshal.dumps((lambda x: x * 2).__code__)).decode()
    told, count = re.subn(rb'"code": "[^"]*"', f'"code": "{code}"'.encode(), config)
    assert count == 1
    return told


def flipped(told: bytes) -> bytes:
    at = told.index(b"model.weights.h5") + 5000
    return told[:at] + bytes([told[at] ^ 255]) + told[at + 1 :]


CODE = rewritten("config.json", with_code_of_this_python)
NEWER = rewritten("metadata.json", lambda told: told.replace(b"3.15.1", b"3.99.0"))
FAULTS: dict[str, tuple[str, Damage | None, str]] = {
    "empty": ("two.keras", lambda told: b"", "the model file is empty: want a .keras file"),
    "cut": ("two.keras", lambda told: told[:20000], "the .keras file is cut short or damaged: got 20000 bytes"),
    "flipped": ("two.keras", flipped, "Keras cannot load the model: got BadZipFile: Bad CRC-32"),
    "pickle": ("two.keras", lambda told: b"\x80\x04" + told, "another format than its name says: got a pickle"),
    "weights": ("two.keras", rewritten("model.weights.h5", lambda told: None), "got ValueError: Expected a model.weig"),
    "config": ("two.keras", rewritten("config.json", lambda told: told[:99]), "got JSONDecodeError: "),
    "newer": ("two.keras", NEWER, "the model is newer than Keras here: got saved with Keras 3.99.0, and here is 3.15"),
    "layer": ("own_layer.keras", None, "got `Doubled`, which is not of Keras, want what Keras 3"),
    "unbuilt": ("unbuilt.keras", None, "the model does not say what it takes: want one that was built"),
    "old-cut": ("old.h5", lambda told: told[:9000], "got OSError: Unable to synchronously open file .truncated file"),
    "old-other": ("old.h5", lambda told: b"PK\x03\x04" + told, "got a zip file, as Keras and PyTorch write, want a"),
}


def unnamed(folder: Path) -> Path:
    """A project without the line that names its file."""
    toml = folder / "argosy.toml"
    toml.write_text(re.sub(r"file = .*\n", "", toml.read_text()))
    return folder


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Said:
    """What the flavor says of each project, in one process: importing TensorFlow takes longer than to load a model."""
    folder = tmp_path_factory.mktemp("said")
    projects = {name: project(folder / name, "keras", file, damage=how) for name, (file, how, _) in FAULTS.items()}
    projects["two"] = unnamed(project(folder / "two", "keras", "two.keras"))
    projects["risk"] = project(folder / "risk", "keras", "two.keras", outputs=["risk"], row_wise=False)
    projects["old"] = unnamed(project(folder / "old", "keras", "old.h5"))
    projects["code"] = unnamed(project(folder / "code", "keras", "code.keras", damage=CODE))
    projects["named-code"] = project(folder / "named-code", "keras", "code.keras", damage=CODE)
    projects["folder"] = project(folder / "folder", "keras", "two.keras")
    (folder / "folder/model/two.keras").unlink()
    shutil.copytree(EXAMPLES / "tensorflow/model/1", folder / "folder/model/two.keras")
    return signatures("keras", FLAVOR, projects)


def test_the_model_names_its_arrays_and_the_project_chooses(said: Said) -> None:
    assert said["two"]["inputs"] == [
        {"name": "amounts", "dtype": "float32", "shape": [None, 3]},
        {"name": "kind", "dtype": "int32", "shape": [None, 1]},
    ]
    assert [(each["name"], each["shape"]) for each in said["two"]["outputs"]] == [
        ("risk", [None, 1]), ("sizes", [None, 3]),
    ]  # fmt: skip
    assert said["two"]["row_wise"] is True
    assert [each["name"] for each in said["risk"]["outputs"]] == ["risk"]
    assert said["risk"]["row_wise"] is False


def test_a_file_of_old_is_read_as_far_as_keras_reads_it(said: Said) -> None:
    assert said["old"]["inputs"] == [{"name": "rows", "dtype": "float32", "shape": [None, 2]}]
    assert [each["name"] for each in said["old"]["outputs"]] == ["sums"]


def test_code_in_a_file_runs_only_where_the_project_names_the_file(said: Said) -> None:
    first, _, rest = said["code"]["error"].partition("\n")
    assert "code.keras: the model holds Python code, as a `Lambda` layer does: want layers of Keras's own, or" in first
    assert rest == '\nhint: name the file under [model] in argosy.toml: file = "code.keras"'
    assert [each["name"] for each in said["named-code"]["outputs"]] == ["code"]


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_one_clear_line(said: Said, name: str) -> None:
    file, _, line = FAULTS[name]
    first, _, rest = said[name]["error"].partition("\n")
    assert re.search(f"/{name}/model/{file}: .*{line}", first), first
    assert rest.startswith("\nhint: ")


def test_a_saved_model_is_sent_to_its_own_flavor(said: Said) -> None:
    assert "this is a SavedModel: want a .keras file" in said["folder"]["error"]
    assert said["folder"]["error"].endswith('hint: flavor = "tensorflow" under [model] in argosy.toml')


def test_what_cannot_be_loaded_ends_the_server(tmp_path: Path) -> None:
    folder = unnamed(project(tmp_path / "project", "keras", "code.keras", damage=CODE))
    ended = failed_start("keras", tmp_path / "log", folder)
    assert ended.exit_code == 1
    assert "the model holds Python code" in ended.error.splitlines()[0], ended.log
    assert ended.chatter == []


def test_a_missing_framework_is_told_with_the_command_that_installs_it(tmp_path: Path) -> None:
    ended = failed_start("litert", tmp_path / "log", project(tmp_path / "project", "keras", "two.keras"))
    assert ended.exit_code == 1
    assert ended.error.startswith("this flavor needs keras: got ModuleNotFoundError")
    assert ended.error.endswith("hint: pip install keras")
