"""SageMaker's inference functions, as they run in AWS's scikit-learn container."""

import json
from io import StringIO

import joblib
import numpy as np
from cultivars import NAMES  # what lies in code/ can be imported


def model_fn(model_dir):
    return joblib.load(f"{model_dir}/model.joblib")


def input_fn(request_body, content_type):
    if content_type == "application/json":
        return np.array(json.loads(request_body)["instances"])
    if content_type == "text/csv":
        return np.genfromtxt(StringIO(request_body), delimiter=",", ndmin=2)
    raise ValueError(f"{content_type} is not supported")


def predict_fn(features, model):
    return model.predict_proba(features)


def output_fn(probabilities, accept):
    answers = [dict(zip(NAMES, row.round(3).tolist(), strict=True)) for row in probabilities]
    if accept == "text/csv":
        return "".join(f"{max(answer, key=answer.get)}\n" for answer in answers), accept
    return json.dumps({"predictions": answers}), "application/json"
