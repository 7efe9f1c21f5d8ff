"""MXNet's symbols: served as MXNet itself predicts them, and clear words for what cannot be loaded."""

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.flavors.environments import ROOT, example
from tests.flavors.inside import inside, load_errors
from tests.flavors.serving import direct, failed_start, serving
from tests.serving.server_process import ServerProcess, wait_until

PREDICTOR = "argosy.flavors.mxnet:MxnetModel"
NPY = "application/x-npy"
ROWS = np.linspace(-1, 1, 8, dtype="float32").reshape(2, 4)
_MODELS = """
import os, pathlib
import mxnet as mx, numpy as np
from argosy.errors import LoadError
from argosy.flavors.loading import options
from argosy.flavors.mxnet import MxnetModel

folder, rows = pathlib.Path(told["folder"]), np.array(told["rows"], "float32")

def served(name, **said):
    options.read.cache_clear()
    os.environ["ARGOSY_FLAVOR_OPTIONS"] = json.dumps({"file": f"{name}-symbol.json", **said})
    model = MxnetModel()
    model.load(folder)
    return model

def told_of(model):
    said = model.signature()
    tensors = [[(t.name, t.dtype, t.shape) for t in each] for each in (said.inputs, said.outputs)]
    return {"inputs": tensors[0], "outputs": tensors[1], "row_wise": said.row_wise}

def module():
    data = mx.sym.var("data", shape=(0, 4), dtype="float32")
    symbol = mx.sym.SoftmaxOutput(mx.sym.FullyConnected(data, num_hidden=3, name="fc"), name="softmax")
    module = mx.mod.Module(symbol)
    module.bind([("data", (2, 4))], [("softmax_label", (2,))])
    module.init_params()
    found = {}
    for epoch, name in ((3, "older"), (11, "newest")):
        weight = mx.nd.array(np.arange(12).reshape(3, 4) * epoch / 10)
        module.set_params({"fc_weight": weight, "fc_bias": mx.nd.zeros(3)}, {})
        module.save_checkpoint(str(folder / "line"), epoch)
        found[name + "_of_module"] = module.predict(mx.io.NDArrayIter(rows, batch_size=2)).asnumpy().tolist()
    model, older = served("line"), served("line", file="line-0003.params")
    try:
        served("line", inputs=[{"name": "data", "dtype": "float32", "shape": ["rows", 5]}])
        found["too_wide"] = ""
    except LoadError as error:
        found["too_wide"] = str(error)
    return {**found, "told": told_of(model), "newest": model.predict(rows).tolist(),
            "older": older.predict(rows).tolist(), "one_row": model.predict(rows[:1]).shape}

def several():
    a, b, weight = mx.sym.var("a"), mx.sym.var("b", dtype="int64"), mx.sym.var("w")
    product = mx.sym.FullyConnected(a, weight=weight, no_bias=True, num_hidden=3, name="product")
    symbol = mx.sym.Group([product, mx.sym.sum(product, axis=1, name="total"), mx.sym.identity(b, name="same")])
    symbol.save(str(folder / "two-symbol.json"))
    mx.nd.save(str(folder / "two-0000.params"), {"arg:w": mx.nd.ones((3, 4))})
    inputs = [{"name": "a", "dtype": "float32", "shape": ["rows", 4]},
              {"name": "b", "dtype": "int64", "shape": ["rows"]}]
    model, one = served("two", inputs=inputs), served("two", inputs=inputs, outputs=["total_output"])
    found = {name: array.tolist() for name, array in model.predict({"a": rows, "b": np.array([1 << 40, 2])}).items()}
    return {"told": told_of(model), "found": found, "one": one.predict(rows).tolist()}

def mixing():
    scaled = mx.sym.broadcast_mul(mx.sym.var("data", shape=(0, 4)), mx.sym.var("w", shape=(1, 1)))
    symbol = mx.sym.sum(scaled, axis=0, keepdims=True)
    symbol.save(str(folder / "sum-symbol.json"))
    mx.nd.save(str(folder / "sum-0000.params"), {"arg:w": mx.nd.ones((1, 1))})
    return [told_of(served("sum"))["row_wise"], told_of(served("sum", row_wise=True))["row_wise"]]

def numpy_network():
    mx.npx.set_np()
    network = mx.gluon.nn.Dense(3)
    network.initialize(mx.init.One())
    network.hybridize()
    network(mx.np.array(rows))
    network.export(str(folder / "np"), 0)
    mx.npx.reset_np()
    (folder / "np-shapes.json").write_text('[{"name": "data", "shape": [32, 4]}]')
    return served("np").predict(rows).tolist()

answer({"module": module(), "several": several(), "mixing": mixing(), "numpy": numpy_network()})
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    log = tmp_path_factory.mktemp("mxnet") / "log"
    # Two processes of one parent, each with threads of OpenMP's: what a fork could break.
    with serving("mxnet", log, ARGOSY_WORKERS="2", OMP_NUM_THREADS="2") as running:
        yield running


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the flavor says of other models than the example's, which MXNet makes in the same process."""
    folder = tmp_path_factory.mktemp("models")
    found: dict[str, Any] = inside("mxnet", _MODELS, folder=str(folder), rows=ROWS.tolist())
    return found


def test_served_is_what_mxnet_says_to_the_last_bit(server: ServerProcess, tmp_path: Path) -> None:
    want = direct("mxnet", sample("npy"), tmp_path / "direct.npy")
    reply = server.invoke(sample("npy").read_bytes(), Content_Type=NPY, Accept=NPY)
    assert reply.status == 200, reply.body
    found = np.load(io.BytesIO(reply.body))
    assert isinstance(want, np.ndarray)
    assert (found.dtype, found.shape, found.tobytes()) == (want.dtype, want.shape, want.tobytes())
    from_json = json.loads(server.invoke(sample("json").read_bytes()).body)
    assert np.array_equal(np.array(from_json, "float32"), want)
    from_csv = server.invoke(sample("csv").read_bytes(), Content_Type="text/csv", Accept="text/csv").body.decode()
    assert np.array_equal(np.array(list(csv.reader(io.StringIO(from_csv))), "float32"), want)


def test_rows_together_are_rows_one_by_one(server: ServerProcess) -> None:
    rows = np.load(sample("npy"))
    together = json.loads(server.invoke(rows.tolist()).body)
    alone = [json.loads(server.invoke([row]).body)[0] for row in rows.tolist()]
    np.testing.assert_allclose(together, alone, rtol=1e-5)


def test_the_schema_is_the_models_and_a_body_is_held_to_it(server: ServerProcess) -> None:
    said = json.loads(server.request("GET", "/openapi.json").body)["paths"]["/invocations"]["post"]
    body = said["requestBody"]["content"]["application/json"]["schema"]
    assert body["description"] == "`data` float32 (any, 64)"
    answer = said["responses"]["200"]["content"]["application/json"]["schema"]
    assert (answer["items"]["minItems"], answer["items"]["maxItems"]) == (10, 10)
    reply = server.invoke([[1, 2, 3]])
    assert reply.status == 400
    assert "got (1, 3), want (any, 64)" in reply.error["message"]


def test_a_process_forked_later_predicts_the_same(server: ServerProcess) -> None:
    body = sample("json").read_bytes()
    before = server.invoke(body).body
    server.wait_loaded(2)
    died = set(server.model_pids())
    for pid in died:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(set(server.model_pids()) - died) == 2, 60, lambda: server.log)
    server.wait_loaded(2)
    assert {server.invoke(body).body for _ in range(4)} == {before}


def test_the_log_has_events_alone(server: ServerProcess) -> None:
    server.invoke([[0] * 64])
    assert [line for line in server.log.splitlines() if not line.startswith("{")] == []


def test_what_cannot_be_loaded_is_told_in_one_line(tmp_path: Path) -> None:
    cases = list(faults(tmp_path))
    found = load_errors("mxnet", PREDICTOR, [(str(folder), options) for folder, options, _ in cases])
    for (folder, _, want), said in zip(cases, found, strict=True):
        first, _, _ = said.partition("\n")
        assert first.startswith("LoadError: ") and str(folder) in first, (folder.name, said)
        assert all(words in said for words in want), (folder.name, said)


def test_a_server_that_cannot_load_ends_with_the_line(tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(example("mxnet"), project)
    damaged = project / "model/digits-0012.params"
    shutil.copy(damaged, project / "model/digits-0003.params")
    damaged.write_bytes(damaged.read_bytes()[:12_000])
    ended = failed_start("mxnet", tmp_path / "log", project)
    assert ended.exit_code == 1
    assert "`digits-0012.params` cannot be loaded by MXNet: got Invalid NDArray file format" in ended.error
    assert ended.chatter == []
    assert '"event":"parameters-chosen","file":"digits-0012.params","epochs":2' in ended.log


def test_an_engine_that_does_not_survive_a_fork_is_refused(tmp_path: Path) -> None:
    ended = failed_start("mxnet", tmp_path / "log", example("mxnet"), MXNET_ENGINE_TYPE="NaiveEngine")
    assert "`MXNET_ENGINE_TYPE` names an engine that does not survive a fork" in ended.error


@pytest.mark.parametrize(
    ("stub", "want"),
    [
        ("import numpy; numpy.PZERO", ["MXNet needs a numpy before 1.24: got numpy ", "pip install numpy==1.23.5"]),
        (
            "raise OSError('libquadmath.so.0: cannot open')",
            ["libquadmath.so.0", "apt-get install libgomp1 libquadmath0"],
        ),
        (None, ["this flavor needs mxnet: got ModuleNotFoundError", "pip install mxnet"]),
    ],
)
def test_an_mxnet_that_cannot_be_imported_is_told(stub: str | None, want: list[str], tmp_path: Path) -> None:
    """In the project's own environment, which has no MXNet and a numpy that it does not know."""
    if stub is not None:
        (tmp_path / "mxnet.py").write_text(stub)
    code = (
        "import pathlib, sys; from argosy.flavors.mxnet import MxnetModel; MxnetModel().load(pathlib.Path(sys.argv[1]))"
    )
    environ = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT / 'src'}"}
    argv = [sys.executable, "-c", code, str(example("mxnet") / "model")]
    done = subprocess.run(argv, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert all(words in done.stderr.rpartition("argosy.errors.LoadError: ")[2] for words in want), done.stderr


def test_a_checkpoint_of_a_module_needs_no_labels(models: dict[str, Any]) -> None:
    found = models["module"]
    assert found["told"]["inputs"] == [["data", "float32", [None, 4]]]
    assert found["told"]["outputs"] == [["softmax_output", "float32", [None, 3]]]
    assert found["told"]["row_wise"] is True
    np.testing.assert_allclose(found["newest"], found["newest_of_module"], rtol=1e-6)
    np.testing.assert_allclose(found["older"], found["older_of_module"], rtol=1e-6)
    assert found["one_row"] == [1, 3]


def test_shapes_that_the_parameters_do_not_fit_are_refused(models: dict[str, Any]) -> None:
    assert "`line-symbol.json` does not take inputs of these shapes" in models["module"]["too_wide"]


def test_several_inputs_and_outputs_go_by_name(models: dict[str, Any]) -> None:
    told, found = models["several"]["told"], models["several"]["found"]
    assert [name for name, _, _ in told["outputs"]] == ["product_output", "total_output", "same_output"]
    assert [dtype for _, dtype, _ in told["inputs"]] == ["float32", "int64"]
    assert told["row_wise"] is True
    np.testing.assert_allclose(found["total_output"], ROWS.sum(axis=1) * 3, rtol=1e-5)
    assert np.shape(found["product_output"]) == (2, 3)
    assert found["same_output"] == [1 << 40, 2]
    assert models["several"]["one"] == found["total_output"]


def test_an_output_of_other_rows_makes_the_model_not_row_wise(models: dict[str, Any]) -> None:
    assert models["mixing"] == [False, True]


def test_a_network_of_numpy_arrays_is_loaded_as_one(models: dict[str, Any]) -> None:
    np.testing.assert_allclose(models["numpy"], np.repeat(ROWS.sum(axis=1, keepdims=True), 3, axis=1), rtol=1e-5)


def sample(suffix: str) -> Path:
    return example("mxnet") / f"samples/rows.{suffix}"


def faults(folder: Path) -> Iterator[tuple[Path, dict[str, object], list[str]]]:
    """Copies of the model, each with another fault, and what has to be said of it."""

    def copy(name: str) -> tuple[Path, Path, Path]:
        made = shutil.copytree(example("mxnet") / "model", folder / name)
        return made, made / "digits-symbol.json", made / "digits-0012.params"

    made, symbol, _ = copy("truncated")
    symbol.write_bytes(symbol.read_bytes()[:3000])
    yield made, {}, ["digits-symbol.json: this is no MXNet symbol", "breaks off"]
    made, symbol, _ = copy("empty")
    symbol.write_bytes(b"")
    yield made, {}, ["digits-symbol.json: this is no MXNet symbol: got an empty file"]
    made, symbol, _ = copy("other-json")
    symbol.write_text('{"a": 1}')
    yield made, {}, ["digits-symbol.json: this is no MXNet symbol: got other JSON"]
    made, symbol, _ = copy("operator")
    symbol.write_text(symbol.read_text().replace('"Convolution"', '"Convolvement"'))
    yield made, {}, ["`digits-symbol.json` cannot be loaded by MXNet", "Operator Convolvement is not registered"]
    made, symbol, _ = copy("newer")
    symbol.write_text(symbol.read_text().replace("10901", "20001"))
    yield made, {}, ["a newer MXNet wrote the symbol: got MXNet 2.0.1, want at most 1.9.1", "pip install mxnet==2.0.1"]
    made, _, parameters = copy("truncated-parameters")
    parameters.write_bytes(parameters.read_bytes()[:12_000])
    yield made, {}, ["`digits-0012.params` cannot be loaded by MXNet: got Invalid NDArray file format"]
    made, _, parameters = copy("empty-parameters")
    parameters.write_bytes(b"")
    yield made, {}, ["`digits-0012.params` cannot be loaded by MXNet: got Invalid NDArray file format"]
    made, symbol, parameters = copy("no-parameters")
    parameters.unlink()
    yield made, {}, ["there are no parameters beside `digits-symbol.json`: want `digits-0000.params`"]
    made, symbol, _ = copy("other-parameters")
    symbol.write_text(symbol.read_text().replace("conv0_", "kernel_"))
    yield made, {}, ["the parameters do not fit `digits-symbol.json`", "`kernel_weight`", "written with the symbol"]
    made, symbol, _ = copy("several")
    shutil.copy(symbol, made / "other-symbol.json")
    yield made, {}, ["there is more than one of an MXNet symbol", 'file = "digits-symbol.json"']
    made, _, _ = copy("no-shape")
    (made / "digits-shapes.json").unlink()
    yield made, {}, ["does not say which shape its input `data` has", "[model.options] inputs = [{ name = "]
    made, _, _ = copy("other-input")
    pixels = {"name": "pixels", "dtype": "float32", "shape": ["rows", 64]}
    yield made, {"inputs": [pixels]}, ["has no such input: got `pixels`, want `data`"]
    made, _, _ = copy("other-output")
    yield (
        made,
        {"outputs": ["scores"]},
        ["the symbol has no such output: got `scores`", "probabilities0_softmax0_output"],
    )
    made, _, _ = copy("broken-shapes")
    (made / "digits-shapes.json").write_text("[1]")
    yield made, {}, ["digits-shapes.json: these are no shapes of inputs"]
    made, _, _ = copy("other-file")
    yield made, {"file": "digits-shapes.json"}, ["`digits-shapes.json` is not what an MXNet model is called"]
