from pathlib import Path

import pytest

from argosy.flavors.onnx_faults import load_fault, sentence

FILE = Path("/models/net.onnx")
PREFIX = "[ONNXRuntimeError] : 1 : FAIL : "


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        (
            "[ONNXRuntimeError] : 3 : NO_SUCHFILE : Load model from a.onnx failed:File doesn't exist",
            "File doesn't exist",
        ),
        (
            f"{PREFIX}Load model from /a/b.onnx failed:/onnxruntime_src/onnxruntime/core/graph/model.cc:256 "
            "onnxruntime::Model::Model(onnx::ModelProto&&, const onnxruntime::ModelOptions&) Unsupported model\n",
            "Unsupported model",
        ),
        (
            "[ONNXRuntimeError] : 2 : INVALID_ARGUMENT : Non-zero status code returned while running Gather node. "
            "Name:'' Status Message: indices element out of data bounds, idx=10",
            "Gather: indices element out of data bounds, idx=10",
        ),
        (PREFIX + "x" * 1000, "x" * 300),
    ],
)
def test_a_sentence_has_no_places_in_sources(told: str, wanted: str) -> None:
    assert sentence(Exception(told)) == wanted


def test_what_is_not_known_is_told_as_it_is() -> None:
    error = load_fault(FILE, Exception(f"{PREFIX}Something else"), "1.32.0")
    assert (error.what, error.got, error.where) == ("the ONNX model cannot be loaded", "Something else", FILE)


def test_an_operator_of_onnx_runtimes_own_is_mended_by_a_newer_one() -> None:
    told = f"{PREFIX}Load model from x failed:Fatal error: com.microsoft:Fancy(-1) is not a registered function/op"
    error = load_fault(FILE, Exception(told), "1.32.0")
    assert (error.got, error.hint) == ("`Fancy` of `com.microsoft`", "pip install --upgrade onnxruntime")
    told = (
        "[ONNXRuntimeError] : 9 : NOT_IMPLEMENTED : Could not find an implementation for Identity(21) node with name ''"
    )
    error = load_fault(FILE, Exception(told), "1.32.0")
    assert error.got == "`Identity` of opset 21 of `ai.onnx`"
