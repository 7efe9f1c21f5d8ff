"""In the style of the PyTorch container's examples, with numpy in the place of torch: `context` everywhere."""

import io
import json
import logging
import os

import numpy as np

logger = logging.getLogger(__name__)


class Net:
    def __init__(self, hidden, output):
        self.hidden = hidden
        self.output = output

    def __call__(self, x):
        return np.maximum(x @ self.hidden, 0) @ self.output


def model_fn(model_dir, context):
    properties = context.system_properties
    device = "cuda:" + str(properties.get("gpu_id")) if properties.get("gpu_id") is not None else "cpu"
    logger.info("loading the model from %s on %s", model_dir, device)
    with open(os.path.join(model_dir, "model.npz"), "rb") as f:
        state = dict(np.load(f))
    return Net(state["hidden_weight"], state["output_weight"])


def input_fn(request_body, request_content_type, context):
    if request_content_type == "application/json":
        return np.array(json.loads(request_body)["inputs"], dtype=np.float32)
    if request_content_type == "application/x-npy":
        return np.load(io.BytesIO(request_body))
    context.set_response_status(415, "give application/json or application/x-npy")
    return np.zeros((0, 3), dtype=np.float32)


def predict_fn(input_object, model, context):
    return {"scores": model(input_object), "for": context.get_request_header(0, "x-amzn-sagemaker-inference-id")}


def output_fn(predictions, response_content_type, context):
    context.set_response_content_type(0, "application/json")
    return json.dumps({"scores": predictions["scores"].tolist(), "for": predictions["for"]})
