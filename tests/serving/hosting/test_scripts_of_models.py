"""A multi-model endpoint whose models bring their own inference scripts: real processes, names that clash."""

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving.server_process import Reply, ServerProcess, running

SCRIPT = """
    import json
    import os

    from features import WORD  # beside every script, and different each time
    from shapes.square import SIDE


    def model_fn(model_dir, context):
        assert context.system_properties["model_dir"] == model_dir
        return open(os.path.join(model_dir, "weight.txt")).read()


    def transform_fn(model, body, content_type, accept):
        import late  # not before the first request

        return json.dumps([WORD, SIDE, late.WORD, model, json.loads(body), os.getpid()])
"""
STAGES = """
    import numpy as np
    from features import WORD


    def model_fn(model_dir):
        return float(open(model_dir + "/weight.txt").read())


    def input_fn(body, content_type):
        if content_type != "text/csv":
            raise ValueError("want text/csv")
        return np.array([float(cell) for cell in body.split(",")])


    def predict_fn(data, model):
        return data * model


    def output_fn(prediction, accept, context):
        context.set_response_header(0, "X-Amzn-SageMaker-Custom-Attributes", WORD)
        return ",".join(map(str, prediction.tolist())), "text/csv"
"""


def code(folder: Path, script: str, word: str) -> Path:
    """A folder with a script and what it imports."""
    (folder / "shapes").mkdir(parents=True)
    (folder / "inference.py").write_text(textwrap.dedent(script))
    (folder / "shapes/square.py").write_text(f"SIDE = {len(word)}\n")
    for name in ("features.py", "late.py"):
        (folder / name).write_text(f"WORD = {word!r}\n")
    return folder


def model(folder: Path, weight: str) -> Path:
    folder.mkdir()
    (folder / "weight.txt").write_text(weight)
    return folder


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """Nothing is told but that there are many models."""
    with running("", tmp_path / "log", ARGOSY_PREDICTOR="", SAGEMAKER_MULTI_MODEL="true") as server:
        yield server


def load(server: ServerProcess, name: str, url: Path) -> Reply:
    return server.request("POST", "/models", json.dumps({"model_name": name, "url": str(url)}).encode())


def ask(server: ServerProcess, name: str, body: bytes, content_type: str = "application/json") -> Reply:
    return server.request("POST", f"/models/{name}/invoke", body, Content_Type=content_type)


def test_each_model_is_served_by_its_own_script(server: ServerProcess, tmp_path: Path) -> None:
    whole, staged, again = (model(tmp_path / name, weight) for name, weight in (("a", "3"), ("b", "2.5"), ("c", "4")))
    code(whole / "code", SCRIPT, "apple")
    code(staged / "code", STAGES, "fig")
    code(again / "code", SCRIPT, "banana")
    for name, url in (("whole", whole), ("staged", staged), ("again", again)):
        assert load(server, name, url).status == 200, server.log
    *first, pid = json.loads(ask(server, "whole", b"[1]").body)
    *other, other_pid = json.loads(ask(server, "again", b"[2]").body)
    assert (first, other) == (["apple", 5, "apple", "3", [1]], ["banana", 6, "banana", "4", [2]])
    assert pid != other_pid
    reply = ask(server, "staged", b"1,2", "text/csv")
    assert (reply.status, reply.headers["content-type"], reply.body) == (200, "text/csv", b"2.5,5.0")
    assert reply.headers["x-amzn-sagemaker-custom-attributes"] == "fig"
    assert ask(server, "staged", b"[1]").status == 500
    assert server.request("DELETE", "/models/whole").status == 200
    assert ask(server, "again", b"[2]").status == 200


def test_a_model_that_is_loaded_again_has_its_new_script(server: ServerProcess, tmp_path: Path) -> None:
    url = model(tmp_path / "a", "3")
    code(url / "code", SCRIPT, "apple")
    assert load(server, "a", url).status == 200
    assert server.request("DELETE", "/models/a").status == 200
    (url / "code/inference.py").write_text(textwrap.dedent(STAGES))
    assert load(server, "a", url).status == 200
    assert ask(server, "a", b"1", "text/csv").body == b"3.0"


def test_a_model_whose_script_is_missing_or_broken_harms_no_other(server: ServerProcess, tmp_path: Path) -> None:
    good, broken, bare = (model(tmp_path / name, "1") for name in ("good", "broken", "bare"))
    code(good / "code", SCRIPT, "apple")
    code(broken / "code", "import not_there", "apple")
    assert load(server, "good", good).status == 200
    for name, url in (("broken", broken), ("bare", bare)):
        reply = load(server, name, url)
        assert (reply.status, reply.error["code"]) == (500, "load")
        assert ask(server, name, b"[]").status == 404
    assert "No module named 'not_there'" in server.log
    assert "the model has no inference script: want `code/inference.py`" in server.log
    assert (ask(server, "good", b"[]").status, server.ping()) == (200, 200)


def test_a_script_for_all_serves_the_models_that_bring_none(tmp_path: Path) -> None:
    """And what it has imported is not what another model's script gets for the same name."""
    program = code(tmp_path / "program", SCRIPT, "shared")
    own, bare = model(tmp_path / "own", "1"), model(tmp_path / "bare", "2")
    code(own / "code", SCRIPT, "pear")
    with running(
        "",
        tmp_path / "log",
        ARGOSY_PREDICTOR="",
        ARGOSY_PROGRAM_DIR=str(program),
        ARGOSY_INFERENCE_SCRIPT="inference.py",
        SAGEMAKER_MULTI_MODEL="true",
    ) as server:
        for name, url in (("bare", bare), ("own", own)):
            assert load(server, name, url).status == 200, server.log
        words = [json.loads(ask(server, name, b"0").body)[:4] for name in ("bare", "own")]
    assert words == [["shared", 6, "shared", "2"], ["pear", 4, "pear", "1"]]
