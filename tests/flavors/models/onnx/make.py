"""Makes the models beside it: `python make.py`, with onnx==1.23.2, onnxruntime==1.32.0, skl2onnx==1.20.0 and
pandas==3.1.1.

The IR version is an old one, so that the models and not their age are what a test is about.
"""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pandas as pd
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

HERE = Path(__file__).parent
X = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 4])
Y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 4])
OPSETS = {"": 17}


def model(
    node: onnx.NodeProto, taken: onnx.ValueInfoProto = X, given: onnx.ValueInfoProto = Y, *weights: onnx.TensorProto
) -> onnx.ModelProto:
    graph = helper.make_graph([node], "graph", [taken], [given], initializer=weights)
    found = helper.make_model(graph, opset_imports=opsets(OPSETS), producer_name="argosy")
    found.ir_version = 8
    return found


def opsets(told: dict[str, int]) -> list[onnx.OperatorSetIdProto]:
    return [helper.make_opsetid(domain, version) for domain, version in told.items()]


def tensor(name: str, shape: list[str | int], dtype: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, dtype, shape)


def late(**fields: int) -> onnx.ModelProto:
    found = model(RELU)
    if "opset" in fields:
        found.opset_import[0].version = fields["opset"]
    else:
        found.ir_version = fields["ir"]
    return found


RELU = helper.make_node("Relu", ["x"], ["y"])


def columns() -> None:
    """A classifier of rows with a number and a word, as scikit-learn's converter writes it: ZipMap and all."""
    size = np.arange(60, dtype=np.float32)
    frame = pd.DataFrame({"size": size, "colour": np.array(["red", "green", "blue"])[np.arange(60) % 3]})
    words = OneHotEncoder(handle_unknown="ignore")
    both = ColumnTransformer([("numbers", StandardScaler(), ["size"]), ("words", words, ["colour"])])
    classifier = make_pipeline(both, LogisticRegression()).fit(frame, np.where(size > 30, "large", "small"))
    types = [("size", FloatTensorType([None, 1])), ("colour", StringTensorType([None, 1]))]
    found = convert_sklearn(classifier, "columns", initial_types=types, target_opset=17)
    (HERE / "columns.onnx").write_bytes(found.SerializeToString())


def main() -> None:
    columns()
    identity = numpy_helper.from_array(np.eye(4, dtype=np.float32), "w")
    beside = model(helper.make_node("MatMul", ["x", "w"], ["y"]), X, Y, identity)
    (HERE / "weights.bin").unlink(missing_ok=True)  # onnx would write behind what is there
    onnx.save_model(
        beside, HERE / "external.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0
    )
    ten = numpy_helper.from_array(np.arange(10, dtype=np.float32), "w")
    at = tensor("at", ["rows"], TensorProto.INT64)
    listed = helper.make_tensor_sequence_value_info("x", TensorProto.FLOAT, None)
    own = model(helper.make_node("Fancy", ["x"], ["y"], domain="my.ops"))
    own.opset_import.extend(opsets({"my.ops": 1}))
    models = {
        "one_row": model(RELU, tensor("x", [1, 4]), tensor("y", [1, 4])),
        "signal": model(RELU, tensor("x", ["time", 1]), tensor("y", ["time", 1])),
        "total": model(helper.make_node("ReduceSum", ["x"], ["y"], keepdims=0), X, tensor("y", [])),
        "lookup": model(helper.make_node("Gather", ["w", "at"], ["y"]), at, tensor("y", ["rows"]), ten),
        "own_operator": own,
        "unknown_operator": model(helper.make_node("Fancy", ["x"], ["y"])),
        "late_opset": late(opset=99),
        "late_ir": late(ir=99),
        "sequence": model(helper.make_node("ConcatFromSequence", ["x"], ["y"], axis=0), listed),
        "bfloat": model(
            helper.make_node("Cast", ["x"], ["y"], to=TensorProto.BFLOAT16),
            X,
            tensor("y", ["rows", 4], TensorProto.BFLOAT16),
        ),
    }
    for name, found in models.items():
        (HERE / f"{name}.onnx").write_bytes(found.SerializeToString())
    told = onnxruntime.SessionOptions()
    told.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    told.optimized_model_filepath = str(HERE / "lookup.ort")
    told.add_session_config_entry("session.save_model_format", "ORT")
    onnxruntime.InferenceSession(HERE / "lookup.onnx", told)


if __name__ == "__main__":
    main()
