"""The flavor huggingface: served beside sentence-transformers and transformers called directly, and what it refuses."""

import io
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.flavors.environments import ROOT, environment, example
from tests.flavors.serving import direct, failed_start, serving
from tests.serving.server_process import ServerProcess

NAME = "huggingface"
SAMPLE = ROOT / "examples/huggingface/samples/rows.json"
SENTENCES: list[str] = json.loads(SAMPLE.read_text())
CASES = (
    "text-classification", "text-classification: one in a list", "text-classification: requests",
    "token-classification", "token-classification: one in a list", "token-classification: requests",
    "fill-mask", "fill-mask: one in a list", "fill-mask: requests",
    "feature-extraction", "feature-extraction: one in a list", "feature-extraction: requests",
    "text-generation: requests", "zero-shot-classification", "image-classification", "summarization",
    "question-answering: of the text", "question-answering: where", "question-answering: windows",
)  # fmt: skip
REFUSALS = {
    "weights of another task": ["the weights do not fit `text-classification`", "classifier.bias", "BertForMaskedLM"],
    "a parameter that is not known": ["DecodeError", "has no parameter `custom_generate`", "`targets`, `top_k`"],
    "a parameter of another type": ["DecodeError", "`top_k`", "got str, want int"],
    "a value that the pipeline refuses": ["DecodeError", "`fill-mask` refuses the request"],
    "no mask": ["DecodeError", "No mask_token"],
    "too long": ["DecodeError", "a text is too long for the model: got 64 tokens, want at most 48"],
    "truncated weights": ["broken/model.safetensors", "file not fully covered"],
    "a model of a later version": ["`newbert`", "saved by transformers 99.1.0", "pip install 'transformers>=99.1.0'"],
    "code of the folder": ["unknown/config.json", "code of its own folder, which is not run", "`auto_map`"],
    "pickled, and named": ["HuggingfaceModel"],
    "pickled code": ["masked/pytorch_model.bin", "a pickle that holds more than weights"],
    "the code has not run": ["[]"],
    "a model of the Hub": ["True"],
    "no config": ["no model of transformers", "`config.json`"],
    "no JSON": ["config.json", "is not the JSON that it should be"],
    "no weights": ["no weights", "`model.safetensors`"],
    "an empty file": ["model.safetensors", "got an empty file"],
    "git-lfs": ["model.safetensors", "git-lfs"],
    "an archive": ["model.safetensors", "got an archive, as `torch.save` writes it"],
    "no tokenizer": ["no tokenizer", "`tokenizer.json`"],
    "no such task": ["got `poetry`", "`text-classification`"],
    "another module": ["modules.json", "got Transformer, LSTM"],
    "a way out": ["modules.json", "leads out of the folder"],
    "no such pooling": ["1_Pooling/config.json", "a pooling that is not served"],
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What `huggingface_models.py` printed, by case."""
    program = ROOT / "tests/flavors/huggingface_models.py"
    done = subprocess.run(
        [environment(NAME), "-P", program, tmp_path_factory.mktemp("models")],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert {line["case"] for line in lines} == {*CASES, *REFUSALS}
    return {line["case"]: line for line in lines}


@pytest.mark.parametrize("case", CASES)
def test_the_answer_is_that_of_transformers(told: dict[str, dict[str, Any]], case: str) -> None:
    assert told[case]["ours"] == told[case]["theirs"]


@pytest.mark.parametrize("case", REFUSALS)
def test_what_is_not_served_is_told(told: dict[str, dict[str, Any]], case: str) -> None:
    said = str(told[case]["said"])
    assert all(part in said for part in REFUSALS[case]), said


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with serving(NAME, tmp_path_factory.mktemp("server") / "log") as running:
        yield running


def vectors(server: ServerProcess, body: object) -> np.ndarray:
    reply = server.invoke(body, Accept="application/x-npy")
    assert reply.status == 200, reply.body
    found: np.ndarray = np.load(io.BytesIO(reply.body), allow_pickle=False)
    return found


def test_sentences_get_the_vectors_of_sentence_transformers(server: ServerProcess, tmp_path: Path) -> None:
    wanted = direct(NAME, SAMPLE, tmp_path / "direct.npy")
    assert isinstance(wanted, np.ndarray)
    found = vectors(server, SENTENCES)
    assert (found.dtype, found.tobytes()) == (wanted.dtype, wanted.tobytes())
    for content_type, body in (
        ("application/json", json.dumps(SENTENCES)),
        ("application/json", json.dumps({"inputs": SENTENCES})),
        ("application/jsonlines", "".join(json.dumps(sentence) + "\n" for sentence in SENTENCES)),
        ("text/csv", "".join('"' + sentence.replace('"', '""') + '"\n' for sentence in SENTENCES)),
    ):
        reply = server.invoke(body.encode(), Content_Type=content_type, Accept="application/json")
        assert reply.status == 200, (body, reply.body)
        rows = np.array(json.loads(reply.body), np.float32)
        assert np.array_equal(rows, wanted), content_type


def test_a_sentence_has_one_vector_and_padding_only_rounds(server: ServerProcess) -> None:
    together = vectors(server, SENTENCES)
    alone = [vectors(server, {"inputs": sentence}) for sentence in SENTENCES]
    assert all(vector.shape == (384,) for vector in alone)
    assert np.allclose(together, np.stack(alone), atol=1e-6)
    assert np.allclose(np.linalg.norm(together, axis=1), 1)


def test_many_sentences_come_back_in_their_order(server: ServerProcess) -> None:
    many = [f"{'word ' * (number % 7 + 1)}{number}" for number in range(70)]
    assert np.allclose(vectors(server, many)[::13], vectors(server, many[::13]), atol=1e-6)


def test_the_document_says_texts_in_and_384_numbers_out(server: ServerProcess) -> None:
    document = json.loads(server.request("GET", "/openapi.json").body)
    invocation = document["paths"]["/invocations"]["post"]
    asked = json.dumps(invocation["requestBody"]["content"]["application/json"])
    assert '{"type": "string"}, {"$ref": "#/components/schemas/TextRequest"}' in asked
    assert '"minItems": 384' in json.dumps(invocation["responses"]["200"]["content"]["application/json"])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"5", "want string or object"),
        (b'{"text": "a"}', "`inputs`"),
        (b'{"inputs": "a", "parameters": {"trust_remote_code": true}}', "has no parameter `trust_remote_code`"),
    ],
)
def test_what_is_no_text_is_a_bad_request(server: ServerProcess, body: bytes, message: str) -> None:
    reply = server.invoke(body)
    assert (reply.status, message in reply.error["message"]) == (400, True), reply.error


def test_a_fault_ends_the_server_with_clear_words_alone(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(ROOT / "examples/huggingface", folder, ignore=shutil.ignore_patterns("model"))
    (folder / "model").mkdir()
    (folder / "model/config.json").write_text('{"architectures": ["BertForMaskedLM"]}')
    (folder / "model/pytorch_model.bin").write_bytes(b"")
    ended = failed_start(NAME, tmp_path / "log", folder)
    assert (ended.exit_code, ended.chatter) == (1, []), ended.log
    assert f"{folder}/model: weights in a pickle, which can run code when it is loaded" in ended.error
    assert 'file = "pytorch_model.bin"' in ended.error


def test_without_torch_it_says_what_to_install(tmp_path: Path) -> None:
    ended = failed_start("lightgbm", tmp_path / "log", example(NAME))
    assert ended.exit_code == 1
    assert "this flavor needs torch and transformers" in ended.error
    assert "pip install torch transformers" in ended.error
