"""PyTorch's saved models: served as PyTorch itself predicts them, and clear words for what cannot be loaded."""

import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.flavors.environments import example
from tests.flavors.inside import inside
from tests.flavors.serving import direct, failed_start, serving
from tests.serving.server_process import ServerProcess

NPY = "application/x-npy"
EXIT_FAILED = 1
ROWS = np.linspace(-1, 1, 8, dtype="float32").reshape(2, 4)
NET = """
import torch

class Net(torch.nn.Module):
    def __init__(self, hidden: int = 8) -> None:
        super().__init__()
        self.first, self.last = torch.nn.Linear(4, hidden), torch.nn.Linear(hidden, 3)

    def forward(self, x):
        return torch.softmax(self.last(torch.relu(self.first(x))), 1)

class NoModule:
    pass

class Scaled(torch.nn.Module):
    def forward(self, x):
        return x

    @torch.jit.export
    def scaled(self, x, by: int, shift: float = 0.5):
        return x * by + shift

class Pair(torch.nn.Module):
    def forward(self, x):
        return x * 2, x.t()

class Centred(torch.nn.Module):
    def forward(self, x):
        return x - x.mean(0)

class Greedy(torch.nn.Module):
    def forward(self, x):
        return x.new_empty([1 << 48])

class Two(torch.nn.Module):
    def forward(self, a, b, *, scale, by):
        return {"sum": a * by + b, "half": (a * scale).bfloat16()}
"""
OPTIONS: dict[str, dict[str, object]] = {
    "script": {"file": "net.ts", "inputs": [{"name": "x", "dtype": "float32", "shape": ["rows", 4]}]},
    "any_shape": {"file": "net.ts"},
    "with_number": {"file": "scaled.ts", "method": "scaled", "arguments": {"by": 3}},
    "frozen": {"file": "frozen.ts", "inputs": [{"name": "pixels", "dtype": "float32", "shape": ["rows", 4]}]},
    "weights": {"file": "net.pt", "class": "net:Net", "arguments": {"hidden": 8}},
    "old_weights": {"file": "old.pt", "class": "net:Net"},
    "halves": {"file": "halves.pt", "class": "net:Net"},
    "safetensors": {"file": "net.safetensors", "class": "net:Net"},
    "program": {"file": "program.pt2"},
    "centred": {"file": "centred.ts", "inputs": [{"name": "x", "dtype": "float32", "shape": ["rows", 4]}]},
    "sum": {"file": "program.pt2", "outputs": ["sum"]},
    "named": {"file": "pair.ts", "outputs": ["twice", "same"]},
    "numbered": {"file": "pair.ts"},
    "second": {"file": "pair.ts", "outputs": ["output_1"]},
}
WEIGHTS: dict[str, object] = {"class": "net:Net"}
FAULTS: list[tuple[dict[str, object], str]] = [
    ({"file": "empty.pt2"}, "the file is none of PyTorch's: got an empty file"),
    ({"file": "cut.pt", **WEIGHTS}, "the file is damaged or cut off"),
    ({"file": "damaged.pt", **WEIGHTS}, "the file is damaged or cut off: got Bad CRC-32"),
    ({"file": "cut.safetensors", **WEIGHTS}, "safetensors cannot be read by PyTorch"),
    ({"file": "noise.pt"}, "the file is none of PyTorch's: got something else"),
    ({"file": "other.zip"}, "the file is none of PyTorch's: got a zip archive with `model/readme.txt`"),
    ({"file": "whole.pt", **WEIGHTS}, "a pickle of objects, which runs code when it is read, and is not read"),
    ({"file": "old_whole.pt", **WEIGHTS}, "a pickle of objects, which runs code when it is read, and is not read"),
    ({"file": "checkpoint.pt", **WEIGHTS}, "the file holds more than weights: got `epoch`, `state_dict`"),
    ({"file": "operator.ts"}, "`detection` has it: write a predictor of your own"),
    ({"file": "newer.ts"}, "pip install --upgrade torch"),
    ({"file": "newer.pt2"}, "it was saved by PyTorch 9.9.9+cpu: pip install torch==9.9.9"),
    ({"file": "net.pt"}, "weights need the class that they belong to: got a state_dict of 4 tensors"),
    ({"file": "net.pt", **WEIGHTS, "arguments": {"hidden": 9}}, "the weights do not fit `net:Net`"),
    ({"file": "net.pt", "class": "net:NoModule"}, "`net:NoModule` cannot be made: got TypeError"),
    ({"file": "net.pt", "class": "absent:Net"}, "`absent:Net` cannot be made: got ModuleNotFoundError"),
    ({"file": "net.ts", **WEIGHTS}, "the file needs no class: got TorchScript"),
    ({"file": "net.ts", "method": "absent"}, "the model has no method `absent`"),
    ({"file": "scaled.ts", "method": "scaled"}, "inputs = [{ name = \"x\""),
    ({"file": "scaled.ts", "method": "scaled", "arguments": {"of": 3}}, "`scaled` has no argument `of`"),
    ({"file": "program.pt2", "outputs": ["absent"]}, "`outputs` names what the model does not give: got `absent`"),
]  # fmt: skip
_MODELS = """
import os, pathlib, sys, zipfile
import numpy as np, torch
import safetensors.torch
from argosy.errors import DecodeError, LoadError
from argosy.flavors.loading import options
from argosy.flavors.torch import TorchModel

folder, rows = pathlib.Path(told["folder"]), torch.tensor(told["rows"])
sys.path.insert(0, str(folder))
from net import Centred, Greedy, Net, Pair, Scaled, Two

torch.set_num_threads(1)
torch.manual_seed(0)
net = Net().eval()
want = net(rows).detach()

def rewritten(source, target, change):
    with zipfile.ZipFile(folder / source) as old, zipfile.ZipFile(folder / target, "w") as new:
        for member in old.namelist():
            new.writestr(member, change(member, old.read(member)))

torch.jit.save(torch.jit.script(net), folder / "net.ts")
torch.jit.save(torch.jit.script(Scaled()), folder / "scaled.ts")
torch.jit.save(torch.jit.script(Pair()), folder / "pair.ts")
torch.jit.save(torch.jit.script(torch.nn.Linear(2048, 2048).eval()), folder / "wide.ts")
torch.jit.save(torch.jit.script(Centred()), folder / "centred.ts")
torch.jit.save(torch.jit.script(Greedy()), folder / "greedy.ts")
torch.jit.save(torch.jit.freeze(torch.jit.script(net)), folder / "frozen.ts")
torch.save(net.state_dict(), folder / "net.pt")
torch.save(net.state_dict(), folder / "old.pt", _use_new_zipfile_serialization=False)
torch.save({name: value.double() for name, value in net.state_dict().items()}, folder / "halves.pt")
safetensors.torch.save_file(net.state_dict(), folder / "net.safetensors")
torch.save(net, folder / "whole.pt")
torch.save(net, folder / "old_whole.pt", _use_new_zipfile_serialization=False)
torch.save({"epoch": 3, "state_dict": net.state_dict()}, folder / "checkpoint.pt")
length = torch.export.Dim("rows", max=6)
several = {"b": {0: length}, "scale": {0: length}, "a": {0: length}, "by": None}
shapes = {name: several[name] for name in ("a", "b", "scale", "by")}
program = torch.export.export(Two(), (rows, rows), {"scale": rows[:, :1], "by": 3}, dynamic_shapes=shapes)
torch.export.save(program, folder / "program.pt2")
rewritten("net.ts", "operator.ts", lambda name, text: text.replace(b"torch.relu(", b"ops.detection.relu("))
rewritten("net.ts", "newer.ts", lambda name, text: b"99" if name.endswith("/version") else text)
rewritten("program.pt2", "newer.pt2", lambda name, text: text.replace(b'"major": 8', b'"major": 99').replace(
    torch.__version__.encode(), b"9.9.9+cpu") if name.endswith("model.json") else text)
harm = b"cos\\nsystem\\n(S'touch " + str(folder / "harm").encode() + b"'\\ntR."
rewritten("program.pt2", "harmful.pt2", lambda name, text: harm if "sample_inputs" in name else text)
with zipfile.ZipFile(folder / "other.zip", "w") as archive:
    archive.writestr("model/readme.txt", "nothing")

whole, alone = (folder / "net.pt").read_bytes(), folder / "alone"
(folder / "empty.pt2").touch()
(folder / "cut.pt").write_bytes(whole[: len(whole) // 2])
(folder / "damaged.pt").write_bytes(whole.replace(net.first.bias.detach().numpy().tobytes(), bytes(32)))
(folder / "cut.safetensors").write_bytes((folder / "net.safetensors").read_bytes()[:-8])
(folder / "noise.pt").write_bytes(b"nothing that anybody knows")
alone.mkdir()
(alone / "harmful.pt2").write_bytes((folder / "harmful.pt2").read_bytes())

def fault(where, said):
    options.read.cache_clear()
    os.environ["ARGOSY_FLAVOR_OPTIONS"] = json.dumps(said)
    try:
        TorchModel().load(where)
    except LoadError as error:
        return str(error)

found = {"want": want.tolist(), "faults": [fault(folder, said) for said in told["faults"]], "unnamed": fault(alone, {})}
found["harm"] = (folder / "harm").exists()
for name, said in told["options"].items():
    options.read.cache_clear()
    os.environ["ARGOSY_FLAVOR_OPTIONS"] = json.dumps(said)
    model = TorchModel()
    model.load(folder)
    signature = model.signature()
    taken = {"a": np.array(rows), "b": np.array(rows), "scale": np.array(rows[:, :1])}
    given = model.predict(taken if "program" in said["file"] else np.array(rows))
    arrays = given if isinstance(given, dict) else {"": given}
    # No machine of ours has a GPU; the way there is the same for another device, up to its name.
    model._call = model._loaded.to("cpu")
    again = model.predict(taken if "program" in said["file"] else np.array(rows))
    moved = again if isinstance(again, dict) else {"": again}
    described = [[(t.name, t.dtype, t.shape) for t in each] if isinstance(each, tuple) else str(each)
                 for each in (signature.inputs, signature.outputs)]
    try:
        many = {n: np.repeat(a, 4, 0) for n, a in taken.items()}
        model.predict(many if "program" in said["file"] else np.zeros((2, 9), "float32"))
        refusal = ""
    except DecodeError as error:
        refusal = str(error)
    found[name] = {"inputs": described[0], "outputs": described[1], "row_wise": signature.row_wise, "refusal": refusal,
                   "is_same_when_moved": all(np.array_equal(arrays[n], moved[n]) for n in arrays),
                   "is_mapped": str(folder / said["file"]) in pathlib.Path("/proc/self/maps").read_text(),
                   "found": {n: a.tolist() for n, a in arrays.items()},
                   "dtypes": {n: str(a.dtype) for n, a in arrays.items()}}
    del model
options.read.cache_clear()
os.environ["ARGOSY_FLAVOR_OPTIONS"] = '{"file": "greedy.ts"}'
model = TorchModel()
model.load(folder)
try:
    model.predict(np.array(rows))
except MemoryError as error:
    found["memory"] = str(error)
answer(found)
"""


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with serving("torch", tmp_path_factory.mktemp("torch") / "log") as server:
        yield server


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("models")
    (made / "net.py").write_text(NET)
    return made


@pytest.fixture(scope="module")
def models(folder: Path) -> dict[str, Any]:
    """What the flavor says of many models, which PyTorch makes in the same process."""
    found: dict[str, Any] = inside(
        "torch", _MODELS, folder=str(folder), rows=ROWS.tolist(), options=OPTIONS, faults=[said for said, _ in FAULTS]
    )
    return found


@pytest.mark.parametrize("name", ["torch", "torch-silero-vad"])
def test_served_is_what_pytorch_says_to_the_last_bit(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    samples = example(name) / "samples"
    want = direct(name, samples / "rows.npy", tmp_path / "direct.npy")
    assert isinstance(want, np.ndarray)
    if name == "torch":
        hold_to(request.getfixturevalue("digits"), samples, want)
    else:
        with serving(name, tmp_path / "log", OMP_NUM_THREADS="1") as server:
            hold_to(server, samples, want)


def hold_to(server: ServerProcess, samples: Path, want: np.ndarray) -> None:
    """Ask with the samples in all their forms."""
    reply = server.invoke((samples / "rows.npy").read_bytes(), Content_Type=NPY, Accept=NPY)
    assert reply.status == 200, reply.body
    found = np.load(io.BytesIO(reply.body))
    assert (found.dtype, found.shape, found.tobytes()) == (want.dtype, want.shape, want.tobytes())
    from_json = json.loads(server.invoke((samples / "rows.json").read_bytes()).body)
    assert np.array_equal(np.array(from_json, "float32"), want)
    from_csv = server.invoke((samples / "rows.csv").read_bytes(), Content_Type="text/csv", Accept="text/csv").body
    assert np.array_equal(np.loadtxt(from_csv.decode().splitlines(), "float32", delimiter=",", ndmin=2), want)


def test_rows_together_are_rows_one_by_one_but_for_rounding(digits: ServerProcess) -> None:
    rows = np.load(example("torch") / "samples/rows.npy").tolist()
    alone = [json.loads(digits.invoke([row]).body)[0] for row in rows]
    np.testing.assert_allclose(json.loads(digits.invoke(rows).body), alone, rtol=1e-4, atol=1e-12)


def test_the_schema_is_the_programs_and_a_body_is_held_to_it(digits: ServerProcess) -> None:
    said = json.loads(digits.request("GET", "/openapi.json").body)["paths"]["/invocations"]["post"]
    taken = said["requestBody"]["content"]["application/json"]["schema"]
    assert taken["description"] == "`pixels` float32 (any, 64)"
    answered = said["responses"]["200"]["content"]["application/json"]["schema"]
    assert (answered["items"]["minItems"], answered["items"]["maxItems"]) == (10, 10)
    reply = digits.invoke([[1, 2, 3]])
    assert (reply.status, "got (1, 3), want (any, 64)" in reply.error["message"]) == (400, True)
    assert digits.invoke({"pixels": [[0] * 64]}).status == 200


def test_nothing_but_events_is_in_the_log(digits: ServerProcess) -> None:
    assert [line for line in digits.log.splitlines() if not line.startswith("{")] == []


def test_processes_that_share_a_model_compute_on_several_threads(
    models: dict[str, Any], folder: Path, tmp_path: Path
) -> None:
    """What hangs when a parent has run OpenMP before it forks; here it has read weights of many pages."""
    (tmp_path / "model").mkdir()
    (folder / "wide.ts").rename(tmp_path / "model/wide.pt")  # TorchScript, whatever it is called
    body = io.BytesIO()
    np.save(body, np.ones((256, 2048), "float32"))
    with serving("torch", tmp_path / "log", project(tmp_path), ARGOSY_WORKERS="2", OMP_NUM_THREADS="2") as server:
        server.wait_loaded(2)
        with ThreadPoolExecutor(4) as clients:
            asked = [clients.submit(server.invoke, body.getvalue(), Content_Type=NPY, Accept=NPY) for _ in range(8)]
            assert [each.result().status for each in asked] == [200] * 8
        threads = [len(list(Path(f"/proc/{pid}/task").iterdir())) for pid in server.model_pids()]
        assert min(threads) >= 2
        assert '"event":"inputs-unknown","file":"wide.pt"' in server.log


def test_weights_stay_in_the_file_that_processes_share(models: dict[str, Any]) -> None:
    mapped = {name for name, told in models.items() if isinstance(told, dict) and told["is_mapped"]}
    assert mapped == {"weights", "safetensors"}


@pytest.mark.parametrize("name", ["script", "any_shape", "frozen", "weights", "old_weights", "halves", "safetensors"])
def test_each_form_gives_what_the_model_gave_when_it_was_saved(models: dict[str, Any], name: str) -> None:
    assert models[name]["found"] == {"": models["want"]}
    assert "does not take these inputs: got (2, 9)" in models[name]["refusal"]


def test_a_method_is_told_its_numbers(models: dict[str, Any]) -> None:
    assert models["with_number"]["found"] == {"": (ROWS * 3 + np.float32(0.5)).tolist()}


def test_a_program_says_its_inputs_and_outputs(models: dict[str, Any]) -> None:
    told = models["program"]
    assert told["inputs"] == [
        ["a", "float32", [None, 4]],
        ["b", "float32", [None, 4]],
        ["scale", "float32", [None, 1]],
    ]
    assert told["outputs"] == [["sum", "float32", [None, 4]], ["half", "float32", [None, 4]]]
    assert told["row_wise"] is True
    assert told["found"]["sum"] == (ROWS * 3 + ROWS).tolist()
    assert told["dtypes"] == {"sum": "float32", "half": "float32"}  # numpy has no bfloat16
    assert "not exported for these shapes" in told["refusal"] and "<= 6" in told["refusal"]
    assert models["sum"]["found"] == {"": (ROWS * 3 + ROWS).tolist()}


def test_outputs_are_named_and_chosen(models: dict[str, Any]) -> None:
    twice, turned = (ROWS * 2).tolist(), ROWS.T.tolist()
    assert models["numbered"]["found"] == {"output_0": twice, "output_1": turned}
    assert models["named"]["found"] == {"twice": twice, "same": turned}
    assert models["second"]["found"] == {"": turned}


def test_a_model_that_is_moved_to_a_device_gives_the_same(models: dict[str, Any]) -> None:
    assert [name for name in OPTIONS if not models[name]["is_same_when_moved"]] == []


def test_a_tensor_for_which_there_is_no_memory_is_told_as_that(models: dict[str, Any]) -> None:
    assert "can't allocate memory" in models["memory"]


def test_rows_of_which_nobody_has_said_that_they_are_some_are_not_put_together(models: dict[str, Any]) -> None:
    assert (models["any_shape"]["row_wise"], models["script"]["row_wise"]) == (False, True)


def test_rows_that_a_program_looks_at_together_are_not_put_together(models: dict[str, Any]) -> None:
    assert models["centred"]["row_wise"] is False
    assert models["centred"]["found"] == {"": (ROWS - ROWS.mean(0)).tolist()}


@pytest.mark.parametrize(
    ("case"), range(len(FAULTS)), ids=[f"{said['file']}-{n}" for n, (said, _) in enumerate(FAULTS)]
)
def test_what_cannot_be_loaded_is_told_in_one_line(models: dict[str, Any], case: int) -> None:
    found = models["faults"][case]
    assert FAULTS[case][1] in found
    assert "\n" not in found.partition("\n\nhint: ")[0]


def test_a_pickle_in_a_program_is_not_read_unless_the_project_names_the_file(models: dict[str, Any]) -> None:
    told = models["unnamed"]
    assert "the program holds a pickle, which runs code when it is read" in told and "sample_inputs" in told
    assert 'file = "harmful.pt2"' in told
    assert not models["harm"]


def test_a_server_that_cannot_load_ends_with_the_reason(models: dict[str, Any], folder: Path, tmp_path: Path) -> None:
    """The class is the project's, so it was found there; and nothing of PyTorch's own is in the log."""
    (tmp_path / "model").mkdir()
    for name in ("net.py", "net.pt"):
        (tmp_path / ("model" if name == "net.pt" else ".") / name).write_bytes((folder / name).read_bytes())
    project(tmp_path, '[model.options]\nclass = "net:Net"\narguments = { hidden = 9 }')
    ended = failed_start("torch", tmp_path / "log", tmp_path)
    assert (ended.exit_code, ended.chatter) == (EXIT_FAILED, [])
    assert "model/net.pt: the weights do not fit `net:Net`: got Error(s) in loading state_dict" in ended.error
    assert "hint: `arguments` under [model.options]" in ended.error


def test_a_server_without_pytorch_says_what_to_install(tmp_path: Path) -> None:
    ended = failed_start("onnx", tmp_path / "log", example("torch"))  # whose environment has no PyTorch
    assert ended.exit_code == EXIT_FAILED
    assert ended.error.startswith("this flavor needs torch: got ModuleNotFoundError")
    assert ended.error.endswith("hint: pip install torch")


def project(folder: Path, more: str = "") -> Path:
    """A project of the files in `model/`; gives `folder`."""
    (folder / "argosy.toml").write_text(f'[model]\nflavor = "torch"\nartifacts = "model/"\n{more}\n')
    return folder
